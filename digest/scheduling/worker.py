"""A worker: one of several processes, on as many machines, that do together what the daemon does alone.

    look (every worker) ──► jobs "mail" while mails are due ──► a worker mails for a turn: claims chunk after chunk
    periodic            ──► job "mail", whatever is due; job "gather": collect, publish, learn, one worker at a time
    take over (every)   ──► jobs of silent workers are deferred again, what dead workers held is free again

A job is only a nudge. What is due, and to whom, stands in the tables of deliveries; a turn claims from there, so that quick
workers take more than slow ones, and a job too many finds nothing to do.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from digest.errors import DigestError
from digest.flows.run import Plan
from digest.scheduling import jobs, takeover
from digest.scheduling.attempts import TICK
from digest.scheduling.chores import Chores
from digest.scheduling.daemon import STUCK_AFTER, WATCHDOG
from digest.scheduling.notify import Notifier
from digest.store import backlog, workers

MAIL, GATHER = "mail", "gather"
"""The queues: a worker does one job of each at a time."""
WAITING = 8
"""So many jobs for mails wait at most: one is enough to wake a worker, and there is a next look."""

log = logging.getLogger("digest")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what happens, in seconds.

    look: whether mails are due that nobody has been told of. turn: how long a job mails at most before others get their turn.
    beat: how often a worker says that it lives. silent: after so long without a beat its jobs are another's. check: how often
    that is looked for. So a job is taken over after `silent + check` at the latest.
    """

    look: float = 2.0
    turn: float = 30.0
    beat: float = 10.0
    silent: float = 30.0
    check: float = 10.0
    cron: str = f"* * * * * */{TICK.seconds}"


