"""What goes into an edition, and what one reader gets of it. Pure: candidates and memories in, entries and picks out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from digest.edition.model import Edition, Entry, Pick, Section
from digest.ranking.interests import Match, Vocabulary
from digest.ranking.model import Candidate, Ranked
from digest.ranking.trending import numbers
from digest.subscribers.model import Interest

MAX_ENTRIES = 2000


def entries(ranked: Sequence[Ranked], candidates: Mapping[int, Candidate]) -> tuple[Entry, ...]:
    """The candidates as an edition freezes them, best first; `candidates` by paper id."""
    return tuple(
        Entry(
            paper_id=one.paper.id,
            former_ids=one.paper.former_ids,
            rank=one.rank,
            score=one.score,
            terms=one.terms,
            work=one.paper.work,
            first_seen_on=one.paper.first_seen_at.date(),
            numbers=numbers(candidates[one.paper.id]),
        )
        for one in ranked[:MAX_ENTRIES]
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What decides a reader's picks besides the edition: his interests, their share, and how much he wants to read."""

    interests: Sequence[Interest] = ()
    share: float = 0.5
    cards: int = 10
    also: int = 10

    def of(self, interests: Sequence[Interest], share: float | None, cards: int | None) -> "Wish":
        """This wish with what a reader chose himself; None is no choice."""
        return Wish(interests, self.share if share is None else share, cards or self.cards, self.also)


class Composer:
    """Chooses picks from one edition for any number of readers."""

    def __init__(self, edition: Edition) -> None:
        self._entries = edition.entries
        self._vocabulary = Vocabulary([entry.work for entry in edition.entries])
        scores = [entry.score for entry in edition.entries]
        low, high = min(scores, default=0.0), max(scores, default=0.0)
        # Both halves of the blend run from 0 to 1, so that a share of one half means what it says. Nobody counts for less than
        # who stands after him: a pinned paper is first though its score is not.
        best_from_here = list(accumulate(reversed(scores), max))[::-1]
        self._trending = [(score - low) / (high - low) if high > low else 1.0 for score in best_from_here]

    def picks(self, wish: Wish, seen: Collection[int], hidden: Collection[int] = ()) -> tuple[Pick, ...]:
        """The best papers for a reader that he never got, cards first; empty when there is none.

        Args:
            wish: see `Wish`.
            seen: ids of papers that he got, or that are on their way to him, under any id that they ever had.
            hidden: ids of papers that the operator has withdrawn since the edition was frozen.
        """
        matches = self._vocabulary.match(wish.interests) if wish.interests and wish.share > 0 else {}
        share = wish.share if matches else 0.0
        order = sorted(range(len(self._entries)), key=lambda n: (-self._blend(n, share, matches), n))
        wanted = wish.cards + wish.also
        chosen: list[Pick] = []
        taken: set[int] = set()  # two entries may have turned out to be one paper since they were frozen
        for place in order:
            if len(chosen) == wanted:
                break
            entry = self._entries[place]
            if entry.paper_id in seen or entry.paper_id in hidden or not entry.former_ids.isdisjoint(seen):
                continue
            if entry.paper_id in taken:
                continue
            taken.update((entry.paper_id, *entry.former_ids))
            match = matches.get(place)
            section: Section = "card" if len(chosen) < wish.cards else "also"
            chosen.append(Pick(entry.paper_id, section, match.interest if match else ""))
        return tuple(chosen)

    def _blend(self, place: int, share: float, matches: Mapping[int, Match]) -> float:
        match = matches.get(place)
        return (1 - share) * self._trending[place] + share * (match.score if match else 0.0)
