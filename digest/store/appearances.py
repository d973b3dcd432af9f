"""Appearances: where a paper stood in the editions that ranked it, and why, as they were frozen."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from digest.edition.model import Appearance
from digest.store.among import one_of
from digest.store.rows import terms_from_json
from digest.store.schema import edition, edition_entry


def of_paper(connection: Connection, ids: Collection[int], limit: int) -> list[Appearance]:
    """The places of a paper, the latest first. `ids`: its number and its former ones; the best of them counts."""
    whole = edition_entry.alias()
    size = select(func.max(whole.c.rank)).where(whole.c.edition_id == edition.c.id).scalar_subquery()
    query = (
        select(
            edition.c.id,
            edition.c.date,
            edition.c.cadence,
            edition_entry.c.rank,
            edition_entry.c.score,
            edition_entry.c.terms,
            size.label("of"),
        )
        .join(edition_entry, edition_entry.c.edition_id == edition.c.id)
        .where(one_of(connection, edition_entry.c.paper_id, ids))
        .order_by(edition.c.date.desc(), edition.c.cadence, edition_entry.c.rank)
    )
    found: dict[int, Appearance] = {}
    for row in connection.execute(query.limit(limit)):
        place = Appearance(row.date, row.cadence, row.rank, row.of, row.score, terms_from_json(row.terms))
        found.setdefault(row.id, place)
    return list(found.values())
