"""Meaning beside words: directions that a reader's topics and likes point to in the space of a sentence model.

Words tell apart what is spelt differently; a model also knows what means the same. With few likes that is worth more than the
words that they happen to have in common; with many, each knows something that the other does not.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.papers.model import Work

Floats = NDArray[np.float32]

MIN_BACKGROUND = 50
"""Papers below which nobody can tell what an average paper means."""
NEAREST = 20
"""Papers of the background that a topic's phrase is taken to stand for (pseudo-feedback: Rocchio, 1971)."""
MAX_DIMENSION = 4096
MEANING_UNIT, DIRECTION_UNIT = 2048.0, 2048.0
"""What one of a vector's whole numbers is worth: their product stays below 2**24, which float32 holds exactly."""


def text_of(work: Work) -> str:
    """What a model reads of a paper."""
    return f"{work.title}. {work.abstract}" if work.abstract else work.title


@dataclass(frozen=True, eq=False, slots=True)
class Background:
    """Papers that stand for all: what a direction is measured against."""

    mean: Floats
    rows: Floats
    """(papers, dimension), centred: their mean is 0."""

    @classmethod
    def of(cls, vectors: Floats) -> "Background | None":
        """Of these papers' vectors, (papers, dimension), zeros passed over; None if they are too few to stand for others."""
        vectors = vectors[vectors.any(axis=1)]
        if len(vectors) < MIN_BACKGROUND:
            return None
        mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(mean, vectors - mean)

    def centred(self, vectors: Floats) -> Floats:
        """What vectors, (papers, dimension), have that the average paper has not; one without a vector (all zero) stays so."""
        return np.where(vectors.any(axis=1, keepdims=True), vectors - self.mean, np.float32(0))

    def unit(self, direction: Floats) -> Floats:
        """This direction, (dimension,), so long that the background has a standard deviation of 1; zero if it has none."""
        spread = float((self.rows @ direction).std())
        return direction / np.float32(spread) if spread > 1e-6 else np.zeros_like(direction)


@dataclass(frozen=True, eq=False, slots=True)
class Meaning:
    """What the facets of a profile mean, a row for each.

    The score of a paper whose centred vector is y becomes `words * score by words + directions @ y`, which is in standard
    deviations of the background again: `words` and the lengths of the directions see to that. A paper without a vector keeps
    its score by words.
    """

    words: Floats
    """(facets,)"""
    directions: Floats
    """(facets, dimension)"""

    def to_bytes(self) -> bytes:
        """As it is stored, in half precision: 0.8 kB a facet with MiniLM."""
        matrix = np.column_stack([self.words, self.directions])
        return _HEAD.pack(*matrix.shape) + matrix.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Meaning":
        """Raises ValueError for what `to_bytes` did not write."""
        if len(stored) < _HEAD.size:
            raise ValueError("a stored meaning is cut off")
        facets, width = _HEAD.unpack_from(stored)
        if not 2 <= width <= MAX_DIMENSION + 1 or len(stored) != _HEAD.size + 2 * facets * width:
            raise ValueError("a stored meaning is of another size than it says or may be")
        matrix = np.frombuffer(stored, "<f2", offset=_HEAD.size).astype(np.float32).reshape(facets, width)
        if not np.isfinite(matrix).all():
            raise ValueError("a stored meaning has numbers that are none")
        return cls(matrix[:, 0].copy(), matrix[:, 1:].copy())


_HEAD = struct.Struct("<BH")


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """What a facet is made of: vectors of its likes, (likes, dimension), or of its topic's phrase, (dimension,)."""

    likes: Floats
    phrase: Floats | None = None
    """With it, `likes` do not count."""


def learn(background: Background, parts: Sequence[Part]) -> Meaning:
    """The meaning of a profile with these facets; a facet of which no vector is known keeps to its words."""
    words = np.ones(len(parts), np.float32)
    directions = np.zeros((len(parts), len(background.mean)), np.float32)
    for place, part in enumerate(parts):
        toward = background.unit(_direction(background, part))
        if toward.any():
            dense = TOPIC if part.phrase is not None else weight(len(part.likes))
            spread = np.sqrt((1 - dense) ** 2 + dense**2 + 2 * AGREEMENT * dense * (1 - dense))
            words[place], directions[place] = (1 - dense) / spread, toward * np.float32(dense / spread)
    return Meaning(words, directions)


TOPIC = 0.6
"""How much the meaning of a topic's phrase counts, where its words count the rest of 1."""
AGREEMENT = 0.6
"""The correlation of scores by words and by meaning over a background: .45 with one like, .75 with many."""


def weight(likes: int) -> float:
    """How much the meaning of so many likes counts, where their words count the rest of 1: it leads where words are few."""
    return 0.45 + 0.35 / (1 + likes / 15)


def _direction(background: Background, part: Part) -> Floats:
    """What likes have in common less half of what all papers have; what a phrase says, and the papers nearest to it."""
    if part.phrase is not None:
        near = background.rows @ (part.phrase - background.mean / 2)
        nearest = background.rows[np.argsort(-near, kind="stable")[:NEAREST]]
        return np.asarray(part.phrase + nearest.mean(axis=0), np.float32)
    if len(part.likes):
        return np.asarray(part.likes.mean(axis=0) - background.mean / 2, np.float32)
    return np.zeros_like(background.mean)


def mixed(scores: Floats, meanings: Floats, words: Floats, directions: Floats) -> Floats:
    """Scores by words, (facets, entries), and what entries mean, (entries, dimension), together.

    The same however facets and entries are cut into chunks: vectors are rounded to whole numbers whose products add up exactly.

    Args:
        scores: in standard deviations; not changed.
        meanings: centred; a row of zeros for an entry without a vector.
        words: (facets,), see `Meaning`; 1 for a facet without meaning.
        directions: (facets, dimension); a row of zeros for a facet without meaning.
    """
    known = np.asarray(meanings.any(axis=1))
    lengths = np.linalg.norm(directions, axis=1).astype(np.float32)
    units = np.rint(directions * (DIRECTION_UNIT / np.where(lengths > 0, lengths, 1))[:, None]).astype(np.float32)
    # A centred row may be longer than 1, but never than 2.
    rows = np.rint(meanings * (MEANING_UNIT / 2)).astype(np.float32)
    found: Floats = units @ rows.T
    found *= (lengths * np.float32(2 / (MEANING_UNIT * DIRECTION_UNIT)))[:, None]
    found += scores * np.where(known[None, :], words[:, None], np.float32(1))
    return found
