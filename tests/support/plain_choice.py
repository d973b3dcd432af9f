"""The choice once more, for one reader and in the plainest words: what the quick one must give, too.

Numbers are single precision here as there, so that near ties are no reason to differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digest.edition.chunk import OWN_TRENDING, TRENDING_OWN
from digest.ranking.select import EXPLORE, MAX_PICKS, OUTSIDE, length_of_lists
from digest.ranking.shortlist import STEPS


@dataclass(frozen=True)
class Own:
    """One of his own lists: its part of his own picks, the standard deviations of all entries, and what is a match (of full
    strength)."""

    weight: float
    scores: Sequence[float]
    near: np.float32
    full: np.float32

    def strength(self, place: int) -> np.float32:
        score = np.float32(self.scores[place])
        return min(score / self.full, np.float32(1)) if score >= self.near else np.float32(0)


@dataclass(frozen=True)
class Plain:
    """One reader, one edition. Entries are places from 0."""

    trending: Sequence[float]
    trends: Sequence[bool]
    barred: frozenset[int]
    pinned: int
    own: Sequence["Own"]
    share: float
    cards: int
    also: int
    explore: int
    draw: int
    alike: Sequence[Sequence[int]] | None
    diversity: float

    def choose(self) -> list[tuple[int, int]]:
        """The places chosen, in order, and the slots that they took."""
        lists = [self._trending(), *(self._own(one) for one in self.own)]
        left = [dict(one) for one in lists]
        alikeness: dict[int, int] = {}
        had = [0] * len(self.own)
        chosen: list[tuple[int, int]] = []
        pinned = [place for place in range(self.pinned) if place not in self.barred]
        for step in range(min(self.cards + self.also, MAX_PICKS)):

            def offer(values: dict[int, np.float32]) -> int | None:
                lost = np.float32(self.diversity / 255)
                worth = {place: value - np.float32(alikeness.get(place, 0)) * lost for place, value in values.items()}
                return max(worth, key=worth.__getitem__, default=None)

            open_ = [n for n in range(1, len(lists)) if left[n]]
            slot = 0
            if open_ and (np.float32(self.share) * (step + 1) - sum(had) > 0.5 + 1e-6 or not left[0]):
                slot = max(
                    open_, key=lambda n: (np.float32(self.own[n - 1].weight) * np.float32(sum(had) + 1) - had[n - 1], -n)
                )
            place = offer(left[slot])
            outside = [one for one in left[0] if self._strength(one) == 0][:OUTSIDE]
            if self.cards - self.explore <= step < self.cards and outside:
                slot, place = EXPLORE, outside[(self.draw >> (step % 8 * 7)) % len(outside)]
            if step < len(pinned):
                slot, place = 0, pinned[step]
            if place is None:
                break
            chosen.append((place, slot))
            if slot > 0:
                had[slot - 1] += 1
            for values in left:
                values.pop(place, None)
            if self.alike is not None and step + 1 < self.cards:
                for one in range(len(self.trending)):
                    alikeness[one] = max(alikeness.get(one, 0), self.alike[place][one])
        return chosen

    @property
    def _length(self) -> int:
        return length_of_lists(self.cards, self.also)

    def _strength(self, place: int) -> np.float32:
        return max((one.strength(place) for one in self.own), default=np.float32(0))

    def _trending(self) -> list[tuple[int, np.float32]]:
        open_ = [place for place, trends in enumerate(self.trends) if trends and place not in self.barred][: self._length]
        return self._ordered(
            open_, np.float32(TRENDING_OWN) * np.float32(self.share), {place: self._strength(place) for place in open_}
        )

    def _own(self, own: Own) -> list[tuple[int, np.float32]]:
        open_ = [place for place in range(len(own.scores)) if own.strength(place) and place not in self.barred]
        nearest = sorted(open_, key=lambda place: (-own.scores[place], place))[: self._length]
        return self._ordered(nearest, np.float32(1 - OWN_TRENDING), {place: own.strength(place) for place in nearest})

    def _ordered(self, places: list[int], part: np.float32, strength: dict[int, np.float32]) -> list[tuple[int, np.float32]]:
        value = {place: part * strength[place] + (1 - part) * np.float32(self.trending[place]) for place in places}
        stepped = {place: np.float32(np.rint(one * STEPS) / STEPS) for place, one in value.items()}
        return sorted(stepped.items(), key=lambda pair: (-pair[1], pair[0]))
