"""From the scores of all entries to the few that can be chosen: the nearest of each facet, and what trends. Pure numpy.

Whatever is sorted is a whole number, and ties go to the earlier entry, so that the order is total and the same in every chunk.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Shorts = NDArray[np.int16]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

PLACE_BITS = 12
"""An edition has fewer entries than these can number."""
BATCH = 192
"""So many rows are looked at at a time: they stay in the processor's cache."""
BARRED, HIGHEST = -(2**15), 2**15 - 1
"""The score of what a reader must not get, which nobody gets, and the highest."""
NONE = 2**31 - 1
"""What sorts after every entry."""
STEPS = 2**20
"""Into how many steps a value from 0 to 1 is cut where values are sorted."""


@dataclass(frozen=True, eq=False, slots=True)
class Lists:
    """Lists of entries, best first, all (lists, length)."""

    places: Shorts
    """-1 past the end."""
    strength: Floats
    """How near to the reader's facets, from 0 to 1."""
    value: Floats
    """What the list is ordered by, from 0 to 1; -inf past the end."""

    def __add__(self, other: "Lists") -> "Lists":
        """These lists and others after them."""
        return Lists(
            np.concatenate([self.places, other.places]),
            np.concatenate([self.strength, other.strength]),
            np.concatenate([self.value, other.value]),
        )


def nearest(scores: Shorts, least: Floats, barred: Flags, owner: Ints, length: int) -> Shorts:
    """The entries with the highest scores in each row, best first, -1 past the end: (rows, length).

    Args:
        scores: (rows, entries).
        least: what a score must reach to be in the list at all, (rows,).
        barred: what each reader must not get, (readers, entries).
        owner: the reader of each row, (rows,).
        length: how many at most.
    """
    found = np.full((len(scores), length), -1, np.int16)
    limit = -barred.astype(np.int16) ^ np.int16(HIGHEST)
    for begin in range(0, len(scores), BATCH):
        those = slice(begin, begin + BATCH)
        open_ = np.minimum(scores[those], limit.take(owner[those], axis=0))
        found[those] = _best(open_, np.clip(least[those], BARRED + 1, HIGHEST).astype(np.int16), length)
    return found


def _best(scores: Shorts, least: Shorts, length: int) -> Shorts:
    """The places of the highest scores from `least` on, best first, -1 past the end, (rows, length)."""
    # The best of some entries and the best of others are two: what is below as many bests as are wanted is not needed.
    tops = scores
    while (half := tops.shape[1] // 2) >= 4 * length:
        tops = np.maximum(tops[:, :half], tops[:, half : 2 * half])
    if tops.shape[1] > length:
        least = np.maximum(least, np.partition(tops, -length, axis=1)[:, -length])
    at = np.flatnonzero(scores >= least[:, None])
    rows = at // scores.shape[1]
    high = scores.reshape(-1).take(at)
    # Of those that are level with the last, the first are enough: many papers of a category are equally near.
    level = high == least.take(rows)
    nth = np.cumsum(level)
    before = np.append(0, nth)[np.searchsorted(rows, np.arange(len(scores)))]
    some = np.flatnonzero(~level | (nth - before.take(rows) <= length))
    rows, high, at = rows.take(some), high.take(some), at.take(some)
    key = (HIGHEST - high.astype(np.int32) << PLACE_BITS) + (at - rows * scores.shape[1]).astype(np.int32)
    table = np.full((len(scores), max(length, int(np.bincount(rows, minlength=1).max()))), NONE, np.int32)
    _fill(table, rows, key)
    table.sort(axis=1)
    table = table[:, :length]
    return np.where(table < NONE, table & (2**PLACE_BITS - 1), -1).astype(np.int16)


def first(wanted: Flags, barred: Flags, length: int) -> Shorts:
    """The first of the entries wanted, (entries,), that each reader may get, -1 past the end: (readers, length).

    `barred` is what each must not get, (readers, entries).
    """
    found = np.full((len(barred), length), -1, np.int16)
    ahead = 4 * length
    while True:
        allowed = wanted[:ahead] & ~barred[:, :ahead]
        at = np.flatnonzero(allowed)
        rows = at // max(1, allowed.shape[1])
        if ahead >= len(wanted) or (np.bincount(rows, minlength=len(barred)) >= length).all():
            break
        ahead *= 4
    _fill(found, rows, at - rows * allowed.shape[1])
    return found


def _fill(into: NDArray[Any], rows: Ints, values: NDArray[Any]) -> None:
    """Write values that are in order of their rows into the beginnings of these."""
    starts = np.searchsorted(rows, np.arange(len(into) + 1))
    within = np.arange(len(rows)) - np.repeat(starts[:-1], np.diff(starts))
    fits = np.flatnonzero(within < into.shape[1])
    into[rows[fits], within[fits]] = values[fits]


def ordered(places: Shorts, strength: Floats, trending: Floats, part: Floats) -> Lists:
    """Lists by the strength of being near, which counts for `part` (lists,), and of trending, which counts for the rest.

    `places` and `strength` are (lists, length), -1 and 0 past the end; `trending` is (entries,).
    """
    value = part[:, None] * strength + (1 - part)[:, None] * trending[places]
    steps = np.where(places >= 0, STEPS - np.rint(value * STEPS).astype(np.int64), 2 * STEPS)
    key = (steps << (PLACE_BITS + 8)) + (places.astype(np.int64) + 1 << 8) + np.arange(places.shape[1])
    key.sort(axis=1)
    column = key & 0xFF
    steps = key >> (PLACE_BITS + 8)
    return Lists(
        places=np.take_along_axis(places, column, axis=1),
        strength=np.take_along_axis(strength, column, axis=1),
        value=np.where(steps < 2 * STEPS, (STEPS - steps) / np.float32(STEPS), -np.inf).astype(np.float32),
    )
