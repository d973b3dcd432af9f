"""Papers and their readings: sightings in, one row for each work, however many sources and ids it has."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from digest.papers.identity import normalised_title, same_work, strongest, title_key
from digest.papers.merge import merge
from digest.papers.model import METRICS, Metric, Paper, Sighting, Work
from digest.ranking.model import Candidate
from digest.store.rows import work_from_row, work_to_row
from digest.store.schema import paper, paper_alias, reading
from digest.store.turns import take_turn
from digest.store.upsert import CHUNK, insert_new

MAX_KEY = 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a set of sightings brought: papers not known before, papers seen again, readings not known before."""

    new: int
    known: int
    readings: int


def record(connection: Connection, sightings: Sequence[Sighting]) -> Recorded:
    """Store sightings: each finds its paper by id, or by title and author where one side has no id, or makes a new one.

    Ids that turn out to name one work join its rows: aliases and readings move to the older row, which the other then
    points to, so that whoever got the one is known to have got the other.
    """
    take_turn(connection, "record papers")  # two that meet a new paper at once would both make it
    known = _Known(connection, sightings)
    for sighting in sightings:
        known.place(sighting)
    known.save()
    rows = {
        (known.paper_of[n], r.source, r.metric, r.taken_at): r.value
        for n, sighting in enumerate(sightings)
        for r in sighting.readings
    }
    fresh = insert_new(
        connection,
        reading,
        [
            {"paper_id": paper_id, "source": source, "metric": metric, "taken_at": at, "value": value}
            for (paper_id, source, metric, at), value in rows.items()
        ],
    )
    found = set(known.paper_of)
    return Recorded(new=len(found & known.made), known=len(found - known.made), readings=fresh)


class _Known:
    """The papers that a set of sightings may be of, kept in step with the database while they are placed."""

    def __init__(self, connection: Connection, sightings: Sequence[Sighting]) -> None:
        self._connection = connection
        self.paper_of: list[int] = []
        """The paper of each sighting placed so far."""
        self.made: set[int] = set()
        """Papers that were not known before."""
        ids = {id_ for sighting in sightings for id_ in _ids(sighting)}
        titles = {_title(sighting.work) for sighting in sightings}
        self._alias: dict[str, int] = {}
        for chunk in _chunks(ids):
            found = select(paper_alias.c.alias, paper_alias.c.paper_id).where(paper_alias.c.alias.in_(chunk))
            self._alias.update({row.alias: row.paper_id for row in connection.execute(found)})
        rows = [
            row
            for chunk in _chunks(set(self._alias.values()))
            for row in connection.execute(select(paper).where(paper.c.id.in_(chunk)))
        ]
        for chunk in _chunks(titles):
            rows += connection.execute(select(paper).where(paper.c.normalised_title.in_(chunk), paper.c.merged_into.is_(None)))
        self._work = {row.id: work_from_row(row) for row in rows}
        self._key = {row.id: row.key for row in rows}
        self._first_seen = {row.id: row.first_seen_at for row in rows}
        self._by_title: dict[str, list[int]] = defaultdict(list)
        for paper_id in sorted(self._work):
            self._by_title[_title(self._work[paper_id])].append(paper_id)
        self._changed: set[int] = set()

    def place(self, sighting: Sighting) -> None:
        """Find or make the paper of a sighting."""
        hits = sorted({self._alias[id_] for id_ in _ids(sighting) if id_ in self._alias})
        if not hits:
            hits = self._alike(sighting)[:1]
        if not hits:
            self.paper_of.append(self._make(sighting))
            return
        survivor, *losers = hits
        for loser in losers:
            self._join(survivor, loser)
        self._see_again(survivor, sighting)
        self.paper_of.append(survivor)

    def _alike(self, sighting: Sighting) -> list[int]:
        """Papers of this title and author; if the sighting has ids, only those that have none."""
        return [
            paper_id
            for paper_id in self._by_title.get(_title(sighting.work), ())
            if not (sighting.ids and not self._key[paper_id].startswith("title:"))
            and same_work(self._work[paper_id], sighting.work)
        ]

    def _make(self, sighting: Sighting) -> int:
        ids = _ids(sighting)
        key = strongest(ids)
        row = work_to_row(sighting.work) | {
            "key": key,
            "normalised_title": _title(sighting.work),
            "first_seen_at": sighting.seen_at,
        }
        paper_id = int(self._connection.execute(insert(paper).returning(paper.c.id), row).scalar_one())
        self._work[paper_id], self._key[paper_id], self._first_seen[paper_id] = sighting.work, key, sighting.seen_at
        self._by_title[_title(sighting.work)].append(paper_id)
        self._name(paper_id, ids)
        self.made.add(paper_id)
        return paper_id

    def _see_again(self, paper_id: int, sighting: Sighting) -> None:
        work = merge(self._work[paper_id], sighting.work)
        first_seen = min(self._first_seen[paper_id], sighting.seen_at)
        key = strongest((self._key[paper_id], *sighting.ids))
        if (work, first_seen, key) != (self._work[paper_id], self._first_seen[paper_id], self._key[paper_id]):
            self._work[paper_id], self._first_seen[paper_id], self._key[paper_id] = work, first_seen, key
            self._changed.add(paper_id)
        self._name(paper_id, sighting.ids)

    def _name(self, paper_id: int, ids: Iterable[str]) -> None:
        fresh = [id_ for id_ in ids if id_ not in self._alias]
        if fresh:
            insert_new(self._connection, paper_alias, [{"alias": id_, "paper_id": paper_id} for id_ in fresh])
            self._alias.update(dict.fromkeys(fresh, paper_id))

    def _join(self, survivor: int, loser: int) -> None:
        for alias, paper_id in self._alias.items():
            if paper_id == loser:
                self._alias[alias] = survivor
        self._work[survivor] = merge(self._work[survivor], self._work[loser])
        self._first_seen[survivor] = min(self._first_seen[survivor], self._first_seen[loser])
        self._key[survivor] = strongest((self._key[survivor], self._key[loser]))
        self._by_title[_title(self._work[loser])].remove(loser)
        self._changed.add(survivor)
        self._changed.discard(loser)
        self.paper_of = [survivor if paper_id == loser else paper_id for paper_id in self.paper_of]
        join(self._connection, survivor, loser)

    def save(self) -> None:
        rows = [
            work_to_row(self._work[paper_id])
            | {"paper_row": paper_id, "key": self._key[paper_id], "first_seen_at": self._first_seen[paper_id]}
            for paper_id in sorted(self._changed)
        ]
        for row in rows:
            paper_id = row.pop("paper_row")
            self._connection.execute(update(paper).where(paper.c.id == paper_id).values(row))


