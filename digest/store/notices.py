"""Notices: single mails that are no edition (their kinds: `digest.rendering.notice_mail`), queued beside the deliveries."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from digest.store.among import one_of
from digest.store.schema import notice
from digest.store.upsert import insert_new
from digest.subscribers.address import EmailAddress


def enqueue(
    connection: Connection,
    *,
    kind: str,
    recipient: EmailAddress,
    key: str,
    content: Mapping[str, Any],
    now: datetime,
    subscriber_id: int | None = None,
) -> bool:
    """Queue one mail, once for each (kind, recipient, key); returns whether it is new."""
    return bool(
        insert_new(
            connection,
            notice,
            [
                {
                    "kind": kind,
                    "recipient": recipient.text,
                    "recipient_key": recipient.key,
                    "key": key,
                    "subscriber_id": subscriber_id,
                    "content": dict(content),
                    "due_at": now,
                    "updated_at": now,
                }
            ],
        )
    )


def listed(connection: Connection, *, state: str | None = None, limit: int | None = None) -> list[Row[Any]]:
    """Notices, the latest first."""
    query = select(notice).order_by(notice.c.due_at.desc(), notice.c.id).limit(limit)
    return list(connection.execute(query if state is None else query.where(notice.c.state == state)))


def of_reader(connection: Connection, subscriber_id: int) -> list[Row[Any]]:
    """What a reader was mailed beside his editions, or is to be, the latest first."""
    query = select(notice).where(notice.c.subscriber_id == subscriber_id)
    return list(connection.execute(query.order_by(notice.c.due_at.desc(), notice.c.id.desc())))


def claimed(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """Notices that a worker has claimed, in this order."""
    if not ids:
        return []
    found = {row.id: row for row in connection.execute(select(notice).where(one_of(connection, notice.c.id, ids)))}
    return [found[number] for number in ids if number in found]


def withdraw(connection: Connection, subscriber_id: int, kinds: Collection[str], why: str, now: datetime) -> None:
    """Withdraw what is queued or claimed of these kinds for a reader who leaves."""
    waits = notice.c.kind.in_(kinds) & notice.c.state.in_(("queued", "claimed"))
    values = {"state": "skipped", "worker_id": None, "reply": why, "updated_at": now}
    connection.execute(update(notice).where(notice.c.subscriber_id == subscriber_id, waits).values(values))


def forget(connection: Connection, recipient: EmailAddress) -> int:
    """Delete every notice to an address, whatever its state."""
    return connection.execute(delete(notice).where(notice.c.recipient_key == recipient.key)).rowcount
