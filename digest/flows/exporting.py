"""All that is kept about a reader, for himself: as JSON that another program can read (GDPR, article 20)."""

from datetime import datetime
from typing import Any

from digest.store import events, history, issues, notices, subscribers
from digest.store.engine import Store
from digest.store.rows import picks_from_json
from digest.subscribers import seen, wishes
from digest.subscribers.wishes import Wishes

SCHEMA = 1


def export(store: Store, now: datetime, subscriber_id: int) -> dict[str, Any] | None:
    """What is kept about a reader, times in ISO 8601; None where there is no such reader.

    His papers are named by their ids, such as `arxiv:2401.01234`. What was mailed to him is told as long as we remember it.
    """
    with store.read() as connection:
        found = subscribers.readers(connection, [subscriber_id], now)
        if not found:
            return None
        happened = events.history(connection, subscriber_id)
        mails = history.deliveries_of(connection, subscriber_id, now)
        letters = notices.of_reader(connection, subscriber_id)
        ever = subscribers.ever_wanted(connection, subscriber_id)
        remembered = sorted({number for number in seen.papers(found[0].seen).tolist() if number > 0})
        picked = {row.id: [pick.paper_id for pick in picks_from_json(row.picks)] for row in mails}
        keys = issues.keys_of(connection, {*remembered, *(number for numbers in picked.values() for number in numbers)})
    one = found[0].subscriber
    return {
        "schema": SCHEMA,
        "exported_at": now.isoformat(),
        "email": one.address.text,
        "name": one.name,
        "state": one.state,
        "created_at": _time(one.created_at),
        "confirmed_at": _time(one.confirmed_at),
        "paused_until": _time(one.paused_until),
        "next_due_at": _time(one.next_due_at),
        "consent": dict(one.consent),
        "wishes": wishes.to_json(Wishes(one.preferences, found[0].interests)),
        "interests": [
            {"kind": row.kind, "value": row.value, "since": _time(row.valid_from), "until": _time(row.valid_to)} for row in ever
        ],
        "events": [{"at": event.at.isoformat(), "kind": event.kind, "details": dict(event.details)} for event in happened],
        "digests": [
            {
                "edition": row.date.isoformat(),
                "cadence": row.cadence,
                "due_at": row.due_at.isoformat(),
                "state": row.state,
                "message_id": row.message_id,
                "reply": row.reply,
                "papers": [keys[number] for number in picked[row.id] if number in keys],
            }
            for row in mails
        ],
        "mails": [
            {"kind": row.kind, "due_at": row.due_at.isoformat(), "state": row.state, "reply": row.reply} for row in letters
        ],
        "papers_got": [keys[number] for number in remembered if number in keys],
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
