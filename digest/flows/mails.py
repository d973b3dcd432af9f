"""From claimed rows to messages: picks are chosen for a chunk of readers at once, each message is built when its turn comes."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

from digest.edition.calendar import WEEK
from digest.edition.model import Pick
from digest.flows.choosing import Chooser, Readers, know, meanings_of, rows_of
from digest.flows.messages import Imprint, Press, notice_message
from digest.outbox.identity import message_id
from digest.ranking.vocabulary import Vocabulary
from digest.store import deliveries, editions, ledger, makings, notices, papers, suppressions, vocabularies
from digest.store.engine import Store
from digest.store.schema import delivery, notice
from digest.subscribers import seen
from digest.subscribers.address import EmailAddress

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """One claimed row with all that submitting it needs; `build` makes the message's bytes. A tuple, for one is made for every
    mail."""

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


Fixed: TypeAlias = tuple[tuple[Pick, ...], str]
"""The picks and the message id of a mail."""
FIRST = 100
"""Mails of an edition in a language after which few cards are rendered for the first time."""
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
        self._noted = False

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
            letters = ledger.claim(connection, notice, worker_id, now, limit, only)
            mails = (
                ledger.claim(connection, delivery, worker_id, now, limit - len(letters), only) if len(letters) < limit else []
            )
        jobs, ended = self._notices(letters) if letters else ([], [])
        if mails:
            more, over = self._deliveries(worker_id, mails, now)
            jobs, ended = jobs + more, ended + over
        return jobs, ended

    def _notices(self, ids: Sequence[int]) -> tuple[list[Job], list[ledger.Outcome]]:
        with self._store.read() as connection:
            rows = notices.claimed(connection, ids)
            suppressed = suppressions.suppressed_among(connection, [row.recipient for row in rows])
        jobs, ended = [], []
        for row in rows:
            if row.recipient in suppressed:
                ended.append(ledger.Outcome(notice, row.id, "skipped", "the address is suppressed", tried=False))
            else:
                recipient = EmailAddress(row.recipient)
                make = partial(notice_message, self._imprint, row.kind, recipient, row.key, row.content, row.due_at)
                jobs.append(Job(notice, row.id, row.due_at, row.attempts, row.failures, recipient, make, row.subscriber_id))
        return jobs, ended

    def _deliveries(self, worker_id: int, ids: Sequence[int], now: datetime) -> tuple[list[Job], list[ledger.Outcome]]:
        with self._store.read() as connection:
            mails = deliveries.claimed(connection, ids)
            known = know(connection, sorted({mail.reader.id for mail in mails}), now)
            suppressed = suppressions.suppressed_among(connection, [mail.reader.address for mail in mails])
            fixed = deliveries.fixed(connection, [mail.id for mail in mails if mail.attempts or mail.doubts])
            self._notice_merges(connection)
            hidden = {number: self._hidden(connection, number) for number in dict.fromkeys(mail.edition_id for mail in mails)}
        wanted, ended = _sorted_out(mails, suppressed)
        chosen = self._chosen([mail for mail in wanted if mail.id not in fixed], known, hidden, now)
        jobs: list[Job] = []
        for mail in wanted:
            if found := fixed.get(mail.id) or chosen.get(mail.id):
                jobs.append(self._job(mail, *found))
            else:
                ended.append(ledger.Outcome(delivery, mail.id, "skipped", "nothing in it is new to him", tried=False))
        shorter = self._shorter((mail.reader for mail in mails), now)
        if chosen or shorter or (jobs and not self._noted):
            with self._store.write() as connection:
                if jobs and not self._noted:
                    makings.note(connection, now, self._imprint.making())
                    self._noted = True
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
        mails: Sequence[deliveries.Claimed],
        known: Readers,
        hidden: Mapping[int, Collection[int]],
        now: datetime,
    ) -> dict[int, Fixed]:
        """What goes into each mail for whose reader there is something new; those of one edition are chosen at once."""
        found: dict[int, Fixed] = {}
        domain = self._imprint.sender.address.domain
        for number in dict.fromkeys(mail.edition_id for mail in mails):
            chooser = self._editions[number][0]
            whom = [(mail.reader, mail.id) for mail in mails if mail.edition_id == number]
            wanting = {reader.id: known.interests[reader.id] for reader, _ in whom if reader.id in known.interests}
            profiles = chooser.profiles(self._store, wanting, now, self._imprint.model)
            for (reader, row), picks in zip(whom, chooser.choose(whom, known, profiles, hidden[number]), strict=True):
                if picks:
                    found[row] = picks, message_id(self._imprint.signer, chooser.edition.name, reader.token, domain)
        return found

    def _job(self, mail: deliveries.Claimed, picks: tuple[Pick, ...], name: str) -> Job:
        chooser, press = self._editions[mail.edition_id]
        reader = mail.reader
        job = Job(
            delivery,
            mail.id,
            mail.due_at,
            mail.attempts,
            mail.failures,
            EmailAddress(reader.address),
            partial(press.message, picks, reader, name, mail.due_at, mail.id),
            reader.id,
            mail.edition_id,
            seen.segment(chooser.edition.date, [pick.paper_id for pick in picks]),
        )
        if press.beforehand[reader.language] < FIRST:
            self._warm(press, reader.language, job)
        return job

    def _warm(self, press: Press, language: str, job: Job) -> None:
        """Make one of an edition's first mails for nothing: the cards that many share are rendered here, and not on the loop,
        where all connections would wait for them, and who looks at our pages too."""
        press.beforehand[language] += 1
        with suppress(Exception):  # what cannot be built is told of when the mail itself is
            job.build()

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


def _sorted_out(
    mails: Iterable[deliveries.Claimed], suppressed: Collection[str]
) -> tuple[list[deliveries.Claimed], list[ledger.Outcome]]:
    """The mails that may go now, one to a reader; and how the others end."""
    wanted: dict[int, deliveries.Claimed] = {}
    ended: list[ledger.Outcome] = []
    for mail in mails:
        reader = mail.reader
        if reader.id in wanted:
            # His other mail goes first; this one is chosen when it is known what he got.
            ended.append(ledger.Outcome(delivery, mail.id, "queued", mail.reply, mail.next_try_at, tried=False))
        elif reader.state != "active":
            ended.append(ledger.Outcome(delivery, mail.id, "skipped", "he left", tried=False))
        elif reader.address in suppressed:
            ended.append(ledger.Outcome(delivery, mail.id, "skipped", "the address is suppressed", tried=False))
        else:
            wanted[reader.id] = mail
    return list(wanted.values()), ended
