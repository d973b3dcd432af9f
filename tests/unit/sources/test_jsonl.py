import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.papers.model import METRICS, Reading, Sighting
from digest.sources.jsonl import parse
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def read(*entries: object) -> Parsed:
    return parse("\n".join(json.dumps(entry) for entry in entries), source="file", seen_at=NOW)


def one(**fields: object) -> Sighting:
    parsed = read({"title": "A Net", **fields})
    assert parsed.problems == ()
    return parsed.sightings[0]


def problem(**fields: object) -> str:
    (only,) = read({"title": "A Net", **fields}).problems
    assert only.line == 1
    return only.what


def test_a_title_is_enough() -> None:
    sighting = one()
    assert (sighting.source, sighting.seen_at, sighting.work.title) == ("file", NOW, "A Net")
    assert (sighting.ids, sighting.readings, sighting.work.links) == ((), (), {})


@pytest.mark.parametrize("other", [{"url": "https://arxiv.org/abs/2611.00002"}, {"doi": "10.48550/arXiv.2611.00002"}])
def test_a_line_that_names_two_papers_of_arxiv_makes_them_no_one_paper(other: dict[str, str]) -> None:
    assert problem(arxiv_id="2611.04321", **other) == "it names arxiv:2611.00002, too; left out"
    (sighting,) = read({"title": "A Net", "arxiv_id": "2611.04321", **other}).sightings
    assert sighting.ids == ("arxiv:2611.04321",)


def test_every_key_has_its_place() -> None:
    sighting = one(
        abstract="Deep.",
        authors=["Jane Doe", "Max Roe"],
        arxiv_id="arXiv:2511.04321v2",
        doi="https://doi.org/10.1234/ABC",
        url="https://papers.example.org/net",
        categories=["cs.LG"],
        published_at="2026-11-21",
        keywords=["nets"],
        organization="An Institute",
        summary="It is deep.",
        summary_by="A Robot",
        code_url="https://code.example.org/net",
        project_url="http://net.example.org",
    )
    work = sighting.work
    assert sighting.ids == ("arxiv:2511.04321", "doi:10.1234/abc")
    assert (work.abstract, work.authors, work.categories, work.keywords) == (
        "Deep.",
        ("Jane Doe", "Max Roe"),
        ("cs.LG",),
        ("nets",),
    )
    assert (work.organization, work.summary, work.summary_by) == ("An Institute", "It is deep.", "A Robot")
    assert work.published_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert work.links == {
        "arxiv": "https://arxiv.org/abs/2511.04321",
        "pdf": "https://arxiv.org/pdf/2511.04321",
        "doi": "https://doi.org/10.1234/abc",
        "page": "https://papers.example.org/net",
        "code": "https://code.example.org/net",
        "project": "http://net.example.org",
    }


def test_a_count_is_a_reading_of_now() -> None:
    assert one(votes=12, rank=1).readings == (Reading("file", "votes", 12, NOW), Reading("file", "rank", 1, NOW))


def test_zero_is_a_reading_and_a_missing_count_is_none() -> None:
    assert one(votes=0, stars=None).readings == (Reading("file", "votes", 0, NOW),)


def test_readings_keep_their_times_and_those_without_are_of_now() -> None:
    readings = [{"metric": "votes", "value": 3, "taken_at": "2026-11-21T09:00:00+01:00"}, {"metric": "votes", "value": 5}]
    assert one(readings=readings).readings == (
        Reading("file", "votes", 3, datetime(2026, 11, 21, 8, tzinfo=UTC)),
        Reading("file", "votes", 5, NOW),
    )


def test_a_whole_number_written_as_a_float_counts() -> None:
    assert one(stars=12.0).readings[0].value == 12


def test_the_address_of_a_paper_tells_its_id() -> None:
    assert one(url="https://arxiv.org/abs/2511.04321v1").ids == ("arxiv:2511.04321",)


def test_unknown_keys_and_nulls_are_ignored() -> None:
    assert one(abstract=None, authors=None, readings=None, colour="green") == one()


@pytest.mark.parametrize("value", [-1, 1.5, 10**400, 1e300, True, "12", [12], {}])
@pytest.mark.parametrize("metric", METRICS)
def test_a_count_that_is_none_is_reported_and_its_paper_kept(metric: str, value: object) -> None:
    parsed = read({"title": "A Net", metric: value, "abstract": "Deep."})
    assert [sighting.work.abstract for sighting in parsed.sightings] == ["Deep."]
    assert parsed.sightings[0].readings == ()
    assert metric in parsed.problems[0].what


