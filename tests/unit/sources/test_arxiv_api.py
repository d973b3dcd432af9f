"""Answers of the query API: papers, errors that look like papers, and pages that are empty."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.arxiv import Paper, api, api_error

from digest.errors import BadInput
from digest.sources.arxiv.api import ApiError, ArxivApi, ArxivApiSettings, parse
from digest.sources.base import Known

NOW = datetime(2026, 4, 28, 6, 0, tzinfo=UTC)
SUBMITTED = datetime(2026, 4, 23, 21, 2, tzinfo=UTC)
PAPER = Paper("2604.21935", submitted=SUBMITTED)


def test_an_entry_is_read_whole() -> None:
    paper = replace(PAPER, title="An\n  Invented Title", doi="10.1000/Abc", versions=2, categories=("cs.AI", "68T07", "cs.LG"))
    [sighting] = parse(api([paper]), seen_at=NOW, announces=False).sightings
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces) == ("arxiv_api", NOW, False)
    assert sighting.ids == ("arxiv:2604.21935", "doi:10.1000/abc")
    assert (work.title, work.abstract, work.published_at) == ("An Invented Title", "We invent a paper.", SUBMITTED)
    assert (work.authors, work.categories) == (("Jane Doe", "Max Roe"), ("cs.AI", "cs.LG"))
    assert set(work.links) == {"arxiv", "pdf", "doi"}


def test_papers_of_a_file_are_announced() -> None:
    assert parse(api([PAPER]), seen_at=NOW).sightings[0].announces


def test_the_primary_category_comes_first() -> None:
    raw = api([PAPER]).replace(b'primary_category term="cs.AI"', b'primary_category term="cs.LG"')
    assert parse(raw, seen_at=NOW).sightings[0].work.categories == ("cs.LG", "cs.AI")


def test_old_ids_and_capitals_are_understood() -> None:
    raw = api([Paper("astro-ph/0601001", submitted=SUBMITTED)]).replace(b"/abs/astro-ph", b"/ABS/Astro-Ph")
    assert parse(raw, seen_at=NOW).sightings[0].ids == ("arxiv:astro-ph/0601001",)


def test_an_error_that_comes_as_an_entry_is_an_error() -> None:
    with pytest.raises(ApiError, match="arXiv says: incorrect id format for abc") as raised:
        parse(api_error("incorrect id format for abc"), seen_at=NOW)
    assert raised.value.about == "abc"


def test_an_answer_without_results_is_an_answer() -> None:
    assert parse(api([]), seen_at=NOW).sightings == ()


def test_one_bad_entry_costs_none_of_its_neighbours() -> None:
    bad = [
        replace(PAPER, title="x" * 20_000),
        replace(PAPER, id="abc"),
        replace(PAPER, title=""),
        replace(PAPER, id="2712.00001"),
    ]
    papers = [entry for number, item in enumerate(bad) for entry in (item, Paper(f"2604.0000{number}"))]
    parsed = parse(api(papers), seen_at=NOW)
    assert [sighting.ids[0] for sighting in parsed.sightings] == [f"arxiv:2604.0000{number}" for number in range(4)]
    assert [problem.line for problem in parsed.problems] == [1, 3, 5, 7]


def test_missing_fields_are_missing() -> None:
    entry = b"<entry><id>http://arxiv.org/abs/2604.00001v1</id><title>A title</title><published/></entry></feed>"
    [sighting] = parse(api([]).replace(b"</feed>", entry), seen_at=NOW).sightings
    assert (sighting.work.authors, sighting.work.categories, sighting.work.published_at) == ((), (), None)


@pytest.mark.parametrize("text", ["0000-04-23T21:02:00Z", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "soon"])
def test_a_date_that_cannot_be_is_left_out_and_the_paper_kept(text: str) -> None:
    raw = api([PAPER]).replace(b"<published>2026-04-23T21:02:00Z", b"<published>" + text.encode())
    parsed = parse(raw, seen_at=NOW)
    assert parsed.sightings[0].work.published_at is None
    assert [problem.line for problem in parsed.problems] == [1]


def test_three_hundred_authors_are_kept() -> None:
    names = ", ".join(f"Author {number}" for number in range(300))
    assert len(parse(api([replace(PAPER, authors=names)]), seen_at=NOW).sightings[0].work.authors) == 300


def test_what_was_complete_when_an_answer_breaks_off_is_kept() -> None:
    raw = api([Paper(f"2604.0000{number}") for number in range(3)])
    parsed = parse(raw[: raw.rindex(b"<entry>")], seen_at=NOW)
    assert len(parsed.sightings) == 2
    assert "breaks off" in parsed.problems[-1].what


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"Rate exceeded.", "not an answer of arXiv's query API"),
        (b"<rss/>", "no answer of arXiv's query API"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>', "no answer of arXiv's query API"),
    ],
)
def test_what_is_no_answer_is_refused_as_a_whole(raw: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse(raw, seen_at=NOW)


@given(st.data())
def test_an_answer_with_damage_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    raw = api([Paper("2604.00001", doi="10.1000/a"), Paper("2604.00002")])
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 40)))
    with suppress(BadInput):
        parsed = parse(raw[:start] + data.draw(st.binary(max_size=10)) + raw[end:], seen_at=NOW)
        assert all(sighting.ids and sighting.work.title for sighting in parsed.sightings)


def test_papers_of_arxiv_without_categories_are_wanted() -> None:
    source = ArxivApi(ArxivApiSettings())
    assert source.wants(Known(("arxiv:2604.00001",), has_categories=False))
    assert source.wants(Known(("doi:10.1000/a", "arxiv:2604.00001"), has_categories=False))
    assert not source.wants(Known(("arxiv:2604.00001",), has_categories=True))
    assert not source.wants(Known(("doi:10.1000/a",), has_categories=False))
