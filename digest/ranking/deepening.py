"""A profile of words gets its meaning: each facet that of the likes and the phrase that it was learned from."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digest.ranking import meaning
from digest.ranking.meaning import Background, Floats, Part
from digest.ranking.profile import Facet, Profile
from digest.ranking.rows import Rows


def deepen(profile: Profile, background: Background, liked: Rows, likes: Floats, phrases: Mapping[str, Floats]) -> Profile:
    """This profile with its meaning.

    Args:
        profile: as it was learned from words.
        background: papers that stand for all others.
        liked: the liked papers in the profile's vocabulary, (likes, terms).
        likes: their vectors, (likes, dimension); a row of zeros for a paper without one.
        phrases: vectors of topics, by the label of their facet.
    """
    if not profile.facets:
        return profile
    owners = _owners(profile.facets, liked)
    known = likes.any(axis=1)
    parts = [
        Part(likes[known & (owners == place)], phrases.get(facet.label) if facet.kind == "topic" else None)
        for place, facet in enumerate(profile.facets)
    ]
    return replace(profile, meaning=meaning.learn(background, parts))


def _owners(facets: tuple[Facet, ...], liked: Rows) -> NDArray[np.int64]:
    """The facet that each liked paper belongs to: of those that were learned from likes, the nearest one; -1 for none."""
    owners, best = np.full(liked.shape[0], -1), np.full(liked.shape[0], -np.inf)
    for place, facet in enumerate(facets):
        if facet.kind == "liked":
            nearness = np.asarray(liked[:, facet.terms] @ facet.weights) + facet.bias
            owners[nearness > best] = place
            best = np.maximum(best, nearness)
    return owners
