"""One of many values, in the words of either database: as one parameter, for a list of hundreds is written anew each time."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, BindParameter, ColumnElement, Connection, String, Text, any_, bindparam, func, select


def one_of(
    connection: Connection, column: ColumnElement[Any], values: Collection[int] | Collection[str]
) -> ColumnElement[bool]:
    """Whether a column of whole numbers or texts has one of any number of values."""
    dialect = connection.dialect.name
    return _one_of(dialect, column, bindparam(None, given(connection, values), type_=_kind(dialect, column)))


def one_of_given(dialect: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same in a statement that is composed once: the values, as `given` writes them, are its parameter `name`."""
    return _one_of(dialect, column, bindparam(name, type_=_kind(dialect, column)))


def given(connection: Connection, values: Collection[int] | Collection[str]) -> Any:
    """Values as one parameter."""
    return list(values) if connection.dialect.name == "postgresql" else json.dumps(list(values))


def _one_of(dialect: str, column: ColumnElement[Any], values: BindParameter[Any]) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(values)
    return column.in_(select(func.json_each(values).table_valued("value").c.value))


def _kind(dialect: str, column: ColumnElement[Any]) -> Any:
    if dialect == "postgresql":
        return ARRAY(Text() if isinstance(column.type, String) else BigInteger())
    return Text()
