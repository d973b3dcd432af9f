"""How a paper stands among those of its field or source, so that small fields are not drowned by large ones. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

SMALLEST = 5
"""Of fewer papers, the best one is no news."""
HALFWAY = 0.5
"""A paper is lifted so far towards its peer of the largest cohort, in large cohorts; less in small ones."""
STEADY = 10
"""A cohort of so many papers gets half of that: how well the best of few would do elsewhere is anybody's guess."""
TELLING = 30
"""A cohort of so many papers has top per cents."""
LIST = 8
"""A list of so many papers has places worth telling."""


@dataclass(frozen=True, slots=True)
class Place:
    """`number` of `of` papers, the best being 1."""

    number: int
    of: int

    @property
    def share(self) -> float:
        return self.number / self.of


def lifts(cohorts: Sequence[str], scores: Sequence[float]) -> list[float]:
    """What each paper gains: part of the way up to the paper that stands at the same quantile of the largest cohort.

    Nobody loses, and the largest cohort gains nothing; neither do papers of no cohort ("") nor those of one below `SMALLEST`.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, cohort in enumerate(cohorts):
        if cohort:
            members[cohort].append(place)
    found = [0.0] * len(scores)
    if not members:
        return found
    largest = max(members, key=lambda cohort: (len(members[cohort]), cohort))
    reference = np.sort([scores[place] for place in members[largest]])
    spread = (np.arange(len(reference)) + 0.5) / len(reference)
    for cohort, places_ in members.items():
        number = len(places_)
        if cohort == largest or number < SMALLEST:
            continue
        own = np.array([scores[place] for place in places_])
        ascending = np.sort(own)
        # Equal scores stand at one quantile, whatever the order they came in.
        quantiles = (np.searchsorted(ascending, own, "left") + np.searchsorted(ascending, own, "right")) / 2 / number
        peers = np.interp(quantiles, spread, reference)
        gains = HALFWAY * number / (number + STEADY) * np.maximum(0.0, peers - own)
        for place, gain in zip(places_, gains.tolist(), strict=True):
            found[place] = gain
    return found


def places(cohorts: Sequence[Hashable | None], scores: Sequence[float], fewest: int) -> list[Place | None]:
    """Where each paper stands in its cohort, as far as that has so many papers; who is level stands behind."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place, cohort in enumerate(cohorts):
        if cohort is not None:
            members[cohort].append(place)
    found: list[Place | None] = [None] * len(scores)
    for places_ in members.values():
        if len(places_) < fewest:
            continue
        ascending = np.sort([scores[place] for place in places_])
        for place in places_:
            found[place] = Place(len(places_) - int(np.searchsorted(ascending, scores[place], "left")), len(places_))
    return found
