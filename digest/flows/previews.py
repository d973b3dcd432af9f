"""What would somebody get tomorrow who chose this? Nothing is stored; the ranking behind it is made anew every few minutes."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from digest.edition.calendar import Schedule
from digest.edition.compose import Taste
from digest.edition.model import Entry, Pick
from digest.errors import Busy
from digest.flows import drafts, learning
from digest.flows.choosing import Chooser, know, rows_of
from digest.papers.model import Work
from digest.ranking.profile import Profile
from digest.ranking.select import Selection
from digest.ranking.settings import RankingSettings
from digest.ranking.vocabulary import Vocabulary
from digest.store import deliveries, issues, ratings
from digest.store.engine import Store
from digest.store.subscribers import NOTHING
from digest.subscribers.model import RATED, Cadence
from digest.subscribers.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Collection

FRESH = 600.0
"""Seconds for which a ranking will do. Whoever asks while it is made anew gets the former one."""
PATIENCE = 10.0
"""Seconds that somebody waits at most for the first ranking, or for his turn."""
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Preview:
    """A digest that nobody was sent: key, entry and pick of each paper, cards first."""

    date: date
    cadence: Cadence
    shown: tuple[tuple[str, Entry, Pick], ...]


@dataclass(frozen=True, slots=True)
class Someone:
    """A reader whom a preview is for: what he has seen is not shown again, and what he rated counts but for `forgotten`."""

    id: int
    forgotten: "Collection[str]" = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    made_at: float
    chooser: Chooser
    vocabulary: Vocabulary | None


class Previews:
    """Makes previews, for the threads of one process.

    Args:
        store: the database; it is only read.
        ranking, usual, selection: as for a mail.
        schedule: says when the next edition is.
        monotonic: seconds of this machine.
    """

    def __init__(
        self,
        store: Store,
        ranking: RankingSettings,
        usual: Taste,
        selection: Selection,
        schedule: Schedule,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._ranking, self._schedule, self._monotonic = store, ranking, schedule, monotonic
        self._usual, self._selection = usual, selection
        self._drafts: dict[Cadence, _Draft] = {}
        self._making = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def show(
        self, now: datetime, wishes: Wishes, works: Mapping[str, Work] = NOTHING, reader: Someone | None = None
    ) -> Preview:
        """What somebody would get of the next edition of his cadence.

        Args:
            now: the time.
            wishes: what he would choose.
            works: papers that he brings along, by id.
            reader: who he is, if he is one.

        Raises:
            Busy: others had not finished when he had waited long enough.
        """
        if not self._turns.acquire(timeout=PATIENCE):
            raise Busy("too many previews at once", fix="try again in a minute")
        try:
            return self._show(now, self._draft(now, wishes.preferences.cadence), wishes, works, reader)
        finally:
            self._turns.release()

    def _show(self, now: datetime, draft: _Draft, wishes: Wishes, works: Mapping[str, Work], reader: Someone | None) -> Preview:
        number = reader.id if reader else 0
        interests = wishes.interests
        barred: set[int] = set()
        chooser = draft.chooser
        with self._store.read() as connection:
            if reader and (who := deliveries.readers(connection, [number]).get(number)):
                known = know(connection, [number], now)
                barred = set(known.knows(who, None).tolist())
                rated = [one for one in known.interests.get(number, ()) if one.kind in RATED]
                interests = (*interests, *(one for one in rated if one.value not in reader.forgotten))
            barred |= ratings.papers_rated(connection, {number: interests}).get(number, set())
            profile = learning.imagined(connection, draft.vocabulary, interests, works) if draft.vocabulary else Profile()
            hidden = chooser.hidden(connection)
            chosen = wishes.preferences
            taste = self._usual.of(profile, interests, chosen.share, chosen.size, number)
            picks = chooser.composer.picks(taste, barred, hidden)
            keys = issues.keys_of(connection, [pick.paper_id for pick in picks])
        entries = {entry.paper_id: entry for entry in chooser.edition.entries}
        ordered = sorted(picks, key=lambda pick: pick.section != "card")
        shown = tuple((keys[one.paper_id], entries[one.paper_id], one) for one in ordered if one.paper_id in keys)
        return Preview(chooser.edition.date, chooser.edition.cadence, shown)

    def _draft(self, now: datetime, cadence: Cadence) -> _Draft:
        """The ranking as it is now, or as it was a few minutes ago."""
        kept = self._drafts.get(cadence)
        on = self._next(now, cadence)
        if kept is not None and kept.chooser.edition.date == on and self._monotonic() - kept.made_at < FRESH:
            return kept
        if not self._making.acquire(timeout=0 if kept else PATIENCE):
            if kept is None:
                raise Busy("the ranking is being made", fix="try again in a minute")
            return kept
        try:
            again = self._drafts.get(cadence)
            if again is not kept and again is not None:
                return again  # somebody made it meanwhile
            self._drafts[cadence] = made = self._made(now, on, cadence)
            return made
        finally:
            self._making.release()

    def _made(self, now: datetime, on: date, cadence: Cadence) -> _Draft:
        edition = drafts.draft(self._store, self._ranking, now, on, cadence)
        vocabulary = drafts.vocabulary_of(self._store, edition)
        with self._store.read() as connection:
            rows = rows_of(connection, edition, lambda: vocabulary)
        chooser = Chooser(edition, lambda: vocabulary, rows, self._usual, self._selection)
        return _Draft(self._monotonic(), chooser, vocabulary)

    def _next(self, now: datetime, cadence: Cadence) -> date:
        """The date of the next edition."""
        freezing = self._schedule.next_freezing(now)
        while not self._schedule.appears(self._schedule.date_at(freezing), cadence):
            freezing = self._schedule.next_freezing(freezing)
        return self._schedule.date_at(freezing)
