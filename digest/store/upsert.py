"""Inserts that a repeat cannot harm, in the words of either database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

CHUNK = 500
"""Rows of one statement; both databases limit the number of parameters."""


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that break no unique key; returns how many there were."""
    construct = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    inserted = 0
    for start in range(0, len(rows), CHUNK):
        statement = construct(table).values([dict(row) for row in rows[start : start + CHUNK]]).on_conflict_do_nothing()
        # SQLAlchemy asks the driver how many rows an INSERT made only when told to.
        inserted += connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    return inserted
