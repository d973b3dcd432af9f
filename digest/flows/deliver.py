"""Deliver: whoever is due gets his mail, or a reason why not.

    queue_due ──► claim a chunk ──► choose picks ──► build ──► MAIL RCPT DATA ──► durable mark ──► content ──► outcome

Several connections work side by side; one ledger thread writes marks and outcomes in groups. Nothing here is lost by a
crash at any point: see "Nobody twice, nobody missed" in ARCHITECTURE.md.
"""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from digest.clock import Clock
from digest.errors import ConfigurationError, DigestError, ServerUnavailable
from digest.feedback.policy import refuses_mailbox
from digest.flows.commit import GroupCommit
from digest.flows.jobs import Jobs
from digest.flows.mails import Job, Mails
from digest.flows.messages import Imprint
from digest.flows.queueing import queue_due
from digest.flows.refusals import note_refusal
from digest.flows.terms import Relay, Report, Rules
from digest.outbox.retry import after_failure, after_verdict
from digest.outbox.verdict import Verdict
from digest.smtp.connection import Connection, Envelope
from digest.store import ledger, workers
from digest.store.engine import Store
from digest.subscribers.address import EmailAddress

LOOK_AGAIN = timedelta(seconds=20)
"""How often a run looks who has become due since it began."""
MAX_LOSSES = 3
"""Connections that one message may see break before its content; then it is deferred like one that was refused."""
MANY_UNBUILT = 3
"""So many mails that could not be built, and none that could, are no accident."""
MANY_REFUSALS = 3
"""So many refused mailboxes, and none taken, say more about the relay than about the readers."""
MAX_SENDER_REFUSALS = 3
"""How often in a row the relay may refuse the sender that it took before: quotas are told in this way."""

