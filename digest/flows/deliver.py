"""Deliver: whoever is due gets his mail, or a reason why not.

    queue_due ──► claim a chunk ──► choose picks ──► build ──► MAIL RCPT DATA ──► durable mark ──► content ──► outcome

Several connections work side by side; one ledger thread writes marks and outcomes in groups. Nothing here is lost by a
crash at any point: see "Nobody twice, nobody missed" in ARCHITECTURE.md.
"""

import asyncio
import contextlib
import logging
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from digest.clock import Clock
from digest.edition.calendar import Schedule
from digest.errors import DigestError, ServerUnavailable
from digest.feedback.policy import refuses_mailbox
from digest.flows.commit import GroupCommit
from digest.flows.mails import Imprint, Job, Mails
from digest.flows.queueing import queue_due
from digest.flows.refusals import note_refusal
from digest.outbox.retry import after_failure, after_verdict
from digest.outbox.verdict import Verdict
from digest.smtp.connection import Connection, Envelope
from digest.smtp.pace import Pace
from digest.smtp.url import SmtpUrl
from digest.store import ledger, workers
from digest.store.engine import Store
from digest.subscribers.address import EmailAddress

MAX_LOSSES = 3
"""Connections that one message may see break before its content; then it is deferred like one that was refused."""

FAILED = ("rejected", "parked", "held", "expired", "in_doubt")
"""States that make a run end with exit code 3."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server that takes our messages, and how it wants to be treated."""

    url: SmtpUrl
    connections: int = 8
    timeout: float = 60.0
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided about delivering."""

    schedule: Schedule
    in_doubt: Literal["resend", "hold"] = "resend"
    in_doubt_hold: timedelta = timedelta(minutes=15)
    chunk: int = 500


@dataclass(slots=True)
class Report:
    """What a run of delivering did: how many rows ended in which state, and what it found on its way."""

    states: Counter[str] = field(default_factory=Counter)
    queued: int = 0
    late: int = 0
    taken_over: int = 0
    newly_in_doubt: int = 0
    sent_again: int = 0
    newly_held: int = 0

    @property
    def failed(self) -> int:
        """Mails that will not arrive, or of which nobody knows."""
        return sum(self.states[state] for state in FAILED) + self.newly_held


async def deliver(
    store: Store,
    clock: Clock,
    imprint: Imprint,
    relay: Relay,
    rules: Rules,
    *,
    limit: int | None = None,
    only: EmailAddress | None = None,
    stop: asyncio.Event | None = None,
    progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Mail what is due, until nothing more is; what is deferred or in doubt waits for a later call.

    Args:
        store, clock: the database and the time.
        imprint, relay, rules: what every mail has in common, where it goes, and how.
        limit: at most so many mails.
        only: mails to this address alone.
        stop: when set, the mails on the wire are finished and no other is begun.
        progress: called after each mail.

    Raises:
        ServerUnavailable: the relay cannot be reached or does not take our sender; nothing was lost.
        DigestError: the database failed us.
    """
    report = Report()
    worker_id = await asyncio.to_thread(_begin, store, clock.now(), rules, report)
    run = _Run(store, clock, imprint, relay, rules, worker_id, report, stop or asyncio.Event(), progress)
    try:
        await run.work(limit, only)
    finally:
        # What this worker did not finish is free again at once, and not in a minute when its beat is missed.
        await asyncio.shield(asyncio.to_thread(_end, store, clock, worker_id))
    return report


def _begin(store: Store, now: datetime, rules: Rules, report: Report) -> int:
    with store.write() as connection:
        gone = workers.dead(connection, now, workers.is_alive)
        report.taken_over, report.newly_in_doubt = workers.bury(connection, gone, now) if gone else (0, 0)
        report.sent_again, report.newly_held = ledger.settle_doubts(connection, now, rules.in_doubt_hold, rules.in_doubt)
        worker_id = workers.register(connection, now)
    report.queued = queue_due(store, rules.schedule, now)
    with store.write() as connection:
        report.late = ledger.skip_late(connection, now, rules.schedule.catch_up)
    return worker_id


