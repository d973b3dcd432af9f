from collections.abc import Callable
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.subscribers.model import (
    STATES,
    TRANSITIONS,
    State,
    days_text,
    may_become,
    parse_cadence,
    parse_days,
    parse_hour,
    parse_interest,
    parse_share,
    parse_size,
    parse_zone,
)


@pytest.mark.parametrize(("text", "hour"), [("8", time(8)), ("08", time(8)), ("07:30", time(7, 30)), (" 23:59 ", time(23, 59))])
def test_an_hour_is_read_with_or_without_minutes(text: str, hour: time) -> None:
    assert parse_hour(text) == hour


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon,tue", {0, 1}),
        ("Monday;thurs", {0, 3}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat - mon", {5, 6, 0}),
        ("weekdays", {0, 1, 2, 3, 4}),
        ("daily", set(range(7))),
        ("sun", {6}),
    ],
)
def test_weekdays_are_read_as_people_write_them(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


@given(st.frozensets(st.integers(0, 6), min_size=1))
def test_weekdays_that_are_written_are_read_back(days: frozenset[int]) -> None:
    assert parse_days(days_text(days)) == days


def test_a_zone_is_an_iana_name() -> None:
    assert parse_zone(" Europe/Berlin ") == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "near"), [("Europe/Berln", "Europe/Berlin"), ("america/new york", "America/New_York"), ("utc", "UTC")]
)
def test_a_zone_that_is_nearly_right_gets_a_suggestion(text: str, near: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_zone(text)
    assert near in caught.value.fix


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_hour, "24"),
        (parse_hour, "8:5"),
        (parse_hour, "8h"),
        (parse_hour, "٨"),
        (parse_hour, "9" * 9999),
        (parse_days, ""),
        (parse_days, "monkey"),
        (parse_days, "mo"),
        (parse_days, "mon-"),
        (parse_cadence, "hourly"),
        (parse_size, "0"),
        (parse_size, "26"),
        (parse_size, "٣"),
        (parse_size, "9" * 9999),
        (parse_share, "1.5"),
        (parse_share, "nan"),
        (parse_share, "much"),
        (parse_zone, ""),
        (parse_zone, "../etc/passwd"),
        (parse_zone, "x" * 9999),
    ],
)
def test_what_cannot_be_read_is_said_in_one_short_line(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert len(str(caught.value)) < 120


def test_a_share_may_be_a_percentage() -> None:
    assert parse_share("30%") == 0.3


def test_an_interest_is_one_clean_line() -> None:
    assert parse_interest("topic", " graph\tneural\n networks ").value == "graph neural networks"
    with pytest.raises(BadInput):
        parse_interest("topic", " \t-- ")


def test_who_complained_stays_so() -> None:
    assert all(may_become("complained", state) == (state == "complained") for state in STATES)


def test_nobody_becomes_paused_who_was_not_active() -> None:
    assert {state for state in STATES if "paused" in TRANSITIONS[state]} == {"active"}


@given(st.sampled_from(STATES))
def test_every_reader_may_leave_or_is_gone_already(state: State) -> None:
    assert may_become(state, "unsubscribed") or state == "complained"
