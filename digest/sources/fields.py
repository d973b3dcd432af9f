"""Reads one field of a JSON object from outside, cleaned and limited.

`read_…` says in words why a value cannot be used. `…_at` makes do without it, for what an entry need not have.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from digest.clock import parse_instant
from digest.errors import BadInput, UsageError
from digest.papers.identity import normalised_title
from digest.papers.model import Metric, Reading
from digest.papers.text import MAX_TITLE, clean

MAX_COUNT = 10**9
MAX_SUMMARY = 2000
LONGEST_NUMBER = 100
"""Digits."""
LONGEST_TITLE = 1000
"""Beyond this it is no title; between `MAX_TITLE` and this it is shortened."""
EARLIEST = 1900
"""A year before it is a program's way to say that it knows none."""
# Some servers write 2026-1-5 and 9:05 (bioRxiv), or have a blank before the zone.
_UNPADDED = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:[Tt ] ?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?P<rest>(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?) ?(?P<zone>[^ ]{0,9}))?"
)


class Unusable(ValueError):
    """A value that is not what it should be; says what is wrong with it."""


def read_json(text: str | bytes, pairs: Callable[[list[tuple[str, object]]], object] | None = None) -> object:
    """One JSON value (RFC 8259): no NaN, no infinity, nothing nested beyond reason.

    Raises:
        Unusable: it is not JSON.
    """
    return _read(text, parse_constant=_refuse_constant, object_pairs_hook=pairs)


def read_answer(raw: str | bytes, *, fix: str = "") -> object:
    """The JSON of a whole answer, taken as it comes: a character or number in it that JSON does not have costs its own field
    and not the answer. Raises BadInput, with `fix`, where it is none."""
    text = raw if isinstance(raw, str) else raw.decode(json.detect_encoding(raw), "replace")
    try:
        return _read(text, strict=False, parse_int=_whole_number)
    except Unusable as error:
        page = text.lstrip().startswith("<")
        raise BadInput("this is a web page, not JSON" if page else str(error), fix=fix) from None


def _read(text: str | bytes, **how: Any) -> object:
    try:
        value: object = json.loads(text, **how)
    except RecursionError:
        raise Unusable("nested too deep") from None
    except Unusable:
        raise
    except UnicodeDecodeError:
        raise Unusable("not UTF-8 text") from None
    except ValueError as error:
        raise Unusable(f"not JSON: {clean(str(error), 80)}") from None
    return value


def _whole_number(digits: str) -> float:
    """One that is longer than any count is as good as infinite; to reckon it would take long, and Python refuses."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else float("inf")


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


def object_at(entry: Mapping[str, object], key: str) -> Mapping[str, object]:
    """An object within an object; an empty one where there is none, or something else."""
    value = entry.get(key)
    return value if isinstance(value, dict) else {}


def text_at(entry: Mapping[str, object], key: str, limit: int) -> str:
    """A text, cleaned, at most `limit` characters; empty where there is none, or something else."""
    value = entry.get(key)
    return clean(value, limit) if isinstance(value, str) else ""


def reading_at(
    entry: Mapping[str, object], key: str, source: str, metric: Metric, seen_at: datetime, left_out: list[str]
) -> tuple[Reading, ...]:
    """The count that stands under a key, or nothing: one that is missing is not zero, and one that cannot be used is named in
    `left_out`."""
    if (value := entry.get(key)) is None:
        return ()
    try:
        return (Reading(source, metric, read_count(metric, value), seen_at),)
    except Unusable as error:
        left_out.append(f"{error}; left out")
        return ()


def instant_at(entry: Mapping[str, object], key: str, seen_at: datetime, left_out: list[str]) -> datetime | None:
    """The time that stands under a key, or None; one that cannot be used is named in `left_out`.

    It may lie a day after `seen_at`, for dates have no zone.
    """
    if (value := entry.get(key)) is None:
        return None
    try:
        return read_instant(key, value, not_after=seen_at + timedelta(days=1))
    except Unusable as error:
        left_out.append(f"{error}; left out")
        return None


def read_instant(key: str, value: object, not_after: datetime) -> datetime:
    """An ISO 8601 time, in UTC where it names no zone; month, day and hour may lack their leading zero.

    Raises:
        Unusable: it is none, is later than `not_after`, or before any paper.
    """
    if not isinstance(value, str):
        raise Unusable(f"`{key}` is not a time written like 2026-11-22T21:00:00Z")
    try:
        instant = parse_instant(_padded(value.strip()))
    except UsageError:
        raise Unusable(f"`{key}` is not a time written like 2026-11-22T21:00:00Z") from None
    if instant > not_after:
        raise Unusable(f"`{key}` lies in the future")
    if instant.year < EARLIEST:
        raise Unusable(f"`{key}` lies before {EARLIEST}")
    return instant


def read_day(key: str, value: object, not_after: date) -> date:
    """An ISO 8601 day, or the day of a time as its zone has it. Raises Unusable as `read_instant`."""
    found = _UNPADDED.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"])) if found else None
    except ValueError:
        day = None
    if not day:
        raise Unusable(f"`{key}` is not a day written like 2026-11-22")
    if day > not_after:
        raise Unusable(f"`{key}` lies in the future")
    if day.year < EARLIEST:
        raise Unusable(f"`{key}` lies before {EARLIEST}")
    return day


def _padded(text: str) -> str:
    found = _UNPADDED.fullmatch(text)
    if not found:
        return text
    day = f"{found['year']}-{found['month']:0>2}-{found['day']:0>2}"
    if found["hour"] is None:
        return day
    zone = "Z" if found["zone"].upper() in ("Z", "UTC", "GMT") else found["zone"]
    return f"{day}T{found['hour']:0>2}:{found['minute']:0>2}{found['rest']}{zone}"


def _refuse_constant(name: str) -> object:
    raise Unusable(f"not JSON: {name} is no number there")
