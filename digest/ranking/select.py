"""The choice: which papers a reader gets, out of what trends and what is near to him. Pure numpy, many readers at once.

Slots are given out one after the other: between trending and his facets by share, among his facets by theirs (the largest
deficit first), and each is filled by the best of its list that is not too like what is chosen already (maximal marginal
relevance: Carbonell and Goldstein, 1998).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.ranking.shortlist import Floats, Ints, Lists

MAX_PICKS = 47
"""No mail has more papers."""
EXPLORE = -1
"""The slot of a paper outside his interests. Slot 0 is trending's, 1 and up are those of his own lists."""
OUTSIDE = 10
"""Out of so many of the best that are outside his interests, one is drawn."""
ALIKE = 0.5
"""A cosine from which on two papers are as good as one subject."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What an operator may set about the choice, see `digest.ranking.settings`."""

    floor: float = 5.0
    """Expected votes that a paper with measured attention needs to be among the trending ones."""
    diversity: float = 0.5
    """How much of its value, from 0 to 1, a paper loses that is like one chosen before it."""
    explore: int = 1
    """Cards outside a reader's interests."""


@dataclass(frozen=True, eq=False, slots=True)
class Wishes:
    """What the readers of a chunk want, all (readers,), and their lists."""

    share: Floats
    cards: Ints
    also: Ints
    explore: Ints
    draw: NDArray[np.uint64]
    """A random number that stays the same for this reader and this edition."""
    lists: Lists
    """First the trending one of each reader, then everybody's own ones, those of one reader side by side."""
    owner: Ints
    """The reader of each own list, never falling."""
    weight: Floats
    """The part of his own picks that each own list has."""


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """The papers chosen, in order, (readers, picks): places in the edition, -1 past the end, and the slots they took."""

    places: Ints
    slots: Ints


def choose(wishes: Wishes, alike: NDArray[np.uint8] | None, first: Ints, diversity: float) -> Choice:
    """What each reader gets.

    Args:
        wishes: see `Wishes`.
        alike: how like two entries are, 255 being the same subject, (entries, entries); None: nobody knows.
        first: places that a reader gets before all others, -1 past the end, (readers, any).
        diversity: from 0 to 1.
    """
    return _Round(wishes, alike, first, diversity).run()


def length_of_lists(cards: int, also: int) -> int:
    """How long the lists of a reader must be who wants so much: enough for diversity to choose from, too."""
    return 24 if cards + also <= 20 else MAX_PICKS + 1


