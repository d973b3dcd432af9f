import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.papers.model import Reading, Sighting
from digest.sources.huggingface import parse
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)


def entry(id_: str = "2611.04321", **paper: Any) -> dict[str, Any]:
    """An entry of the real shape, with invented content; `paper` overrides fields within it, None takes one out."""
    inner: dict[str, object] = {
        "id": id_,
        "authors": [
            {"_id": "0", "name": "Jane Doe", "hidden": False},
            {"_id": "0", "name": "Shy Author", "hidden": True},
            {"_id": "0", "name": "Max Roe", "hidden": False, "status": "claimed_verified"},
        ],
        "publishedAt": "2026-11-20T17:08:18.000Z",
        "submittedOnDailyAt": "2026-11-22T01:18:40.635Z",
        "submittedOnDailyBy": {"_id": "0", "fullname": "redacted", "user": "redacted", "type": "user"},
        "title": "An Invented\n  Network",
        "summary": "We invent a network.\nIt is deep.",
        "upvotes": 71,
        "discussionId": "0",
        "ai_summary": "A network is invented.",
        "ai_keywords": ["networks", "invention", "networks"],
        "githubRepo": "https://github.com/example/net",
        "githubStars": 12,
        "projectPage": "https://net.example.org/",
        "organization": {"_id": "0", "name": "inst", "fullname": "An Institute"},
    }
    inner.update(paper)
    return {
        "paper": {key: value for key, value in inner.items() if value is not None},
        "publishedAt": "2026-11-20T12:08:18.000Z",
        "title": "An invented network, as it was called outside",
        "summary": "Outside summary.",
        "thumbnail": "https://cdn.example.org/t.png",
        "numComments": 3,
        "submittedBy": {"_id": "0", "fullname": "redacted"},
        "isAuthorParticipating": False,
    }


def read(*entries: object) -> Parsed:
    return parse(json.dumps(entries).encode(), seen_at=NOW)


def one(**paper: Any) -> Sighting:
    parsed = read(entry(**paper))
    assert parsed.problems == ()
    return parsed.sightings[0]


def values(sighting: Sighting) -> dict[str, int]:
    return {reading.metric: reading.value for reading in sighting.readings}


def test_an_entry_is_read_whole() -> None:
    sighting = one()
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.ids) == ("huggingface", NOW, ("arxiv:2611.04321",))
    assert (work.title, work.abstract) == ("An Invented Network", "We invent a network. It is deep.")
    assert work.authors == ("Jane Doe", "Max Roe")
    assert (work.summary, work.summary_by) == ("A network is invented.", "Hugging Face")
    assert (work.keywords, work.organization) == (("networks", "invention"), "An Institute")
    assert work.published_at == datetime(2026, 11, 20, 17, 8, 18, tzinfo=UTC)
    assert work.listed_on == date(2026, 11, 22)
    assert work.links == {
        "page": "https://huggingface.co/papers/2611.04321",
        "arxiv": "https://arxiv.org/abs/2611.04321",
        "pdf": "https://arxiv.org/pdf/2611.04321",
        "code": "https://github.com/example/net",
        "project": "https://net.example.org/",
    }


def test_counts_and_the_place_in_the_list_are_readings_of_now() -> None:
    assert one().readings == (
        Reading("huggingface", "votes", 71, NOW),
        Reading("huggingface", "comments", 3, NOW),
        Reading("huggingface", "stars", 12, NOW),
        Reading("huggingface", "rank", 1, NOW),
    )


def test_no_votes_yet_is_zero_and_missing_stars_are_not() -> None:
    assert values(one(upvotes=0, githubStars=None)) == {"votes": 0, "comments": 3, "rank": 1}


def test_a_field_that_the_paper_lacks_is_looked_for_beside_it() -> None:
    outside = entry(ai_summary=None, githubStars=None, title=None, summary="", organization=None)
    outside |= {"ai_summary": "Outside.", "githubStars": 5, "organization": {"name": "inst"}}
    sighting = read(outside).sightings[0]
    assert (sighting.work.summary, sighting.work.abstract) == ("Outside.", "Outside summary.")
    assert (sighting.work.title, sighting.work.organization) == ("An invented network, as it was called outside", "inst")
    assert values(sighting)["stars"] == 5


