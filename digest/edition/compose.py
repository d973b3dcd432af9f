"""What goes into an edition, and what readers get of it. Pure: candidates and memories in, entries and picks out."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from digest.edition.chunk import Chunk, Ids
from digest.edition.explaining import explained
from digest.edition.explanation import Explanation
from digest.edition.model import Edition, Entry, Pick
from digest.edition.stage import Stage
from digest.edition.taste import Taste
from digest.ranking.model import Candidate, Ranked
from digest.ranking.rows import Rows
from digest.ranking.select import Selection, length_of_lists
from digest.ranking.shortlist import Flags
from digest.ranking.trending import numbers

__all__ = ["MAX_ENTRIES", "Composer", "Taste", "entries"]

MAX_ENTRIES = 2000
CHUNK = 768
"""Readers at a time: enough for matrices to pay, few enough for them to stay small."""


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


class Composer:
    """Chooses picks from one edition for any number of readers."""

    def __init__(
        self,
        edition: Edition,
        rows: Rows | None = None,
        options: Selection | None = None,
        meanings: NDArray[np.float32] | None = None,
    ) -> None:
        """Args:
        edition: its entries in order of rank.
        rows: of its entries, in the columns of the vocabulary that the readers' profiles are learned with; None: profiles
            say nothing, topics are looked for word for word, and nobody knows which papers are alike.
        options: see `Selection`.
        meanings: what each entry means, centred, a row of zeros where that is not known, (entries, dimension).
        """
        self._stage = Stage.of(edition, rows, options or Selection(), meanings)

    def choose(self, readers: Sequence[tuple[Taste, Ids]], hidden: Collection[int] = ()) -> list[tuple[Pick, ...]]:
        """The best papers for each reader that he never got, cards first; none when there is none.

        Args:
            readers: their tastes, and the ids of papers that they got, that are on their way to them, or that they rated, under
                any id that these ever had; as a set, or, quicker, as an array.
            hidden: ids of papers that the operator has withdrawn since the edition was frozen.
        """
        if not self._stage.edition.entries:
            return [()] * len(readers)
        barred = self._stage.field.barred(hidden)
        picks: list[tuple[Pick, ...]] = []
        for begin in range(0, len(readers), CHUNK):
            picks += self._chosen(readers[begin : begin + CHUNK], barred)
        return picks

    def _chosen(self, readers: Sequence[tuple[Taste, Ids]], barred: Flags) -> list[tuple[Pick, ...]]:
        """Of one chunk. Those who want much need long lists, which the others need not pay for."""
        by_length: dict[int, list[int]] = {}
        for number, (taste, _) in enumerate(readers):
            by_length.setdefault(length_of_lists(taste.cards, taste.also), []).append(number)
        picks: list[tuple[Pick, ...]] = [()] * len(readers)
        for length, group in by_length.items():
            chunk = Chunk(self._stage, [readers[number] for number in group], barred, length)
            for number, his in zip(group, chunk.picks(), strict=True):
                picks[number] = his
        return picks

    def picks(self, taste: Taste, seen: Ids, hidden: Collection[int] = ()) -> tuple[Pick, ...]:
        """The same for one reader."""
        return self.choose([(taste, seen)], hidden)[0]

    def explain(self, taste: Taste, seen: Ids, hidden: Collection[int], paper_id: int, words: Sequence[str]) -> Explanation:
        """Why a reader did or did not get a paper; `words` are those of the vocabulary, in the order of the rows' columns.

        Raises:
            KeyError: the paper is not in the edition under any of its ids.
        """
        place = self._stage.field.place(paper_id)
        if place is None:
            raise KeyError(paper_id)
        barred = self._stage.field.barred(hidden)
        chunk = Chunk(self._stage, [(taste, seen)], barred, length_of_lists(taste.cards, taste.also))
        return explained(self._stage, chunk, taste, seen, bool(barred[place]), place, words)
