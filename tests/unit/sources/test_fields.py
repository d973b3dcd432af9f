from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.fields import Unusable, read_day, read_instant

NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-22T21:00:00Z", datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ("2026-11-22t21:00:00z", datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ("2026-11-22T21:00Z", datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ("2026-11-22T21:00:00.500Z", datetime(2026, 11, 22, 21, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T21:00:00.123456789Z", datetime(2026, 11, 22, 21, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-22T21:00:00+05:30", datetime(2026, 11, 22, 15, 30, tzinfo=UTC)),
        ("2026-11-22 21:00:00 +0100", datetime(2026, 11, 22, 20, tzinfo=UTC)),
        ("2026-11-22 21:00:00 UTC", datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ("2026-11-22 21:00", datetime(2026, 11, 22, 21, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        (" 2026-1-5 ", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-1-5T9:5", datetime(2026, 1, 5, 9, 5, tzinfo=UTC)),
        ("1900-01-01", datetime(1900, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_its_zone_and_without_its_zeros(written: str, instant: datetime) -> None:
    assert read_instant("at", written, NOW) == instant


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2026-11-22T21:00:00+99:00", "written like"),
        ("2026-11-22T21:00:00 Mars", "written like"),
        ("2026-11-22T99:00", "written like"),
        ("2026-02-30", "written like"),
        ("2026-13-1", "written like"),
        ("2026-0-0", "written like"),
        ("0000-01-01", "written like"),
        ("0001-01-01T00:00:00+14:00", "written like"),
        ("yesterday", "written like"),
        ("", "written like"),
        (None, "written like"),
        (20261122, "written like"),
        (["2026-11-22"], "written like"),
        ("0001-01-01T00:00:00", "before 1900"),
        ("2026-11-22T23:00:01Z", "in the future"),
        ("9999-12-31", "in the future"),
    ],
)
def test_a_time_that_is_none_is_said_to_be_none(written: object, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        read_instant("at", written, NOW)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-01-05", date(2026, 1, 5)),
        ("2026-1-5", date(2026, 1, 5)),
        (" 2026-11-5 ", date(2026, 11, 5)),
        ("2026-11-22T01:00:00+14:00", date(2026, 11, 22)),
        ("2026-11-22T21:00:00+99:00", date(2026, 11, 22)),
    ],
)
def test_a_day_is_that_of_its_own_zone(written: str, day: date) -> None:
    assert read_day("date", written, NOW.date()) == day


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2026-11-223", "written like"),
        ("2026-11-22x", "written like"),
        ("2026-02-30", "written like"),
        ("0000-01-01", "written like"),
        ("26-11-22", "written like"),
        ("٢٠٢٦-11-22", "written like"),
        ("", "written like"),
        (None, "written like"),
        (20261122, "written like"),
        ("0001-01-01", "before 1900"),
        ("2026-11-23", "in the future"),
    ],
)
def test_a_day_that_is_none_is_said_to_be_none(written: object, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        read_day("date", written, NOW.date())


@given(st.text(max_size=40) | st.text(alphabet="0123456789-T:+Z. ", max_size=40) | st.datetimes().map(str))
def test_any_text_is_a_time_that_has_been_or_unusable(text: str) -> None:
    with suppress(Unusable):
        assert read_instant("at", text, NOW) <= NOW
    with suppress(Unusable):
        assert read_day("date", text, NOW.date()) <= NOW.date()
