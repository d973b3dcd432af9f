from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.edition.calendar import Schedule, due_times, instant, latest_due, next_due, reads_on
from digest.subscribers.model import Preferences, zone_names

MINUTE = timedelta(minutes=1)
MODEST = settings(max_examples=60, derandomize=True, deadline=None)

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "Europe/Dublin",
        "America/New_York",
        "America/St_Johns",
        "America/Santiago",
        "America/Sao_Paulo",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "Asia/Gaza",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Pacific/Kiritimati",
    ]
)
HOURS = st.times().map(lambda at: at.replace(second=0, microsecond=0))
INSTANTS = st.datetimes(datetime(2009, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - they get a zone
READERS = st.builds(
    Preferences,
    zone=ZONES,
    hour=HOURS,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    cadence=st.sampled_from(["daily", "weekly"]),
)
SCHEDULES = st.builds(Schedule, zone=ZONES, publish_at=HOURS, weekly_on=st.integers(0, 6))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock_in(zone: ZoneInfo, at: datetime) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def first_minute_showing(target: datetime, zone: ZoneInfo) -> datetime:
    """The first minute at which a wall clock shows `target` or, where it jumps over it, something later: by looking at each."""
    around = [(target + timedelta(days=days)).replace(tzinfo=UTC).astimezone(zone).utcoffset() for days in (-2, 2)]
    offsets = [offset for offset in around if offset is not None]
    at = (target - max(offsets)).replace(tzinfo=UTC, second=0) - MINUTE
    while clock_in(zone, at) < target:
        at += MINUTE
    return at


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The instants of a year, to the minute, at which clocks are changed."""
    found = []
    for day in range(366):
        low = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day)
        high = low + timedelta(days=1)
        before = low.astimezone(zone).utcoffset()
        if before == high.astimezone(zone).utcoffset():
            continue
        while high - low > MINUTE:
            middle = low + MINUTE * ((high - low) // MINUTE // 2)
            low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
        found.append(high)
    return found


def test_on_both_days_of_every_zones_change_an_hour_is_the_first_minute_that_the_clock_shows() -> None:
    looked_at = set()
    for name in sorted(zone_names()):
        zone = ZoneInfo(name)
        for change in changes(zone, 2026):
            wall = clock_in(zone, change)
            if (change, wall) in looked_at:
                continue
            looked_at.add((change, wall))
            for minutes in (-121, -60, -31, -30, -29, -1, 0, 1, 30, 59, 60, 119):
                target = wall + minutes * MINUTE
                assert instant(target.date(), target.time(), name) == first_minute_showing(target, zone), (name, target)
    assert len(looked_at) > 30


@pytest.mark.parametrize(
    ("zone", "on", "at", "expected"),
    [
        # The clock jumps over it: the first valid minute after the jump, whatever the length of the jump.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59"),
        ("America/New_York", "2026-03-08", "02:01", "2026-03-08T07:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30"),
        ("Antarctica/Troll", "2026-03-29", "02:30", "2026-03-29T01:00"),
        ("America/St_Johns", "1988-04-03", "01:30", "1988-04-03T03:31"),
        # Midnight itself does not exist.
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00"),
        ("America/Santiago", "2026-09-06", "00:30", "2026-09-06T04:00"),
        # It comes twice: the first time.
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("America/New_York", "2026-11-01", "01:00", "2026-11-01T05:00"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
        # Summer time that is the standard, and winter time that is the exception.
        ("Europe/Dublin", "2026-10-25", "01:30", "2026-10-25T00:30"),
        # The whole date does not exist: Samoa went from the 29th to the 31st, Kwajalein from the 20th to the 22nd.
        ("Pacific/Apia", "2011-12-30", "08:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-29", "08:00", "2011-12-29T18:00"),
        ("Pacific/Apia", "2011-12-31", "08:00", "2011-12-30T18:00"),
        ("Pacific/Kwajalein", "1993-08-21", "23:59", "1993-08-21T12:00"),
        ("Asia/Kathmandu", "2026-11-22", "08:00", "2026-11-22T02:15"),
    ],
)
def test_a_local_time_is_this_instant(zone: str, on: str, at: str, expected: str) -> None:
    assert instant(date.fromisoformat(on), time.fromisoformat(at), zone) == utc(expected)


def test_every_day_of_two_years_is_the_first_minute_that_the_clock_shows() -> None:
    for name, at in [("Europe/London", time(1, 30)), ("America/Sao_Paulo", time(0)), ("Africa/Casablanca", time(2, 59))]:
        zone = ZoneInfo(name)
        for day in range(730):
            on = date(2025, 3, 1) + timedelta(days=day)
            assert instant(on, at, name) == first_minute_showing(datetime.combine(on, at), zone)


def test_seconds_of_an_hour_do_not_count() -> None:
    assert instant(date(2026, 11, 22), time(8, 0, 59, 999999, fold=1), "UTC") == utc("2026-11-22T08:00")


@MODEST
@given(READERS, INSTANTS)
def test_due_times_are_after_the_start_and_strictly_increasing_and_on_the_readers_days(
    reader: Preferences, after: datetime
) -> None:
    assert reader.hour is not None
    due = list(islice(due_times(reader, after), 20))
    assert all(one < other for one, other in pairwise([after, *due]))
    for at in due:
        # The day before, too: an hour that does not exist may end up on the next date.
        on = at.astimezone(ZoneInfo(reader.zone)).date()
        days = [day for day in (on - timedelta(days=1), on) if instant(day, reader.hour, reader.zone) == at]
        assert any(day.weekday() in reader.days for day in days)


@MODEST
@given(READERS, INSTANTS)
def test_no_due_time_is_passed_over(reader: Preferences, after: datetime) -> None:
    assert reader.hour is not None
    first = next_due(reader, after)
    assert first is not None
    zone = ZoneInfo(reader.zone)
    days = [after.astimezone(zone).date() + timedelta(days=n) for n in range(-2, 10)]
    expected = min(at for on in days if on.weekday() in reader.days and (at := instant(on, reader.hour, reader.zone)) > after)
    assert first == expected
    assert first - after <= timedelta(days=8)


@MODEST
@given(READERS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_the_latest_due_time_is_the_last_one_that_is_not_in_the_future(
    reader: Preferences, start: datetime, later: timedelta
) -> None:
    first = next_due(reader, start)
    assert first is not None
    now = first + later
    latest = latest_due(reader, first, now)
    assert first <= latest <= now
    following = next_due(reader, latest)
    assert following is not None
    assert following > now
    assert following == next_due(reader, now)


def test_a_reader_without_an_hour_or_without_a_day_has_no_due_time() -> None:
    now = utc("2026-11-22T12:00")
    assert next_due(Preferences(hour=None), now) is None
    assert next_due(Preferences(hour=time(8), days=frozenset()), now) is None
    assert latest_due(Preferences(hour=None), now, now + timedelta(days=3)) == now


def test_a_due_time_is_not_its_own_next_one() -> None:
    reader = Preferences(zone="Europe/Berlin", hour=time(8))
    due = utc("2026-11-22T07:00")
    assert next_due(reader, due - timedelta(microseconds=1)) == due
    assert next_due(reader, due) == utc("2026-11-23T07:00")


def test_an_hour_stays_the_hour_on_the_clock_through_both_changes() -> None:
    reader = Preferences(zone="Europe/Berlin", hour=time(8))
    spring = list(islice(due_times(reader, utc("2026-03-28T00:00")), 3))
    autumn = list(islice(due_times(reader, utc("2026-10-24T00:00")), 3))
    assert spring == [utc("2026-03-28T07:00"), utc("2026-03-29T06:00"), utc("2026-03-30T06:00")]
    assert autumn == [utc("2026-10-24T06:00"), utc("2026-10-25T07:00"), utc("2026-10-26T07:00")]


def test_an_hour_that_comes_twice_is_due_once() -> None:
    reader = Preferences(zone="Europe/Berlin", hour=time(2, 30))
    due = list(islice(due_times(reader, utc("2026-10-24T12:00")), 2))
    assert due == [utc("2026-10-25T00:30"), utc("2026-10-26T01:30")]


def test_an_hour_that_does_not_exist_is_due_all_the_same() -> None:
    reader = Preferences(zone="Europe/Berlin", hour=time(2, 30))
    due = list(islice(due_times(reader, utc("2026-03-28T12:00")), 2))
    assert due == [utc("2026-03-29T01:00"), utc("2026-03-30T00:30")]


@MODEST
@given(SCHEDULES, INSTANTS, st.sampled_from(["daily", "weekly"]))
def test_a_due_time_belongs_to_the_last_edition_scheduled_at_or_before_it(
    schedule: Schedule, at: datetime, cadence: str
) -> None:
    on = schedule.edition_for(at, cadence)  # type: ignore[arg-type]
    assert schedule.appears(on, cadence)  # type: ignore[arg-type]
    assert schedule.freezing_of(on) <= at
    later = [on + timedelta(days=n) for n in range(1, 9)]
    assert all(schedule.freezing_of(day) > at for day in later if schedule.appears(day, cadence))  # type: ignore[arg-type]


def test_a_due_time_at_the_moment_of_freezing_belongs_to_that_edition() -> None:
    schedule = Schedule(zone="Europe/Berlin", publish_at=time(6))
    assert schedule.edition_for(utc("2026-11-22T05:00"), "daily") == date(2026, 11, 22)
    assert schedule.edition_for(utc("2026-11-22T04:59"), "daily") == date(2026, 11, 21)


def test_a_weekly_due_time_belongs_to_the_last_weekly_edition() -> None:
    schedule = Schedule(publish_at=time(6), weekly_on=0)
    assert schedule.edition_for(utc("2026-11-23T06:00"), "weekly") == date(2026, 11, 23)
    assert schedule.edition_for(utc("2026-11-23T05:59"), "weekly") == date(2026, 11, 16)
    assert schedule.edition_for(utc("2026-11-29T23:59"), "weekly") == date(2026, 11, 23)


def test_the_date_of_an_edition_is_that_of_the_place_where_editions_are_made() -> None:
    tonga = Schedule(zone="Pacific/Tongatapu", publish_at=time(6))
    assert tonga.date_at(utc("2026-11-22T12:00")) == date(2026, 11, 23)
    assert tonga.freezing_of(date(2026, 11, 23)) == utc("2026-11-22T17:00")


def test_nothing_is_due_to_be_frozen_before_its_time_and_it_stays_due_for_the_rest_of_the_date() -> None:
    schedule = Schedule(publish_at=time(6), weekly_on=6)
    sunday = date(2026, 11, 22)
    assert schedule.due_editions(utc("2026-11-22T05:59:59")) == []
    assert schedule.due_editions(utc("2026-11-22T06:00")) == [(sunday, "daily"), (sunday, "weekly")]
    assert schedule.due_editions(utc("2026-11-22T23:59:59")) == [(sunday, "daily"), (sunday, "weekly")]
    assert schedule.due_editions(utc("2026-11-23T06:00")) == [(date(2026, 11, 23), "daily")]


@MODEST
@given(SCHEDULES, INSTANTS)
def test_the_next_freezing_is_in_the_future_and_none_lies_between(schedule: Schedule, now: datetime) -> None:
    coming = schedule.next_freezing(now)
    assert coming > now
    today = schedule.date_at(now)
    others = [schedule.freezing_of(today + timedelta(days=n)) for n in range(-2, 4)]
    assert not [at for at in others if now < at < coming]


def test_who_has_turned_the_clock_back_over_midnight_still_finds_the_next_freezing() -> None:
    newfoundland = Schedule(zone="America/St_Johns", publish_at=time(0))
    assert newfoundland.freezing_of(date(2010, 11, 7)) == utc("2010-11-07T02:30")
    again_the_sixth = utc("2010-11-07T03:00")
    assert newfoundland.date_at(again_the_sixth) == date(2010, 11, 6)
    assert newfoundland.next_freezing(again_the_sixth) == utc("2010-11-08T03:30")


def test_a_daily_reader_reads_on_his_days_and_a_weekly_one_whenever_the_edition_appears() -> None:
    sunday = date(2026, 11, 22)
    weekdays = frozenset(range(5))
    assert not reads_on(Preferences(days=weekdays), sunday)
    assert reads_on(Preferences(days=weekdays), date(2026, 11, 23))
    assert reads_on(Preferences(days=weekdays, cadence="weekly"), sunday)
