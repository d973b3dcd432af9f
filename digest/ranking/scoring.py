"""How near every entry is to every facet of a chunk of readers: one matrix of whole numbers, the same however readers are cut
into chunks.

Terms that many entries have are stored as dense rows and added with their weights, all others by their posting lists (Zipf).
Numbers have 16 bits, which is twice as fast as 32 and rounds a score by about 0.02 standard deviations: weights are scaled so
that no sum can leave the range (Cauchy and Schwarz), and whole numbers add up to the same in any order on any machine.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from digest.ranking.vocabulary import Rows

Floats = NDArray[np.float32]
Shorts = NDArray[np.int16]
Ints = NDArray[np.int64]

FREQUENT = 1024
"""So many terms are stored densely: 4 MB for 2,000 entries."""
PIECE = 8
"""Posting lists are cut into pieces of this length, the last one filled up with zeros."""
MOST = 2**15 - 1
"""The highest sum."""
ENTRY = 181.0
"""What 1 becomes in an entry's row: half of the bits are for entries, half for facets."""
WEIGHT = 4096.0
"""What a facet's highest weight becomes before its length is measured."""


class Scorer:
    """The entries of one edition, ready to be scored.

    `rows` are their rows, in the vocabulary's columns; `frequent` is how many terms are stored densely, which changes the speed
    and nothing else.
    """

    def __init__(self, rows: Rows, frequent: int = FREQUENT) -> None:
        self.count, terms = rows.shape
        values = np.rint(rows.data * np.float32(ENTRY)).astype(np.int16)
        places = np.repeat(np.arange(self.count), np.diff(rows.indptr))
        squares = np.bincount(places, values.astype(np.float64) ** 2, minlength=1)
        self._length = max(1.0, float(np.sqrt(squares.max())))
        entries_with = np.bincount(rows.indices, minlength=terms)
        those = np.argsort(-entries_with, kind="stable")[:frequent]
        self._column = np.full(terms, -1, np.int32)
        self._column[those] = np.arange(len(those))
        column = self._column[rows.indices]
        dense = column >= 0
        self._dense = np.zeros((len(those), self.count), np.int16)
        self._dense[column[dense], places[dense]] = values[dense]
        self._first, self._places, self._values = _pieces(rows.indices[~dense], places[~dense], values[~dense], terms)

    def scores(
        self, terms_of: Sequence[NDArray[np.int32]], weights_of: Sequence[Floats], reach: Floats
    ) -> tuple[Shorts, Floats]:
        """The sums of facets that weigh these terms so, (facets, entries), and what 1 is worth in each, (facets,).

        Args:
            terms_of: of each facet, at most a few hundred.
            weights_of: finite, in the order of the terms.
            reach: how much a sum must be able to express at least, (facets,), above 0.
        """
        lengths = np.array([len(terms) for terms in terms_of], np.int64)
        terms = np.concatenate([*terms_of, np.zeros(0, np.int32)])
        weights = np.concatenate([*weights_of, np.zeros(0, np.float32)])
        facets = np.repeat(np.arange(len(lengths)), lengths)
        numbers, unit = self._whole(weights, facets, lengths, reach)
        column = self._column[terms]
        dense = np.flatnonzero((column >= 0) & (numbers != 0))
        ends = np.concatenate([[0], np.cumsum(np.bincount(facets[dense], minlength=len(lengths)))]).astype(np.int32)
        profiles = sp.csr_array((numbers[dense], column[dense], ends), shape=(len(lengths), len(self._dense)))
        sums: Shorts = profiles @ self._dense
        rare = np.flatnonzero((column < 0) & (numbers != 0))
        self._add_rare(sums, facets[rare], terms[rare], numbers[rare])
        return sums, unit

    def _whole(self, weights: Floats, facets: Ints, lengths: Ints, reach: Floats) -> tuple[Shorts, Floats]:
        """Weights as whole numbers, scaled by the length of each facet; and what 1 of a sum is worth."""
        some = lengths > 0
        begins = (np.cumsum(lengths) - lengths)[some]
        top = np.ones(len(lengths))
        length = np.zeros(len(lengths))
        fine = np.zeros(0)
        if len(begins):
            top[some] = np.maximum(np.maximum.reduceat(np.abs(weights), begins), 1e-30)
            fine = np.rint(weights * (WEIGHT / top)[facets])
            length[some] = np.sqrt(np.add.reduceat(fine * fine, begins))
        # Rounding makes a facet longer by half a step a term at most.
        room = MOST / self._length - 0.5 * np.sqrt(lengths)
        scale = room / np.maximum(length, reach * WEIGHT / top * (room * self._length / MOST))
        return np.rint(fine * scale[facets]).astype(np.int16), (top / (WEIGHT * ENTRY * scale)).astype(np.float32)

    def _add_rare(self, sums: Shorts, facets: Ints, terms: NDArray[np.int32], numbers: Shorts) -> None:
        first = self._first[terms]
        pieces = self._first[terms + 1] - first
        ends = np.cumsum(pieces)
        if not len(ends) or not ends[-1]:
            return
        piece = np.repeat(first - (ends - pieces), pieces)
        piece += np.arange(len(piece))
        at = self._places.take(piece, axis=0, mode="clip")
        at += np.repeat(facets * self.count, pieces)[:, None]
        values = self._values.take(piece, axis=0, mode="clip")
        values *= np.repeat(numbers, pieces)[:, None]
        np.add.at(sums.reshape(-1), at.reshape(-1), values.reshape(-1))


def _pieces(terms: NDArray[np.int32], places: Ints, values: Shorts, count: int) -> tuple[Ints, Ints, Shorts]:
    """Where the pieces of each term's posting list begin, (terms + 1,), and their places and values, (pieces, PIECE)."""
    order = np.argsort(terms, kind="stable")
    terms, places, values = terms[order], places[order], values[order]
    lengths = np.bincount(terms, minlength=count)
    first = np.concatenate([[0], np.cumsum(-(-lengths // PIECE))])
    at = first[terms] * PIECE + np.arange(len(terms)) - (np.cumsum(lengths) - lengths)[terms]
    all_places, all_values = np.zeros(first[-1] * PIECE, np.int64), np.zeros(first[-1] * PIECE, np.int16)
    all_places[at], all_values[at] = places, values
    return first, all_places.reshape(-1, PIECE), all_values.reshape(-1, PIECE)
