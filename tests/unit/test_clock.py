from datetime import UTC, datetime, timedelta

from digest.clock import SteppedClock, SystemClock

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
