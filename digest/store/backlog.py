"""What waits to be mailed: how much of it is due, and who holds what."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from digest.store import holding
from digest.store.ledger import TABLES
from digest.store.schema import notice


def due(connection: Connection, now: datetime, most: int) -> int:
    """How many mails are queued and may go now, of each table counted up to `most`."""
    found = 0
    for table in TABLES if holding.since(connection) is None else (notice,):
        may_go = (
            select(table.c.id)
            .where(table.c.state == "queued", table.c.due_at <= now)
            .where(table.c.next_try_at.is_(None) | (table.c.next_try_at <= now))
            .limit(most)
        )
        found += int(connection.execute(select(func.count()).select_from(may_go.subquery())).scalar_one())
    return found


def held(connection: Connection) -> dict[int, dict[str, int]]:
    """For each worker, how many mails it has claimed, and how many of them are on the wire (`submitting`)."""
    found: dict[int, dict[str, int]] = {}
    for table in TABLES:
        query = (
            select(table.c.worker_id, table.c.state, func.count())
            .where(table.c.worker_id.is_not(None), table.c.state.in_(("claimed", "submitting")))
            .group_by(table.c.worker_id, table.c.state)
        )
        for worker, state, number in connection.execute(query):
            of_worker = found.setdefault(worker, {"claimed": 0, "submitting": 0})
            of_worker[state] += number
    return found
