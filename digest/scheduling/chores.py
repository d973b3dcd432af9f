"""The steps of a run as the daemon and the workers take them: tried again and again, off the loop, and told to the log."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from digest.flows import run as flow
from digest.flows.intake import Brought
from digest.flows.queueing import next_edition, next_mail
from digest.flows.run import Plan
from digest.flows.terms import Report
from digest.scheduling.attempts import Attempts, Complaints
from digest.scheduling.notify import Notifier

LOOK_FOR_LEARNERS = timedelta(hours=1)
"""How often it is looked whose profile is lacking; whose mail is made earlier does not wait for it."""

log = logging.getLogger("digest")


class Chores:
    """What is to be done all day long. Each method tries, says what came of it, and raises no `DigestError`."""

    def __init__(self, plan: Plan, notifier: Notifier, stopping: Callable[[], bool]) -> None:
        self._plan, self._notifier, self._stopping = plan, notifier, stopping
        self.complaints = Complaints()
        self._collecting = Attempts("collect", plan.clock, self.complaints)
        self._learning = Attempts("learn", plan.clock, self.complaints)
        self._publishing = Attempts("publish", plan.clock, self.complaints)
        self.mailing = Attempts("deliver", plan.clock, self.complaints)
        self.collecting_since: datetime | None = None
        self._all_learned_at: datetime | None = None

    async def collect(self) -> None:
        """Ask the sources of papers that are due."""
        await self._collecting.attempt(self._collect)

    async def collect_attention(self) -> None:
        """Ask the sources of attention that are due."""
        await self._collecting.attempt(self._collect_attention)

    async def learn(self) -> None:
        """Learn the profiles that are lacking."""
        await self._learning.attempt(self._learn)

    async def publish(self) -> bool:
        """Freeze what is due; returns whether an edition was frozen."""
        return bool(await self._publishing.attempt(self._publish))

    async def mail(self, stop: asyncio.Event, went_on: Callable[[], None] = lambda: None) -> None:
        """Mail what is due, until nothing more is or `stop` is set; `went_on` is called after each mail."""
        await self.mailing.attempt(lambda: self._mail(stop, went_on))

    def next_up(self) -> str:
        """What is next, in words."""
        now = self._plan.clock.now()
        freezing = next_edition(self._plan.store, self._plan.rules.schedule, now)
        mail_at = next_mail(self._plan.store)
        mail = f"{mail_at:%a %H:%M}Z" if mail_at else "with it"
        return f"next edition {f'{freezing:%a %Y-%m-%d %H:%M}Z' if freezing else 'now'}, next mail {mail}"

    async def _collect(self) -> None:
        self.collecting_since = self._plan.clock.now()
        try:
            _tell(await asyncio.to_thread(flow.collect, self._plan))
        finally:
            self.collecting_since = None

    async def _collect_attention(self) -> None:
        _tell(await asyncio.to_thread(flow.collect_attention, self._plan))

    async def _learn(self) -> None:
        now = self._plan.clock.now()
        looked = self._all_learned_at is not None and timedelta(0) <= now - self._all_learned_at < LOOK_FOR_LEARNERS
        if self._stopping() or looked:
            return
        learned = await asyncio.to_thread(flow.learn, self._plan, self._stopping)
        if not learned:
            self._all_learned_at = now
        else:
            log.info("learned the profiles of %s readers", f"{learned:,}")

    async def _publish(self) -> bool:
        if self._stopping():
            return False  # its sources were cut short
        published = [one for one in await asyncio.to_thread(flow.publish, self._plan, stop=self._stopping) if one.new]
        for one in published:
            log.info("edition %s: %s", one.edition.name, one.edition.empty_because or f"{len(one.edition.entries)} candidates")
        return bool(published)

    async def _mail(self, stop: asyncio.Event, went_on: Callable[[], None]) -> None:
        def progress(_report: Report) -> None:
            went_on()

        report = await flow.send_out(self._plan, stop, progress)
        following = await asyncio.to_thread(self.next_up)
        if report.states or report.late or report.newly_in_doubt or report.newly_held:
            counts = ", ".join(f"{number} {state}" for state, number in sorted(report.states.items()))
            log.info("mails: %s%s", counts or "none", f", {report.late} too late" if report.late else "")
            log.info("%s", following)
        self._notifier.status(following)


def _tell(collected: list[Brought]) -> None:
    for brought in collected:
        if brought.verdict == "stopped":
            continue
        outcome = brought.error or f"{brought.new} new papers, {brought.readings} readings; {brought.evidence}"
        log.info("collected %s: %s: %s", brought.source, brought.verdict, outcome)
