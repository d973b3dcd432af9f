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
SAMPLE = 16
"""Every so many-th entry is looked at to guess where the nearest begin."""
USUAL = 160
"""So many of a row's entries are looked at, as a rule."""
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
    if not scores.size:
        return found
    # Few entries are wanted of many: a sample tells about where they begin, and only what lies above is sorted. Where the
    # guess proves too high, the row is looked at again, whole.
    lowest = np.iinfo(np.int16).min
    enough: Shorts = np.clip(least, lowest + 1, -lowest - 1).astype(np.int16)
    guess = enough
    rank = 2 + 2 * length // SAMPLE
    sample = np.where(barred[:, ::SAMPLE][owner], lowest, scores[:, ::SAMPLE])
    if sample.shape[1] > rank:
        guess = np.maximum(enough, np.partition(sample, -rank, axis=1)[:, -rank])
    rows, places = _above(scores, guess, barred, owner)
    short = (np.bincount(rows, minlength=len(scores)) < length) & (guess > enough)
    if short.any():
        kept, again = ~short[rows], np.flatnonzero(short)
        more_rows, more_places = _above(scores[again], enough[again], barred, owner[again])
        rows = np.concatenate([rows[kept], again[more_rows]])
        places = np.concatenate([places[kept], more_places])
        order = np.argsort(rows, kind="stable")
        rows, places = rows[order], places[order]
    key = ((2**15 - scores[rows, places].astype(np.int32)) << PLACE_BITS) + places.astype(np.int32)
    counts = np.bincount(rows, minlength=len(scores))
    # Short rows are quickly sorted side by side; the few long ones must not make them all long.
    for those in (counts <= USUAL, counts > USUAL):
        if those.any():
            table = np.full((int(those.sum()), max(length, int(counts[those].max()))), np.iinfo(np.int32).max, np.int32)
            mine = np.flatnonzero(those[rows])
            _fill(table, (np.cumsum(those) - 1)[rows[mine]], key[mine])
            table.partition(length - 1, axis=1)
            table = np.sort(table[:, :length], axis=1)
            found[those] = np.where(table < np.iinfo(np.int32).max, table & (2**PLACE_BITS - 1), -1)
    return found


def _above(scores: Shorts, least: Shorts, barred: Flags, owner: Ints) -> tuple[Ints, Ints]:
    above = scores >= least[:, None]
    rows = np.repeat(np.arange(len(above)), np.count_nonzero(above, axis=1))
    places = np.flatnonzero(above) - rows * scores.shape[1]
    allowed = np.flatnonzero(~barred[owner[rows], places])
    return rows[allowed], places[allowed]


def first(allowed: Flags, length: int) -> Shorts:
    """The first entries that each reader may get, -1 past the end, (readers, length); `allowed` is (readers, entries)."""
    found = np.full((len(allowed), length), -1, np.int16)
    ahead = 4 * length
    while True:
        at = np.flatnonzero(allowed[:, :ahead])
        rows = at // min(ahead, allowed.shape[1])
        if ahead >= allowed.shape[1] or (np.bincount(rows, minlength=len(allowed)) >= length).all():
            break
        ahead *= 4
    _fill(found, rows, at - rows * min(ahead, allowed.shape[1]))
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
