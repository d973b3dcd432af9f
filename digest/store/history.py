"""What was: in which editions a paper stood, which mails a reader had, and what was withdrawn by when. Nothing is written."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from digest.store.schema import delivery, edition, edition_entry, paper, subscriber
from digest.store.upsert import chunks
from digest.subscribers.model import Cadence


def editions_with(connection: Connection, papers: Collection[int], until: datetime) -> list[tuple[int, Cadence]]:
    """The editions frozen by then in which one of these ids is, the latest first; each with its cadence."""
    found: set[tuple[datetime, int, Cadence]] = set()
    for chunk in chunks(papers):
        query = (
            select(edition.c.frozen_at, edition.c.id, edition.c.cadence)
            .join(edition_entry)
            .where(edition_entry.c.paper_id.in_(chunk))
        )
        found.update(
            (row.frozen_at, row.id, row.cadence) for row in connection.execute(query.where(edition.c.frozen_at <= until))
        )
    return [(number, cadence) for _, number, cadence in sorted(found, reverse=True)]


def editions_on(connection: Connection, on: date, until: datetime) -> dict[str, int]:
    """By cadence, the editions of a date that were frozen by then."""
    query = select(edition.c.cadence, edition.c.id).where(edition.c.date == on, edition.c.frozen_at <= until)
    return {cadence: number for cadence, number in connection.execute(query)}  # noqa: C416


def deliveries_of(connection: Connection, subscriber_id: int, until: datetime) -> list[Row[Any]]:
    """A reader's deliveries of editions frozen by then, with the edition's `date`, `cadence` and `frozen_at`; the
    latest first."""
    query = select(delivery, edition.c.date, edition.c.cadence, edition.c.frozen_at).join(edition)
    query = query.where(delivery.c.subscriber_id == subscriber_id, edition.c.frozen_at <= until)
    return list(connection.execute(query.order_by(edition.c.frozen_at.desc(), delivery.c.id.desc())))


def withdrawn_at(connection: Connection, paper_id: int) -> tuple[datetime | None, datetime | None]:
    """Since when the operator has hidden a paper, and since when a source has called it retracted."""
    row = connection.execute(select(paper.c.hidden_at, paper.c.retracted_at).where(paper.c.id == paper_id)).one()
    return row.hidden_at, row.retracted_at


def withdrawn_by(connection: Connection, papers: Collection[int], at: datetime) -> set[int]:
    """Which of these papers were hidden or retracted by then, of those that still are; a former id goes with the paper that it
    belongs to now."""
    now = paper.alias()
    query = select(paper.c.id).join(now, now.c.id == func.coalesce(paper.c.merged_into, paper.c.id))
    query = query.where((now.c.hidden_at <= at) | (now.c.retracted_at <= at))
    return {number for chunk in chunks(papers) for number in connection.scalars(query.where(paper.c.id.in_(chunk)))}


def active_since(connection: Connection, subscriber_id: int) -> datetime | None:
    """When a reader last became active."""
    return connection.execute(select(subscriber.c.active_since).where(subscriber.c.id == subscriber_id)).scalar()
