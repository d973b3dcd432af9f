"""Moving: all rows of one database into another, empty one: readers, what they have read, who is suppressed, what waits."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Any

from sqlalchemy import JSON, Connection, Table, func, insert, select, text, update

from digest.errors import NotPermitted, UsageError
from digest.store import ledger
from digest.store.engine import Store, sqlite_path
from digest.store.presence import alone
from digest.store.schema import metadata, paper

ROWS_AT_ONCE = 1000
_TABLES = metadata.sorted_tables


def move(origin: str, target: str, progress: Callable[[int, int], None] = lambda _done, _whole: None) -> dict[str, int]:
    """Copy every row, all or nothing; returns how many of each table. What the origin holds stays as it is.

    Raises:
        UsageError: both are the same.
        Busy: another process has the origin open.
        NotPermitted: the target holds rows already, or mails of the origin are under way.
    """
    if origin == target:
        raise UsageError("that is the database in use", fix="name another one")
    with ExitStack() as held:
        if path := sqlite_path(origin):
            held.enter_context(alone(path))
        source, sink = (held.enter_context(closing(Store.open(url))) for url in (origin, target))
        # The origin's lock comes first, and nobody writes into what is being read.
        with source.write() as reading, sink.write() as writing:
            _refuse(reading, writing)
            whole = sum(_count(reading, table) for table in _TABLES)
            moved: dict[str, int] = {}
            for table in _TABLES:
                moved[table.name] = 0
                for rows in _rows(reading, table):
                    for alike in _by_absence(rows, table):
                        writing.execute(insert(table), alike)
                    moved[table.name] += len(rows)
                    progress(sum(moved.values()), whole)
                _count_on(writing, table)
            _join(reading, writing)
        return moved


def _refuse(reading: Connection, writing: Connection) -> None:
    for table in _TABLES:
        if _count(writing, table):
            raise NotPermitted(
                f"the other database has rows in its table {table.name} already", fix="move into one that is new or empty"
            )
    under_way = sum(number for state, number in ledger.waiting(reading).items() if state in ("claimed", "submitting"))
    if under_way:
        raise NotPermitted(f"{under_way} mails are under way", fix="stop daemon, cron and workers, then call: digest deliver")


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    found = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table).order_by(*table.primary_key))
    for part in found.mappings().partitions():
        # A paper may be merged into one that is not there yet.
        yield [{**row, "merged_into": None} if table is paper else dict(row) for row in part]


def _by_absence(rows: list[dict[str, Any]], table: Table) -> Iterable[list[dict[str, Any]]]:
    """The rows, with those together that lack the same JSON: an absent column is NULL, and None would become JSON's `null`."""
    json = {column.name for column in table.c if isinstance(column.type, JSON) and column.nullable}
    if not json:
        return [rows]
    alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        absent = frozenset(name for name in json if row[name] is None)
        alike[absent].append({name: value for name, value in row.items() if name not in absent})
    return alike.values()


def _join(reading: Connection, writing: Connection) -> None:
    """Merge the papers that were."""
    merged = select(paper.c.id, paper.c.merged_into).where(paper.c.merged_into.is_not(None))
    for number, into in reading.execute(merged).all():
        writing.execute(update(paper).where(paper.c.id == number).values(merged_into=into))


def _count_on(connection: Connection, table: Table) -> None:
    """New rows get numbers after the last one; SQLite sees to that by itself."""
    if connection.dialect.name == "postgresql" and "id" in table.c:
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}).scalar()
        last = connection.execute(select(func.max(table.c.id))).scalar()
        if sequence and last:
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": sequence, "last": last})
