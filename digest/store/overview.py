"""What an operator asks of the whole: how editions went, and what went wrong. Nothing here is asked for a mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, text

from digest.store.deliveries import counts
from digest.store.editions import EditionRow, size
from digest.store.schema import delivery, edition, event, notice, subscriber
from digest.subscribers.model import Cadence

ENDED_BADLY = ("rejected", "expired", "parked", "held", "in_doubt")


@dataclass(frozen=True, slots=True)
class Course:
    """How one edition went."""

    number: int
    date: date
    cadence: Cadence
    frozen_at: datetime
    empty_because: str
    papers: int
    states: dict[str, int]
    """Mails by state."""
    deferred: int
    """Of those queued: tried already, and asked to come again."""
    last_at: datetime | None
    """When the last of the mails that were due with the edition was submitted; None while none was."""
    left: int
    """Readers that had a mail of it, and unsubscribed before the next of its cadence was frozen."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A mail that did not reach its reader, or not yet."""

    table: str
    """`delivery` or `notice`."""
    number: int
    what: str
    """The edition's date and cadence, or the kind of a notice."""
    address: str
    state: str
    attempts: int
    reply: str
    """The server's last words, or why it ended otherwise."""
    at: datetime
    """When it last changed."""
    again_at: datetime | None = None
    """When it is tried again, if it is queued."""


def schema_version(connection: Connection) -> str | None:
    """The schema that the database has now, whoever changed it since this process began."""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest(connection: Connection, cadence: Cadence, until: datetime) -> EditionRow | None:
    """The newest edition of a cadence; None where there is none."""
    query = select(edition).where(edition.c.cadence == cadence, edition.c.frozen_at <= until)
    return connection.execute(query.order_by(edition.c.date.desc()).limit(1)).first()


def courses(connection: Connection, until: datetime, limit: int) -> list[Course]:
    """The editions frozen last, the newest first."""
    query = select(edition).where(edition.c.frozen_at <= until)
    rows = connection.execute(query.order_by(edition.c.frozen_at.desc(), edition.c.cadence).limit(limit)).all()
    return [_course(connection, row) for row in rows]


def _course(connection: Connection, row: Row[Any]) -> Course:
    mine = delivery.c.edition_id == row.id
    tried = select(func.count()).where(mine, delivery.c.state == "queued", delivery.c.attempts > 0)
    # Readers with an hour of their own are due all day long: how long that takes says nothing.
    at_once = select(func.max(delivery.c.updated_at)).where(
        mine, delivery.c.state == "submitted", delivery.c.due_at == row.frozen_at
    )
    following = select(func.min(edition.c.frozen_at)).where(
        edition.c.cadence == row.cadence, edition.c.frozen_at > row.frozen_at
    )
    until = connection.execute(following).scalar()
    gone = and_(event.c.subscriber_id == delivery.c.subscriber_id, event.c.kind == "unsubscribed", event.c.at >= row.frozen_at)
    left = select(func.count(delivery.c.subscriber_id.distinct())).select_from(delivery.join(event, gone)).where(mine)
    if until is not None:
        left = left.where(event.c.at < until)
    return Course(
        number=row.id,
        date=row.date,
        cadence=row.cadence,
        frozen_at=row.frozen_at,
        empty_because=row.empty_because,
        papers=size(connection, row.id),
        states=counts(connection, row.id),
        deferred=connection.execute(tried).scalar_one(),
        last_at=connection.execute(at_once).scalar(),
        left=connection.execute(left).scalar_one(),
    )


def failures(connection: Connection, since: datetime, limit: int) -> list[Failure]:
    """Mails that ended badly since then or were asked to come again, the latest first."""
    found = [*_failed_deliveries(connection, since, limit), *_failed_notices(connection, since, limit)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def _failed_deliveries(connection: Connection, since: datetime, limit: int) -> Sequence[Failure]:
    query = (
        select(delivery, subscriber.c.address, edition.c.date, edition.c.cadence)
        .select_from(delivery.join(subscriber).join(edition))
        .where(_failed(delivery), delivery.c.updated_at >= since)
        .order_by(delivery.c.updated_at.desc(), delivery.c.id.desc())
        .limit(limit)
    )
    return [
        _failure("delivery", row, f"{row.date.isoformat()} {row.cadence}", row.address) for row in connection.execute(query)
    ]


def _failed_notices(connection: Connection, since: datetime, limit: int) -> Sequence[Failure]:
    query = (
        select(notice)
        .where(_failed(notice), notice.c.updated_at >= since)
        .order_by(notice.c.updated_at.desc(), notice.c.id.desc())
        .limit(limit)
    )
    return [_failure("notice", row, row.kind, row.recipient) for row in connection.execute(query)]


def _failed(table: Any) -> Any:
    again = and_(table.c.state == "queued", table.c.attempts + table.c.failures > 0)
    return table.c.state.in_(ENDED_BADLY) | again


def _failure(table: str, row: Row[Any], what: str, address: str) -> Failure:
    again_at = row.next_try_at if row.state == "queued" else None
    return Failure(table, row.id, what, address, row.state, row.attempts, row.reply or "", row.updated_at, again_at)
