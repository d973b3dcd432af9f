"""When to ask again, told from what a server said."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.web.waiting import LONGEST_WAIT, left_alone_for, wait_before_next

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


def http_date(at: datetime) -> str:
    return at.strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599, None])
def test_what_may_pass_is_asked_again_after_ever_longer_waits(status: int | None) -> None:
    assert [wait_before_next(status, {}, attempt, NOW) for attempt in (1, 2, 3)] == [2.0, 4.0, 8.0]


@pytest.mark.parametrize("status", [101, 200, 204, 304, 400, 401, 403, 404, 410, 418, 451, 600, 999])
def test_what_will_not_change_is_not_asked_again(status: int) -> None:
    assert wait_before_next(status, {}, 1, NOW) is None


@pytest.mark.parametrize("status", [403, 408, 425, 429, 500, 503])
@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7),
        ("0", 0),
        ("3600", 3600),
        ("86400", 86400),
        ("99999999", LONGEST_WAIT),
        (http_date(NOW + timedelta(seconds=30)), 30),
        (http_date(NOW - timedelta(days=30)), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Monday, 02-Mar-26 06:00:30 GMT", 30),
    ],
)
def test_retry_after_is_read_in_both_forms(status: int, value: str, wait: float) -> None:
    assert left_alone_for(status, {"retry-after": value}, NOW) == wait
    assert wait_before_next(status, {"retry-after": value}, 2, NOW) == wait


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "1e9", "٣", "0x10", "9" * 400, "Mon, 99 Xyz 2026", "5, 7"])
def test_a_retry_after_that_means_nothing_is_as_good_as_none(value: str) -> None:
    assert left_alone_for(503, {"retry-after": value}, NOW) is None
    assert wait_before_next(503, {"retry-after": value}, 1, NOW) == 2.0


def test_an_instant_is_read_against_the_servers_own_clock() -> None:
    said = {"retry-after": "Sun, 22 Nov 1998 06:00:30 GMT", "date": "Sun, 22 Nov 1998 06:00:00 GMT"}
    assert left_alone_for(503, said, NOW) == 30
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 90), "date": http_date(NOW + timedelta(seconds=60))}
    assert left_alone_for(403, reset, NOW) == 30


def test_retry_after_says_nothing_about_a_good_answer() -> None:
    assert left_alone_for(200, {"retry-after": "60"}, NOW) is None
    assert left_alone_for(404, {"retry-after": "60"}, NOW) is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"ratelimit": '"api";r=0;t=55'}, 55),
        ({"ratelimit": '"api";t=55;r=0'}, 55),
        ({"ratelimit": "default; r=0; t=55"}, 55),
        ({"ratelimit": '"burst";r=0;t=5, "daily";r=0;t=600, "other";r=3;t=9000'}, 600),
        ({"ratelimit": '"api";r=1;t=55'}, None),
        ({"ratelimit": '"api";r=0'}, None),
        ({"ratelimit": '"api";r=00;t=55'}, 55),
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, 50),
        ({"ratelimit": "limit=100, remaining=10, reset=50"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "50"}, 50),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "1", "ratelimit-reset": "50"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 120)}, 120),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{EPOCH + 120}.5"}, 120.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "120"}, 120),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH - 120)}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 15}, LONGEST_WAIT),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "120"}, None),
        ({"x-ratelimit-remaining": "59", "x-ratelimit-reset": str(EPOCH + 120)}, None),
    ],
)
@pytest.mark.parametrize("status", [200, 403, 404, 429, 503])
def test_a_limit_that_is_used_up_counts_on_any_answer(headers: dict[str, str], wait: float | None, status: int) -> None:
    assert left_alone_for(status, headers, NOW) == wait


def test_a_429_that_only_says_when_the_limit_begins_anew_is_believed() -> None:
    assert left_alone_for(429, {"ratelimit-reset": "50"}, NOW) == 50
    assert left_alone_for(503, {"ratelimit-reset": "50"}, NOW) is None


def test_a_403_is_asked_again_only_if_it_names_a_limit() -> None:
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 9)}
    assert wait_before_next(403, spent, 1, NOW) == 9
    assert wait_before_next(403, {"x-ratelimit-remaining": "5", "x-ratelimit-reset": str(EPOCH + 9)}, 1, NOW) is None
    assert wait_before_next(404, spent, 1, NOW) is None


def test_retry_after_goes_before_limits() -> None:
    assert left_alone_for(429, {"retry-after": "5", "ratelimit": '"api";r=0;t=55'}, NOW) == 5


HEADERS = st.sampled_from(
    ["retry-after", "date", "ratelimit", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-reset"]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.integers().map(str),
    st.datetimes().map(http_date),
    st.tuples(st.integers(), st.integers()).map(lambda pair: f'"a";r={pair[0]};t={pair[1]}'),
)


@given(st.integers(100, 999), st.dictionaries(HEADERS, VALUES), st.integers(1, 9))
def test_whatever_a_server_says_the_wait_is_a_number_of_seconds_of_one_day(
    status: int, headers: dict[str, str], attempt: int
) -> None:
    wait = wait_before_next(status, headers, attempt, NOW)
    assert wait is None or (math.isfinite(wait) and 0 <= wait <= LONGEST_WAIT)
