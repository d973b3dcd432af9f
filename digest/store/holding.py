"""Holding digests back: the operator's word that none goes out until he says so. Single mails, such as confirmations, go on.

The word is an event, so that it is known when it was given, and by whom. What it says holds for every process of the database.
"""

from datetime import datetime

from sqlalchemy import Connection, select, update

from digest.store import events
from digest.store.schema import delivery, event
from digest.store.turns import take_turn

PAUSED, RESUMED = "mailing paused", "mailing resumed"


def since(connection: Connection) -> datetime | None:
    """Since when digests are held back; None while they go out."""
    query = select(event.c.kind, event.c.at).where(event.c.subscriber_id.is_(None), event.c.kind.in_((PAUSED, RESUMED)))
    # By its number and not by its time: the clocks of two machines differ, and what was said last holds.
    last = connection.execute(query.order_by(event.c.id.desc()).limit(1)).first()
    return last.at if last is not None and last.kind == PAUSED else None


def pause(connection: Connection, now: datetime, by: str) -> bool:
    """Hold digests back; returns whether they went out before.

    What a worker has claimed is queued again: its marks are conditional (ARCHITECTURE.md, 4), so that once this is committed
    none comes to be on the wire.
    """
    take_turn(connection, "claim deliveries")  # who claims just now either comes first, or hears of it
    if since(connection) is not None:
        return False
    events.record(connection, PAUSED, None, now, {"by": by})
    claimed = update(delivery).where(delivery.c.state == "claimed")
    connection.execute(claimed.values(state="queued", worker_id=None, updated_at=now))
    return True


def resume(connection: Connection, now: datetime, by: str) -> bool:
    """Let digests go out again; returns whether they were held back."""
    if since(connection) is None:
        return False
    events.record(connection, RESUMED, None, now, {"by": by})
    return True
