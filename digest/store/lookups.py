"""Which papers a source of attention was asked about, and which it should be asked about next."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select

from digest.papers.identity import strongest_first
from digest.store.schema import lookup, paper, paper_alias, reading
from digest.store.upsert import CHUNK, chunks


def due(
    connection: Connection, source: str, *, seen_since: datetime, asked_before: datetime
) -> Iterator[tuple[int, tuple[str, ...], str, bool]]:
    """(number, ids, address of the code, whether it has categories) of the papers that a source is to be asked about.

    They were first seen after `seen_since` and, if it was asked about them, that was before `asked_before`. Those never asked
    about come first, the most voted for and the newest before others; then those asked about longest ago. Ids are canonical,
    the strongest first.
    """
    votes = select(func.max(reading.c.value)).where(reading.c.paper_id == paper.c.id, reading.c.metric == "votes")
    asked = and_(lookup.c.paper_id == paper.c.id, lookup.c.source == source)
    query = (
        select(paper.c.id, paper.c.links, paper.c.categories)
        .join_from(paper, lookup, asked, isouter=True)
        .where(paper.c.first_seen_at > seen_since, paper.c.merged_into.is_(None), paper.c.retracted_at.is_(None))
        .where(lookup.c.asked_at.is_(None) | (lookup.c.asked_at < asked_before))
        .order_by(
            lookup.c.asked_at.is_not(None),
            lookup.c.asked_at,
            func.coalesce(votes.scalar_subquery(), 0).desc(),
            paper.c.first_seen_at.desc(),
            paper.c.id,
        )
    )
    rows: list[Row[Any]] = list(connection.execute(query))
    for start in range(0, len(rows), CHUNK):
        yield from _with_ids(connection, rows[start : start + CHUNK])


def _with_ids(connection: Connection, rows: Collection[Row[Any]]) -> Iterator[tuple[int, tuple[str, ...], str, bool]]:
    ids: dict[int, list[str]] = {row.id: [] for row in rows}
    for row in connection.execute(select(paper_alias).where(paper_alias.c.paper_id.in_(list(ids)))):
        ids[row.paper_id].append(row.alias)
    return ((row.id, strongest_first(ids[row.id]), row.links.get("code", ""), bool(row.categories)) for row in rows)


def note(connection: Connection, source: str, ids: Collection[str], at: datetime) -> None:
    """Write down that a source was asked about the papers of these canonical ids; unknown ones are passed over."""
    for chunk in chunks(set(ids)):
        named = select(paper_alias.c.paper_id).where(paper_alias.c.alias.in_(chunk)).distinct()
        numbers = list(connection.scalars(named))
        connection.execute(delete(lookup).where(lookup.c.source == source, lookup.c.paper_id.in_(numbers)))
        if numbers:
            connection.execute(insert(lookup), [{"source": source, "paper_id": one, "asked_at": at} for one in numbers])
