"""Reads one field of a JSON object from outside, cleaned and limited, or says in words why it cannot be used."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from digest.clock import parse_instant
from digest.errors import UsageError
from digest.papers.identity import normalised_title
from digest.papers.model import Metric
from digest.papers.text import MAX_TITLE, clean

MAX_COUNT = 10**9
MAX_SUMMARY = 2000
LONGEST_TITLE = 1000
"""Beyond this it is no title; between `MAX_TITLE` and this it is shortened."""


class Unusable(ValueError):
    """A value that is not what it should be; says what is wrong with it."""


def read_json(text: str | bytes, pairs: Callable[[list[tuple[str, object]]], object] | None = None) -> object:
    """One JSON value (RFC 8259): no NaN, no infinity, nothing nested beyond reason.

    Raises:
        Unusable: it is not JSON.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=pairs)
    except RecursionError:
        raise Unusable("nested too deep") from None
    except Unusable:
        raise
    except UnicodeDecodeError:
        raise Unusable("not UTF-8 text") from None
    except ValueError as error:
        raise Unusable(f"not JSON: {clean(str(error), 80)}") from None
    return value


def read_title(value: object) -> str:
    """A title, cleaned. Raises Unusable where none is given, or something that no title can be."""
    if value is None:
        raise Unusable("has no title")
    if not isinstance(value, str):
        raise Unusable("its title is not a text")
    if len(value.strip()) > LONGEST_TITLE:
        raise Unusable(f"its title is {len(value.strip())} characters long")
    title = clean(value, MAX_TITLE)
    # Without a letter or digit, two different titles would be one in the eyes of `digest.papers.identity`.
    if not normalised_title(title):
        raise Unusable("has no title")
    return title


def read_text(entry: Mapping[str, object], key: str, limit: int) -> str:
    """A text, cleaned, at most `limit` characters; empty if absent. Raises Unusable if it is not a text."""
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable(f"`{key}` is not a text")
    return clean(value, limit)


def read_texts(entry: Mapping[str, object], key: str, limit: int, most: int) -> tuple[str, ...]:
    """A list of texts, cleaned, without repeats and empty ones, at most `most`. Raises Unusable if it is anything else."""
    value = entry.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Unusable(f"`{key}` is not a list of texts")
    cleaned = (clean(item, limit) for item in value[: 4 * most])
    return tuple(dict.fromkeys(item for item in cleaned if item))[:most]


def read_count(metric: Metric, value: object) -> int:
    """The value of a reading. A float that is a whole number will do, for so some programs write integers with gaps.

    Raises:
        Unusable: it is no number, is negative (a rank: below 1), or greater than any of our sources can mean.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unusable(f"`{metric}` is not a whole number")
    if not (1 if metric == "rank" else 0) <= value <= MAX_COUNT:
        raise Unusable(f"`{metric}` cannot be that {'small' if value <= 0 else 'great'}")
    return value


def read_instant(key: str, value: object, not_after: datetime) -> datetime:
    """An ISO 8601 time, in UTC where it names no zone. Raises Unusable for another, or one later than `not_after`."""
    if not isinstance(value, str):
        raise Unusable(f"`{key}` is not a time written like 2026-11-22T21:00:00Z")
    try:
        instant = parse_instant(value.strip())
    except UsageError:
        raise Unusable(f"`{key}` is not a time written like 2026-11-22T21:00:00Z") from None
    if instant > not_after:
        raise Unusable(f"`{key}` lies in the future")
    return instant


def _refuse_constant(name: str) -> object:
    raise Unusable(f"not JSON: {name} is no number there")
