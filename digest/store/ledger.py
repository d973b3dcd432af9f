"""The transitions that deliveries and notices share (ARCHITECTURE.md, 4): each an update that only the rightful can make.

queued -> claimed -> submitting -> submitted | rejected | in_doubt, and the ways back. What is written for each mail, marks and
outcomes, is in `store/groups.py`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal, TypeAlias

from sqlalchemy import Connection, Integer, Table, bindparam, case, func, null, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from digest.outbox.retry import FINAL, KEEP_TRYING_FOR, State
from digest.store import holding
from digest.store.columns import Instant, plain_rows
from digest.store.schema import delivery, notice, subscriber, worker
from digest.store.turns import take_turn
from digest.subscribers.address import EmailAddress

LedgerTable: TypeAlias = Table
"""`delivery` or `notice`."""
TABLES: tuple[LedgerTable, ...] = (notice, delivery)
"""In the order in which they are served: who waits for a confirmation waits at his screen."""
UNSETTLED: tuple[State, ...] = ("in_doubt", "held", "parked")
"""States of which the operator may know better: see `resolve`."""
TOO_LATE = "too late: more than schedule.catch_up after it was due"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt on a row ended, as it is written down. `seen`: what to add to the reader's memory if it stands."""

    table: Table
    row: int
    state: State
    reply: str
    next_try_at: datetime | None = None
    tried: bool = True
    failed: bool = False
    subscriber_id: int | None = None
    seen: str = ""


def claim(
    connection: Connection, table: LedgerTable, worker_id: int, now: datetime, limit: int, only: EmailAddress | None = None
) -> list[int]:
    """Reserve due rows for a worker: those never in doubt first, by due time. A reader is served by one worker at a time.

    A worker that was given up for dead gets none: nobody would free what it holds; and no delivery is given out while the
    operator holds them back. `only` restricts it to the mails of one address.
    """
    if connection.execute(_ALIVE, {"worker": worker_id}).first() is None:
        return []
    if table is delivery:
        # What another claims just now would not be seen here: two mails of one reader would go to two workers.
        take_turn(connection, "claim deliveries")
        if holding.since(connection) is not None:
            return []
    given = {"now": now, "most": limit, "worker": worker_id}
    if only is not None:
        given["address"] = only.key
    claimed = _claiming(table, connection.dialect.name, only is not None)
    return [row for _, _, row in sorted(plain_rows(connection, claimed, given))]


_ALIVE = select(worker.c.id).where(worker.c.id == bindparam("worker")).with_for_update(read=True, key_share=True)


@cache
def _claiming(table: LedgerTable, dialect: str, of_one_address: bool) -> ReturningUpdate[tuple[int, datetime, int]]:
    """The statement that claims. Composed once, as are others of every chunk: it took as long as claiming hundreds of rows."""
    now = bindparam("now", type_=Instant)
    due = (
        select(table.c.id)
        .where(table.c.state == "queued", table.c.due_at <= now)
        .where(table.c.next_try_at.is_(None) | (table.c.next_try_at <= now))
        .order_by(table.c.doubts, table.c.due_at, table.c.id)
        .limit(bindparam("most", type_=Integer))
    )
    if table is delivery:
        other = delivery.alias()
        busy = (
            select(other.c.id)
            .where(other.c.subscriber_id == delivery.c.subscriber_id, other.c.state.in_(("claimed", "submitting")))
            .exists()
        )
        due = due.where(~busy)
    if of_one_address:
        readers = select(subscriber.c.id).where(subscriber.c.address_key == bindparam("address"))
        by_name = notice.c.recipient_key == bindparam("address")
        due = due.where(delivery.c.subscriber_id.in_(readers) if table is delivery else by_name)
    if dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    # As a common table expression it is run once; PostgreSQL may run a subquery with LIMIT for each row. That they are queued
    # is not asked again: they are locked, and SQLite would look through all that are queued for these.
    found = due.cte("due")
    return (
        update(table)
        .where(table.c.id.in_(select(found.c.id)))
        .values(state="claimed", worker_id=bindparam("worker"), updated_at=now)
        .returning(table.c.doubts, table.c.due_at, table.c.id)
    )