def join(connection: Connection, survivor: int, loser: int) -> None:
    """Two rows turned out to be one paper: everything of `loser` becomes `survivor`'s, and `loser` one of its former ids."""
    connection.execute(update(paper_alias).where(paper_alias.c.paper_id == loser).values(paper_id=survivor))
    moving = connection.execute(select(reading).where(reading.c.paper_id == loser)).mappings()
    insert_new(connection, reading, [dict(row) | {"paper_id": survivor} for row in moving])
    connection.execute(delete(reading).where(reading.c.paper_id == loser))
    # What the operator decided about one of them he decided about the paper.
    hidden_at, pinned_at = connection.execute(select(paper.c.hidden_at, paper.c.pinned_at).where(paper.c.id == loser)).one()
    for column, decided_at in ((paper.c.hidden_at, hidden_at), (paper.c.pinned_at, pinned_at)):
        undecided = (paper.c.id == survivor) & column.is_(None)
        connection.execute(update(paper).where(undecided).values({column: decided_at}))
    # Its key is the survivor's to take.
    retired = {"merged_into": survivor, "key": f"merged:{loser}"}
    connection.execute(update(paper).where(paper.c.id == loser).values(retired))
    connection.execute(update(paper).where(paper.c.merged_into == loser).values(merged_into=survivor))


