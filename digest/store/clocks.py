"""Two clocks: this machine's, and that of the database server, where machines that share one can be compared."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

NEAR = timedelta(seconds=5)
"""How far they may be apart: clocks that are kept right are closer, however far the server is."""


def ahead(connection: Connection, here: Callable[[], datetime]) -> timedelta:
    """How far the clock that `here` shows is ahead of the server's; zero for SQLite, which has none of its own."""
    if connection.dialect.name != "postgresql":
        return timedelta(0)
    before = here()
    there = datetime.fromtimestamp(
        float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()), UTC
    )
    return before + (here() - before) / 2 - there