def settle_doubts(connection: Connection, now: datetime, hold: timedelta, policy: Literal["resend", "hold"]) -> tuple[int, int]:
    """Decide on rows whose doubt no report has settled in time: the first doubt is queued again (unless the policy is to
    hold), the second is held for the operator. Returns (queued again, held)."""
    again = held = 0
    for table in TABLES:
        waited = (table.c.state == "in_doubt") & (table.c.updated_at <= now - hold)
        if policy == "resend":
            again += connection.execute(
                update(table)
                .where(waited, table.c.doubts <= 1)
                .values(state="queued", worker_id=None, next_try_at=None, updated_at=now)
            ).rowcount
        held += connection.execute(update(table).where(waited).values(state="held", worker_id=None, updated_at=now)).rowcount
    return again, held


def skip_late(connection: Connection, now: datetime, catch_up: timedelta) -> int:
    """Skip deliveries that were never tried and are too late to be news; returns how many."""
    return connection.execute(
        update(delivery)
        .where(delivery.c.state == "queued", delivery.c.attempts == 0, delivery.c.doubts == 0)
        .where(delivery.c.due_at < now - catch_up)
        .values(state="skipped", reply=TOO_LATE, updated_at=now)
    ).rowcount


def expire(connection: Connection, now: datetime) -> int:
    """Give up what was deferred for longer than `KEEP_TRYING_FOR`, notices too; returns how many."""
    expired = 0
    for table in TABLES:
        deferred = (table.c.state == "queued") & (table.c.attempts > 0) & (table.c.doubts == 0)
        overdue = deferred & (table.c.due_at < now - KEEP_TRYING_FOR)
        expired += connection.execute(update(table).where(overdue).values(state="expired", updated_at=now)).rowcount
    return expired


def too_late(connection: Connection, edition_id: int) -> int:
    """How many readers an edition did not reach in time, after an outage."""
    missed = (delivery.c.edition_id == edition_id) & (delivery.c.state == "skipped") & (delivery.c.reply == TOO_LATE)
    return int(connection.execute(select(func.count()).where(missed)).scalar_one())


def remember(connection: Connection, row: int, subscriber_id: int, addition: str) -> None:
    """Add to a reader's memory what a delivery that was submitted brought him."""
    submitted = select(delivery.c.id).where(delivery.c.id == row, delivery.c.state == "submitted").exists()
    connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id, ~subscriber.c.seen.contains(addition), submitted)
        .values(seen=subscriber.c.seen + addition)
    )


def retry(
    connection: Connection,
    table: LedgerTable,
    row: int,
    now: datetime,
    from_states: Collection[State],
) -> bool:
    """Queue a row of these states again, at the operator's word; returns whether it was of one.

    Its picks are chosen anew, for later editions may have brought them to the reader; but not those of a row that was in
    doubt, which he may have got already.
    """
    ended = table.c.state.in_(from_states)
    # A row that was in doubt keeps its due time: it is its Date, and a repeat has the same bytes.
    due_at = case((table.c.doubts > 0, table.c.due_at), else_=now)
    values = {"state": "queued", "due_at": due_at, "next_try_at": None, "failures": 0, "worker_id": None, "updated_at": now}
    if table is delivery:
        values["picks"] = case((table.c.doubts > 0, table.c.picks), else_=null())
    return connection.execute(update(table).where(table.c.id == row, ended).values(values)).rowcount == 1


def resolve(connection: Connection, table: LedgerTable, row: int, state: State, now: datetime) -> bool:
    """Settle, at the operator's word, a row that is in doubt, held or parked; returns whether it was."""
    open_to_it = table.c.state.in_(UNSETTLED)
    values = {"state": state, "worker_id": None, "reply": "settled by the operator", "updated_at": now}
    return connection.execute(update(table).where(table.c.id == row, open_to_it).values(values)).rowcount == 1


def waiting(connection: Connection) -> dict[str, int]:
    """How many rows of both tables are in each state that is not an end."""
    found: dict[str, int] = {}
    for table in TABLES:
        query = select(table.c.state, func.count()).where(table.c.state.not_in(FINAL)).group_by(table.c.state)
        for state, number in connection.execute(query):
            found[state] = found.get(state, 0) + number
    return found


def earliest_open(connection: Connection) -> datetime | None:
    """When the next queued row may be tried."""
    times = [
        connection.execute(
            select(func.min(case((table.c.next_try_at.is_(None), table.c.due_at), else_=table.c.next_try_at))).where(
                table.c.state == "queued"
            )
        ).scalar()
        for table in TABLES
    ]
    return min((time for time in times if time is not None), default=None)
