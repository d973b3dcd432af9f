"""What a refused mailbox means for its reader: written down, and after the second time the end of his subscription."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from digest.clock import Clock
from digest.feedback.policy import refuses_mailbox, should_suppress
from digest.flows.commit import GroupCommit, when_back
from digest.flows.mails import Job
from digest.outbox.verdict import Verdict
from digest.store import deliveries, events, suppressions
from digest.store.engine import Store

SLACK = timedelta(minutes=15)
"""An edition may be frozen as much later than the one two days before."""
MANY = 3
"""So many refused mailboxes, and none taken, say more about the relay than about the readers."""

log = logging.getLogger(__name__)


class Refusals:
    """The refused mailboxes of one run, until it is known whether the relay is to be believed.

    A relay that took nobody may have lost its right to relay, and says so in the words for a mailbox that is gone: of a few
    refusals it is believed, of many it is not. Where each reader has an hour of his own, many are those of several runs.
    """

    def __init__(self, store: Store, clock: Clock, commits: GroupCommit) -> None:
        self._store, self._clock, self._commits = store, clock, commits
        self._refused: list[tuple[Job, Verdict]] = []
        self.recipient_accepted = False

    def add(self, job: Job, verdict: Verdict) -> None:
        """A recipient was refused, or the relay would not have the message for him."""
        self.recipient_accepted = self.recipient_accepted or verdict.phase == "data"
        if refuses_mailbox(verdict) and job.subscriber_id is not None:
            self._refused.append((job, verdict))

    @property
    def credible(self) -> bool:
        """Whether there are some to be noted."""
        return self.recipient_accepted and bool(self._refused)

    async def note(self) -> None:
        """Write down what they mean."""
        refused, self._refused = self._refused, []
        if refused:
            await self._commits.flush()  # suppressing withdraws what is open, and these have ended
        for job, verdict in refused:
            note = partial(note_refusal, self._store, self._clock.now(), job, verdict)
            await when_back(partial(asyncio.to_thread, note))

    async def weigh(self) -> None:
        """The run is over: decide on those that are left."""
        if not self.recipient_accepted and await self.are_many(job for job, _ in self._refused):
            log.warning("all %s recipients were refused; nobody is suppressed for it", len(self._refused))
        else:
            await self.note()

    async def are_many(self, jobs: Iterable[Job]) -> bool:
        """Whether these readers, who were refused, and those who were since a mail was last taken, are many."""
        refused = {job.subscriber_id for job in jobs}
        if not refused:
            return False
        await self._commits.flush()
        return len(refused | await when_back(partial(asyncio.to_thread, self._refused_lately))) >= MANY

    def _refused_lately(self) -> set[int]:
        with self._store.read() as connection:
            return deliveries.refused_since_taken(connection, MANY)


def note_refusal(store: Store, now: datetime, job: Job, verdict: Verdict) -> None:
    """Remember that the relay refused this mailbox for good, and suppress the reader where that ends it."""
    assert job.subscriber_id is not None
    with store.write() as connection:
        if not deliveries.keep_reader(connection, job.subscriber_id):
            return  # he was erased meanwhile, and his address with him
        earlier: list[datetime] = []
        for event in events.history(connection, job.subscriber_id):
            if event.kind in ("subscribed", "confirmed"):
                earlier.clear()  # who comes back has a mailbox again
            elif event.kind == "refused" and event.details.get("edition") != job.edition_id:
                earlier.append(datetime.fromisoformat(event.details["due_at"]))
        details = {"edition": job.edition_id, "due_at": job.due_at.isoformat(), "reply": verdict.reply}
        events.record(connection, "refused", job.subscriber_id, now, details)
        # Editions are counted apart by their due times: how soon a run came to a mail says nothing about the mailbox.
        if should_suppress(earlier, job.due_at + SLACK):
            suppressions.suppress(connection, job.recipient, "bounce", now, note=verdict.reply)