def test_no_rank_is_below_the_first() -> None:
    assert "rank" in problem(rank=0)


def test_a_reading_from_the_future_is_refused_and_its_paper_kept() -> None:
    parsed = read({"title": "A Net", "readings": [{"metric": "votes", "value": 3, "taken_at": "2026-11-22T06:00:01Z"}]})
    assert parsed.sightings[0].readings == ()
    assert parsed.problems[0].what == "`taken_at` lies in the future; left out"


@pytest.mark.parametrize(
    "readings",
    [
        {},
        "votes",
        [3],
        [{}],
        [{"metric": "likes", "value": 1}],
        [{"metric": ["votes"]}],
        [{"metric": "votes", "value": 1, "taken_at": 3}],
    ],
)
def test_readings_of_another_shape_are_reported_and_the_paper_kept(readings: object) -> None:
    parsed = read({"title": "A Net", "readings": readings})
    assert (len(parsed.sightings), len(parsed.problems)) == (1, 1)


@pytest.mark.parametrize("given_date", ["yesterday", "0000-01-01", "2026-13-01", "2027-01-01", 20261122, ["2026"]])
def test_a_date_that_is_none_is_reported_and_the_paper_kept(given_date: object) -> None:
    parsed = read({"title": "A Net", "published_at": given_date})
    assert parsed.sightings[0].work.published_at is None
    assert "published_at" in parsed.problems[0].what


def test_a_link_that_is_not_safe_is_reported_and_the_paper_kept() -> None:
    parsed = read({"title": "A Net", "url": "javascript:alert(1)", "code_url": "https://code.example.org/net"})
    assert parsed.sightings[0].work.links == {"code": "https://code.example.org/net"}
    assert "url" in parsed.problems[0].what


def test_authors_in_one_text_are_told_apart() -> None:
    assert one(authors="Jane Doe, Max Roe and Ann Poe").work.authors == ("Jane Doe", "Max Roe", "Ann Poe")
    assert one(authors="Doe, J.; Roe, M. K.").work.authors == ("J. Doe", "M. K. Roe")
    assert one(authors="").work.authors == ()


def test_an_id_that_is_none_is_reported_and_the_paper_keeps_the_other() -> None:
    parsed = read({"title": "A Net", "arxiv_id": "no such", "doi": "10.1234/ABC", "url": "https://papers.example.org/net"})
    assert parsed.sightings[0].ids == ("doi:10.1234/abc",)
    assert parsed.sightings[0].work.links["page"] == "https://papers.example.org/net"
    assert [found.what for found in parsed.problems] == ["`arxiv_id` is none: 'no such'; left out"]


def test_a_paper_whose_ids_are_all_bad_is_kept_without_any() -> None:
    parsed = read({"title": "A Net", "arxiv_id": "2611.", "doi": "abc"})
    assert (len(parsed.sightings), parsed.sightings[0].ids, len(parsed.problems)) == (1, (), 2)


def test_an_id_in_other_letters_is_the_same_id() -> None:
    assert one(arxiv_id="ARXIV:2511.04321V2", doi="10.1234/ABC").ids == one(arxiv_id="2511.04321", doi="10.1234/abc").ids


@pytest.mark.parametrize("value", [3, True, {}, ["Deep."], 1.5])
@pytest.mark.parametrize("key", ["abstract", "organization", "summary", "summary_by", "arxiv_id", "doi", "url", "code_url"])
def test_what_should_be_a_text_and_is_none_is_reported_and_the_paper_kept(key: str, value: object) -> None:
    parsed = read({"title": "A Net", key: value})
    assert parsed.sightings == read({"title": "A Net"}).sightings
    assert [found.what for found in parsed.problems] == [f"`{key}` is not a text; left out"]


@pytest.mark.parametrize("value", [3, True, {}, "cs.LG"])
@pytest.mark.parametrize("key", ["categories", "keywords"])
def test_what_should_be_a_list_and_is_none_is_reported_and_the_paper_kept(key: str, value: object) -> None:
    parsed = read({"title": "A Net", key: value})
    assert parsed.sightings == read({"title": "A Net"}).sightings
    assert [found.what for found in parsed.problems] == [f"`{key}` is not a list of texts; left out"]


