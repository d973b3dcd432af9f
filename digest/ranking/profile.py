"""A reader's profile: what his topics, likes and dislikes amount to, as at most 256 weighted words of one vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from digest.ranking.vocabulary import Rows, Vocabulary
from digest.subscribers.model import Interest

MAX_TERMS = 256
"""Over all facets of a profile."""
MAX_FACETS = 4


@dataclass(frozen=True, eq=False, slots=True)
class Facet:
    """One of the things that a reader is interested in.

    The score of a paper with row x is `bias + sum(weights * x[terms])`: how many standard deviations it lies above the papers of
    the background, so that facets, readers and editions compare.
    """

    kind: Literal["topic", "liked"]
    label: str
    """The topic in his own words, or the words that his likes have in common: `image editing, flow matching`."""
    share: float
    """Of his personal picks; the shares of a profile's facets add up to 1."""
    terms: NDArray[np.int32]
    weights: NDArray[np.float32]
    bias: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Profile:
    """All facets of a reader, the largest first; none for one who said nothing."""

    facets: tuple[Facet, ...] = ()
    meaning: NDArray[np.float32] | None = None
    """The direction of his likes in the space of meanings, of length 1 (`[semantic]`); None without."""

    def to_bytes(self) -> bytes:
        """As it is stored: about 1.5 kB (and the meaning)."""
        raise NotImplementedError

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Profile":
        """Raises ValueError for what `to_bytes` did not write."""
        raise NotImplementedError


def learn(vocabulary: Vocabulary, topics: Sequence[Interest], liked: Rows, disliked: Rows) -> Profile:
    """The profile of a reader who wants these topics, liked and disliked papers with these rows; deterministic."""
    raise NotImplementedError
