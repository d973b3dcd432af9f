"""Whether the program does what it is there for."""

from datetime import UTC, date, datetime, time

import pytest

from digest.edition.calendar import Schedule
from digest.flows.health import Health, judge
from digest.store.schema import HEAD

SUNDAY = date(2026, 11, 22)
SATURDAY = date(2026, 11, 21)
EVERY_MORNING = Schedule("UTC", time(6))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=UTC)


def judged(now: datetime, newest: date | None, schema: str | None = HEAD) -> Health:
    return judge(EVERY_MORNING, now, schema, newest)


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (at(5), SATURDAY),
        (at(6, 59), SATURDAY),  # its sources may be answering still
        (at(7), SUNDAY),
        (at(23), SUNDAY),
        (at(5), None),  # a new site waits for its first hour
        (at(6, 59), None),
        (at(5), SUNDAY),  # frozen early, by hand
    ],
)
def test_the_program_is_ready_when_the_edition_that_is_due_is_there(now: datetime, newest: date | None) -> None:
    assert judged(now, newest).ready


@pytest.mark.parametrize(
    ("now", "newest", "says"),
    [
        (at(7), SATURDAY, "the edition of 2026-11-22 was due at 2026-11-22 06:00Z, the newest is of 2026-11-21"),
        (at(7), None, "the edition of 2026-11-22 was due at 2026-11-22 06:00Z, the newest is none"),
        (at(5), date(2026, 11, 20), "the edition of 2026-11-21 was due at 2026-11-21 06:00Z, the newest is of 2026-11-20"),
    ],
)
def test_it_is_not_when_an_edition_is_late(now: datetime, newest: date | None, says: str) -> None:
    found = judged(now, newest)
    assert not found.ready
    assert found.checks == {"database": "", "schema": "", "edition": says}


@pytest.mark.parametrize("schema", [None, "0001", "9999"])
def test_it_is_not_with_another_schema(schema: str | None) -> None:
    found = judged(at(8), SUNDAY, schema)
    assert not found.ready
    assert found.checks["schema"] == f"it has schema {schema}, this program needs {HEAD}"
