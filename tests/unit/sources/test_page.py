from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.papers.model import Reading
from digest.sources.page import parse
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ABSTRACT = "We show that invented networks learn invented things, and measure it on nothing at all. " * 5
SUMMARY = "An invented network that learns invented things is presented and measured on nothing at all."


def page(*lines: str, end: str = "\n") -> Parsed:
    return parse(end.join(lines), source="page", seen_at=NOW)


def titles(parsed: Parsed) -> list[str]:
    return [sighting.work.title for sighting in parsed.sightings]


def test_titles_and_abstracts_in_turn_are_papers() -> None:
    parsed = page("First Net", ABSTRACT, "Second Net", ABSTRACT)
    assert titles(parsed) == ["First Net", "Second Net"]
    assert parsed.sightings[1].work.abstract == ABSTRACT.strip()
    assert parsed.problems == ()


def test_the_place_in_the_list_is_the_only_reading_and_nothing_else_is_made_up() -> None:
    first, second = page("First Net", ABSTRACT, "Second Net", ABSTRACT).sightings
    assert first.readings == (Reading("page", "rank", 1, NOW),)
    assert second.readings == (Reading("page", "rank", 2, NOW),)
    assert (first.ids, first.work.authors, first.work.published_at, first.work.listed_on, first.work.links) == (
        (),
        (),
        None,
        None,
        {},
    )


def test_the_button_glued_to_the_first_title_is_taken_off() -> None:
    parsed = page(
        "Get trending papers in your email inbox once a day!",
        "Get trending papers in your email inbox!",
        "SubscribeA Net",
        ABSTRACT,
    )
    assert titles(parsed) == ["A Net"]
    assert parsed.problems == ()


@pytest.mark.parametrize("title", ["Subscribers of Invented Networks", "Subscribe to Learn", "SubscribeNet"])
def test_a_title_that_begins_with_the_word_of_the_button_is_not_cut(title: str) -> None:
    assert titles(page("A Net", ABSTRACT, title, ABSTRACT)) == ["A Net", title]


def test_an_invitation_before_it_does_not_cut_a_title_about_subscribers() -> None:
    parsed = page("Get trending papers in your email inbox!", "Subscribe", "Subscribers of Invented Networks", ABSTRACT)
    assert titles(parsed) == ["Subscribers of Invented Networks"]


def test_the_furniture_of_other_pages_is_dropped() -> None:
    parsed = page(
        "Trending Papers",
        "Get trending papers in your email inbox once a day!",
        "SubscribeSubmitted by",
        "",
        "jdoe",
        "128",
        "First Net",
        SUMMARY,
        "·",
        "14 authors",
        "· Published on Oct 16, 2025",
        "Upvote",
        "1.2k",
        "GitHub 73.4k",
        "arXiv Page",
        "Submitted by Max Roe",
        "Second Net",
        "· 3 authors",
        "Upvote 7",
        ABSTRACT,
        "42",
    )
    assert titles(parsed) == ["First Net", "Second Net"]
    assert parsed.problems == ()


def test_a_submitter_of_two_words_is_no_title() -> None:
    assert titles(page("Submitted by", "Jane Doe", "A Net", ABSTRACT)) == ["A Net"]


def test_a_title_right_after_submitted_by_is_kept() -> None:
    assert titles(page("Submitted by", "", "A Net of Nets", ABSTRACT)) == ["A Net of Nets"]


def test_a_title_without_an_abstract_is_reported_with_its_line() -> None:
    parsed = page("First Net", "", "Second Net", ABSTRACT, "Third Net")
    assert titles(parsed) == ["Second Net"]
    assert [(problem.line, problem.what) for problem in parsed.problems] == [
        (1, "a title without an abstract: 'First Net'"),
        (5, "a title without an abstract: 'Third Net'"),
    ]


