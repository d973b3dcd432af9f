"""Issues: what everybody is shown of an edition, on pages and in feeds. A paper that the operator hides is left out at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from digest.edition.model import SECTIONS, Entry, Pick, Section
from digest.papers.model import Work
from digest.store.among import one_of
from digest.store.editions import entry_from_row
from digest.store.papers import hidden_among
from digest.store.rows import picks_from_json, work_from_json
from digest.store.schema import edition, edition_entry, paper
from digest.subscribers.model import Cadence

UNCHOSEN = 10
"""So many of its best are shown of an edition whose issue was not chosen: it was frozen before there were issues."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper of an issue: the entry as it was frozen, and the key under which it is known now."""

    key: str
    entry: Entry
    section: Section


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition as everybody sees it."""

    number: int
    date: date
    cadence: Cadence
    frozen_at: datetime
    missing_sources: tuple[str, ...]
    shown: tuple[Shown, ...]
    """Cards first."""


def store_picks(connection: Connection, number: int, picks: Sequence[Pick]) -> None:
    """Note what is shown of an edition. Once told, it stands."""
    mine = (edition.c.id == number) & edition.c.picks.is_(None)
    shown = [[pick.paper_id, SECTIONS.index(pick.section)] for pick in picks]
    connection.execute(update(edition).where(mine).values(picks=shown))


def lacking(connection: Connection, since: datetime) -> list[int]:
    """The editions frozen since then whose issue was not chosen, oldest first."""
    query = select(edition.c.id).where(edition.c.picks.is_(None), edition.c.frozen_at >= since)
    return list(connection.execute(query.order_by(edition.c.frozen_at, edition.c.id)).scalars())


def shown_since(connection: Connection, since: datetime, cadence: Cadence) -> set[int]:
    """The papers that issues of this cadence have shown since then."""
    query = select(edition.c.picks).where(
        edition.c.frozen_at >= since, edition.c.cadence == cadence, edition.c.picks.is_not(None)
    )
    return {pick.paper_id for (picks,) in connection.execute(query) for pick in picks_from_json(picks)}


def newest(connection: Connection, until: datetime) -> Issue | None:
    """The latest daily issue that has something to show; None while there is none."""
    return next(iter(lately(connection, until, 1)), None)


def lately(connection: Connection, until: datetime, count: int) -> list[Issue]:
    """The latest daily issues that have something to show, the newest first."""
    query = select(edition).where(edition.c.frozen_at <= until, edition.c.cadence == "daily", edition.c.empty_because == "")
    rows = connection.execute(query.order_by(edition.c.date.desc()).limit(count)).all()
    return [_issue(connection, row) for row in rows]


def find(connection: Connection, on: date, cadence: Cadence) -> Issue | None:
    """The issue of a date; None where none was frozen."""
    row = connection.execute(select(edition).where(edition.c.date == on, edition.c.cadence == cadence)).first()
    return None if row is None else _issue(connection, row)


def listed(connection: Connection, *, since: date | None = None, before: date | None = None, limit: int = 31) -> list[Row[Any]]:
    """Editions with something to show, the latest first: id, date, cadence, frozen_at."""
    query = select(edition.c.id, edition.c.date, edition.c.cadence, edition.c.frozen_at).where(edition.c.empty_because == "")
    if since is not None:
        query = query.where(edition.c.date >= since)
    if before is not None:
        query = query.where(edition.c.date < before)
    return list(connection.execute(query.order_by(edition.c.date.desc(), edition.c.cadence).limit(limit)))


def first_shown(connection: Connection, numbers: Collection[int]) -> dict[int, Work]:
    """What stands first in each of these issues, by the number of its edition; nothing for one that shows nothing any more."""
    rows = connection.execute(select(edition.c.id, edition.c.picks).where(one_of(connection, edition.c.id, numbers))).all()
    shown = {row.id: [pick.paper_id for pick in picks_from_json(row.picks)] for row in rows}
    unchosen = [row.id for row in rows if row.picks is None]
    best = select(edition_entry.c.edition_id, edition_entry.c.paper_id).where(
        one_of(connection, edition_entry.c.edition_id, unchosen), edition_entry.c.rank <= UNCHOSEN
    )
    for row in connection.execute(best.order_by(edition_entry.c.rank)):
        shown[row.edition_id].append(row.paper_id)
    hidden = hidden_among(connection, {number for papers in shown.values() for number in papers})
    first = {number: next((one for one in papers if one not in hidden), None) for number, papers in shown.items()}
    wanted = {(number, one) for number, one in first.items() if one is not None}
    query = select(edition_entry.c.edition_id, edition_entry.c.paper_id, edition_entry.c.work).where(
        one_of(connection, edition_entry.c.edition_id, first),
        one_of(connection, edition_entry.c.paper_id, {one for _, one in wanted}),
    )
    return {
        row.edition_id: work_from_json(row.work)
        for row in connection.execute(query)
        if (row.edition_id, row.paper_id) in wanted
    }


def dates(connection: Connection) -> list[date]:
    """Of all editions with something to show, each once, the latest first."""
    query = select(edition.c.date).where(edition.c.empty_because == "").distinct()
    return list(connection.execute(query.order_by(edition.c.date.desc())).scalars())


def beside(connection: Connection, on: date, cadence: Cadence) -> tuple[date | None, date | None]:
    """The dates of the issues before and after one."""
    mine = select(edition.c.date).where(edition.c.cadence == cadence, edition.c.empty_because == "")
    before = connection.execute(mine.where(edition.c.date < on).order_by(edition.c.date.desc()).limit(1)).scalar()
    after = connection.execute(mine.where(edition.c.date > on).order_by(edition.c.date).limit(1)).scalar()
    return before, after


def _issue(connection: Connection, row: Row[Any]) -> Issue:
    picks = picks_from_json(row.picks)
    if row.picks is None:
        best = select(edition_entry).where(edition_entry.c.edition_id == row.id).order_by(edition_entry.c.rank)
        rows = connection.execute(best.limit(UNCHOSEN)).all()
        picks = tuple(Pick(one.paper_id, "card") for one in rows)
    else:
        # Adding 0 has SQLite use the index over the papers: by its own it would go through all entries of the edition.
        mine = select(edition_entry).where(edition_entry.c.edition_id + 0 == row.id)
        rows = connection.execute(mine.where(one_of(connection, edition_entry.c.paper_id, [p.paper_id for p in picks]))).all()
    entries = {one.paper_id: entry_from_row(one) for one in rows}
    keys = keys_of(connection, list(entries))
    hidden = hidden_among(connection, list(entries))
    return Issue(
        number=row.id,
        date=row.date,
        cadence=row.cadence,
        frozen_at=row.frozen_at,
        missing_sources=tuple(row.missing_sources),
        shown=tuple(
            Shown(keys[pick.paper_id], entries[pick.paper_id], pick.section)
            for pick in picks
            if pick.paper_id in keys and pick.paper_id not in hidden
        ),
    )


def keys_of(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """The key of each paper, or of the one that it became."""
    rows = connection.execute(select(paper.c.id, paper.c.key, paper.c.merged_into).where(one_of(connection, paper.c.id, ids)))
    found = {row.id: row for row in rows}
    gone = [row.merged_into for row in found.values() if row.merged_into is not None]
    into = {}
    if gone:
        into = dict(connection.execute(select(paper.c.id, paper.c.key).where(one_of(connection, paper.c.id, gone))).all())
    return {number: into.get(row.merged_into, row.key) if row.merged_into else row.key for number, row in found.items()}