class _Round:
    """The state of one choice: how many each slot had, and what each list still has."""

    def __init__(self, wishes: Wishes, alike: NDArray[np.uint8] | None, first: Ints, diversity: float) -> None:
        self._wishes, self._first = wishes, first
        self._alike = alike if diversity > 0 else None
        self._penalty = np.float32(diversity / 255)
        readers = np.arange(len(wishes.share))
        self._readers = readers
        self._owner = np.concatenate([readers, wishes.owner])
        begins = np.searchsorted(wishes.owner, readers)
        nth = np.arange(len(wishes.owner)) - begins[wishes.owner]
        self._lists_of = np.full((len(readers), 1 + int(nth.max(initial=-1)) + 1), -1, np.int64)
        self._lists_of[:, 0] = readers
        self._lists_of[wishes.owner, 1 + nth] = len(readers) + np.arange(len(wishes.owner))
        self._weight = np.zeros((len(readers), self._lists_of.shape[1] - 1), np.float32)
        self._weight[wishes.owner, nth] = wishes.weight
        self._counts = np.zeros_like(self._weight)
        self._had = np.zeros(len(readers), np.float32)
        self._value = wishes.lists.value.copy()
        # How much each list still has; the last number is for lists that a reader does not have.
        self._left = np.append(np.count_nonzero(self._value > -np.inf, axis=1), 0)
        self._columns = wishes.lists.places.astype(np.int64)
        self._alikeness = np.zeros(self._value.shape, np.uint8)
        # What a list offers now: its values less what diversity takes away.
        self._offer = self._value.copy()
        self._wanted = np.minimum(wishes.cards + wishes.also, MAX_PICKS)
        length = int(self._wanted.max(initial=0))
        self._chosen = Choice(np.full((len(readers), length), -1, np.int64), np.zeros((len(readers), length), np.int64))

    def run(self) -> Choice:
        cards = int(self._wishes.cards.max(initial=0))
        for step in range(self._chosen.places.shape[1]):
            slots, places = self._offered(step)
            self._outside(step, slots, places)
            if step < self._first.shape[1]:
                pinned = self._first[:, step]
                slots[pinned >= 0], places[pinned >= 0] = 0, pinned[pinned >= 0]
            places[step >= self._wanted] = -1
            if (places < 0).all():
                break
            self._take(step, slots, places, last=step + 1 >= cards)
        return self._chosen

    def _offered(self, step: int) -> tuple[Ints, Ints]:
        """For each reader the slot whose turn it is and the best of its list; place -1 where all lists are empty."""
        open_ = self._left[self._lists_of] > 0
        had = self._had
        # The deficits of his facets together and of trending add up to 1; at a tie trending goes first.
        turn = self._wishes.share * (step + 1) - had > 0.5 + 1e-6
        slots = np.zeros(len(had), np.int64)
        if self._weight.shape[1]:
            deficit = np.where(open_[:, 1:], self._weight * (had + 1)[:, None] - self._counts, -np.inf)
            own = 1 + deficit.argmax(axis=1)
            slots = np.where(open_[self._readers, own] & (turn | ~open_[:, 0]), own, 0)
        lists = self._lists_of[self._readers, slots]
        best = self._offer[lists].argmax(axis=1)
        places = np.where(open_[self._readers, slots], self._columns[lists, best], -1)
        return slots, places

    def _outside(self, step: int, slots: Ints, places: Ints) -> None:
        """Put a paper outside his interests into the last cards of who explores, drawn from what trends."""
        wishes = self._wishes
        who = np.flatnonzero((step < wishes.cards) & (step >= wishes.cards - wishes.explore))
        if not len(who):
            return
        outside = (self._offer[who] > -np.inf) & (wishes.lists.strength[who] == 0)
        number = np.minimum(outside.sum(axis=1), OUTSIDE)
        found = number > 0
        who, outside, number = who[found], outside[found], number[found]
        # The next reader's number is no neighbour of this one's, and neither is that of the next step.
        drawn = (wishes.draw[who] >> np.uint64(step % 8 * 7)) % number.astype(np.uint64)
        column = (outside.cumsum(axis=1) == (drawn.astype(np.int64) + 1)[:, None]).argmax(axis=1)
        slots[who], places[who] = EXPLORE, wishes.lists.places[who, column]

    def _take(self, step: int, slots: Ints, places: Ints, *, last: bool) -> None:
        taken = places >= 0
        self._chosen.places[:, step], self._chosen.slots[:, step] = places, slots
        own = np.flatnonzero(taken & (slots > 0))
        self._counts[own, slots[own] - 1] += 1
        self._had[own] += 1
        everywhere = places[self._owner]
        # Where nothing is taken nothing is equal: past the end of a list stands -1.
        wanted = np.where(taken, places, -2).astype(np.int16)[self._owner]
        hit = np.flatnonzero(self._wishes.lists.places == wanted[:, None])
        self._left[hit // self._value.shape[1]] -= 1
        self._value.reshape(-1)[hit] = -np.inf
        self._offer.reshape(-1)[hit] = -np.inf
        if self._alike is None or last:
            return
        count = len(self._alike)
        # Also-lines are taken as the cards leave them: they may resemble each other.
        carded = (taken & (step + 1 < self._wishes.cards))[self._owner]
        begins = np.where(carded, everywhere, 0) * count
        found = self._alike.reshape(-1).take(begins[:, None] + self._columns, mode="clip")
        found[~carded] = 0
        np.maximum(self._alikeness, found, out=self._alikeness)
        np.subtract(self._value, self._alikeness * self._penalty, out=self._offer)
