"""What a refused mailbox means for its reader: written down, and after the second time the end of his subscription."""

from datetime import datetime, timedelta

from digest.feedback.policy import should_suppress
from digest.flows.mails import Job
from digest.outbox.verdict import Verdict
from digest.store import events, suppressions
from digest.store.engine import Store

SLACK = timedelta(minutes=15)
"""An edition may be frozen as much later than the one two days before."""


def note_refusal(store: Store, now: datetime, job: Job, verdict: Verdict) -> bool:
    """Remember that the relay refused this mailbox for good; returns whether the reader is suppressed for it."""
    assert job.subscriber_id is not None
    with store.write() as connection:
        earlier = [
            datetime.fromisoformat(event.details["due_at"])
            for event in events.history(connection, job.subscriber_id)
            if event.kind == "refused" and event.details.get("edition") != job.edition_id
        ]
        details = {"edition": job.edition_id, "due_at": job.due_at.isoformat(), "reply": verdict.reply}
        events.record(connection, "refused", job.subscriber_id, now, details)
        # Editions are counted apart by their due times: how soon a run came to a mail says nothing about the mailbox.
        if not should_suppress(earlier, job.due_at + SLACK):
            return False
        suppressions.suppress(connection, job.recipient, "bounce", now, note=verdict.reply)
        return True
