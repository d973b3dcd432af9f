"""The kinds of columns that SQLAlchemy does not bring; and rows as the driver gives them, where there is one for every mail."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Integer, Select, TypeDecorator
from sqlalchemy.sql.dml import ReturningUpdate

# SQLite numbers rows by itself only in a column of exactly this type.
Id = BigInteger().with_variant(Integer, "sqlite")
NONE: Mapping[str, Any] = MappingProxyType({})


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. A time without a zone is refused, whatever the database would make of it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def plain_rows(
    connection: Connection, query: Select[Any] | ReturningUpdate[Any], parameters: Mapping[str, Any] = NONE
) -> list[tuple[Any, ...]]:
    """The rows of a query as the driver gives them, in a quarter of the time: numbers and texts are what they are, and what an
    instant is `Moments` tells."""
    with connection.execute(query, parameters) as result:
        assert result.cursor is not None, "this query has no rows"
        return list(result.cursor.fetchall())


class Moments(dict[Any, Any]):
    """The moments (or None) that a driver's own values of an `Instant` are. Many rows share few: each is made out once."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__({None: None})
        made_out = Instant().dialect_impl(dialect).result_processor(dialect, None)
        assert made_out is not None, "an instant is more than what a driver gives"
        self._made_out = made_out

    def __missing__(self, value: Any) -> Any:
        moment = self[value] = self._made_out(value)
        return moment