def _end(store: Store, clock: Clock, worker_id: int) -> None:
    with contextlib.suppress(DigestError), store.write() as connection:
        workers.retire(connection, worker_id, clock.now())


class _Run:
    """One worker at work."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        imprint: Imprint,
        relay: Relay,
        rules: Rules,
        worker_id: int,
        report: Report,
        stop: asyncio.Event,
        progress: Callable[[Report], None],
    ) -> None:
        self._store, self._clock, self._relay, self._rules = store, clock, relay, rules
        self._worker, self._report, self._stop, self._progress = worker_id, report, stop, progress
        self._mails = Mails(store, imprint)
        self._mail_from = imprint.sender.address
        self._hungry = asyncio.Event()
        self._failed = asyncio.Event()
        self._returned: deque[Job] = deque()
        self._losses: Counter[tuple[str, int]] = Counter()
        self._losses_in_a_row = 0
        self._at_work = 0
        self._sender_accepted = False
        self._error: BaseException | None = None
        self._commits = GroupCommit(store, clock, worker_id)
        self._jitter = random.Random()  # noqa: S311 - spreads retries; nobody gains by guessing it

    async def work(self, limit: int | None, only: EmailAddress | None) -> None:
        """Serve chunk after chunk. A reader may have two mails due: the second is chosen when the first is settled, so
        after the last chunk is done there may be one more."""
        try:
            while not self._over and await self._round(limit, only):
                limit = None if limit is None else limit - self._report.states.total()
                if limit is not None and limit <= 0:
                    break
        finally:
            await self._commits.close()
        if self._error is not None:
            raise self._error

    @property
    def _over(self) -> bool:
        return self._stop.is_set() or self._failed.is_set()

    async def _round(self, limit: int | None, only: EmailAddress | None) -> bool:
        """Serve what is due now; returns whether there was anything."""
        jobs: asyncio.Queue[Job | None] = asyncio.Queue()
        lanes = [asyncio.create_task(self._lane(jobs)) for _ in range(self._relay.connections)]
        claimed = 0
        try:
            while not self._over and (limit is None or claimed < limit):
                room = self._rules.chunk if limit is None else min(self._rules.chunk, limit - claimed)
                prepared, ended = await asyncio.to_thread(self._mails.prepare, self._worker, self._clock.now(), room, only)
                for outcome in ended:
                    self._end(outcome)
                if not prepared:
                    break
                claimed += len(prepared)
                for job in prepared:
                    jobs.put_nowait(job)
                await self._until_few_wait(jobs)
        except DigestError as error:
            self._fail(error)
        for _ in lanes:
            jobs.put_nowait(None)
        await asyncio.gather(*lanes)
        if self._commits.error is None:
            await self._commits.flush()
        return claimed > 0

    async def _until_few_wait(self, jobs: "asyncio.Queue[Job | None]") -> None:
        """Let the lanes work off most of a chunk before the next is claimed: memory does not grow with the readers."""
        if jobs.qsize() <= self._rules.chunk // 2:
            return
        self._hungry.clear()
        signals = {asyncio.create_task(event.wait()) for event in (self._hungry, self._stop, self._failed)}
        _, waiting = await asyncio.wait(signals, return_when=asyncio.FIRST_COMPLETED)
        for signal in waiting:
            signal.cancel()

    async def _lane(self, jobs: "asyncio.Queue[Job | None]") -> None:
        """One connection's life: it is opened when there is something to say and kept for the next."""
        connection: Connection | None = None
        working = False
        try:
            while True:
                job = self._returned.popleft() if self._returned else await jobs.get()
                if jobs.qsize() <= self._rules.chunk // 2:
                    self._hungry.set()
                if job is None and self._returned:
                    jobs.put_nowait(None)
                    continue
                if job is None or self._over:
                    return
                if not working:
                    working = True
                    self._working(+1)
                content = self._build(job)
                if content is None:
                    continue
                connection = await self._connect(connection, job)
                if connection is None:
                    return
                await self._relay.pace.wait(job.recipient.domain)
                await self._submit(connection, job, content)
        except BaseException as error:  # noqa: BLE001 - the run ends with it, and no lane dies unheard
            self._fail(error)
            if connection is not None:
                connection.abort()
        finally:
            if working:
                self._working(-1)
            if connection is not None:
                await connection.close()

    def _working(self, change: int) -> None:
        self._at_work += change
        self._commits.busy = max(1, self._at_work)

    async def _connect(self, connection: Connection | None, job: Job) -> Connection | None:
        if connection is not None and connection.usable:
            return connection
        if connection is not None:
            await connection.close()
        try:
            return await Connection.open(self._relay.url, self._relay.timeout)
        except ServerUnavailable as error:
            # A relay that takes fewer connections than we would like still takes mail over those it has.
            self._returned.append(job)
            if self._at_work <= 1:
                self._fail(error)
            return None

    def _build(self, job: Job) -> bytes | None:
        try:
            return job.build()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one mail must not stop the others
            log.error("mail %s %s could not be built: %s: %s", job.table.name, job.row, type(error).__name__, error)
            step = after_failure(failures=job.failures, now=self._clock.now())
            said = f"could not be built: {type(error).__name__}: {error}"
            self._end(ledger.Outcome(job.table, job.row, step.state, said, step.next_try_at, tried=False, failed=True))
            return None

    async def _submit(self, connection: Connection, job: Job, content: bytes) -> None:
        async def may_go() -> bool:
            return await self._commits.mark(job.table, job.row)

        verdict = await connection.submit(Envelope(self._mail_from, job.recipient), content, may_go)
        if verdict is None:
            log.info("mail %s %s was withdrawn before its content went out", job.table.name, job.row)
            return
        if verdict.kind == "lost":
            verdict = self._lost(job, verdict)
            if verdict is None:
                return
        elif verdict.phase == "mail" and verdict.kind == "rejected" and not self._sender_accepted:
            # It is no reader's fault that our sender is refused, so no reader pays for it.
            self._fail(
                ServerUnavailable(
                    f"the mail server refuses the sender {self._mail_from}: {verdict.reply}",
                    fix="set email.from to an address that this account may use",
                )
            )
            return
        self._sender_accepted = self._sender_accepted or verdict.phase != "mail"
        self._losses_in_a_row = 0
        step = after_verdict(
            verdict, due_at=job.due_at, attempts=job.attempts, now=self._clock.now(), jitter=self._jitter.random()
        )
        self._end(
            ledger.Outcome(
                job.table,
                job.row,
                step.state,
                verdict.reply,
                step.next_try_at,
                tried=step.tried,
                subscriber_id=job.subscriber_id,
                seen=job.seen,
            )
        )
        if refuses_mailbox(verdict) and job.subscriber_id is not None:
            await asyncio.to_thread(note_refusal, self._store, self._clock.now(), job, verdict)

    def _lost(self, job: Job, verdict: Verdict) -> Verdict | None:
        """A connection that broke before any content cost nothing: another carries the message at once. But a message that
        breaks connections is deferred, and a relay that breaks them all is not to be had."""
        self._losses[job.table.name, job.row] += 1
        self._losses_in_a_row += 1
        if self._losses_in_a_row > MAX_LOSSES * self._relay.connections:
            self._fail(
                ServerUnavailable(
                    f"the mail server {self._relay.url} keeps ending our connections: {verdict.reply}",
                    fix="see its log; try again later, or with fewer smtp.connections",
                )
            )
            return None
        if self._losses[job.table.name, job.row] < MAX_LOSSES:
            self._returned.append(job)
            return None
        return Verdict("deferred", verdict.phase, verdict.code, f"the connection broke {MAX_LOSSES} times: {verdict.text}")

    def _end(self, outcome: ledger.Outcome) -> None:
        self._commits.finish(outcome)
        self._report.states["deferred" if outcome.state == "queued" else outcome.state] += 1
        self._progress(self._report)

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self._failed.set()
