"""Appearances: where a paper stood in the editions that ranked it, and why, as they were frozen."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select

from digest.edition.model import Appearance
from digest.store.among import one_of
from digest.store.editions import entry_from_row
from digest.store.schema import edition, edition_entry


def of_paper(connection: Connection, ids: Collection[int], until: datetime, limit: int) -> list[Appearance]:
    """The places of a paper in the editions frozen by then, the latest first.

    `ids`: its number and its former ones; where an edition had two of them, the better place counts.
    """
    whole = edition_entry.alias()
    size = select(func.max(whole.c.rank)).where(whole.c.edition_id == edition.c.id).scalar_subquery()
    query = (
        select(edition.c.date, edition.c.cadence, edition.c.frozen_at, size.label("of"), edition_entry)
        .join(edition_entry, edition_entry.c.edition_id == edition.c.id)
        .where(one_of(connection, edition_entry.c.paper_id, ids), edition.c.frozen_at <= until)
        .order_by(edition.c.date.desc(), edition.c.cadence, edition_entry.c.rank)
    )
    found: dict[int, Appearance] = {}
    for row in connection.execute(query.limit(limit)):
        found.setdefault(row.edition_id, Appearance(row.date, row.cadence, row.frozen_at, row.of, entry_from_row(row)))
    return list(found.values())