@pytest.mark.parametrize("key", ["authors", "categories", "keywords"])
def test_the_texts_of_a_list_are_kept_where_some_of_it_is_none(key: str) -> None:
    parsed = read({"title": "A Net", key: ["one", 2, None, "three"]})
    assert getattr(parsed.sightings[0].work, key) == ("one", "three")
    assert [found.what for found in parsed.problems] == [f"some of `{key}` are not texts; left out"]


def test_a_date_without_its_zeros_is_read() -> None:
    assert one(published_at="2026-1-5").work.published_at == datetime(2026, 1, 5, tzinfo=UTC)


def test_hostile_text_is_made_harmless_and_tex_and_emoji_stay() -> None:
    work = one(
        title="A\u202eN\u0000e\u200bt $\\alpha<\\beta$ \U0001f469\u200d\U0001f52c", authors=["Andr\\'e\x1b[31m Doe"]
    ).work
    assert work.title == "AN et $\\alpha<\\beta$ \U0001f469\u200d\U0001f52c"
    assert work.authors == ("Andr\\'e [31m Doe",)


def test_ten_thousand_lines_are_read_in_their_order() -> None:
    parsed = read(*({"title": f"Net {number}", "rank": number + 1} for number in range(10_000)))
    assert [sighting.readings[0].value for sighting in parsed.sightings] == list(range(1, 10_001))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "{",
        "[]",
        "3",
        "null",
        '"A Net"',
        "{}",
        '{"title": null}',
        '{"title": 3}',
        '{"title": ""}',
        '{"title": "???"}',
        '{"title": "\\ud800"}',
        '{"title": "' + "x" * 20_000 + '"}',
        '{"title": "A Net", "title": "Another"}',
        '{"title": "A Net", "votes": NaN}',
        '{"title": "A Net", "votes": -Infinity}',
        '{"title": "A Net", "votes": ' + "9" * 5000 + "}",
        '{"title": ' + "[" * 100_000,
        '{"a":' * 100_000,
        "<html>",
    ],
)
def test_a_bad_line_is_reported_by_number_and_its_neighbours_live(line: str) -> None:
    parsed = parse(f'{{"title": "First Net"}}\n{line}\n{{"title": "Last Net"}}', source="file", seen_at=NOW)
    assert [sighting.work.title for sighting in parsed.sightings] == ["First Net", "Last Net"]
    assert [found.line for found in parsed.problems] == ([2] if line else [])
    assert all(0 < len(found.what) < 200 for found in parsed.problems)


def test_a_file_from_another_system_is_read() -> None:
    raw = b'\xef\xbb\xbf{"title": "First Net"}\r\n\r\n{"title": "Last Net"}\r\n'
    assert [sighting.work.title for sighting in parse(raw, source="file", seen_at=NOW).sightings] == ["First Net", "Last Net"]


def test_bytes_that_are_not_utf8_are_reported() -> None:
    parsed = parse(b'{"title": "Poincar\xe9"}\n{"title": "A Net"}', source="file", seen_at=NOW)
    assert [(found.line, found.what) for found in parsed.problems] == [(1, "not UTF-8 text")]
    assert len(parsed.sightings) == 1


def test_a_long_title_is_shortened_and_three_hundred_authors_are_kept() -> None:
    work = one(title="Net " * 100, authors=[f"Author {number}" for number in range(300)]).work
    assert len(work.title) <= 300
    assert work.title.endswith("…")
    assert len(work.authors) == 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["title", "abstract", "authors", "arxiv_id", "doi", "url", "code_url", "published_at", "readings", "keywords", *METRICS]
)


@given(st.lists(st.dictionaries(KEYS, JSON, max_size=8) | JSON, max_size=6))
def test_any_json_is_a_paper_or_a_problem(entries: list[object]) -> None:
    parsed = read(*entries)
    reported = {found.line for found in parsed.problems}
    assert len(parsed.sightings) + len(reported) >= len(entries)
    for sighting in parsed.sightings:
        assert sighting.work.title
        assert all(reading.taken_at <= NOW and 0 <= reading.value <= 10**9 for reading in sighting.readings)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_reported(raw: bytes) -> None:
    parse(raw, source="file", seen_at=NOW)
