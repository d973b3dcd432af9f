from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.arxiv.calendar import (
    NO_MAILING,
    SLACK,
    ZONE,
    feeds_due,
    is_due,
    may_be_missed,
    next_due,
    submitted_since,
    today,
)

NO_MAIL = frozenset(map(date.fromisoformat, NO_MAILING))
MONDAY, TUESDAY, FRIDAY = date(2026, 4, 27), date(2026, 4, 28), date(2026, 4, 24)
SATURDAY, SUNDAY = date(2026, 4, 25), date(2026, 4, 26)

DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))
INSTANTS = st.integers(0, 4 * 365 * 86_400).map(lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def eastern(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def test_the_feed_of_a_day_is_due_an_hour_after_midnight_eastern_time() -> None:
    assert feeds_due(MONDAY, eastern(TUESDAY, 0, 59), NO_MAIL) == []
    assert feeds_due(MONDAY, eastern(TUESDAY, 1), NO_MAIL) == [TUESDAY]


def test_mondays_feed_is_due_on_monday_and_none_is_at_the_weekend() -> None:
    assert feeds_due(FRIDAY, eastern(SATURDAY, 12), NO_MAIL) == []
    assert feeds_due(FRIDAY, eastern(SUNDAY, 23, 59), NO_MAIL) == []
    assert feeds_due(FRIDAY, eastern(MONDAY, 1), NO_MAIL) == [MONDAY]


def test_all_feeds_since_the_last_that_was_taken_are_due() -> None:
    assert feeds_due(date(2026, 4, 22), eastern(TUESDAY, 9), NO_MAIL) == [date(2026, 4, 23), FRIDAY, MONDAY, TUESDAY]


def test_to_whom_nothing_was_taken_yet_the_latest_alone_is_due() -> None:
    assert feeds_due(None, eastern(SUNDAY, 9), NO_MAIL) == [FRIDAY]


@pytest.mark.parametrize("day", sorted(NO_MAIL))
def test_nothing_is_due_on_a_day_without_mailing_nor_on_the_day_after(day: date) -> None:
    assert not is_due(day, NO_MAIL)
    assert not is_due(day + timedelta(days=1), NO_MAIL)


def test_thanksgiving_makes_no_alarm_and_the_monday_after_is_due() -> None:
    wednesday, monday = date(2026, 11, 25), date(2026, 11, 30)
    assert feeds_due(wednesday, eastern(date(2026, 11, 28), 12), NO_MAIL) == []
    assert feeds_due(wednesday, eastern(monday, 2), NO_MAIL) == [monday]


def test_the_days_are_the_operators_to_say() -> None:
    assert feeds_due(FRIDAY, eastern(MONDAY, 12), {MONDAY}) == []
    assert feeds_due(FRIDAY, eastern(TUESDAY, 12), {MONDAY}) == []


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # In summer time 05:00 UTC is one o'clock, in winter 06:00 UTC; clocks change on 2026-03-08 and 2026-11-01, Sundays.
        (datetime(2026, 3, 6, 5, 59, tzinfo=UTC), date(2026, 3, 5)),
        (datetime(2026, 3, 6, 6, 0, tzinfo=UTC), date(2026, 3, 6)),
        (datetime(2026, 3, 9, 4, 59, tzinfo=UTC), date(2026, 3, 6)),
        (datetime(2026, 3, 9, 5, 0, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2026, 11, 2, 5, 59, tzinfo=UTC), date(2026, 10, 30)),
        (datetime(2026, 11, 2, 6, 0, tzinfo=UTC), date(2026, 11, 2)),
    ],
)
def test_the_hour_follows_daylight_saving(now: datetime, due: date) -> None:
    assert feeds_due(None, now, NO_MAIL) == [due]


def test_the_next_feed_is_that_of_the_next_day_with_one() -> None:
    assert next_due(eastern(FRIDAY, 12), NO_MAIL) == MONDAY
    assert next_due(eastern(MONDAY, 0, 30), NO_MAIL) == MONDAY
    assert next_due(eastern(MONDAY, 1), NO_MAIL) == TUESDAY
    assert next_due(eastern(date(2026, 12, 30), 12), NO_MAIL) == date(2027, 1, 4)


def test_who_writes_every_day_into_the_list_waits_for_nothing() -> None:
    always = {MONDAY + timedelta(days=number) for number in range(-60, 60)}
    assert feeds_due(None, eastern(MONDAY, 12), always) == []
    assert next_due(eastern(MONDAY, 12), always) is None


def test_a_weekend_between_two_days_hides_no_feed() -> None:
    assert not may_be_missed(FRIDAY, MONDAY)
    assert not may_be_missed(MONDAY, TUESDAY)
    assert may_be_missed(FRIDAY, TUESDAY)


def test_a_day_without_mailing_may_hide_one_nevertheless() -> None:
    assert may_be_missed(date(2026, 11, 25), date(2026, 11, 27))


@pytest.mark.parametrize(("day", "first"), [(0, (23, 18)), (1, (24, 18)), (2, (27, 18)), (3, (28, 18)), (4, (29, 18))])
def test_papers_of_a_feed_were_submitted_since_the_deadline_before_last(day: int, first: tuple[int, int]) -> None:
    since = submitted_since(MONDAY + timedelta(days=day)).astimezone(UTC)
    assert (since.day, since.hour) == first


@given(DAYS, INSTANTS)
def test_what_is_due_is_in_order_later_than_what_was_taken_and_not_of_the_future(after: date, now: datetime) -> None:
    due = feeds_due(after, now, NO_MAIL)
    assert all(one < other for one, other in pairwise(due))
    assert all(after < day <= today(now) and day.weekday() < 5 for day in due)
    assert feeds_due(today(now), now, NO_MAIL) == []


@given(INSTANTS)
def test_what_was_not_due_becomes_due_exactly_at_its_time(now: datetime) -> None:
    day = next_due(now, NO_MAIL)
    assert day is not None
    moment = eastern(day, 0) + SLACK
    assert now < moment
    assert feeds_due(day - timedelta(days=1), moment - timedelta(seconds=1), NO_MAIL) == []
    assert feeds_due(day - timedelta(days=1), moment, NO_MAIL) == [day]


@given(DAYS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_waiting_takes_nothing_off_what_is_due(after: date, now: datetime, later: timedelta) -> None:
    due = feeds_due(after, now, NO_MAIL)
    assert feeds_due(after, now + later, NO_MAIL)[: len(due)] == due
