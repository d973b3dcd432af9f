"""The daemon: a metronome. It asks again and again what is due, and what is due is stored data; so it may be stopped,
started, doubled or replaced by cron at any time without a mail more or less."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from digest.errors import ConfigurationError, DigestError
from digest.flows import run as flow
from digest.flows.queueing import next_edition
from digest.flows.run import Plan
from digest.flows.terms import Report
from digest.scheduling.notify import Notifier
from digest.store import ledger, subscribers

TICK = timedelta(seconds=20)
WATCHDOG = timedelta(seconds=30)
STUCK_AFTER = timedelta(minutes=15)
"""A tick in which nothing happens for longer is hung: the longest wait for a mail is ten minutes."""
LONGEST_REST = timedelta(minutes=10)
"""After a failure the daemon rests for a tick, then twice as long, up to this."""

log = logging.getLogger("digest")


class Daemon:
    """Collects by the hour, freezes editions when they are due, and mails readers at theirs."""

    def __init__(self, plan: Plan, notifier: Notifier) -> None:
        self._plan, self._notifier = plan, notifier
        self._stop = asyncio.Event()
        self._ticking = asyncio.Lock()
        self._since: datetime | None = None
        self._rest_until: datetime | None = None
        self._failures = 0
        self._said = ""

    def stop(self) -> None:
        """Finish the mails on the wire and end."""
        if not self._stop.is_set():
            log.info("stopping: the mails on the wire are finished first")
            self._notifier.stopping()
        self._stop.set()

    async def run(self, beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None) -> None:
        """Work until stopped; `beside` runs as long, and gets the event that says when to end."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        # It is the clock of the plan that says what is due; the scheduler only wakes us.
        scheduler.add_job(self._tick, "interval", seconds=TICK.total_seconds(), id="tick")
        scheduler.add_job(self._watch, "interval", seconds=WATCHDOG.total_seconds(), id="watchdog")
        work = [asyncio.create_task(beside(self._stop))] if beside else []
        scheduler.start()
        self._notifier.ready(self._next())
        log.info("ready; %s", self._next())
        try:
            await self._tick()
            await self._stop.wait()
        finally:
            self._stop.set()
            scheduler.pause()
            async with self._ticking:
                # Shutting down cancels what the scheduler has begun, and a mail on the wire would be in doubt.
                scheduler.shutdown(wait=False)
            for task in work:
                await task

    async def _tick(self) -> None:
        now = self._plan.clock.now()
        if self._stop.is_set() or self._ticking.locked() or (self._rest_until and now < self._rest_until):
            return
        async with self._ticking:
            self._since = now
            try:
                await self._try_what_is_due()
            finally:
                self._since = None

    async def _try_what_is_due(self) -> None:
        try:
            await self._do_what_is_due()
        except ConfigurationError as error:
            self._complain(error)
        except DigestError as error:
            self._complain(error)
            self._failures += 1
            self._rest_until = self._plan.clock.now() + min(TICK * (1 << min(self._failures, 10)), LONGEST_REST)
        else:
            self._failures, self._rest_until, self._said = 0, None, ""

    async def _do_what_is_due(self) -> None:
        for brought in await asyncio.to_thread(flow.collect, self._plan):
            outcome = brought.error or f"{brought.new} new papers, {brought.readings} readings"
            log.info("collected %s: %s: %s", brought.source, brought.verdict, outcome)
        for published in await asyncio.to_thread(flow.publish, self._plan):
            if published.new:
                edition = published.edition
                log.info("edition %s: %s", edition.name, edition.empty_because or f"{len(edition.entries)} candidates")
        report = await flow.send_out(self._plan, self._stop, self._went_on)
        if report.states or report.late or report.newly_in_doubt or report.newly_held:
            counts = ", ".join(f"{number} {state}" for state, number in sorted(report.states.items()))
            log.info("mails: %s%s", counts or "none", f", {report.late} too late" if report.late else "")
            log.info("%s", self._next())
        self._notifier.status(self._next())

    def _went_on(self, _report: Report) -> None:
        self._since = self._plan.clock.now()

    def _complain(self, error: DigestError) -> None:
        """Once for each fault, not at each tick."""
        if str(error) != self._said:
            log.error("%s%s", error, f" ({error.fix})" if error.fix else "")
        self._said = str(error)

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
            self._complain(error)
        else:
            self._notifier.alive()
