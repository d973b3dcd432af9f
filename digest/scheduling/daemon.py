"""The daemon: a metronome. It asks again and again what is due, and what is due is stored data; so it may be stopped,
started, doubled or replaced by cron at any time without a mail more or less.

Two things go on side by side: mails, and the sources that are asked. The one never waits for the other, but that an edition is
frozen when its sources have answered, or when they have had their time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from digest.clock import Clock
from digest.errors import ConfigurationError, DigestError
from digest.flows import run as flow
from digest.flows.intake import Brought
from digest.flows.queueing import next_edition
from digest.flows.run import Plan
from digest.flows.terms import Report
from digest.scheduling.notify import Notifier
from digest.store import ledger, subscribers

TICK = timedelta(seconds=20)
WATCHDOG = timedelta(seconds=30)
STUCK_AFTER = timedelta(minutes=15)
"""A tick in which nothing happens for longer is hung: the longest wait for a mail is ten minutes."""
LOOK_FOR_LEARNERS = timedelta(hours=1)
"""How often it looks whose profile is lacking; whose mail is made earlier does not wait for it."""
LONGEST_REST = timedelta(minutes=10)
"""After a failure the daemon rests for a tick, then twice as long, up to this."""

log = logging.getLogger("digest")
T = TypeVar("T")


class Daemon:
    """Collects by the hour, freezes editions when they are due, and mails readers at theirs."""

    def __init__(self, plan: Plan, notifier: Notifier) -> None:
        self._plan, self._notifier = plan, notifier
        self._stop = asyncio.Event()
        self._ticking = asyncio.Lock()
        self._since: datetime | None = None
        self._collecting_since: datetime | None = None
        self._complaints = Complaints()
        self._collecting = Attempts("collect", plan.clock, self._complaints)
        self._learning = Attempts("learn", plan.clock, self._complaints)
        self._all_learned_at: datetime | None = None
        self._publishing = Attempts("publish", plan.clock, self._complaints)
        self._mailing = Attempts("deliver", plan.clock, self._complaints)

    def stop(self) -> None:
        """Finish the mails on the wire, ask no source any further, and end."""
        if not self._stop.is_set():
            log.info("stopping: the mails on the wire are finished first")
            self._notifier.stopping()
        self._stop.set()
        self._plan.web.abandon()

    async def run(self, beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None) -> None:
        """Work until stopped; `beside` runs as long, and gets the event that says when to end."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        scheduler = AsyncIOScheduler(
            # A tick that comes while another one mails ends at once by itself.
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 3, "misfire_grace_time": None},
        )
        # It is the clock of the plan that says what is due; the scheduler only wakes us.
        scheduler.add_job(self._tick, "interval", seconds=TICK.total_seconds(), id="tick")
        scheduler.add_job(self._watch, "interval", seconds=WATCHDOG.total_seconds(), id="watchdog")
        scheduler.start()
        self._notifier.ready(self._next())
        log.info("ready; %s", self._next())
        work = [asyncio.create_task(self._gather(lambda: scheduler.add_job(self._tick)))]
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
            for task in work:
                await task

    async def _gather(self, mail: Callable[[], object]) -> None:
        """Collect and publish until stopped; `mail` is called when there may be something new to mail."""
        try:
            mail_first = True
            while not self._stop.is_set():
                await self._collecting.attempt(self._collect)
                new = await self._publishing.attempt(self._publish)
                if new or mail_first:
                    mail()
                elif not self._ticking.locked():
                    await self._collecting.attempt(self._collect_attention)
                    await self._learning.attempt(self._learn)
                mail_first = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), TICK.total_seconds())
        finally:
            self._stop.set()

    async def _collect(self) -> None:
        self._collecting_since = self._plan.clock.now()
        try:
            _tell(await asyncio.to_thread(flow.collect, self._plan))
        finally:
            self._collecting_since = None

    async def _collect_attention(self) -> None:
        _tell(await asyncio.to_thread(flow.collect_attention, self._plan))

    async def _learn(self) -> None:
        now = self._plan.clock.now()
        if self._stop.is_set() or (self._all_learned_at is not None and now - self._all_learned_at < LOOK_FOR_LEARNERS):
            return
        learned = await asyncio.to_thread(flow.learn, self._plan, self._stop.is_set)
        if not learned:
            self._all_learned_at = now
        else:
            log.info("learned the profiles of %s readers", f"{learned:,}")

    async def _publish(self) -> bool:
        """Returns whether an edition was frozen."""
        if self._stop.is_set():
            return False  # its sources were cut short
        published = [one for one in await asyncio.to_thread(flow.publish, self._plan) if one.new]
        for one in published:
            log.info("edition %s: %s", one.edition.name, one.edition.empty_because or f"{len(one.edition.entries)} candidates")
        return bool(published)

    async def _tick(self) -> None:
        if self._stop.is_set() or self._ticking.locked():
            return
        async with self._ticking:
            self._since = now = self._plan.clock.now()
            try:
                if self._collecting_since and now - self._collecting_since > self._plan.sources.budget:
                    await self._publishing.attempt(self._publish)
                await self._mailing.attempt(self._mail)
            finally:
                self._since = None

    async def _mail(self) -> None:
        report = await flow.send_out(self._plan, self._stop, self._went_on)
        if report.states or report.late or report.newly_in_doubt or report.newly_held:
            counts = ", ".join(f"{number} {state}" for state, number in sorted(report.states.items()))
            log.info("mails: %s%s", counts or "none", f", {report.late} too late" if report.late else "")
            log.info("%s", self._next())
        self._notifier.status(self._next())

    def _went_on(self, _report: Report) -> None:
        self._since = self._plan.clock.now()

    def _next(self) -> str:
        now = self._plan.clock.now()
        freezing = next_edition(self._plan.store, self._plan.rules.schedule, now)
        with self._plan.store.read() as connection:
            times = [at for at in (ledger.earliest_open(connection), subscribers.earliest_due(connection)) if at]
        mail = f"{min(times):%a %H:%M}Z" if times else "with it"
        return f"next edition {f'{freezing:%a %Y-%m-%d %H:%M}Z' if freezing else 'now'}, next mail {mail}"

    async def _watch(self) -> None:
        """Feed the watchdog, unless a tick hangs or the database does not answer."""
        if self._since is not None and self._plan.clock.now() - self._since > STUCK_AFTER:
            return
        try:
            await asyncio.to_thread(self._next)
        except DigestError as error:
            self._complaints.say("watch", error)
        else:
            self._complaints.withdraw("watch")
            self._notifier.alive()


