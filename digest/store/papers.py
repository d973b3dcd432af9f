"""Papers and their readings: sightings in, one row for each work, however many sources and ids it has."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, type_coerce, update
from sqlalchemy.types import NullType

from digest.papers.model import METRICS, Metric, Paper, Sighting, Work
from digest.ranking.model import Candidate
from digest.store import search as full_text
from digest.store.among import one_of
from digest.store.columns import Moments, plain_rows
from digest.store.placement import Placement
from digest.store.rows import work_from_row
from digest.store.schema import paper, paper_alias, reading
from digest.store.turns import take_turn
from digest.store.upsert import chunks, insert_new

AT_ONCE = 10_000
"""Readings taken from the database together."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a set of sightings brought: papers not known before, papers seen again, readings not known before; and how many
    sightings were passed over, of papers that nobody has announced."""

    new: int
    known: int
    readings: int
    passed_over: int = 0


def record(connection: Connection, sightings: Sequence[Sighting]) -> Recorded:
    """Store sightings: each finds its paper by id or by title (`digest.papers.identity`), or makes a new one.

    Ids that turn out to name one work join its rows: all that is known of the younger moves to the older, which it then points
    to, so that whoever got the one is known to have got the other.
    """
    take_turn(connection, "record papers")  # two that meet a new paper at once would both make it
    placement = Placement(connection, sightings)
    # What is announced here is known to the revisions beside it.
    order = sorted(range(len(sightings)), key=lambda n: not sightings[n].announces)
    placed = {n: found for n in order if (found := placement.place(sightings[n]))}
    placement.save()
    rows = {
        (placed[n].now().number, one.source, one.metric, one.taken_at): one.value
        for n in sorted(placed)
        for one in sightings[n].readings
    }
    fresh = insert_new(
        connection,
        reading,
        [
            {"paper_id": paper_id, "source": source, "metric": metric, "taken_at": at, "value": value}
            for (paper_id, source, metric, at), value in rows.items()
        ],
    )
    papers = {one.now() for one in placed.values()}
    new = sum(one.new for one in papers)
    return Recorded(new, len(papers) - new, fresh, passed_over=len(sightings) - len(placed))


def candidates(connection: Connection, since: datetime, now: datetime) -> list[Candidate]:
    """Papers first seen after `since` and not after `now`, with their readings until `now`, in order of id; none that is hidden
    or retracted."""
    window = (paper.c.first_seen_at > since) & (paper.c.first_seen_at <= now) & paper.c.merged_into.is_(None)
    window &= paper.c.hidden_at.is_(None) & paper.c.retracted_at.is_(None)
    rows = connection.execute(select(paper).where(window).order_by(paper.c.id)).all()
    trajectories = _trajectories(connection, window & (reading.c.taken_at <= now))
    former = _former_ids(connection)
    return [Candidate(_paper(row, former.get(row.id, frozenset())), trajectories.get(row.id, {})) for row in rows]


def texts(connection: Connection, *, before: int | None, limit: int) -> dict[int, Work]:
    """The newest papers, by id, of those before an id (None: of all), with nothing but title, abstract and keywords."""
    query = select(paper.c.id, paper.c.title, paper.c.abstract, paper.c.keywords).where(paper.c.merged_into.is_(None))
    if before is not None:
        query = query.where(paper.c.id < before)
    rows = connection.execute(query.order_by(paper.c.id.desc()).limit(limit))
    return {row.id: Work(row.title, row.abstract, keywords=tuple(row.keywords)) for row in rows}


def _trajectories(
    connection: Connection, wanted: ColumnElement[bool]
) -> dict[int, dict[tuple[str, Metric], list[tuple[datetime, int]]]]:
    """The wanted readings of papers: by paper, source and metric, oldest first."""
    # There are hundreds of thousands, taken at a few hundred moments.
    moments = Moments(connection.dialect)
    metrics: dict[str, Metric] = {metric: metric for metric in METRICS}
    found: dict[int, dict[tuple[str, Metric], list[tuple[datetime, int]]]] = defaultdict(lambda: defaultdict(list))
    columns = (
        reading.c.paper_id,
        reading.c.source,
        reading.c.metric,
        type_coerce(reading.c.taken_at, NullType),
        reading.c.value,
    )
    query = select(*columns).join(paper, paper.c.id == reading.c.paper_id).where(wanted)
    for rows in connection.execute(query).partitions(AT_ONCE):
        for paper_id, source, metric, at, value in rows:
            if metric in metrics:
                found[paper_id][source, metrics[metric]].append((moments[at], value))
    for trajectories in found.values():
        for trajectory in trajectories.values():
            trajectory.sort()
    return found


def find(connection: Connection, keys: Sequence[str]) -> list[Paper]:
    """Papers by any of their ids, canonical or former."""
    found = select(paper_alias.c.paper_id).where(paper_alias.c.alias.in_(keys))
    rows = connection.execute(select(paper).where(paper.c.id.in_(found) | paper.c.key.in_(keys)).order_by(paper.c.id)).all()
    former = _former_ids(connection)
    return [_paper(row, former.get(row.id, frozenset())) for row in rows]


def by_id(connection: Connection, paper_id: int) -> Paper | None:
    """The paper with this number, or the one that it was merged into."""
    row = connection.execute(select(paper).where(paper.c.id == paper_id)).first()
    if row is None:
        return None
    if row.merged_into is not None:
        return by_id(connection, row.merged_into)
    return _paper(row, _former_ids(connection).get(row.id, frozenset()))


def listed(connection: Connection, *, limit: int | None = None) -> list[Paper]:
    """All papers, the newest first."""
    query = select(paper).where(paper.c.merged_into.is_(None)).order_by(paper.c.first_seen_at.desc(), paper.c.id)
    former = _former_ids(connection)
    return [_paper(row, former.get(row.id, frozenset())) for row in connection.execute(query.limit(limit))]


def search(connection: Connection, words: str, *, limit: int | None = None) -> list[Paper]:
    """Papers that have each of these words in title, abstract or authors, best first; or those of which it gives an id."""
    places = {number: place for place, number in enumerate(full_text.matching(connection, words, limit))}
    former = _former_ids(connection)
    found = (row for chunk in chunks(places) for row in connection.execute(select(paper).where(paper.c.id.in_(chunk))))
    papers = [_paper(row, former.get(row.id, frozenset())) for row in found]
    return sorted(papers, key=lambda one: places[one.id])


def readings_of(connection: Connection, paper_id: int) -> list[Row[Any]]:
    """Every reading of a paper, oldest first."""
    query = select(reading).where(reading.c.paper_id == paper_id)
    return list(connection.execute(query.order_by(reading.c.taken_at, reading.c.source, reading.c.metric)))


def hidden_among(connection: Connection, ids: Collection[int]) -> set[int]:
    """Which of these papers the operator has withdrawn, or their authors or publishers have taken back; a former id goes with
    the paper that it belongs to now."""
    # Of all papers: those that are withdrawn are few, and an index tells them.
    hidden = {number for number, survivor in plain_rows(connection, _WITHDRAWN) if survivor is None}
    if not hidden:
        return set()
    former = select(paper.c.id).where(one_of(connection, paper.c.merged_into, hidden))
    return hidden.union(connection.scalars(former)).intersection(ids)


_WITHDRAWN = select(paper.c.id, paper.c.merged_into).where(
    or_(paper.c.hidden_at.is_not(None), paper.c.retracted_at.is_not(None))
)
_MERGED = select(paper.c.id, paper.c.merged_into).where(paper.c.merged_into.is_not(None))


def retract(connection: Connection, ids: Collection[str], at: datetime) -> int:
    """Mark the papers of these canonical ids as retracted, for good; returns how many were not yet. Unknown ones are none."""
    retracted = 0
    for chunk in chunks(ids):
        named = select(paper_alias.c.paper_id).where(paper_alias.c.alias.in_(chunk))
        marked = update(paper).where(paper.c.id.in_(named), paper.c.retracted_at.is_(None)).values(retracted_at=at)
        retracted += connection.execute(marked).rowcount
    return retracted


def set_hidden(connection: Connection, paper_id: int, at: datetime | None) -> None:
    """Withdraw a paper from mails not yet built, or (None) give it back."""
    connection.execute(update(paper).where(paper.c.id == paper_id).values(hidden_at=at))


def set_pinned(connection: Connection, paper_id: int, at: datetime | None) -> None:
    """Put a paper first in the editions to come while it is in the window, or (None) no longer."""
    connection.execute(update(paper).where(paper.c.id == paper_id).values(pinned_at=at))


def aliases_of(connection: Connection, ids: Collection[int]) -> dict[int, list[str]]:
    """Every canonical id that these papers are known by."""
    found: dict[int, list[str]] = defaultdict(list)
    query = select(paper_alias).order_by(paper_alias.c.alias)
    for chunk in chunks(ids):
        for row in connection.execute(query.where(paper_alias.c.paper_id.in_(chunk))):
            found[row.paper_id].append(row.alias)
    return found


def families(connection: Connection) -> dict[int, frozenset[int]]:
    """Every id that ever named the same paper, for each id of a paper that was merged with another."""
    kin = {survivor: former | {survivor} for survivor, former in _former_ids(connection).items()}
    return {paper_id: family for family in kin.values() for paper_id in family}


def _former_ids(connection: Connection) -> dict[int, frozenset[int]]:
    former: dict[int, set[int]] = defaultdict(set)
    for number, survivor in plain_rows(connection, _MERGED):
        former[survivor].add(number)
    return {survivor: frozenset(ids) for survivor, ids in former.items()}


def _paper(row: Row[Any], former_ids: frozenset[int]) -> Paper:
    return Paper(
        id=row.id,
        key=row.key,
        first_seen_at=row.first_seen_at,
        work=work_from_row(row),
        former_ids=former_ids,
        hidden=row.hidden_at is not None,
        pinned=row.pinned_at is not None,
        retracted=row.retracted_at is not None,
    )
