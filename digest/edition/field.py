"""An edition as arrays: everything about its entries that is the same for all readers, worked out once."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import accumulate

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from digest.edition.model import SECTIONS, Entry, Pick
from digest.ranking.rows import Rows
from digest.ranking.select import ALIKE
from digest.ranking.shortlist import PLACE_BITS, Flags, Floats, Ints

TELLING = 5
"""So many measured papers of a science, and one that was not measured is one that nobody noticed."""
ATTENTION = ("votes", "comments", "stars")
"""Who has one of these numbers was measured, and can be judged by them."""

WHOLE = 4000
"""What 1 becomes in a row whose length is 1: its square, the highest sum of products, is below 2^24."""
FREQUENT = 768
"""So many terms, those that most entries have, are multiplied densely, which is quicker; that changes the speed and no more."""
BLOCK = 250
"""Entries compared at a time, with themselves and all after them."""


class Field:
    """The entries that picks are chosen from, by place in the edition, from 0."""

    def __init__(self, entries: Sequence[Entry], floor: float) -> None:
        if len(entries) >= 2**PLACE_BITS:
            raise ValueError(f"an edition of {len(entries)} entries is too long to choose from")
        self.entries = entries
        self._place_of, survivor = _families(entries)
        self.survivor = np.array(survivor, np.int64)
        """The entry that stands for each: two may have turned out to be one paper since the edition was frozen."""
        self.known = frozenset(self._place_of)
        """Every id that any of the papers ever had."""
        self._lowest, self._table = _table(self._place_of)
        self.trending = _strengths([entry.score for entry in entries])
        self.measured = np.array([not entry.numbers.keys().isdisjoint(ATTENTION) for entry in entries], bool)
        strong = np.array([entry.score for entry in entries], float) >= floor
        self.trends = strong | ~self._judged()
        """Whether an entry is above the floor."""
        self.plain = {section: [Pick(entry.paper_id, section) for entry in entries] for section in SECTIONS}
        """The pick of each entry for which no interest speaks, made once for all who get it."""
        self.pinned = _pinned([entry.score for entry in entries])
        """How many entries at the beginning the operator has put there against their score."""
        self.trends[: self.pinned] = True

    def _judged(self) -> Flags:
        """Whose attention can be judged by the floor: what was measured, and what was not where others of its science (`cs` of
        cs.CL) were, for there silence says something. What nobody measures is not judged."""
        sciences = [entry.work.categories[0].partition(".")[0] if entry.work.categories else "" for entry in self.entries]
        measured = Counter(one for one, known in zip(sciences, self.measured.tolist(), strict=True) if known and one)
        judged: Flags = self.measured | np.array([measured[one] >= TELLING for one in sciences], bool)
        return judged

    def place(self, paper_id: int) -> int | None:
        """Where a paper is, under any id that it ever had."""
        return self._place_of.get(paper_id)

    def seen(self, by: Sequence[Collection[int] | NDArray[np.int64]]) -> tuple[Ints, Ints]:
        """Which readers had which entries, by the ids that each had; other ids are passed over."""
        ids = [one if isinstance(one, np.ndarray) and self._table is not None else self._known_among(one) for one in by]
        readers = np.repeat(np.arange(len(ids)), [len(one) for one in ids])
        at = np.concatenate([*ids, np.zeros(0, np.int64)]).astype(np.int64, copy=False)
        if self._table is None:
            return readers, np.array([self._place_of[id_] for id_ in at.tolist()], np.int64)
        places = self._table.take(at - self._lowest, mode="clip")
        found = np.flatnonzero(places >= 0)
        return readers.take(found), places.take(found).astype(np.int64)

    def _known_among(self, ids: Collection[int] | NDArray[np.int64]) -> Ints:
        given = ids.tolist() if isinstance(ids, np.ndarray) else ids
        return np.array(list(self.known.intersection(given)), np.int64)

    def barred(self, hidden: Collection[int]) -> Flags:
        """The entries that nobody gets: withdrawn ones, and all but one of those that are one paper; (entries,)."""
        barred: Flags = self.survivor != np.arange(len(self.entries))
        barred[self.seen([hidden])[1]] = True
        return barred


def alikeness(rows: Rows) -> NDArray[np.uint8]:
    """How like two entries are by their rows, from 0 to 255, which stands for `ALIKE` and more: (entries, entries).

    Weights are made whole numbers, so small that float32 adds up their products exactly: in any order, on any machine.
    """
    count, terms = rows.shape
    whole = sp.csr_array((np.rint(rows.data * np.float32(WHOLE)), rows.indices, rows.indptr), shape=rows.shape)
    order = np.argsort(-np.bincount(rows.indices, minlength=terms), kind="stable")
    dense, rare = whole[:, order[:FREQUENT]].toarray(), whole[:, order[FREQUENT:]]
    columns = rare.T.tocsc()
    alike = np.empty((count, count), np.uint8)
    for begin in range(0, count, BLOCK):
        block = slice(begin, begin + BLOCK)
        cosines = dense[block] @ dense[begin:].T
        cosines += (rare[block] @ columns[:, begin:]).toarray()
        cosines *= np.float32(255 / (ALIKE * WHOLE**2))
        alike[block, begin:] = np.minimum(np.rint(cosines, out=cosines), 255, out=cosines)
        alike[begin:, block] = alike[block, begin:].T
    return alike


def _families(entries: Sequence[Entry]) -> tuple[dict[int, int], list[int]]:
    """The place of each id, and of each entry the first that is the same paper."""
    place_of: dict[int, int] = {}
    survivor = list(range(len(entries)))
    for place, entry in enumerate(entries):
        ids = (entry.paper_id, *entry.former_ids)
        same = {survivor[place_of[id_]] for id_ in ids if id_ in place_of} | {place}
        first = min(same)
        if len(same) > 1:
            survivor = [first if one in same else one for one in survivor]
        place_of.update(dict.fromkeys(ids, first))
    return {id_: survivor[place] for id_, place in place_of.items()}, survivor


def _table(place_of: dict[int, int]) -> tuple[int, NDArray[np.int16] | None]:
    """The places of ids as a table, -1 where there is none, and its first id; no table where ids are too far apart.

    It begins and ends with ids that no entry has, which stand for all that are lower or higher.
    """
    lowest, highest = min(place_of, default=1) - 1, max(place_of, default=0) + 1
    if highest - lowest >= 2**22:
        return lowest, None
    table = np.full(highest - lowest + 1, -1, np.int16)
    table[np.array(list(place_of), np.int64) - lowest] = list(place_of.values())
    return lowest, table


def _strengths(scores: Sequence[float]) -> Floats:
    """From 0 to 1 on a logarithmic scale against the best, never rising: who is pinned counts as much as any after him."""
    from_here = list(accumulate((max(0.0, score) for score in reversed(scores)), max))[::-1]
    best = math.log1p(from_here[0]) if from_here else 0.0
    return np.array([math.log1p(score) / best if best > 0 else 1.0 for score in from_here], np.float32)


def _pinned(scores: Sequence[float]) -> int:
    """Entries are in order of score but for those that were pinned, which are first."""
    best_after = list(accumulate(reversed(scores), max))[::-1]
    return max((place + 1 for place in range(len(scores) - 1) if scores[place] < best_after[place + 1]), default=0)
