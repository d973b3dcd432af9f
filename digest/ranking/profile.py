"""A reader's profile: what his topics, likes and dislikes amount to, as at most 256 weighted words of one vocabulary."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from digest.papers.text import shorten
from digest.ranking import learning
from digest.ranking.clusters import groups
from digest.ranking.meaning import Meaning
from digest.ranking.negatives import Negatives, Rated, Vector
from digest.ranking.rows import Rows
from digest.ranking.text import terms as terms_of
from digest.ranking.vocabulary import Vocabulary
from digest.subscribers.model import Interest

Kind = Literal["topic", "liked"]

MAX_TERMS = 256
"""Over all facets of a profile."""
MAX_FACETS = 4
MAX_LABEL = 120
LEAST_TERMS = 40
"""Of a facet; the others go by its share."""
LIKES_OF_A_TOPIC = 15
"""A topic that he states says as much as so many likes."""


@dataclass(frozen=True, eq=False, slots=True)
class Facet:
    """One of the things that a reader is interested in.

    The score of a paper with row x is `bias + sum(weights * x[terms])`: how many standard deviations it lies above the papers
    of the background, so that facets, readers and editions compare.
    """

    kind: Kind
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
    meaning: Meaning | None = None
    """What its facets mean beside their words (`[semantic]`); None without."""

    def to_bytes(self) -> bytes:
        """As it is stored, with a checksum: about 1.1 kB (and the meaning). Raises ValueError for one that cannot be."""
        _check(self)
        meaning = self.meaning.to_bytes() if self.meaning is not None else b""
        parts = [_HEAD.pack(_FORMAT, len(self.facets), len(meaning))]
        for facet in self.facets:
            label = facet.label.encode()
            parts += [
                _FACET.pack(_KINDS.index(facet.kind), len(label), len(facet.terms), facet.share, facet.bias),
                label,
                facet.terms.astype("<u2").tobytes(),
                facet.weights.astype("<f2").tobytes(),
            ]
        body = b"".join([*parts, meaning])
        return _CHECKSUM.pack(zlib.crc32(body)) + body

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Profile":
        """Raises ValueError for what `to_bytes` did not write: the checksum tells, for looking at all of it takes five times as
        long, and it is read for every mail."""
        body = memoryview(stored)[_CHECKSUM.size :]
        if len(body) < _HEAD.size or stored[: _CHECKSUM.size] != _CHECKSUM.pack(zlib.crc32(body)):
            raise ValueError("a stored profile is not whole")
        format_, n_facets, n_meaning = _HEAD.unpack_from(body)
        if format_ != _FORMAT:
            raise ValueError("a stored profile has a format that is not known")
        facets, at = [], _HEAD.size
        for _ in range(n_facets):
            kind, n_label, n_terms, share, bias = _FACET.unpack_from(body, at)
            at += _FACET.size
            label = str(body[at : at + n_label], "utf-8")
            at += n_label
            terms = np.frombuffer(body, "<u2", n_terms, at).astype(np.int32)
            weights = np.frombuffer(body, "<f2", n_terms, at + 2 * n_terms).astype(np.float32)
            at += 4 * n_terms
            facets.append(Facet(_KINDS[kind], label, share, terms, weights, bias))
        return cls(tuple(facets), Meaning.from_bytes(bytes(body[at:])) if n_meaning else None)


_FORMAT = 2
_CHECKSUM = struct.Struct("<I")
_HEAD = struct.Struct("<BBI")
_FACET = struct.Struct("<BHHff")
_KINDS: tuple[Kind, ...] = ("topic", "liked")


def _check(profile: Profile) -> None:
    facets = profile.facets
    if len(facets) > MAX_FACETS or sum(len(facet.terms) for facet in facets) > MAX_TERMS:
        raise ValueError("a profile has too many facets or terms")
    if profile.meaning is not None and len(profile.meaning.words) != len(facets):
        raise ValueError("a profile has a meaning of other facets")
    for facet in facets:
        if not 0 <= facet.share <= 1 or not np.isfinite(facet.bias):
            raise ValueError("the share or bias of a facet is none")
        if (np.diff(facet.terms) <= 0).any() or not np.isfinite(facet.weights.astype(np.float16)).all():
            raise ValueError("the terms of a facet are in no order, or their weights are no numbers")


@dataclass(frozen=True, eq=False, slots=True)
class _Draft:
    """A facet before its cut: all terms, so that the background has standard deviation 1, and the part it asks for."""

    kind: Kind
    labels: tuple[str, ...]
    amount: float
    weights: Vector
    scores: Vector
    """Of the background."""


def learn(vocabulary: Vocabulary, topics: Sequence[Interest], liked: Rows, disliked: Rows) -> Profile:
    """The profile of a reader who wants these topics, liked and disliked papers with these rows; deterministic."""
    negatives = vocabulary.negatives
    drafts = [*_topics(vocabulary, topics, disliked), *_likes(vocabulary, liked, disliked)]
    while len(drafts) > MAX_FACETS:
        drafts = _nearest_merged(drafts, negatives)
    if not drafts:
        return Profile()
    shares = _shares([draft.amount for draft in drafts])
    spare = MAX_TERMS - len(drafts) * LEAST_TERMS
    facets = []
    for draft, share in zip(drafts, shares, strict=True):
        few = learning.cut(negatives, draft.weights, LEAST_TERMS + int(spare * share))
        label = shorten(", ".join(draft.labels), MAX_LABEL)
        facets.append(Facet(draft.kind, label, share, few.terms, few.weights, few.bias))
    return Profile(tuple(sorted(facets, key=lambda facet: -facet.share)))


def _topics(vocabulary: Vocabulary, topics: Sequence[Interest], disliked: Rows) -> Iterator[_Draft]:
    for topic in {topic.value.casefold(): topic for topic in topics if topic.weight > 0}.values():
        weights = learning.topic(vocabulary.negatives, vocabulary.row(topic.value), disliked)
        if weights is not None:
            yield _draft("topic", (topic.value,), LIKES_OF_A_TOPIC * topic.weight, weights, vocabulary.negatives)


def _likes(vocabulary: Vocabulary, liked: Rows, disliked: Rows) -> Iterator[_Draft]:
    liked, disliked = _telling(liked), _telling(disliked)
    n = liked.shape[0]
    if not n:
        return
    rated = Rated(vocabulary.negatives, sp.vstack([liked, disliked], format="csr"))
    against = np.arange(n, rated.rows.shape[0])
    for group in groups(rated, np.arange(n), MAX_FACETS - 1):
        weights = learning.likes(rated, group, against)
        more_than_others = np.asarray(liked[group].sum(axis=0)).ravel() / len(group) - vocabulary.negatives.mean
        label = _label(vocabulary, weights * np.maximum(more_than_others, 0))
        yield _draft("liked", label, len(group), weights, vocabulary.negatives)


def _telling(rows: Rows) -> Rows:
    """Without papers of which the vocabulary knows no word."""
    return rows[np.flatnonzero(np.diff(rows.indptr))]


def _draft(kind: Kind, labels: tuple[str, ...], amount: float, weights: Vector, negatives: Negatives) -> _Draft:
    scores = negatives.scores(weights)
    scale = np.float32(1 / negatives.spread(weights, scores))
    return _Draft(kind, labels, amount, weights * scale, (scores - scores.mean()) * scale)


def _nearest_merged(drafts: list[_Draft], negatives: Negatives) -> list[_Draft]:
    """The two that order the background most alike become one."""
    scores = np.array([draft.scores for draft in drafts])
    alike = scores @ scores.T
    alike[np.tril_indices(len(drafts))] = -np.inf
    first, second = (int(n) for n in np.unravel_index(np.argmax(alike), alike.shape))
    one, other = drafts[first], drafts[second]
    kind: Kind = "topic" if "topic" in (one.kind, other.kind) else "liked"
    weights = one.amount * one.weights + other.amount * other.weights
    merged = _draft(kind, one.labels + other.labels, one.amount + other.amount, weights, negatives)
    return [merged if n == first else draft for n, draft in enumerate(drafts) if n != second]


def _shares(amounts: Sequence[float]) -> list[float]:
    """The parts of a whole, near to equal: a field that he liked four papers of is his as well as one with fifteen."""
    asked = [amount / (amount + 1) for amount in amounts]
    return [share / sum(asked) for share in asked]


def _label(vocabulary: Vocabulary, parts: Vector) -> tuple[str, ...]:
    """The two or three terms that likes have most in common; a pair says more than its words."""
    most = np.argpartition(-parts, min(_LOOKED_AT, len(parts) - 1))[:_LOOKED_AT]
    ranked = sorted(
        (-float(parts[place]) * (1 + (" " in vocabulary.terms[place])), place) for place in most if parts[place] > 0
    )
    found: list[str] = []
    told: set[str] = set()
    for term in (vocabulary.terms[place] for _, place in ranked):
        if told.isdisjoint(words := terms_of(term)):
            found.append(term)
            told.update(words)
    return tuple(found[:3])


_LOOKED_AT = 30
