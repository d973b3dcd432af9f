"""From claimed rows to messages: picks are chosen for a chunk of readers at once, each message is built when its turn comes."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from digest.edition.calendar import WEEK
from digest.edition.model import Pick
from digest.flows.choosing import Chooser, Readers, know, meanings_of, rows_of
from digest.flows.messages import Imprint, Press, notice_message
from digest.outbox.identity import message_id
from digest.ranking.vocabulary import Vocabulary
from digest.store import deliveries, editions, ledger, papers, suppressions, vocabularies
from digest.store.engine import Store
from digest.store.rows import picks_from_json
from digest.store.schema import delivery, notice
from digest.subscribers import seen
from digest.subscribers.address import EmailAddress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed row with all that submitting it needs; `build` makes the message's bytes."""

    table: ledger.LedgerTable
    row: int
    due_at: datetime
    attempts: int
    failures: int
    recipient: EmailAddress
    build: Callable[[], bytes]
    subscriber_id: int | None = None
    edition_id: int | None = None
    seen: str = ""


EDITIONS_KEPT = 3
"""A daily and a weekly one are due at a time, and now and then an older one for who was deferred."""


class Mails:
    """Prepares the mails of one process; what the readers of an edition share is made once and kept from run to run."""

    def __init__(self, store: Store, imprint: Imprint) -> None:
        self._store, self._imprint = store, imprint
        self._editions: dict[int, tuple[Chooser, Press]] = {}
        self._vocabularies: dict[int, Vocabulary | None] = {}
        self._families: dict[int, frozenset[int]] = {}
        self._one_at_a_time = Lock()

    def prepare(
        self, worker_id: int, now: datetime, limit: int, only: EmailAddress | None = None
    ) -> tuple[list[Job], list[ledger.Outcome]]:
        """Claim up to `limit` due rows, notices first; returns the jobs, and the rows that came to an end without one."""
        with self._one_at_a_time:
            return self._prepare(worker_id, now, limit, only)

    def _prepare(
        self, worker_id: int, now: datetime, limit: int, only: EmailAddress | None
    ) -> tuple[list[Job], list[ledger.Outcome]]:
        with self._store.write() as connection:
            notices = ledger.claim(connection, notice, worker_id, now, limit, only)
            rows = (
                ledger.claim(connection, delivery, worker_id, now, limit - len(notices), only) if len(notices) < limit else []
            )
        jobs, ended = self._notices(notices)
        if rows:
            more, over = self._deliveries(worker_id, rows, now)
            jobs, ended = jobs + more, ended + over
        return jobs, ended

    def _notices(self, rows: Sequence[Any]) -> tuple[list[Job], list[ledger.Outcome]]:
        if not rows:
            return [], []
        with self._store.read() as connection:
            suppressed = suppressions.suppressed_among(connection, [EmailAddress(row.recipient) for row in rows])
        jobs, ended = [], []
        for row in rows:
            recipient = EmailAddress(row.recipient)
            if recipient in suppressed:
                ended.append(ledger.Outcome(notice, row.id, "skipped", "the address is suppressed", tried=False))
            else:
                make = partial(notice_message, self._imprint, row.kind, recipient, row.key, row.content, row.due_at)
                jobs.append(Job(notice, row.id, row.due_at, row.attempts, row.failures, recipient, make, row.subscriber_id))
        return jobs, ended

    def _deliveries(self, worker_id: int, rows: Sequence[Any], now: datetime) -> tuple[list[Job], list[ledger.Outcome]]:
        ids = sorted({row.subscriber_id for row in rows})
        with self._store.read() as connection:
            readers = deliveries.readers(connection, ids)
            known = know(connection, ids, now)
            suppressed = suppressions.suppressed_among(connection, [EmailAddress(one.address) for one in readers.values()])
            self._notice_merges(connection)
            hidden = {number: self._hidden(connection, number) for number in {row.edition_id for row in rows}}
        ended: list[ledger.Outcome] = []
        mailed: list[tuple[Any, deliveries.Reader]] = []
        served: set[int] = set()
        for row in rows:
            reader = readers.get(row.subscriber_id)
            if row.subscriber_id in served:
                # His other mail goes first; this one is chosen when it is known what he got.
                ended.append(ledger.Outcome(delivery, row.id, "queued", row.reply or "", row.next_try_at, tried=False))
                continue
            served.add(row.subscriber_id)
            if reader is None or reader.state != "active" or EmailAddress(reader.address) in suppressed:
                why = "he left" if reader is None or reader.state != "active" else "the address is suppressed"
                ended.append(ledger.Outcome(delivery, row.id, "skipped", why, tried=False))
                continue
            mailed.append((row, reader))
        fixed = {
            row.id: (picks_from_json(row.picks), row.message_id)
            for row, _ in mailed
            if row.picks and (row.attempts > 0 or row.doubts > 0)
        }
        chosen = self._chosen([(row, reader) for row, reader in mailed if row.id not in fixed], known, hidden, now)
        picks_of = fixed | chosen
        jobs: list[Job] = []
        for row, reader in mailed:
            picks, name = picks_of.get(row.id, ((), ""))
            if picks:
                jobs.append(self._job(row, reader, picks, name))
            else:
                ended.append(ledger.Outcome(delivery, row.id, "skipped", "nothing in it is new to him", tried=False))
        shorter = self._shorter(readers.values(), now)
        if chosen or shorter:
            with self._store.write() as connection:
                deliveries.store_picks(connection, worker_id, chosen)
                deliveries.shorten_memories(connection, shorter)
        self._forget()
        return jobs, ended

    def _forget(self) -> None:
        """Let go of the editions that were not used for the longest time, and of the words of none."""
        for number in list(self._editions)[:-EDITIONS_KEPT]:
            del self._editions[number]
        used = {chooser.edition.vocabulary for chooser, _ in self._editions.values()}
        self._vocabularies = {version: kept for version, kept in self._vocabularies.items() if version in used}

    def _chosen(
        self,
        mailed: Sequence[tuple[Any, deliveries.Reader]],
        known: Readers,
        hidden: Mapping[int, Collection[int]],
        now: datetime,
    ) -> dict[int, tuple[tuple[Pick, ...], str]]:
        """(picks, message id) of each row for whose reader there is something new; those of one edition are chosen at once."""
        found: dict[int, tuple[tuple[Pick, ...], str]] = {}
        for number in dict.fromkeys(row.edition_id for row, _ in mailed):
            chooser = self._editions[number][0]
            whom = [(reader, row.id) for row, reader in mailed if row.edition_id == number]
            wanting = {reader.id: known.interests[reader.id] for reader, _ in whom if reader.id in known.interests}
            profiles = chooser.profiles(self._store, wanting, now, self._imprint.model)
            for (reader, row_id), picks in zip(whom, chooser.choose(whom, known, profiles, hidden[number]), strict=True):
                if picks:
                    domain = self._imprint.sender.address.domain
                    found[row_id] = picks, message_id(self._imprint.signer, chooser.edition.name, reader.token, domain)
        return found

    def _job(self, row: Any, reader: deliveries.Reader, picks: tuple[Pick, ...], name: str) -> Job:
        chooser, press = self._editions[row.edition_id]
        edition = chooser.edition
        return Job(
            delivery,
            row.id,
            row.due_at,
            row.attempts,
            row.failures,
            EmailAddress(reader.address),
            partial(press.message, picks, reader, name, row.due_at, row.id),
            reader.id,
            edition.number,
            seen.segment(edition.date, [pick.paper_id for pick in picks]),
        )

    def _shorter(self, readers: Iterable[deliveries.Reader], now: datetime) -> dict[int, tuple[str, str]]:
        """The memories that reach back too far, with what is to be kept of them; a week at a time, to write less."""
        before = (now - self._imprint.memory).date()
        return {
            reader.id: (reader.seen, seen.prune(reader.seen, before))
            for reader in readers
            if (oldest := seen.oldest(reader.seen)) and oldest < before - WEEK
        }

    def _notice_merges(self, connection: Any) -> None:
        """Papers that turned out to be one since an edition was loaded must not reach a reader one after the other."""
        families = papers.families(connection)
        if families != self._families:
            self._families = families
            self._editions.clear()

    def begin(self) -> None:
        """A run begins: what may have changed since the last one is looked up anew."""
        if self._imprint.model:
            self._editions.clear()  # more of their papers may have been read

    def _hidden(self, connection: Any, number: int) -> set[int]:
        if number in self._editions:
            self._editions[number] = self._editions.pop(number)  # the one that was used last is the last to go
        else:
            edition = editions.load(connection, number)
            vocabulary = partial(self._vocabulary, edition.vocabulary)
            rows = rows_of(connection, edition, vocabulary)
            meanings = meanings_of(self._store, edition, self._imprint.model)
            chooser = Chooser(edition, vocabulary, rows, self._imprint.usual, self._imprint.selection, meanings)
            self._editions[number] = chooser, Press(self._imprint, edition)
        return self._editions[number][0].hidden(connection)

    def _vocabulary(self, version: int | None) -> Vocabulary | None:
        """Loaded when somebody's profile is lacking, and kept, for the editions of a month share it."""
        if version is None:
            return None
        if version not in self._vocabularies:
            with self._store.read() as connection:
                self._vocabularies[version] = vocabularies.load(connection, version)
        return self._vocabularies[version]
