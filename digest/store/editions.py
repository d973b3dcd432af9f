"""Editions: frozen once, read many times."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import JSON, ColumnElement, Connection, Row, Text, cast, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from digest.edition.model import Edition, Entry
from digest.papers.model import Work
from digest.store.papers import families
from digest.store.rows import picks_from_json, terms_from_json, terms_to_json, work_from_json, work_to_json
from digest.store.schema import edition, edition_entry, edition_rows, paper
from digest.store.upsert import chunks, insert_new
from digest.subscribers.model import Cadence

if TYPE_CHECKING:
    from digest.ranking.rows import Rows

ROWS_KEPT = timedelta(days=14)
"""Longer than any mail of an edition waits."""
ABSTRACTS_KEPT = timedelta(days=60)
"""Those of papers that everybody was shown stay."""

EditionRow: TypeAlias = Row[Any]
"""A row of `edition`: the edition without its entries."""


def freeze(
    connection: Connection,
    *,
    on: date,
    cadence: Cadence,
    frozen_at: datetime,
    entries: Sequence[Entry],
    missing_sources: Sequence[str] = (),
    empty_because: str = "",
    vocabulary: int | None = None,
    rows: "Rows | None" = None,
) -> tuple[Edition, bool]:
    """Freeze an edition unless it is frozen; returns the one that stands, and whether it is this one.

    `rows` are those of its entries in its vocabulary, where somebody has them.
    """
    row = {
        "date": on,
        "cadence": cadence,
        "frozen_at": frozen_at,
        "empty_because": empty_because,
        "missing_sources": list(missing_sources),
        "vocabulary_id": vocabulary,
    }
    new = bool(insert_new(connection, edition, [row]))
    number = connection.execute(select(edition.c.id).where(edition.c.date == on, edition.c.cadence == cadence)).scalar_one()
    if new:
        insert_new(
            connection,
            edition_entry,
            [
                {
                    "edition_id": number,
                    "rank": entry.rank,
                    "paper_id": entry.paper_id,
                    "former_ids": sorted(entry.former_ids),
                    "score": entry.score,
                    "terms": terms_to_json(entry.terms),
                    "work": work_to_json(entry.work),
                    "first_seen_on": entry.first_seen_on,
                    "numbers": dict(entry.numbers),
                }
                for entry in entries
            ],
        )
        if rows is not None:
            from digest.ranking.rows import rows_to_bytes

            connection.execute(insert(edition_rows), {"edition_id": number, "content": rows_to_bytes(rows)})
    return load(connection, number), new


def rows(connection: Connection, number: int) -> "Rows | None":
    """The rows of an edition's entries in its vocabulary, by rank; None where it was frozen without, or so long ago that they
    are forgotten."""
    # Most commands need no numbers, and importing what reads these takes longer than they do.
    from digest.ranking.rows import rows_from_bytes

    content = connection.execute(select(edition_rows.c.content).where(edition_rows.c.edition_id == number)).scalar()
    return None if content is None else rows_from_bytes(content)


def prune_rows(connection: Connection, now: datetime) -> int:
    """Forget the rows of editions that are mailed no more: whoever wants them works them out anew."""
    old = select(edition.c.id).where(edition.c.frozen_at < now - ROWS_KEPT)
    return connection.execute(delete(edition_rows).where(edition_rows.c.edition_id.in_(old))).rowcount


def forget_abstracts(connection: Connection, now: datetime) -> int:
    """Forget the abstracts in entries of old editions, but for papers that the issue shows; returns of how many.

    They are most of a database, for each edition repeats those of two weeks. `load` puts what a paper says now in their place.
    """
    # Editions of a month are looked at, so that a day's work is a day's and not the history's.
    old = (edition.c.frozen_at < now - ABSTRACTS_KEPT) & (edition.c.frozen_at > now - ABSTRACTS_KEPT - timedelta(days=30))
    forgotten = 0
    for row in connection.execute(select(edition.c.id, edition.c.picks).where(old, edition.c.picks.is_not(None))).all():
        mine = (edition_entry.c.edition_id == row.id) & edition_entry.c.work["abstract"].as_string().is_not(None)
        unshown = edition_entry.c.paper_id.not_in([pick.paper_id for pick in picks_from_json(row.picks)])
        without = _without_abstract(connection.dialect.name)
        forgotten += connection.execute(update(edition_entry).where(mine, unshown).values(work=without)).rowcount
    return forgotten


def _without_abstract(dialect: str) -> ColumnElement[Any]:
    """What tells an abstract that is forgotten, `null`, from one that there never was."""
    work = edition_entry.c.work
    if dialect == "sqlite":
        return func.json_set(work, "$.abstract", func.json("null"))
    return cast(func.jsonb_set(cast(work, JSONB), ["abstract"], cast(literal("null", Text), JSONB)), JSON)


def load(connection: Connection, number: int) -> Edition:
    """An edition with its entries. Ids that a paper has got or lost by merges since then are among its `former_ids`."""
    row = connection.execute(select(edition).where(edition.c.id == number)).one()
    kin = families(connection)
    query = select(edition_entry).where(edition_entry.c.edition_id == number).order_by(edition_entry.c.rank)
    entries: list[Entry] = []
    forgotten: list[int] = []
    # Row after row: as they are stored, all together have as much as the entries that they become.
    for one in connection.execute(query):
        entry = entry_from_row(one)
        if entry.paper_id in kin:
            entry = replace(entry, former_ids=(entry.former_ids | kin[entry.paper_id]) - {entry.paper_id})
        if one.work.get("abstract", "") is None:
            forgotten.append(entry.paper_id)
        entries.append(entry)
    abstracts = _abstracts(connection, forgotten)
    return Edition(
        number=row.id,
        date=row.date,
        cadence=row.cadence,
        frozen_at=row.frozen_at,
        entries=tuple(
            replace(entry, work=replace(entry.work, abstract=abstracts[entry.paper_id]))
            if entry.paper_id in abstracts
            else entry
            for entry in entries
        ),
        missing_sources=tuple(row.missing_sources),
        empty_because=row.empty_because,
        vocabulary=row.vocabulary_id,
    )


def _abstracts(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """The abstracts of papers, or of what they became, as they are now."""
    now = paper.alias()
    query = select(paper.c.id, now.c.abstract).join(now, now.c.id == func.coalesce(paper.c.merged_into, paper.c.id))
    return {row.id: row.abstract for some in chunks(ids) for row in connection.execute(query.where(paper.c.id.in_(some)))}


def find(connection: Connection, on: date, cadence: Cadence) -> Edition | None:
    """The edition of a date and cadence, if it is frozen."""
    number = connection.execute(select(edition.c.id).where(edition.c.date == on, edition.c.cadence == cadence)).scalar()
    return None if number is None else load(connection, number)


def exists(connection: Connection, on: date, cadence: Cadence) -> bool:
    """Whether the edition of a date and cadence is frozen."""
    query = select(edition.c.id).where(edition.c.date == on, edition.c.cadence == cadence)
    return connection.execute(query).first() is not None


def frozen(connection: Connection, *, since: datetime, until: datetime) -> list[EditionRow]:
    """The rows of the editions frozen in (since, until], oldest first."""
    query = select(edition).where(edition.c.frozen_at > since, edition.c.frozen_at <= until)
    return list(connection.execute(query.order_by(edition.c.frozen_at, edition.c.id)))


def latest(connection: Connection, until: datetime) -> EditionRow | None:
    """The row of the edition frozen last; of two frozen together, the daily one."""
    query = select(edition).where(edition.c.frozen_at <= until)
    return connection.execute(query.order_by(edition.c.frozen_at.desc(), edition.c.cadence).limit(1)).first()


def size(connection: Connection, number: int) -> int:
    """How many entries an edition has."""
    query = select(func.count()).where(edition_entry.c.edition_id == number)
    return int(connection.execute(query).scalar_one())


def best(connection: Connection, number: int, limit: int) -> list[Work]:
    """The papers that rank first in an edition."""
    query = select(edition_entry.c.work).where(edition_entry.c.edition_id == number).order_by(edition_entry.c.rank)
    return [work_from_json(work) for work in connection.execute(query.limit(limit)).scalars()]


def unreported(connection: Connection, *, since: datetime, until: datetime) -> list[EditionRow]:
    """The editions frozen in (since, until] whose outcome the operator was not told yet, oldest first."""
    query = select(edition).where(edition.c.reported_at.is_(None), edition.c.frozen_at > since, edition.c.frozen_at <= until)
    return list(connection.execute(query.order_by(edition.c.id)))


def set_reported(connection: Connection, number: int, at: datetime) -> None:
    connection.execute(update(edition).where(edition.c.id == number).values(reported_at=at))


def entry_from_row(row: Row[Any]) -> Entry:
    """A row of `edition_entry` as the noun."""
    return Entry(
        paper_id=row.paper_id,
        former_ids=frozenset(row.former_ids),
        rank=row.rank,
        score=row.score,
        terms=terms_from_json(row.terms),
        work=work_from_json(row.work),
        first_seen_on=row.first_seen_on,
        numbers=row.numbers,
    )
