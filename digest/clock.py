"""The one place that reads the time.

Everything else takes the time, or a clock, as an argument, so that any day can be lived again.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from digest.errors import UsageError

if TYPE_CHECKING:
    from pydantic_core.core_schema import CoreSchema

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]{1,6}[dhms])+")
LONGEST = timedelta(days=999_999)
"""From any time of ours, that far ahead is still in the calendar."""


class Clock(Protocol):
    """Tells the time, in UTC."""

    @property
    def began(self) -> datetime:
        """What it showed when it was made: for a command, the moment that it was called at."""
        ...

    def now(self) -> datetime: ...


class SystemClock:
    """The wall clock; with `start`, a clock that shows `start` when made and runs on from there."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._made = time.monotonic()
        self.began = datetime.now(UTC) if start is None else start

    def now(self) -> datetime:
        if self._start is None:
            return datetime.now(UTC)
        return self._start + timedelta(seconds=time.monotonic() - self._made)


class SteppedClock:
    """A clock that stands still until it is told the time: for the demo and for tests."""

    def __init__(self, now: datetime) -> None:
        self._now = self.began = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._now += by


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; one without a zone is taken as UTC.

    Raises:
        UsageError: the text is no such instant.
    """
    try:
        instant = datetime.fromisoformat(text)
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is not a time", fix="write it like 2026-11-22T21:00:00Z") from None


def parse_duration(text: str) -> timedelta:
    """Read a length of time with its units: `90s`, `15m`, `12h`, `14d`, also `1h30m`.

    Raises:
        UsageError: the text is no such length.
    """
    parts = re.findall(r"(\d+)([dhms])", text) if _DURATION.fullmatch(text.strip()) else []
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not parts or seconds > LONGEST.total_seconds():
        raise UsageError(f"{text[:40]!r} is not a length of time", fix="write it with its unit, like 90s, 15m, 12h or 14d")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """The inverse of `parse_duration`, in the largest unit that divides it: `14d`, `90s`."""
    seconds = int(length.total_seconds())
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0 and (seconds or unit == "s"))
    return f"{seconds // _UNITS[unit]}{unit}"


class _DurationText:
    """Teaches pydantic our spelling of lengths; pydantic itself is not imported here, for every command reads the time."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> "CoreSchema":
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            _read_duration, handler(source), serialization=core_schema.plain_serializer_function_ser_schema(format_duration)
        )


def _read_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        # A bare number would be seconds to some and hours to others.
        return parse_duration(str(value))
    except UsageError as error:
        raise ValueError(str(error)) from error


Duration = Annotated[timedelta, _DurationText()]
"""A setting that is a length of time, written with its unit."""