def test_the_shifted_date_beside_a_paper_is_not_its_own() -> None:
    assert one(publishedAt=None).work.published_at is None


def test_a_list_of_midnights_gives_its_day() -> None:
    assert one(submittedOnDailyAt="2026-11-21T00:00:00.000Z").work.listed_on == date(2026, 11, 21)


def test_a_paper_without_a_summary_names_nobody_as_its_author() -> None:
    assert one(ai_summary=None).work.summary_by == ""


def test_a_version_in_the_id_is_no_part_of_it() -> None:
    assert one(id="2611.04321v2").ids == ("arxiv:2611.04321",)


def test_an_address_that_is_not_clean_is_reported_and_the_paper_kept() -> None:
    parsed = read(entry(githubRepo="https://github.com/\nexample/net", projectPage="javascript:alert(1)"))
    assert parsed.sightings[0].work.links.keys() == {"page", "arxiv", "pdf"}
    assert len(parsed.problems) == 2


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        "2611.04321",
        [],
        {},
        {"paper": None},
        {"paper": []},
        entry(id_="not-an-id"),
        {"paper": {"id": "2611.04321", "title": ""}, "title": " "},
        entry(title="x" * 20_000),
        entry(title=["A Net"]),
    ],
)
def test_a_bad_entry_is_reported_by_its_place_and_the_others_keep_theirs(bad: object) -> None:
    parsed = read(entry("2611.00001"), bad, entry("2611.00003"))
    assert [values(sighting)["rank"] for sighting in parsed.sightings] == [1, 3]
    assert [problem.line for problem in parsed.problems] == [2]


@pytest.mark.parametrize("value", [-1, 1.5, 10**400, True, "71", [71]])
def test_a_count_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(upvotes=value))
    assert "votes" not in values(parsed.sightings[0])
    assert "votes" in parsed.problems[0].what


@pytest.mark.parametrize("value", ["0000-00-00T00:00:00.000Z", "2026-11-22T99:00", "2031-01-01T00:00:00Z", 3, {}])
def test_a_date_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(publishedAt=value, submittedOnDailyAt=value))
    assert (parsed.sightings[0].work.published_at, parsed.sightings[0].work.listed_on) == (None, None)
    assert len(parsed.problems) == 2


def test_a_paper_that_stands_twice_in_a_list_is_counted_where_it_stands_first() -> None:
    parsed = read(entry(), entry("2611.00002"), entry(upvotes=99))
    assert [(sighting.ids[0], values(sighting)["votes"]) for sighting in parsed.sightings] == [
        ("arxiv:2611.04321", 71),
        ("arxiv:2611.00002", 71),
    ]
    assert [problem.line for problem in parsed.problems] == [3]


def test_fields_of_strange_types_are_absent() -> None:
    sighting = one(authors="Jane", ai_keywords={"a": 1}, organization=["x"], ai_summary=3, summary=[1], githubRepo=7)
    assert (sighting.work.authors, sighting.work.keywords, sighting.work.organization) == ((), (), "")
    assert sighting.work.summary == ""


def test_an_empty_list_is_a_list() -> None:
    assert parse(b"[]", seen_at=NOW) == Parsed()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\n<html>", "a web page"),
        (b'{"error": "Invalid date"}', "Invalid date"),
        (b'{"papers": []}', "no list"),
        (b"3", "no list"),
        (b'[{"paper": {"id": "2611.0', "not JSON"),
        (b"[" * 100_000, "nested"),
        (b"[NaN]", "not JSON"),
        (b"[" + b"9" * 5000 + b"]", "not JSON"),
        (b'["\xff"]', "UTF-8"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse(raw, seen_at=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _overridden(fields: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(entry(**fields))


FIELDS = st.sampled_from(sorted(entry()["paper"]))


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON, max_size=6).map(_overridden), max_size=5))
def test_any_entry_is_a_paper_or_a_problem(entries: list[object]) -> None:
    parsed = read(*entries)
    assert len(parsed.sightings) + len({problem.line for problem in parsed.problems}) >= len(entries)
    assert all(reading.value <= 10**9 for sighting in parsed.sightings for reading in sighting.readings)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, seen_at=NOW)
