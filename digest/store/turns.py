"""One at a time, whatever process it is: SQLite has a single writer anyhow, PostgreSQL is asked for it."""

import zlib

from sqlalchemy import Connection, func, select


def take_turn(connection: Connection, what: str) -> None:
    """Wait until no other transaction does `what`; it is this transaction's turn until it ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(zlib.crc32(what.encode()))))
