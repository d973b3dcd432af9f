"""The words that papers are compared by, fixed by version: which they are, how rare each is, and what an average paper has."""

import heapq
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from digest.papers.model import Work
from digest.ranking.negatives import Negatives
from digest.ranking.rows import Rows, packed, unit_rows, unpacked
from digest.ranking.text import counts, terms
from digest.ranking.words import Documents, brought_along, count

MAX_TERMS = 50_000
MAX_BACKGROUND = 2_000
ENOUGH = 300
"""A background of fewer papers is filled up with made ones."""
LARGE = 20_000
"""From so many papers on, a term must stand in five of them to be known; below, in two."""
BASE_WEIGHT = 300
"""The words that the program brings along count like so many papers: a site's own outweigh them as they grow."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A fixed set of words and pairs of words with their weights (Salton and Buckley, 1988: sublinear frequency, cosine).

    `background` holds the rows of some papers that stand for all: the negatives that profiles are learned against.
    """

    version: int
    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    background: Rows

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The column of each term."""
        return {term: place for place, term in enumerate(self.terms)}

    @cached_property
    def negatives(self) -> Negatives:
        """The background, prepared once for all readers who are learned against it."""
        return Negatives(self.background)

    def rows(self, works: Iterable[Work]) -> Rows:
        """Papers as TF-IDF rows."""
        return self.weigh(map(counts, works))

    def row(self, text: str) -> Rows:
        """A phrase as one TF-IDF row."""
        return self.weigh([Counter(terms(text))])

    def weigh(self, bags: Iterable[Mapping[str, int]]) -> Rows:
        """Rows of texts whose terms are counted already."""
        places = self.places
        columns: list[int] = []
        numbers: list[int] = []
        ends = [0]
        for bag in bags:
            known = [term for term in bag if term in places]
            columns += [places[term] for term in known]
            numbers += [bag[term] for term in known]
            ends.append(len(columns))
        ends_ = np.array(ends, np.int32)
        unsorted = np.array(columns, np.int32)
        order = np.lexsort((unsorted, np.repeat(np.arange(len(ends) - 1), np.diff(ends_))))
        indices = unsorted[order]
        values = (1 + np.log(np.array(numbers, np.float32)[order])) * self.idf[indices]
        return unit_rows(values, indices, ends_, len(self.terms))

    def to_bytes(self) -> bytes:
        """As it is stored, whole and compressed."""
        words = "\n".join(self.terms).encode()
        rows = self.background
        head = _HEAD.pack(_MAGIC, len(self.terms), len(words), rows.shape[0], rows.nnz)
        return zlib.compress(b"".join((head, words, self.idf.astype("<f4").tobytes(), packed(rows))), 6)

    @classmethod
    def from_bytes(cls, version: int, stored: bytes) -> "Vocabulary":
        """Raises ValueError for what `to_bytes` did not write."""
        raw = _inflated(stored)
        if len(raw) < _HEAD.size:
            raise ValueError("a stored vocabulary is too short")
        magic, n_terms, n_words, n_rows, n_values = _HEAD.unpack_from(raw)
        numbers, rows = _HEAD.size + n_words, _HEAD.size + n_words + 4 * n_terms
        if magic != _MAGIC or n_terms > MAX_TERMS or not n_rows or len(raw) < rows:
            raise ValueError("a stored vocabulary is not what its head says")
        all_terms = tuple(raw[_HEAD.size : numbers].decode().split("\n")) if n_terms else ()
        weights = np.frombuffer(raw, "<f4", n_terms, numbers).astype(np.float32)
        if len(set(all_terms)) != n_terms or not np.isfinite(weights).all():
            raise ValueError("the terms of a stored vocabulary do not fit together, or their weights are no numbers")
        return cls(version, all_terms, weights, unpacked(memoryview(raw)[rows:], n_rows, n_terms, n_values))


_HEAD = struct.Struct("<4sIIII")
_MAGIC = b"TPV1"
_LARGEST = 64 * 2**20


def _inflated(stored: bytes) -> bytes:
    engine = zlib.decompressobj()
    try:
        raw = engine.decompress(stored, _LARGEST)
    except zlib.error as error:
        raise ValueError("a stored vocabulary cannot be unpacked") from error
    if not engine.eof or engine.unused_data:
        raise ValueError("a stored vocabulary is cut, too long, or has something behind it")
    return raw


def fit(works: Iterable[Work], version: int = 0) -> Vocabulary:
    """The vocabulary of these papers, together with what the program brings along; the same papers give the same one."""
    return fit_bags(map(counts, works), version, brought_along())


def fit_bags(bags: Iterable[Mapping[str, int]], version: int = 0, base: Documents | None = None) -> Vocabulary:
    """The vocabulary of papers whose terms are counted already, read once and not kept but for the background."""
    sample = _Sample()
    own = count(sample.passing(bags))
    base = base or Documents(0, {})
    least = 5 if own.total >= LARGE else 2
    trust = min(1.0, BASE_WEIGHT / base.total) if base.total else 0.0
    total = own.total + trust * base.total
    frequency = {term: float(n) for term, n in own.having.items() if n >= least}
    for term, n in base.having.items():
        frequency[term] = trust * n + own.having.get(term, 0)
    many = len(frequency) > MAX_TERMS
    kept = sorted(heapq.nsmallest(MAX_TERMS, frequency, key=lambda term: (-frequency[term], term)) if many else frequency)
    idf = (np.log((1 + total) / (1 + np.array([frequency[term] for term in kept]))) + 1).astype(np.float32)
    bare = Vocabulary(version, tuple(kept), idf, sp.csr_array((0, len(kept)), dtype=np.float32))
    background = bare.weigh(sample.bags())
    if (lacking := ENOUGH - background.shape[0]) > 0:
        background = sp.vstack([background, _made_up(lacking, idf, np.exp(1 - idf))], format="csr")
    return Vocabulary(version, bare.terms, idf, background)


def _made_up(papers: int, idf: NDArray[np.float32], share: NDArray[np.float32]) -> Rows:
    """Rows in which each term stands as often as in real papers, though with no other term more than chance will have it."""
    # One paper at a time: what stays in the processor's cache is mixed in a fifth of the time.
    most = np.ceil(share.astype(np.float64) * 2**53).astype(np.uint64)
    first, mixed = np.arange(len(idf), dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15), np.empty(len(idf), np.uint64)
    found = []
    for paper in range(papers):
        numbers = first + np.uint64(paper * len(idf))
        # The mixer of splitmix64 (Steele, Lea and Flood, 2014): the same numbers on every machine and with every numpy.
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            numbers ^= np.right_shift(numbers, np.uint64(shift), out=mixed)
            numbers *= np.uint64(factor)
        numbers >>= np.uint64(11)
        found.append(np.flatnonzero(numbers < most))
    indices = np.concatenate(found).astype(np.int32)
    ends = np.cumsum([0, *map(len, found)]).astype(np.int32)
    return unit_rows(idf[indices], indices, ends, len(idf))


class _Sample:
    """The papers whose hash is smallest: the same ones whatever the order that papers come in."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Mapping[str, int]]] = []

    def passing(self, bags: Iterable[Mapping[str, int]]) -> Iterator[Mapping[str, int]]:
        """The same papers, looked at in passing."""
        for n, bag in enumerate(bags):
            key = -zlib.crc32(" ".join(bag).encode())
            if len(self._heap) < MAX_BACKGROUND:
                heapq.heappush(self._heap, (key, n, bag))
            elif key > self._heap[0][0]:
                heapq.heapreplace(self._heap, (key, n, bag))
            yield bag

    def bags(self) -> list[Mapping[str, int]]:
        """The chosen ones, in an order that is theirs."""
        return [bag for _, _, bag in sorted(self._heap, key=lambda row: -row[0])]