class Worker:
    """Does jobs until it is told to stop, and looks after those of workers that died."""

    def __init__(self, plan: Plan, url: str, notifier: Notifier, rhythm: Rhythm | None = None) -> None:
        """`url`: the database of the plan, which `jobs.require` has found fit."""
        self._plan, self._url, self._notifier = plan, url, notifier
        self._rhythm = rhythm or Rhythm()
        self._stop = asyncio.Event()
        self._turn = asyncio.Event()
        self._since: float | None = None
        self._chores = Chores(plan, notifier, self._stop.is_set)
        self._error: BaseException | None = None
        self._id: int | None = None
        self._app = jobs.application(url)
        self._mail_task = self._app.task(name=MAIL, queue=MAIL)(self._mail)
        periodic = self._app.periodic(cron=self._rhythm.cron)
        periodic(self._app.task(name="rounds", queue=MAIL, queueing_lock="rounds", priority=1)(self._mail))
        periodic(self._app.task(name=GATHER, queue=GATHER, queueing_lock=GATHER, lock=GATHER)(self._gather))

    def stop(self) -> None:
        """Finish the mails on the wire, give back what else was claimed, take no other job, and end."""
        if not self._stop.is_set():
            log.info("stopping: the mails on the wire are finished first")
            self._notifier.stopping()
        self._stop.set()
        self._turn.set()
        self._plan.web.abandon()

    async def run(self) -> None:
        """Work until stopped. Raises what no worker can live with."""
        asyncio.get_running_loop().set_exception_handler(_noting())
        with jobs.explained():
            await self._app.open_async().__aenter__()
        try:
            await self._beat()
            following = await asyncio.to_thread(self._chores.next_up)
            self._notifier.ready(following)
            log.info("ready; %s", following)
            every = self._rhythm
            beside = [
                self._every(every.look, "look", self._look),
                self._every(every.check, "take over", self._take_over),
                self._every(every.beat, "beat", self._beat),
                self._every(WATCHDOG.total_seconds(), "watch", self._watch),
                self._work(MAIL),
                self._work(GATHER),
            ]
            tasks = [asyncio.create_task(one) for one in beside]
            await self._stop.wait()
            for task in tasks[-2:]:
                task.cancel()  # it lets the job that it does come to its end
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._stop.set()
            with suppress(DigestError):
                await asyncio.to_thread(self._retire)
            await self._app.close_async()
        if self._error is not None:
            raise self._error

    async def _work(self, queue: str) -> None:
        """Do the jobs of a queue; where the database goes away, begin anew when it may be back."""
        every = self._rhythm

        async def work() -> None:
            with jobs.explained():
                await self._app.run_worker_async(
                    queues=[queue],
                    name=queue,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=every.beat,
                    stalled_worker_timeout=every.silent,
                )

        await self._every(every.check, queue, work)

    async def _mail(self, timestamp: int = 0) -> None:
        """A turn: mail what is due. Whoever fails rests before it takes another job, and leaves them to others meanwhile."""
        del timestamp
        async with self._guarded("a turn"):
            if self._stop.is_set():
                return
            self._turn = asyncio.Event()
            self._went_on()
            ends = asyncio.get_running_loop().call_later(self._rhythm.turn, self._turn.set)
            try:
                await self._chores.mail(self._turn, self._went_on)
            finally:
                ends.cancel()
                self._since = None
            await self._pause(self._chores.mailing.rest.total_seconds())

    async def _gather(self, timestamp: int = 0) -> None:
        """Collect, publish, and when no mail is due see to what the next edition needs."""
        del timestamp
        async with self._guarded("gathering"):
            collecting = asyncio.create_task(self._chores.collect())
            try:
                await asyncio.wait([collecting], timeout=self._plan.sources.budget.total_seconds())
                new = await self._chores.publish()
            finally:
                await collecting
            if new:
                await self._defer(["new edition"])
            elif not await asyncio.to_thread(self._due):
                await self._chores.collect_attention()
                await self._chores.learn()

    @asynccontextmanager
    async def _guarded(self, what: str) -> AsyncIterator[None]:
        """What this program foresaw is said once, for there is a next time. Whatever nobody foresaw ends the worker, and does
        not go down as one job that failed."""
        try:
            yield
        except DigestError as error:
            self._chores.complaints.say(what, error)
        except Exception as error:  # noqa: BLE001 - the worker ends with it, in `run`
            self._fail(error)
        else:
            self._chores.complaints.withdraw(what)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self.stop()

    async def _look(self) -> None:
        """While mails are due, jobs wait for whoever has time: whatever became of the jobs before."""
        chunks = -(-await asyncio.to_thread(self._due) // self._plan.rules.chunk)
        await self._defer([f"{MAIL} {number}" for number in range(min(chunks, WAITING))])

    def _due(self) -> int:
        with self._plan.store.read() as connection:
            return backlog.due(connection, self._plan.clock.now(), WAITING * self._plan.rules.chunk)

    async def _defer(self, locks: list[str]) -> None:
        """Defer a job for mails under each of these queueing locks under which none waits."""
        from procrastinate.exceptions import AlreadyEnqueued

        if not locks:
            return
        with jobs.explained():
            # The lock would refuse them as well, but the server would log each as an error.
            waiting = {job.queueing_lock for job in await self._app.job_manager.list_jobs_async(queue=MAIL, status="todo")}
            for lock in locks:
                if lock not in waiting:
                    with suppress(AlreadyEnqueued):
                        await self._mail_task.configure(queueing_lock=lock).defer_async()

    async def _take_over(self) -> None:
        await asyncio.to_thread(takeover.free_mails, self._plan.store, self._plan.clock.now())
        with jobs.explained():
            await takeover.defer_again(self._app, self._rhythm.silent)

    async def _beat(self) -> None:
        await asyncio.to_thread(self._say_here)

    def _say_here(self) -> None:
        """Be on the list of workers; each turn is entered besides, with what it holds."""
        now = self._plan.clock.now()
        with self._plan.store.write() as connection:
            if self._id is None or not workers.beat(connection, self._id, now):
                self._id = workers.register(connection, now)

    def _retire(self) -> None:
        if self._id is not None:
            with self._plan.store.write() as connection:
                workers.retire(connection, self._id, self._plan.clock.now())

    def _went_on(self) -> None:
        self._since = time.monotonic()

    async def _watch(self) -> None:
        """Feed the watchdog, unless a turn hangs or the database does not answer."""
        if self._since is None or time.monotonic() - self._since <= STUCK_AFTER.total_seconds():
            await asyncio.to_thread(self._chores.next_up)
            self._notifier.alive()

    async def _every(self, seconds: float, what: str, work: Callable[[], Awaitable[Any]]) -> None:
        """Do something again and again until stopped."""
        while not self._stop.is_set():
            async with self._guarded(what):
                await work()
            await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


def _noting() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Tells what nobody waited for. A worker that was stopped and woken ends jobs that are another's by now: that is no bug."""
    from procrastinate.exceptions import ConnectorException

    def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, ConnectorException):
            log.warning("the end of a job could not be noted, others do it again: %s", jobs.reason(error))
        else:
            loop.default_exception_handler(context)

    return note
