"""The jobs that the connections of one worker share: what comes back goes first, and who is idle stays while it still may."""

import asyncio
from collections import deque
from collections.abc import Iterable

from digest.flows.mails import Job
from digest.outbox.verdict import Verdict


class Jobs:
    """Jobs on their way from one feeder to several lanes, all on one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._closed = False
        self._changed = asyncio.Event()
        self.out = 0
        """How many were taken and are not settled."""
        self.halted = asyncio.Event()
        """Set when no other job is to be begun."""

    def add(self, jobs: Iterable[Job]) -> None:
        self._waiting.extend(jobs)
        self._changed.set()

    async def take(self) -> Job | None:
        """The next job, to be settled or given back; None when it is time to go home."""
        while not self.halted.is_set():
            if self._waiting:
                self.out += 1
                self._changed.set()
                return self._waiting.popleft()
            if self._closed:
                return None
            await self._change()
        return None

    def take_now(self) -> Job | None:
        """The next job if there is one that may go this moment."""
        if self.halted.is_set() or not self._waiting:
            return None
        self.out += 1
        self._changed.set()
        return self._waiting.popleft()

    def give_back(self, job: Job) -> None:
        """Let another lane have it, before all others."""
        self._waiting.appendleft(job)
        self.settled()

    def settled(self, job: Job | None = None, verdict: Verdict | None = None) -> None:
        """A job that was taken has ended, with what the relay said if it was asked."""
        del job, verdict
        self.out -= 1
        self._changed.set()

    def close(self) -> None:
        """Send the lanes home: every job is settled, and no more are added."""
        self._closed = True
        self._changed.set()

    def halt(self) -> None:
        """Whatever waits is left where it is."""
        self.halted.set()
        self._changed.set()

    async def until_few_wait(self, few: int) -> None:
        """Return when no more than `few` wait to be taken."""
        while len(self._waiting) > few and not self.halted.is_set():
            await self._change()

    async def until_settled(self) -> None:
        """Return when none waits and none is out."""
        while (self._waiting or self.out) and not self.halted.is_set():
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
