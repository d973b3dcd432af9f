"""What the operator is told without asking: how an edition went, once, when all its mails are settled."""

from datetime import datetime, timedelta

from digest.store import deliveries, editions, ledger, notices
from digest.store.engine import Store
from digest.subscribers.address import EmailAddress

SETTLED_AFTER: dict[str, timedelta] = {"daily": timedelta(days=2), "weekly": timedelta(days=9)}
"""Time from the freezing by which every reader's hour has come, and no mail is tried any longer."""
LOOK_BACK = timedelta(days=14)
"""Whoever sets `operator.email` late is not told the history."""
LOST = ("rejected", "expired", "held", "parked")
"""What makes a report worth a mail; an edition that simply went out is seen in `digest status`."""


def report(store: Store, now: datetime, operator: str) -> int:
    """Queue a notice to the operator for each edition that was empty or lost mails; returns how many were queued.

    Without an address, editions are left unreported: `digest status` tells the same.
    """
    if not operator:
        return 0
    with store.read() as connection:
        waiting = editions.unreported(connection, since=now - LOOK_BACK, until=now)
    settled = [row for row in waiting if row.empty_because or now - row.frozen_at > SETTLED_AFTER[row.cadence]]
    if not settled:
        return 0
    queued = 0
    with store.write() as connection:
        for row in settled:
            counts = deliveries.counts(connection, row.id)
            late = ledger.too_late(connection, row.id)
            editions.set_reported(connection, row.id, now)
            if not row.empty_because and not late and not any(counts.get(state) for state in LOST):
                continue
            name = row.date.isoformat()
            content = {
                "subject": f"The {row.cadence} edition of {name} {'is empty' if row.empty_because else 'lost mails'}",
                "facts": [["edition", f"{name} ({row.cadence})"]]
                + ([["not sent because", row.empty_because]] if row.empty_because else [])
                + [[state, f"{number:,}"] for state, number in sorted(counts.items())]
                + ([["skipped as too late", f"{late:,}"]] if late else []),
                "advice": "digest deliveries list --state held" if counts.get("held") else "digest status",
            }
            queued += notices.enqueue(
                connection,
                kind="operator",
                recipient=EmailAddress.parse(operator),
                key=f"edition-{name}-{row.cadence}",
                content=content,
                now=now,
            )
    return queued
