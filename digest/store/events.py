"""Events: what happened to a subscriber, for the operator's questions, for consent and for statistics.

No event holds an address: it belongs to a subscriber, and goes with him when he is erased.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from digest.store.schema import event


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `subscribed`, `confirmed`, `changed`, `unsubscribed`, …; `details` are JSON."""

    at: datetime
    kind: str
    details: Mapping[str, Any]


def record(
    connection: Connection, kind: str, subscriber_id: int | None, at: datetime, details: Mapping[str, Any] | None = None
) -> None:
    """Write down one event; without a subscriber where he is gone or never was."""
    record_for_all(connection, kind, [(subscriber_id, details or {})], at)


def record_for_all(
    connection: Connection, kind: str, whom: Sequence[tuple[int | None, Mapping[str, Any]]], at: datetime
) -> None:
    """Write down the same event of many: (subscriber, details)."""
    if whom:
        rows = [{"at": at, "kind": kind, "subscriber_id": one, "details": dict(details)} for one, details in whom]
        connection.execute(insert(event), rows)


def history(connection: Connection, subscriber_id: int) -> list[Event]:
    """What happened to a subscriber, oldest first."""
    query = select(event.c.at, event.c.kind, event.c.details).where(event.c.subscriber_id == subscriber_id)
    return [Event(*row) for row in connection.execute(query.order_by(event.c.at, event.c.id))]
