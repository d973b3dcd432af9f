from datetime import UTC, datetime, timedelta

import pytest

from digest.clock import LONGEST, SteppedClock, SystemClock, parse_duration
from digest.errors import UsageError

MOMENT = datetime(2026, 3, 2, 6, 0, 0, 123, tzinfo=UTC)


def test_a_clock_knows_to_the_microsecond_where_it_began_however_far_it_has_run() -> None:
    clock = SystemClock(MOMENT)
    while clock.now() == MOMENT:
        pass
    assert clock.began == MOMENT
    assert MOMENT < clock.now() < MOMENT + timedelta(minutes=1)


def test_a_clock_that_shows_the_time_began_when_it_was_made() -> None:
    before = datetime.now(UTC)
    clock = SystemClock()
    assert before <= clock.began <= clock.now()


def test_a_clock_that_is_told_the_time_began_where_it_stood_first() -> None:
    clock = SteppedClock(MOMENT)
    clock.advance(timedelta(days=1))
    assert clock.began == MOMENT


@pytest.mark.parametrize("text", ["", "d", "999999d1s", "999999d" * 2, "999999d" * 1001])
def test_what_leads_out_of_the_calendar_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError, match="is not a length of time"):
        parse_duration(text)
    assert parse_duration("999999d") == LONGEST
    assert datetime(3000, 12, 31, tzinfo=UTC) + LONGEST < datetime.max.replace(tzinfo=UTC)
