"""Deliver: whoever is due gets his mail, or a reason why not.

    queue_due ──► claim a chunk ──► choose picks ──► build ──► MAIL RCPT DATA ──► durable mark ──► content ──► outcome

Several connections work side by side; one ledger thread writes marks and outcomes in groups. Nothing here is lost by a
crash at any point: see "Nobody twice, nobody missed" in ARCHITECTURE.md.
"""

import asyncio
import contextlib
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from digest.clock import Clock
from digest.errors import DigestError
from digest.flows.commit import GroupCommit, when_back
from digest.flows.jobs import Jobs
from digest.flows.lanes import Lanes
from digest.flows.mails import Job, Mails
from digest.flows.messages import Imprint
from digest.flows.queueing import queue_due
from digest.flows.refusals import Refusals
from digest.flows.terms import Relay, Report, Rules
from digest.flows.verdicts import Verdicts
from digest.store import ledger, workers
from digest.store.engine import Store
from digest.store.process import is_alive
from digest.subscribers.address import EmailAddress

Answer = TypeVar("Answer")

LOOK_AGAIN = timedelta(seconds=20)
"""How often a run looks who has become due since it began."""
WARMING = 8
"""Chunks after which most of what all mails share has been made."""


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
    mails: Mails | None = None,
) -> Report:
    """Mail what is due, until nothing more is; what is deferred or in doubt waits for a later call.

    Args:
        store, clock: the database and the time.
        imprint, relay, rules: what every mail has in common, where it goes, and how.
        limit: at most so many mails.
        only: mails to this address alone.
        stop: when set, the mails on the wire are finished and no other is begun.
        progress: called after each mail.
        mails: what earlier runs of this process kept; None: nothing.

    Raises:
        ServerUnavailable: the relay cannot be reached or does not take our sender; nothing was lost.
        DigestError: the database failed us.
    """
    report = Report()
    worker_id = await asyncio.to_thread(_begin, store, clock, rules, report)
    mails = mails or Mails(store, imprint)
    mails.begin()
    run = _Run(store, clock, mails, imprint.sender.address, relay, rules, worker_id, report, stop or asyncio.Event(), progress)
    try:
        await run.work(limit, only)
    finally:
        gc.unfreeze()
        # What this worker did not finish is free again at once, and not in a minute when its beat is missed.
        await asyncio.shield(asyncio.to_thread(_end, store, clock, worker_id))
    return report


def _begin(store: Store, clock: Clock, rules: Rules, report: Report) -> int:
    now = clock.now()
    with store.write() as connection:
        gone = workers.dead(connection, now, is_alive)
        if gone:
            report.taken_over, report.newly_in_doubt = workers.bury(connection, gone, now)
        report.queued_again, report.newly_held = ledger.settle_doubts(connection, now, rules.in_doubt_hold, rules.in_doubt)
    report.queued = queue_due(store, rules.schedule, now)
    with store.write() as connection:
        report.expired = ledger.expire(connection, now)
        report.late = ledger.skip_late(connection, now, rules.schedule.catch_up)
    with store.write() as connection:
        # Not before: nobody beats for it so far, and queueing millions, or waiting for who does, may take minutes.
        return workers.register(connection, clock.now())


def _end(store: Store, clock: Clock, worker_id: int) -> None:
    with contextlib.suppress(DigestError), store.write() as connection:
        workers.retire(connection, worker_id, clock.now())


class _Run:
    """One worker at work."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        mails: Mails,
        sender: EmailAddress,
        relay: Relay,
        rules: Rules,
        worker_id: int,
        report: Report,
        stop: asyncio.Event,
        progress: Callable[[Report], None],
    ) -> None:
        self._store, self._clock, self._rules = store, clock, rules
        self._worker, self._report, self._stop = worker_id, report, stop
        self._mails = mails
        self._looked_at = clock.now()
        self._error: BaseException | None = None
        # Always the same thread: malloc keeps for each what it once needed, and here it is the matrices of a chunk.
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prepare")
        self._jobs = jobs = Jobs(relay.pace, relay.connections, store, self._put_off)
        self._commits = commits = GroupCommit(store, clock, worker_id, disowned=jobs.halt, died=self._abort)
        self._refusals = refusals = Refusals(store, clock, commits)
        self._verdicts = verdicts = Verdicts(clock, relay, sender, jobs, commits, refusals, report, progress, self._fail)
        self._lanes = Lanes(relay, sender, jobs, commits, verdicts, refusals, clock, self._fail)

    async def work(self, limit: int | None, only: EmailAddress | None) -> None:
        """Claim what is due and have it submitted, until nothing more is."""
        lanes = asyncio.create_task(self._lanes.work())
        stopping = asyncio.create_task(self._halt_when_stopped())
        try:
            try:
                await self._feed(limit, only)
            except Exception as error:  # noqa: BLE001 - it is raised below, when the lanes have ended what they began
                self._fail(error)
            self._jobs.close()
            await lanes
            await self._refusals.weigh()
        finally:
            stopping.cancel()
            self._beside.shutdown(wait=False)
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
        chunks = 0
        while not self._jobs.halted.is_set() and (left is None or left > 0):
            room = self._rules.chunk if left is None else min(self._rules.chunk, left)
            if self._clock.now() - self._looked_at > LOOK_AGAIN:
                # A long run meets hours that had not come when it began.
                self._looked_at = self._clock.now()
                self._report.queued += await self._asked(queue_due, self._store, self._rules.schedule, self._looked_at)
            if chunks <= WARMING:
                # The program, the edition and its cards stay for the whole run: looking through them for garbage cost a third
                # of a mail.
                chunks += 1
                gc.freeze()
            prepared, ended = await self._asked(self._mails.prepare, self._worker, self._clock.now(), room, only)
            for outcome in ended:
                self._verdicts.finish(outcome)
            self._jobs.add(prepared)
            left = None if left is None else left - len(prepared)
            if prepared or ended:
                settled = False
                # Memory does not grow with the readers: one chunk waits while the next is prepared, and no more.
                await self._jobs.until_few_wait(self._rules.chunk)
            elif settled:
                if not await self._jobs.until_back():
                    break
            else:
                await self._settle()
                settled = True
        await self._settle()

    async def _asked(self, act: Callable[..., Answer], *arguments: Any) -> Answer:
        """What the database answers in the one thread that prepares; a server that restarts is waited for. What it did without
        our hearing of it costs nothing: claimed rows without a job are queued again when the run ends."""
        loop, halted = asyncio.get_running_loop(), self._jobs.halted
        return await when_back(lambda: loop.run_in_executor(self._beside, act, *arguments), halted.is_set)

    async def _settle(self) -> None:
        await self._jobs.until_settled()
        if self._jobs.halted.is_set():
            return
        await self._verdicts.settle_suspects()
        await self._commits.flush()

    def _put_off(self, job: Job, seconds: float) -> None:
        self._verdicts.put_off(job, seconds)

    def _abort(self) -> None:
        """Nothing more can be written down: nothing more may go out, and what is out cannot be waited for."""
        if self._commits.error is not None:
            self._fail(self._commits.error)
        self._lanes.abort()

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self._jobs.halt()