log = logging.getLogger(__name__)


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
        if gone:
            report.taken_over, report.newly_in_doubt = workers.bury(connection, gone, now)
        report.queued_again, report.newly_held = ledger.settle_doubts(connection, now, rules.in_doubt_hold, rules.in_doubt)
        worker_id = workers.register(connection, now)
    report.queued = queue_due(store, rules.schedule, now)
    with store.write() as connection:
        report.expired = ledger.overdue(connection, now)
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
        self._jobs = Jobs()
        self._looked_at = clock.now()
        self._built = self._unbuilt = 0
        self._lines = 0
        self._losses: Counter[tuple[str, int]] = Counter()
        self._losses_in_a_row = 0
        self._suspects: list[tuple[Job, Verdict]] = []
        self._refusals: list[tuple[Job, Verdict]] = []
        self._recipient_accepted = False
        self._sender_accepted = False
        self._sender_refusals = 0
        self._error: BaseException | None = None
        self._commits = GroupCommit(store, clock, worker_id, lambda: self._jobs.out, self._jobs.halt)
        self._jitter = random.Random()  # noqa: S311 - spreads retries; nobody gains by guessing it

    async def work(self, limit: int | None, only: EmailAddress | None) -> None:
        """Claim what is due and have it submitted, until nothing more is."""
        lanes = [asyncio.create_task(self._lane()) for _ in range(self._relay.connections)]
        stopping = asyncio.create_task(self._halt_when_stopped())
        try:
            try:
                await self._feed(limit, only)
            except Exception as error:  # noqa: BLE001 - it is raised below, when the lanes have ended what they began
                self._fail(error)
            self._jobs.close()
            await asyncio.gather(*lanes)
            await self._weigh_refusals()
        finally:
            stopping.cancel()
            await self._commits.close()
        if self._error is not None:
            raise self._error

    async def _halt_when_stopped(self) -> None:
        await self._stop.wait()
        self._jobs.halt()

    async def _feed(self, left: int | None, only: EmailAddress | None) -> None:
        """Claim chunk after chunk. A reader may have two mails due: the second is chosen when the first is settled, so
        when all are settled there may be more."""
        settled = False
        while not self._jobs.halted.is_set() and (left is None or left > 0):
            room = self._rules.chunk if left is None else min(self._rules.chunk, left)
            if self._clock.now() - self._looked_at > LOOK_AGAIN:
                # A long run meets hours that had not come when it began.
                self._looked_at = self._clock.now()
                self._report.queued += await asyncio.to_thread(queue_due, self._store, self._rules.schedule, self._looked_at)
            prepared, ended = await asyncio.to_thread(self._mails.prepare, self._worker, self._clock.now(), room, only)
            for outcome in ended:
                self._end(outcome)
            self._jobs.add(prepared)
            left = None if left is None else left - len(prepared)
            if prepared or ended:
                settled = False
                # Memory does not grow with the readers: most of a chunk is worked off before the next is claimed.
                await self._jobs.until_few_wait(self._rules.chunk // 2)
            elif settled:
                break
            else:
                await self._settle()
                settled = True
        await self._settle()

    async def _settle(self) -> None:
        await self._jobs.until_settled()
        if self._jobs.halted.is_set():
            return
        self._defer_suspects()
        await self._commits.flush()

    async def _lane(self) -> None:
        """One connection's life: it is opened when there is something to say and kept for the next."""
        connection: Connection | None = None
        try:
            while job := await self._jobs.take():
                content = self._build(job)
                if content is None:
                    self._jobs.settled()
                    continue
                connection = await self._connect(connection, job)
                if connection is None:
                    return
                await self._relay.pace.wait(job.recipient.domain, self._jobs.halted)
                if self._jobs.halted.is_set():
                    return
                await self._submit(connection, job, content)
        except BaseException as error:  # noqa: BLE001 - the run ends with it, and no lane dies unheard
            self._fail(error)
            if connection is not None:
                connection.abort()
        finally:
            if connection is not None:
                await connection.close()

    async def _connect(self, connection: Connection | None, job: Job) -> Connection | None:
        if connection is not None and connection.usable:
            return connection
        if connection is not None:
            await connection.close()
            self._lines -= 1
        self._lines += 1
        try:
            return await Connection.open(self._relay.url, self._relay.timeout)
        except ServerUnavailable as error:
            # A relay that takes fewer connections than we would like still takes mail over those it has.
            self._lines -= 1
            if self._lines == 0:
                self._fail(error)
            self._jobs.give_back(job)
            return None

    def _build(self, job: Job) -> bytes | None:
        try:
            content = job.build()
        # Whatever one paper or template makes of it, the mails of other readers go on; the row tells what it was.
        except Exception as error:
            log.error("mail %s %s could not be built: %s: %s", job.table.name, job.row, type(error).__name__, error)
            self._unbuilt += 1
            if isinstance(error, ConfigurationError) and self._unbuilt >= MANY_UNBUILT and not self._built:
                raise  # a template of the operator's that fails for everybody: he is told, and no more readers pay
            step = after_failure(failures=job.failures, now=self._clock.now())
            said = f"could not be built: {type(error).__name__}: {error}"
            self._end(ledger.Outcome(job.table, job.row, step.state, said, step.next_try_at, tried=False, failed=True))
            return None
        self._built += 1
        return content

    async def _submit(self, connection: Connection, job: Job, content: bytes) -> None:
        async def may_go() -> bool:
            return await self._commits.mark(job.table, job.row)

        verdict = await connection.submit(Envelope(self._mail_from, job.recipient), content, may_go)
        if verdict is None:
            log.info("mail %s %s was withdrawn before its content went out", job.table.name, job.row)
            self._jobs.settled()
        elif verdict.kind == "lost":
            self._lost(job, verdict)
        elif verdict.phase == "mail" and verdict.kind == "rejected":
            self._sender_refused(job, verdict)
        else:
            self._sender_accepted = self._sender_accepted or verdict.phase != "mail"
            self._sender_refusals = self._losses_in_a_row = 0
            self._defer_suspects()
            self._judged(job, verdict)
            if refuses_mailbox(verdict) and job.subscriber_id is not None:
                self._refusals.append((job, verdict))
            self._recipient_accepted = self._recipient_accepted or verdict.phase in ("data", "content")
            if self._recipient_accepted:
                await self._note_refusals()
            self._jobs.settled()

    async def _note_refusals(self) -> None:
        refusals, self._refusals = self._refusals, []
        if refusals:
            await self._commits.flush()  # suppressing withdraws what is open, and these have ended
        for job, verdict in refusals:
            await asyncio.to_thread(note_refusal, self._store, self._clock.now(), job, verdict)

    async def _weigh_refusals(self) -> None:
        """A relay that took nobody in this run may have lost its right to relay, and says so in the words for a mailbox
        that is gone: of a few refusals it is believed, of many it is not."""
        if len(self._refusals) < MANY_REFUSALS:
            await self._note_refusals()
        elif self._refusals:
            log.warning("all %s recipients were refused; nobody is suppressed for it", len(self._refusals))

    def _judged(self, job: Job, verdict: Verdict) -> None:
        """Have the outcome of one attempt written down."""
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

    def _sender_refused(self, job: Job, verdict: Verdict) -> None:
        """The relay does not know yet whom the mail is for: that it refuses our sender is no reader's fault, and none pays."""
        self._sender_refusals += 1
        if not self._sender_accepted:
            fix = "set email.from to an address that this account may use"
        elif self._sender_refusals >= MAX_SENDER_REFUSALS:
            fix = "it took the sender before: perhaps there is a quota; try again later"
        else:
            self._jobs.give_back(job)
            return
        self._fail(ServerUnavailable(f"the mail server refuses the sender {self._mail_from}: {verdict.reply}", fix=fix))

    def _lost(self, job: Job, verdict: Verdict) -> None:
        """A connection that broke before any content cost nothing: another carries the message at once. But a message that
        breaks connections is deferred, and a relay that breaks them all is not to be had."""
        self._losses[job.table.name, job.row] += 1
        self._losses_in_a_row += 1
        suspected = self._losses[job.table.name, job.row] >= MAX_LOSSES
        text = f"the connection broke {MAX_LOSSES} times: {verdict.text}"
        deferred = Verdict("deferred", verdict.phase, verdict.code, text)
        if self._losses_in_a_row > MAX_LOSSES * self._relay.connections:
            self._fail(
                ServerUnavailable(
                    f"the mail server {self._relay.url} keeps ending our connections: {verdict.reply}",
                    fix="see its log; try again later, or with fewer smtp.connections",
                )
            )
        if verdict.phase == "content":
            # It is marked already, and would be in doubt: its row is freed and claimed anew.
            if suspected:
                self._judged(job, deferred)
            else:
                self._end(ledger.Outcome(job.table, job.row, "queued", verdict.reply, tried=False))
            self._jobs.settled()
        elif suspected:
            # Message or relay? The next verdict tells; until then nobody is deferred for what may be the relay's fault.
            self._suspects.append((job, deferred))
            self._jobs.settled()
        else:
            self._jobs.give_back(job)

    def _defer_suspects(self) -> None:
        for job, verdict in self._suspects:
            self._judged(job, verdict)
        self._suspects.clear()

    def _end(self, outcome: ledger.Outcome) -> None:
        """Have it written down how a mail ended for now. One put back unlooked at (queued, neither tried nor failed) did
        not end."""
        self._commits.finish(outcome)
        if outcome.state == "queued" and not (outcome.tried or outcome.failed):
            return
        self._report.states["deferred" if outcome.state == "queued" else outcome.state] += 1
        self._progress(self._report)

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self._jobs.halt()
