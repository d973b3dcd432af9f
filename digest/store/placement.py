"""Which paper is a sighting of? Found by id or by title, made, or two joined; decided in memory and written at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, literal, select, update

from digest.papers.identity import normalised_title, same_work, strongest, title_key
from digest.papers.merge import merge
from digest.papers.model import Sighting, Work
from digest.store.rows import work_from_row, work_to_row
from digest.store.schema import lookup, paper, paper_alias, reading
from digest.store.upsert import chunks, insert_new, insert_new_from

MAX_KEY = 500
NOT_STORED = 1 << 62
"""Papers that have no number yet are counted from here: they are younger than all that have."""
MOST_ALIKE = 100
"""A title that more papers have (`Editorial`) tells nothing about the others, and looking at each would take for ever."""
DECISIONS = (paper.c.hidden_at, paper.c.pinned_at, paper.c.retracted_at)
"""What was decided about one of two papers was decided about both."""


@dataclass(slots=True, eq=False)
class Placed:
    """A paper while sightings are placed. `number` is final once all are saved."""

    number: int
    key: str
    work: Work
    first_seen_at: datetime
    ids: set[str] = field(default_factory=set)
    new: bool = False
    changed: bool = False
    joined_to: "Placed | None" = None

    def now(self) -> "Placed":
        """This paper, or the one that it turned out to be."""
        found = self
        while found.joined_to is not None:
            found = found.joined_to
        return found


class Placement:
    """The papers that a set of sightings may be of, kept in step with what is known while they are placed.

    The older of two rows that turn out to be one stays. In whatever order sightings come, the same ids end up together, as
    long as no title is ambiguous.
    """

    def __init__(self, connection: Connection, sightings: Sequence[Sighting]) -> None:
        self._connection = connection
        self._made = 0
        self._joined: list[tuple[int, int]] = []
        self._named: list[tuple[str, Placed]] = []
        self._alias: dict[str, Placed] = {}
        self._titled: dict[str, list[Placed]] = defaultdict(list)
        self._load({id_ for one in sightings for id_ in _ids(one)}, {_title(one.work) for one in sightings})

    def _load(self, ids: set[str], titles: set[str]) -> None:
        named: set[int] = set()
        for chunk in chunks(ids):
            named.update(self._connection.scalars(select(paper_alias.c.paper_id).where(paper_alias.c.alias.in_(chunk))))
        rows: dict[int, Any] = {}
        known = (paper.c.id.in_(chunk) for chunk in chunks(named))
        titled = (paper.c.normalised_title.in_(chunk) for chunk in chunks(titles))
        for wanted in (*known, *titled):
            found = select(paper).where(wanted, paper.c.merged_into.is_(None))
            rows.update((row.id, row) for row in self._connection.execute(found))
        papers = {number: Placed(number, row.key, work_from_row(row), row.first_seen_at) for number, row in rows.items()}
        for numbers in chunks(papers):
            for row in self._connection.execute(select(paper_alias).where(paper_alias.c.paper_id.in_(numbers))):
                self._alias[row.alias] = papers[row.paper_id]
                papers[row.paper_id].ids.add(row.alias)
        for number in sorted(papers):
            self._titled[_title(papers[number].work)].append(papers[number])

    def place(self, sighting: Sighting) -> Placed | None:
        """The paper of a sighting, found or made; None if it is not known and the sighting does not announce it."""
        ids = _ids(sighting)
        hits = sorted({self._alias[id_].now() for id_ in ids if id_ in self._alias}, key=lambda one: one.number)
        found = hits[0] if hits else self._alike(sighting.work, ids)
        if found is None:
            return self._make(sighting, ids) if sighting.announces else None
        for other in hits[1:]:
            self._join(found, other)
        self._see(found, sighting)
        # What is known now, under this title, may show others to be the same.
        while other_one := self._alike(replace(found.work, title=sighting.work.title), found.ids, besides=found):
            self._join(found, other_one)
            found = found.now()
        return found

    def _alike(self, work: Work, ids: Iterable[str], besides: Placed | None = None) -> Placed | None:
        """The oldest paper that is the same by title."""
        titled = (one for one in self._titled.get(_title(work), ()) if one.joined_to is None and one is not besides)
        alike = (one for one in islice(titled, MOST_ALIKE) if same_work(one.work, work, one.ids, ids))
        return min(alike, key=lambda one: one.number, default=None)

    def _make(self, sighting: Sighting, ids: Sequence[str]) -> Placed:
        self._made += 1
        made = Placed(NOT_STORED + self._made, strongest(ids), sighting.work, sighting.seen_at, new=True)
        self._titled[_title(sighting.work)].append(made)
        self._name(made, ids)
        return made

    def _see(self, known: Placed, sighting: Sighting) -> None:
        work = merge(known.work, sighting.work)
        first_seen_at = min(known.first_seen_at, sighting.seen_at)
        key = strongest((known.key, *sighting.ids))
        if (work, first_seen_at, key) != (known.work, known.first_seen_at, known.key):
            known.work, known.first_seen_at, known.key, known.changed = work, first_seen_at, key, True
        self._name(known, sighting.ids)

    def _name(self, known: Placed, ids: Iterable[str]) -> None:
        for id_ in ids:
            known.ids.add(id_)
            if id_ not in self._alias:
                self._alias[id_] = known
                self._named.append((id_, known))

    def _join(self, one: Placed, other: Placed) -> None:
        survivor, loser = sorted((one, other), key=lambda paper: paper.number)
        survivor.work = merge(survivor.work, loser.work)
        survivor.first_seen_at = min(survivor.first_seen_at, loser.first_seen_at)
        survivor.key = strongest((survivor.key, loser.key))
        survivor.ids |= loser.ids
        survivor.changed = True
        loser.joined_to = survivor
        if not loser.new:
            self._joined.append((survivor.number, loser.number))

    def save(self) -> None:
        """Write down what was placed; papers that were not stored get their numbers."""
        for survivor, loser in self._joined:
            join(self._connection, survivor, loser)
        placed = list(dict.fromkeys(one for papers in self._titled.values() for one in papers if one.joined_to is None))
        new = {one.key: one for one in placed if one.new}
        if new:
            rows = [_row(one) | {"normalised_title": _title(one.work)} for one in new.values()]
            for row in self._connection.execute(insert(paper).returning(paper.c.id, paper.c.key), rows):
                new[row.key].number = row.id
        changed = [_row(one) | {"number": one.number} for one in placed if one.changed and not one.new]
        if changed:
            self._connection.execute(update(paper).where(paper.c.id == bindparam("number")), changed)
        insert_new(self._connection, paper_alias, [{"alias": id_, "paper_id": one.now().number} for id_, one in self._named])


def join(connection: Connection, survivor: int, loser: int) -> None:
    """Two rows turned out to be one paper: everything of `loser` becomes `survivor`'s, and `loser` one of its former ids."""
    connection.execute(update(paper_alias).where(paper_alias.c.paper_id == loser).values(paper_id=survivor))
    for table in (reading, lookup):
        columns = [column.name for column in table.c]
        moving = [literal(survivor) if name == "paper_id" else table.c[name] for name in columns]
        insert_new_from(connection, table, columns, select(*moving).where(table.c.paper_id == loser))
        connection.execute(delete(table).where(table.c.paper_id == loser))
    decided = connection.execute(select(*DECISIONS).where(paper.c.id == loser)).one()
    for column, decided_at in zip(DECISIONS, decided, strict=True):
        undecided = (paper.c.id == survivor) & column.is_(None)
        connection.execute(update(paper).where(undecided).values({column: decided_at}))
    # Its key is the survivor's to take.
    retired = {"merged_into": survivor, "key": f"merged:{loser}"}
    connection.execute(update(paper).where(paper.c.id == loser).values(retired))
    connection.execute(update(paper).where(paper.c.merged_into == loser).values(merged_into=survivor))


def _row(one: Placed) -> dict[str, Any]:
    return work_to_row(one.work) | {"key": one.key, "first_seen_at": one.first_seen_at}


def _ids(sighting: Sighting) -> tuple[str, ...]:
    """The ids that a sighting is known by: its own or, where it has none, the one that its title makes."""
    return sighting.ids or (title_key(sighting.work)[:MAX_KEY],)


def _title(work: Work) -> str:
    return normalised_title(work.title)[:MAX_KEY]
