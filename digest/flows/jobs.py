"""The jobs that the connections of one worker share. One that is handed out may go at once; what comes back goes first.

While nothing is limited this is a plain queue. A job whose domain may not be written to now waits aside, in its domain's own
queue, and delays no other; when many wait there, the last of them are put off, to be claimed again when their time comes.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

from digest.flows.mails import Job
from digest.flows.roads import PATIENCE, Roads
from digest.outbox.verdict import Verdict
from digest.smtp.pace import Pace, Road
from digest.store.engine import Store


class Jobs:
    """Jobs on their way from one feeder to several lanes, all on one event loop.

    Args:
        pace: the operator's limits.
        lanes: how many connections share the jobs.
        store: where all workers share what may go when; None: this one is alone.
        put_off: told of a job that will not go soon and is here no more, and in how many seconds it is to be claimed again;
            None: all are kept.
        monotonic: seconds of this machine.
    """

    def __init__(
        self,
        pace: Pace | None = None,
        lanes: int = 8,
        store: Store | None = None,
        put_off: Callable[[Job, float], None] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.halted = asyncio.Event()
        """Set when no other job is to be begun."""
        self._put_off, self._monotonic, self._shared = put_off, monotonic, store is not None
        self._waiting: deque[Job] = deque()
        self._roads = Roads(
            pace or Pace(), lanes, store, lambda: len(self._waiting), lambda: self._wake(1), self._fail, monotonic
        )
        self._looking: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._over = self._closed = False
        self._home = asyncio.Event()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._feeder: asyncio.Future[None] | None = None
        self._enough = 0

    @property
    def out(self) -> int:
        """How many were taken and are not settled."""
        return self._roads.out

    def add(self, jobs: Iterable[Job]) -> None:
        self._waiting.extend(jobs)
        self._wake(len(self._waiting))

    async def take(self) -> Job | None:
        """The next job, to be settled or given back; None when it is time to go home. Raises what ended the reserving."""
        if self._shared:
            await self._look()
        while not self._over:
            if job := self.take_now():
                return job
            if self._closed:
                break
            await self._change()
        if self._error is not None:
            raise self._error
        return None

    def take_now(self) -> Job | None:
        """The next job if there is one that may go this moment."""
        if self._over:
            return None
        roads = self._roads
        now = 0.0
        if roads.gated or roads.held:
            now = self._monotonic()
            if roads.gated and not roads.relay_is_open(now):
                return None
            if job := roads.next_aside(now):
                return self._hand_out(roads.of(job), job, now)
        while self._waiting:
            job = self._waiting.popleft()
            road = roads.of(job)
            if roads.is_open(road):
                return self._hand_out(road, job, now)
            now = now or self._monotonic()
            if not roads.held:
                self._wake_feeder()  # it waits in another way while something is held
            roads.set_aside(road, job)
            if aside := roads.next_aside(now):
                return self._hand_out(roads.of(aside), aside, now)
        return None

    def give_back(self, job: Job, verdict: Verdict | None = None) -> None:
        """Let another lane have it, before all others; `verdict` is what became of it here."""
        road = self._roads.of(job)
        if road.aside:
            road.aside.appendleft(job)
        else:
            self._waiting.appendleft(job)
        self._enough += 1
        self.settled(job, verdict)
        self._wake(1)

    def settled(self, job: Job, verdict: Verdict | None = None) -> None:
        """A job that was taken has ended, with what the relay said if it was asked."""
        roads = self._roads
        roads.out -= 1
        road = roads.of(job)
        road.out -= 1
        if verdict is not None and roads.learn(road, verdict):
            self._wake_feeder()
        # What ends without a word of its domain is not waited for either.
        road.unanswered = min(road.unanswered, road.out)
        if road.aside:
            roads.look_at(road)
        if self._idle and roads.waits_for_answers:
            self._wake(1)
        if not roads.out:
            self._wake_feeder()

    def learn(self, job: Job, verdict: Verdict) -> None:
        """What the relay said of a job that is not settled yet, such as one that is tried again at once."""
        if self._roads.learn(self._roads.of(job), verdict):
            self._wake_feeder()

    def turned_away(self) -> None:
        """The relay did not let a lane connect: it wants fewer at a time."""
        self._roads.turned_away(slower=False)

    def close(self) -> None:
        """Send the lanes home: every job is settled, and no more are added."""
        self._closed = True
        self._end()

    def halt(self) -> None:
        """Whatever waits is left where it is."""
        self._over = True
        self.halted.set()
        self._end()

    async def until_over(self) -> None:
        """Return when the lanes are to go home."""
        await self._home.wait()

    async def until_few_wait(self, few: int) -> None:
        """Return when no more than `few` wait that can go soon, or when a lane is idle for want of another domain's."""
        while not self._over:
            now = self._monotonic()
            self._sweep(now)
            roads = self._roads
            self._enough = len(self._waiting) + roads.can_go(now) - few
            if self._enough <= 0 or (self._idle and roads.several and not roads.gated and not self._waiting):
                return
            await self._progress()

    async def until_settled(self) -> None:
        """Return when none waits and none is out."""
        while not self._over:
            self._sweep(self._monotonic())
            if not (self._waiting or self._roads.held or self.out):
                return
            await self._progress()

    async def until_back(self) -> bool:
        """Return when the first of the jobs that were put off for a limit's sake is to be claimed again; False if there is
        none, or nothing more is to be begun."""
        if self._roads.back_at is None or self._over:
            return False
        wait, self._roads.back_at = self._roads.back_at - self._monotonic(), None
        try:
            await asyncio.wait_for(self.halted.wait(), max(0.0, wait))
        except TimeoutError:
            return True
        return False

    def _hand_out(self, road: Road[Job], job: Job, now: float) -> Job:
        self._roads.taken(road, now)
        self._enough -= 1
        if self._enough == 0:
            self._wake_feeder()
        if self._idle:
            self._wake(1)
        return job

    async def _look(self) -> None:
        """Learn, once, what workers learned before."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._remember())
        if not self._looking.done():
            await asyncio.shield(self._looking)

    async def _remember(self) -> None:
        try:
            await self._roads.remember()
        except Exception as error:  # noqa: BLE001 - every lane waits for it, and each is told
            self._fail(error)

    def _sweep(self, now: float) -> None:
        """Put off what is not to go soon, so that memory does not grow with the readers of one domain."""
        if self._put_off is not None:
            for job, wait in self._roads.sweep(now):
                self._put_off(job, wait)

    async def _change(self) -> None:
        """Return when something may be to be taken."""
        loop = asyncio.get_running_loop()
        at = self._roads.next_time()
        if at is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_later(max(0.001, at - self._monotonic()), self._wake, 1)
        waiting = loop.create_future()
        self._idle.append(waiting)
        if self._roads.several:
            self._wake_feeder()
        await waiting

    def _wake(self, lanes: int) -> None:
        while self._idle and lanes > 0:
            waiting = self._idle.popleft()
            if not waiting.done():
                waiting.set_result(None)
                lanes -= 1

    async def _progress(self) -> None:
        """Return when the feeder may have something to do."""
        self._feeder = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._feeder], timeout=PATIENCE if self._roads.held else None)
        self._feeder = None

    def _wake_feeder(self) -> None:
        if self._feeder is not None and not self._feeder.done():
            self._feeder.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self.halt()

    def _end(self) -> None:
        self._home.set()
        self._roads.end()
        if self._timer is not None:
            self._timer.cancel()
        self._wake(len(self._idle))
        self._wake_feeder()
