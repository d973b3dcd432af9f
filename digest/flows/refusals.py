"""What a refused mailbox means for its reader: written down, and after the second time the end of his subscription."""

from datetime import datetime

from digest.feedback.policy import should_suppress
from digest.flows.mails import Job
from digest.outbox.verdict import Verdict
from digest.store import events, suppressions
from digest.store.engine import Store


def note_refusal(store: Store, now: datetime, job: Job, verdict: Verdict) -> bool:
    """Remember that the relay refused this mailbox for good; returns whether the reader is suppressed for it."""
    assert job.subscriber_id is not None
    with store.write() as connection:
        earlier = [
            event.at
            for event in events.history(connection, job.subscriber_id)
            if event.kind == "refused" and event.details.get("edition") != job.edition_id
        ]
        details = {"edition": job.edition_id, "reply": verdict.reply}
        events.record(connection, "refused", job.subscriber_id, now, details)
        if not should_suppress(earlier, now):
            return False
        suppressions.suppress(connection, job.recipient, "bounce", now, note=verdict.reply)
        return True