def candidates(connection: Connection, since: datetime, now: datetime) -> list[Candidate]:
    """Papers first seen after `since` and not after `now`, with their readings until `now`, in order of id; none hidden."""
    window = (paper.c.first_seen_at > since) & (paper.c.first_seen_at <= now) & paper.c.merged_into.is_(None)
    rows = connection.execute(select(paper).where(window, paper.c.hidden_at.is_(None)).order_by(paper.c.id)).all()
    trajectories: dict[int, dict[tuple[str, Metric], list[tuple[datetime, int]]]] = defaultdict(lambda: defaultdict(list))
    metrics: dict[str, Metric] = {metric: metric for metric in METRICS}
    measured = (
        select(reading)
        .join(paper, paper.c.id == reading.c.paper_id)
        .where(window, reading.c.taken_at <= now)
        .order_by(reading.c.taken_at)
    )
    for row in connection.execute(measured):
        if row.metric in metrics:
            trajectories[row.paper_id][row.source, metrics[row.metric]].append((row.taken_at, row.value))
    former = _former_ids(connection)
    return [Candidate(_paper(row, former.get(row.id, frozenset())), trajectories.get(row.id, {})) for row in rows]


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


def listed(connection: Connection, *, matching: str = "", limit: int | None = None) -> list[Paper]:
    """All papers, the newest first; with `matching`, those that have each of its words in title or abstract."""
    query = select(paper).where(paper.c.merged_into.is_(None)).order_by(paper.c.first_seen_at.desc(), paper.c.id)
    for word in matching.split():
        query = query.where(paper.c.title.icontains(word, autoescape=True) | paper.c.abstract.icontains(word, autoescape=True))
    former = _former_ids(connection)
    return [_paper(row, former.get(row.id, frozenset())) for row in connection.execute(query.limit(limit))]


def readings_of(connection: Connection, paper_id: int) -> list[Row[Any]]:
    """Every reading of a paper, oldest first."""
    query = select(reading).where(reading.c.paper_id == paper_id)
    return list(connection.execute(query.order_by(reading.c.taken_at, reading.c.source, reading.c.metric)))


def hidden_among(connection: Connection, ids: Collection[int]) -> set[int]:
    """Which of these papers the operator has withdrawn; a former id goes with the paper that it belongs to now."""
    now = paper.alias()
    hidden = select(paper.c.id).join(now, now.c.id == func.coalesce(paper.c.merged_into, paper.c.id))
    hidden = hidden.where(now.c.hidden_at.is_not(None))
    rows = (connection.execute(hidden.where(paper.c.id.in_(chunk))) for chunk in _chunks(ids))
    return {row.id for result in rows for row in result}


def set_hidden(connection: Connection, paper_id: int, at: datetime | None) -> None:
    """Withdraw a paper from mails not yet built, or (None) give it back."""
    connection.execute(update(paper).where(paper.c.id == paper_id).values(hidden_at=at))


def set_pinned(connection: Connection, paper_id: int, at: datetime | None) -> None:
    """Put a paper first in the editions to come while it is in the window, or (None) no longer."""
    connection.execute(update(paper).where(paper.c.id == paper_id).values(pinned_at=at))


def aliases_of(connection: Connection, ids: Collection[int]) -> dict[int, list[str]]:
    """Every canonical id that these papers are known by."""
    found: dict[int, list[str]] = defaultdict(list)
    for chunk in _chunks(ids):
        for row in connection.execute(
            select(paper_alias).where(paper_alias.c.paper_id.in_(chunk)).order_by(paper_alias.c.alias)
        ):
            found[row.paper_id].append(row.alias)
    return found


def families(connection: Connection) -> dict[int, frozenset[int]]:
    """Every id that ever named the same paper, for each id of a paper that was merged with another."""
    kin = {survivor: former | {survivor} for survivor, former in _former_ids(connection).items()}
    return {paper_id: family for family in kin.values() for paper_id in family}


def _former_ids(connection: Connection) -> dict[int, frozenset[int]]:
    former: dict[int, set[int]] = defaultdict(set)
    for row in connection.execute(select(paper.c.id, paper.c.merged_into).where(paper.c.merged_into.is_not(None))):
        former[row.merged_into].add(row.id)
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
    )


def _ids(sighting: Sighting) -> tuple[str, ...]:
    """The ids that a sighting is known by: its own or, where it has none, the one that its title makes."""
    return sighting.ids or (title_key(sighting.work)[:MAX_KEY],)


def _title(work: Work) -> str:
    return normalised_title(work.title)[:MAX_KEY]


def _chunks(values: Collection[Any]) -> Iterable[list[Any]]:
    ordered = sorted(values)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
