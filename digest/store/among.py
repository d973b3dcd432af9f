"""One of many values, in the words of either database: as one parameter, for a list of hundreds is written anew each time."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, String, Text, any_, bindparam, func, select


def one_of(
    connection: Connection, column: ColumnElement[Any], values: Collection[int] | Collection[str]
) -> ColumnElement[bool]:
    """Whether a column of whole numbers or texts has one of any number of values."""
    given = list(values)
    if connection.dialect.name == "postgresql":
        kind = Text() if isinstance(column.type, String) else BigInteger()
        return column == any_(bindparam(None, given, type_=ARRAY(kind)))
    found = func.json_each(bindparam(None, json.dumps(given), type_=Text())).table_valued("value")
    return column.in_(select(found.c.value))
