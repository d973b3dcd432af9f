"""Sign-ups as the web took them: noted first, so that every visitor gets the same answer in the same time; looked at later."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from digest.store.schema import sign_up
from digest.subscribers.address import EmailAddress


def note(connection: Connection, address: EmailAddress, wishes: Mapping[str, Any], origin: str, now: datetime) -> None:
    """Note that somebody signed up with an address. `wishes` are JSON; `origin` says where from."""
    row = {"address": address.text, "wishes": dict(wishes), "origin": origin, "asked_at": now}
    connection.execute(insert(sign_up), [row])


def take(connection: Connection, limit: int) -> list[Row[Any]]:
    """Take the oldest away, to be settled in the same transaction."""
    oldest = select(sign_up).order_by(sign_up.c.id).limit(limit).with_for_update(skip_locked=True)
    rows = list(connection.execute(oldest))
    if rows:
        connection.execute(delete(sign_up).where(sign_up.c.id.in_([row.id for row in rows])))
    return rows


def forget(connection: Connection, address: EmailAddress) -> None:
    """Delete what somebody signed up with, however he wrote his address."""
    connection.execute(delete(sign_up).where(func.lower(sign_up.c.address) == address.key))
