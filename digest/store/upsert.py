"""Inserts that a repeat cannot harm, in the words of either database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

Value = TypeVar("Value", int, str)

CHUNK = 500
"""Values of one IN; both databases limit the number of parameters."""


def chunks(values: Collection[Value]) -> Iterator[list[Value]]:
    """Values in order, as many at once as one IN can hold."""
    ordered = sorted(values)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that break no unique key; returns how many there were."""
    if not rows:
        return 0
    # One small statement for many rows: compiling a statement of thousands of parameters takes longer than running it.
    return _inserted(connection, _insert(connection, table), [dict(row) for row in rows])


def insert_new_from(connection: Connection, table: Table, columns: Sequence[str], rows: Select[Any]) -> int:
    """The same with rows that the database finds itself. `rows` must have a WHERE: without one, SQLite would misread it."""
    return _inserted(connection, _insert(connection, table).from_select(list(columns), rows))


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that is there under the same primary key gets the other columns of the new one."""
    if not rows:
        return
    statement = _insert(connection, table)
    key = list(table.primary_key.columns)
    others = {column.name: statement.excluded[column.name] for column in table.c if column not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=others), [dict(row) for row in rows])


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _inserted(
    connection: Connection, statement: postgresql.Insert | sqlite.Insert, rows: list[dict[str, Any]] | None = None
) -> int:
    # SQLAlchemy asks the driver how many rows an INSERT made only when told to.
    counted = {"preserve_rowcount": True}
    return connection.execute(statement.on_conflict_do_nothing(), rows, execution_options=counted).rowcount
