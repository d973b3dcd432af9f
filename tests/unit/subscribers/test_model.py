from collections.abc import Callable
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.subscribers.model import (
    INTEREST_KINDS,
    MAX_INTEREST,
    MAX_INTERESTS,
    MAX_KEY,
    MAX_RATED,
    RATED,
    STATES,
    TRANSITIONS,
    Interest,
    InterestKind,
    State,
    days_text,
    limited,
    may_become,
    parse_cadence,
    parse_days,
    parse_hour,
    parse_interest,
    parse_interests,
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


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("author", "Doe, Jane", "Jane Doe"),
        ("author", " Jane  Doe ", "Jane Doe"),
        ("author", "Sutton, Jr.", "Sutton, Jr."),
        ("author", "Doe, Jane, PhD", "Doe, Jane, PhD"),
        ("category", "CS.cl", "cs.CL"),
        ("category", "cs", "cs"),
        ("category", "q-bio.nc", "q-bio.NC"),
        ("category", "cond-mat.mes-hall", "cond-mat.mes-hall"),
        ("category", "cancer biology", "cancer biology"),
        ("mute", "survey; review", "survey, review"),
        ("liked", "https://arxiv.org/abs/2301.00001v2", "arxiv:2301.00001"),
        ("disliked", "DOI:10.1000/X", "doi:10.1000/x"),
        ("liked", "title:on graphs|doe", "title:on graphs|doe"),
    ],
)
def test_an_interest_is_read_as_people_write_it(kind: InterestKind, text: str, value: str) -> None:
    assert parse_interest(kind, text) == Interest(kind, value)


@pytest.mark.parametrize(
    ("kind", "text", "fix"),
    [
        ("author", "x", "such as Jane Doe"),
        ("author", "ann@example.org", "such as Jane Doe"),
        ("category", "!!", "write it like cs.CL, cs or q-bio.NC"),
        ("category", "x" * 999, "write it like cs.CL, cs or q-bio.NC"),
        ("liked", "the one about graphs", "give an arXiv id or a DOI"),
        ("liked", "title:", "give an arXiv id or a DOI"),
        ("disliked", "title:" + "x" * 999, "give an arXiv id or a DOI"),
        ("liked", "title:\nx", "give an arXiv id or a DOI"),
    ],
)
def test_an_interest_that_is_none_is_refused_with_a_fix(kind: InterestKind, text: str, fix: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_interest(kind, text)
    assert len(str(caught.value)) < 120
    assert fix in caught.value.fix


@given(st.sampled_from(INTEREST_KINDS), st.text(max_size=200))
def test_an_interest_that_was_read_is_read_again_as_it_is(kind: InterestKind, text: str) -> None:
    try:
        once = parse_interest(kind, text)
    except BadInput:
        return
    assert parse_interest(kind, once.value) == once
    assert len(once.value) <= (MAX_KEY if kind in RATED else MAX_INTEREST)


def test_a_reader_has_so_many_interests_and_no_more() -> None:
    stated = [Interest("topic" if n % 2 else "mute", f"thing {n}") for n in range(MAX_INTERESTS)]
    rated = [Interest("liked" if n % 2 else "disliked", f"arxiv:2301.{n:05}") for n in range(MAX_RATED)]
    assert limited([*stated, *stated, *rated]) == (*stated, *rated)
    with pytest.raises(BadInput, match="more than 50 interests"):
        limited([*stated, Interest("author", "Jane Doe")])
    with pytest.raises(BadInput, match="more than 1000 rated papers"):
        limited([*rated, Interest("liked", "arxiv:2302.00001")])


def test_who_complained_stays_so() -> None:
    assert all(may_become("complained", state) == (state == "complained") for state in STATES)


def test_nobody_becomes_paused_who_was_not_active() -> None:
    assert {state for state in STATES if "paused" in TRANSITIONS[state]} == {"active"}


@given(st.sampled_from(STATES))
def test_every_reader_may_leave_or_is_gone_already(state: State) -> None:
    assert may_become(state, "unsubscribed") or state == "complained"


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("topic", "graph networks, proteins", ["graph networks", "proteins"]),
        ("keyword", "LoRA; QLoRA,", ["LoRA", "QLoRA"]),
        ("category", "cs.cl, stat.ml", ["cs.CL", "stat.ML"]),
        ("category", "pharmacology, toxicology and more", ["pharmacology, toxicology and more"]),
        ("author", "Doe, Jane", ["Jane Doe"]),
        ("mute", "crypto, coins", ["crypto, coins"]),
        ("liked", "doi:10.1000/a,b", ["doi:10.1000/a,b"]),
    ],
)
def test_a_comma_parts_what_has_none_of_its_own(kind: InterestKind, text: str, values: list[str]) -> None:
    found = parse_interests(kind, text)
    assert [one.value for one in found] == values
    assert [again for one in found for again in parse_interests(kind, one.value)] == list(found)


@pytest.mark.parametrize("text", ["", " , ;", "!!, ??"])
def test_a_text_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a topic"):
        parse_interests("topic", text)