class Complaints:
    """Says a fault once, whoever has it, and not at each tick."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}

    def say(self, work: str, error: DigestError) -> None:
        if str(error) not in self._standing.values():
            log.error("%s%s", error, f" ({error.fix})" if error.fix else "")
        self._standing[work] = str(error)

    def withdraw(self, work: str) -> None:
        self._standing.pop(work, None)


class Attempts:
    """One kind of work, tried again and again; after a failure it rests, each time for longer."""

    def __init__(self, work: str, clock: Clock, complaints: Complaints) -> None:
        self._work, self._clock, self._complaints = work, clock, complaints
        self._failures = 0
        self._rest_until: datetime | None = None

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """What the work gives; None while it rests, and where it fails."""
        if self._rest_until and self._clock.now() < self._rest_until:
            return None
        try:
            result = await work()
        except DigestError as error:
            self._complaints.say(self._work, error)
            if not isinstance(error, ConfigurationError):
                self._failures += 1
                self._rest_until = self._clock.now() + min(TICK * (1 << min(self._failures, 10)), LONGEST_REST)
            return None
        self._failures, self._rest_until = 0, None
        self._complaints.withdraw(self._work)
        return result


def _tell(collected: list[Brought]) -> None:
    for brought in collected:
        if brought.verdict == "stopped":
            continue
        outcome = brought.error or f"{brought.new} new papers, {brought.readings} readings; {brought.evidence}"
        log.info("collected %s: %s: %s", brought.source, brought.verdict, outcome)
