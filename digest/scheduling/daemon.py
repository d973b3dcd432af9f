"""The daemon: a metronome. It asks again and again what is due, and what is due is stored data; so it may be stopped,
started, doubled or replaced by cron at any time without a mail more or less.

Two things go on side by side: mails, and the sources that are asked. The one never waits for the other, but that an edition is
frozen when its sources have answered, or when they have had their time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from digest.clock import SystemClock
from digest.errors import DigestError
from digest.flows.run import Plan
from digest.scheduling.attempts import TICK
from digest.scheduling.chores import Chores
from digest.scheduling.notify import Notifier

if TYPE_CHECKING:
    from apscheduler.job import Job

WATCHDOG = timedelta(seconds=30)
STUCK_AFTER = timedelta(minutes=15)
"""A tick in which nothing happens for longer is hung: the longest wait for a mail is ten minutes."""

WAKING = 1.0
"""Seconds from a sign-up to its mail."""

log = logging.getLogger("digest")


class Daemon:
    """Collects by the hour, freezes editions when they are due, and mails readers at theirs."""

    def __init__(self, plan: Plan, notifier: Notifier) -> None:
        self._plan, self._notifier = plan, notifier
        self._stop = asyncio.Event()
        self._ticking = asyncio.Lock()
        self._since: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Task[None] | None = None
        """The extra tick that `wake` asked for, as long as it has not begun."""
        self._chores = Chores(plan, notifier, self._stop.is_set)

    def stop(self) -> None:
        """Finish the mails on the wire, ask no source any further, and end."""
        if not self._stop.is_set():
            log.info("stopping: the mails on the wire are finished first")
            self._notifier.stopping()
        self._stop.set()
        self._plan.web.abandon()

    def wake(self) -> None:
        """Look soon whether there is something to mail, such as to somebody who has just signed up. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        # Not at once: the visitor has been answered by then, and perhaps others too, so nobody can tell from how long an answer
        # takes whether we know his address.
        if self._woken is None:
            self._woken = asyncio.create_task(self._tick_in(WAKING))

    async def _tick_in(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        await self._tick(self._woken)

    async def run(self, beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None) -> None:
        """Work until stopped; `beside` runs as long, and gets the event that says when to end."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._loop = asyncio.get_running_loop()
        scheduler = AsyncIOScheduler(
            # A tick that comes while another one mails ends at once by itself.
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 3, "misfire_grace_time": None},
        )
        # It is the clock of the plan that says what is due; the scheduler only wakes us.
        regular = ((self._tick, TICK), (self._watch, WATCHDOG))
        beats = [(scheduler.add_job(act, "interval", seconds=every.total_seconds()), every) for act, every in regular]
        scheduler.start()
        following = self._chores.next_up()
        self._notifier.ready(following)
        log.info("ready; %s", following)
        work = [asyncio.create_task(self._gather(lambda: scheduler.add_job(self._tick)))]
        work += [asyncio.create_task(self._keep_time(beats))]
        work += [asyncio.create_task(beside(self._stop))] if beside else []
        try:
            await self._stop.wait()
        finally:
            self._stop.set()
            self._plan.web.abandon()
            scheduler.pause()
            async with self._ticking:
                # Shutting down cancels what the scheduler has begun, and a mail on the wire would be in doubt.
                scheduler.shutdown(wait=False)
            await asyncio.wait(work)  # whichever fails, the other one ends in order
            for task in work:
                await task

    async def _keep_time(self, beats: "list[tuple[Job, timedelta]]") -> None:
        """Have the scheduler go on when the machine's clock is set back: it waits for times of day, and would wait until they
        come once more."""
        while not self._stop.is_set():
            now = SystemClock().now()
            for job, every in beats:
                if job.next_run_time > now + every:
                    job.reschedule("interval", seconds=every.total_seconds())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), TICK.total_seconds())

    async def _gather(self, mail: Callable[[], object]) -> None:
        """Collect and publish until stopped; `mail` is called when there may be something new to mail."""
        try:
            mail_first = True
            while not self._stop.is_set():
                await self._chores.collect()
                new = await self._chores.publish()
                if new or mail_first:
                    mail()
                elif not self._ticking.locked():
                    await self._chores.collect_attention()
                    await self._chores.learn()
                mail_first = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), TICK.total_seconds())
        finally:
            self._stop.set()

    async def _tick(self, woken: asyncio.Task[None] | None = None) -> None:
        """Mail what is due, unless another tick is doing so.

        A tick that `wake` asked for (`woken`) waits for the other one instead, and mails once more: the other may have looked
        at the sign-ups before the one came in for which we were woken.
        """
        if self._ticking.locked() and not woken:
            return
        async with self._ticking:
            if woken:
                self._woken = None
            if self._stop.is_set():
                return
            self._went_on()
            try:
                since = self._chores.collecting_since
                if since and self._plan.clock.now() - since > self._plan.sources.budget:
                    await self._chores.publish()
                await self._chores.mail(self._stop, self._went_on)
            finally:
                self._since = None

    def _went_on(self) -> None:
        self._since = time.monotonic()

    async def _watch(self) -> None:
        """Feed the watchdog, unless a tick hangs or the database does not answer."""
        if self._since is not None and time.monotonic() - self._since > STUCK_AFTER.total_seconds():
            return
        try:
            await asyncio.to_thread(self._chores.next_up)
        except DigestError as error:
            self._chores.complaints.say("watch", error)
        else:
            self._chores.complaints.withdraw("watch")
            self._notifier.alive()