def test_an_abstract_without_a_title_is_reported_with_its_line() -> None:
    parsed = page("First Net", ABSTRACT, ABSTRACT, "Second Net", ABSTRACT)
    assert titles(parsed) == ["First Net", "Second Net"]
    assert [problem.line for problem in parsed.problems] == [3]


def test_two_long_titles_are_not_taken_for_a_paper() -> None:
    first = "An Invented Network That Learns Invented Things: Measured on Nothing at All, and Reported at Great Length"
    second = "Another Invented Network That Learns Invented Things: Does It Learn Them Any Better Than the First One Did?"
    parsed = page(first, second, ABSTRACT)
    assert titles(parsed) == [second]
    assert [problem.line for problem in parsed.problems] == [1]


def test_a_long_title_that_ends_like_a_sentence_is_one_where_none_waits() -> None:
    title = "An Invented Network Is All You Need to Learn the Invented Things That Nobody Has Ever Seen."
    assert titles(page(title, ABSTRACT)) == [title]


def test_an_abstract_that_ends_with_an_address_is_one() -> None:
    assert len(page("A Net", SUMMARY + " The code is at https://code.example.org/net").sightings) == 1


def test_a_paper_listed_twice_is_reported_and_counted_once() -> None:
    parsed = page("A Net", ABSTRACT, "a net", ABSTRACT, "Another", ABSTRACT)
    assert titles(parsed) == ["A Net", "Another"]
    assert [(problem.line, problem.what) for problem in parsed.problems] == [(3, "the same paper as in line 1")]
    assert parsed.sightings[1].readings[0].value == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_will_do(end: str) -> None:
    parsed = page("\ufeffFirst Net", ABSTRACT, "", "Lonely Net", end=end)
    assert titles(parsed) == ["First Net"]
    assert [problem.line for problem in parsed.problems] == [4]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    assert [problem.line for problem in page("A\x0bNet\u2028of\x85Nets", ABSTRACT, "Lonely Net").problems] == [3]


def test_bytes_that_are_not_utf8_are_reported_and_shown_as_unreadable() -> None:
    parsed = parse(b"Poincar\xe9 Net\n" + ABSTRACT.encode(), source="page", seen_at=NOW)
    assert titles(parsed) == ["Poincar\ufffd Net"]
    assert [(problem.line, problem.what) for problem in parsed.problems] == [(1, "has bytes that are not UTF-8")]


@pytest.mark.parametrize("raw", [b"<!DOCTYPE html><html>", b"\n <html lang=en>", "A Net".encode("utf-16"), b"\x00" * 100])
def test_what_is_not_the_text_of_a_page_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        parse(raw, source="page", seen_at=NOW)


def test_an_empty_page_has_no_papers_and_no_problems() -> None:
    assert page("") == Parsed()


LINES = st.one_of(
    st.text(max_size=120),
    st.sampled_from([ABSTRACT, SUMMARY, "A Net", "Submitted by", "jdoe", "1.2k", "· 14 authors", "Upvote", "Subscribe", ""]),
)


@given(st.lists(LINES, max_size=30))
def test_any_lines_are_papers_in_order_of_rank_and_problems_in_order_of_lines(lines: list[str]) -> None:
    try:
        parsed = page(*lines)
    except BadInput:
        return
    assert [sighting.readings[0].value for sighting in parsed.sightings] == list(range(1, len(parsed.sightings) + 1))
    assert all(sighting.work.title and sighting.work.abstract for sighting in parsed.sightings)
    numbers = [problem.line or 0 for problem in parsed.problems]
    assert numbers == sorted(numbers)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_every_title_and_every_abstract_is_in_a_paper_or_in_a_problem(kept: list[tuple[bool, bool]]) -> None:
    lines = [
        line
        for number, (has_title, has_abstract) in enumerate(kept)
        for line, there in ((f"Net Number {number}", has_title), (f"{number} {ABSTRACT}", has_abstract))
        if there
    ]
    parsed = page(*lines)
    assert 2 * len(parsed.sightings) + len(parsed.problems) == len(lines)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, source="page", seen_at=NOW)
