import json
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from digest.errors import BadInput
from digest.papers.model import Sighting
from digest.sources.biorxiv import Biorxiv, BiorxivSettings, judge, parse, window
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
TODAY = NOW.date()


def entry(doi: object = "10.1101/2026.11.20.123456", **fields: Any) -> dict[str, Any]:
    """An entry of the real shape, with invented content; None takes a field out."""
    whole = {
        "doi": doi,
        "title": "An Invented Protein",
        "authors": "Gomez Cuautle, D. D.; Rossi, A. R.",
        "author_corresponding": "Ann Rossi",
        "author_corresponding_institution": "An Institute",
        "date": "2026-11-21",
        "version": "1",
        "type": "new results",
        "license": "cc_by",
        "category": "cell biology",
        "jatsxml": "https://www.biorxiv.org/content/early/2026/11/21/2026.11.20.123456.source.xml",
        "abstract": "We invent a protein.",
        "funder": [{"name": "A Fund"}],
        "published": "NA",
        "server": "bioRxiv",
        **fields,
    }
    return {key: value for key, value in whole.items() if value is not None}


def answer(*entries: object, **message: object) -> bytes:
    said = {"status": "ok", "count": len(entries), "total": str(len(entries)), "cursor": 0, **message}
    return json.dumps({"messages": [said], "collection": entries}).encode()


def read(*entries: object, **how: Any) -> Parsed:
    return parse(answer(*entries), seen_at=NOW, **how)


def one(**fields: Any) -> Sighting:
    parsed = read(entry(**fields))
    assert parsed.problems == ()
    return parsed.sightings[0]


def test_an_entry_is_read_whole() -> None:
    sighting = one()
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces) == ("biorxiv", NOW, True)
    assert sighting.ids == ("doi:10.1101/2026.11.20.123456",)
    assert (work.title, work.abstract) == ("An Invented Protein", "We invent a protein.")
    assert work.authors == ("D. D. Gomez Cuautle", "A. R. Rossi")
    assert work.categories == ("cell biology",)
    assert work.published_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert work.links == {
        "biorxiv": "https://www.biorxiv.org/content/10.1101/2026.11.20.123456v1",
        "doi": "https://doi.org/10.1101/2026.11.20.123456",
    }
    assert sighting.readings == ()


def test_a_paper_of_medrxiv_is_medrxivs_whoever_hands_it_over() -> None:
    sighting = one(server="medRxiv")
    assert sighting.source == "medrxiv"
    assert sighting.work.links["medrxiv"] == "https://www.medrxiv.org/content/10.1101/2026.11.20.123456v1"


def test_a_date_without_its_zeros_is_that_date() -> None:
    assert one(date="2026-1-5").work.published_at == datetime(2026, 1, 5, tzinfo=UTC)


def test_markup_in_title_and_abstract_goes() -> None:
    work = one(
        title="CO<sub>2</sub> in <i>E. coli</i>",
        abstract="<jats:p>10<jats:sup>6</jats:sup> cells, p&lt;0.05 &amp;amp; more.</jats:p><jats:p>Second.</jats:p>",
    ).work
    assert work.title == "CO2 in E. coli"
    assert work.abstract == "10⁶ cells, p<0.05 &amp; more. Second."


def test_the_journals_doi_is_a_second_id() -> None:
    assert one(published="10.1038/S41586-026-0001").ids == ("doi:10.1101/2026.11.20.123456", "doi:10.1038/s41586-026-0001")


@pytest.mark.parametrize("published", ["NA", "na", "N/A", "", None, "10.1101/2026.11.20.123456"])
def test_a_preprint_that_no_journal_has_has_one_id(published: str | None) -> None:
    assert one(published=published).ids == ("doi:10.1101/2026.11.20.123456",)


def test_of_several_versions_the_highest_is_kept_and_announces_if_the_first_came_along() -> None:
    parsed = read(
        entry(version="2", title="Second Title", date="2026-11-22"),
        entry(version="1", title="First Title", date="2026-11-20"),
        entry(version="10", title="Tenth Title", date="2026-11-22", published="10.1234/j"),
    )
    (sighting,) = parsed.sightings
    assert (sighting.work.title, sighting.announces) == ("Tenth Title", True)
    assert sighting.work.links["biorxiv"].endswith("v10")
    assert sighting.work.published_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert sighting.ids[1] == "doi:10.1234/j"
    assert parsed.passed_over == {"older versions": 2}


def test_a_revision_alone_announces_nothing_and_its_day_is_not_that_of_the_paper() -> None:
    sighting = one(version="2")
    assert not sighting.announces
    assert sighting.work.published_at is None


def test_the_same_version_twice_is_one_paper() -> None:
    parsed = read(entry(), entry())
    assert (len(parsed.sightings), dict(parsed.passed_over)) == (1, {})


def test_an_id_that_changes_its_case_is_the_same_paper() -> None:
    parsed = read(entry(doi="10.1101/ABC", version="1"), entry(doi="10.1101/abc", version="2"))
    assert [sighting.ids for sighting in parsed.sightings] == [("doi:10.1101/abc",)]


def test_only_wanted_categories_are_kept_however_they_are_written() -> None:
    entries = [entry(f"10.1101/{n}", category=name) for n, name in enumerate(["Cell Biology", "neuroscience", "ecology", None])]
    parsed = read(*entries, categories=("cell_biology", "NEUROSCIENCE"))
    assert [sighting.ids[0] for sighting in parsed.sightings] == ["doi:10.1101/0", "doi:10.1101/1"]
    assert parsed.passed_over == {"other categories": 2}


@pytest.mark.parametrize("fields", [{"title": "WITHDRAWN: An Invented Protein"}, {"type": "Withdrawn"}])
def test_a_withdrawn_preprint_is_retracted_and_not_announced(fields: dict[str, str]) -> None:
    parsed = read(entry(version="1"), entry(version="2", **fields))
    assert parsed.sightings == ()
    assert parsed.retracted == ("doi:10.1101/2026.11.20.123456",)
    assert parsed.passed_over == {"older versions": 1, "withdrawn": 1}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        "10.1101/2026.11.20.123456",
        [],
        {},
        entry(doi="not a doi"),
        entry(doi=3),
        entry(doi="10.48550/arXiv.2611.00001"),
        entry(title=None),
        entry(title=""),
        entry(title="<p></p>"),
        entry(title=["A Protein"]),
        entry(title="x" * 20_000),
    ],
)
def test_a_bad_entry_is_reported_by_its_place_and_the_others_live(bad: object) -> None:
    parsed = read(entry("10.1101/1"), bad, entry("10.1101/3"))
    assert [sighting.ids[0] for sighting in parsed.sightings] == ["doi:10.1101/1", "doi:10.1101/3"]
    assert [problem.line for problem in parsed.problems] == [2]


@pytest.mark.parametrize("day", ["0000-01-01", "2026-13-01", "2027-01-01", "yesterday", 20261121, ["2026"]])
def test_a_date_that_is_none_is_reported_and_the_paper_kept(day: object) -> None:
    parsed = read(entry(date=day))
    assert parsed.sightings[0].work.published_at is None
    assert "`date`" in parsed.problems[0].what


@pytest.mark.parametrize("version", ["", "x", "-1", 0, -2, 1.5, None, [1], "9" * 400])
def test_a_version_that_is_none_is_reported_and_taken_as_the_first(version: object) -> None:
    parsed = read(entry(version=version))
    assert parsed.sightings[0].announces
    assert "version" in parsed.problems[0].what


def test_a_journals_doi_that_is_none_is_reported_and_the_paper_kept() -> None:
    parsed = read(entry(published="soon"))
    assert len(parsed.sightings[0].ids) == 1
    assert parsed.problems[0].what == "`published` is no DOI: 'soon'; left out"


def test_missing_null_strange_and_unknown_fields_do_no_harm() -> None:
    bare = read(
        {"doi": "10.1101/1", "title": "A Protein", "version": 1, "authors": None, "abstract": 3, "category": {}, "new": []}
    )
    assert (bare.problems, bare.sightings[0].work.authors, bare.sightings[0].work.abstract) == ((), (), "")
    assert bare.sightings[0].work.categories == ()


def test_hostile_text_is_made_harmless() -> None:
    work = one(title="A\u202eN\u0000ew Protein \U0001f9ec $\\alpha$", authors="Doe\u200b, J.\x1b[31m").work
    assert work.title == "AN ew Protein \U0001f9ec $\\alpha$"
    assert work.authors == ("J. [31m Doe",)


def test_three_hundred_authors_are_kept() -> None:
    assert len(one(authors="; ".join(f"Author{n}, A." for n in range(300))).work.authors) == 300


def test_a_doi_with_strange_characters_makes_no_strange_link() -> None:
    links = one(doi="10.1101/a'b(c);d").work.links
    assert links["biorxiv"] == "https://www.biorxiv.org/content/10.1101/a%27b(c)%3Bdv1"


def test_ten_thousand_entries_are_read() -> None:
    assert len(read(*(entry(f"10.1101/{n}") for n in range(10_000))).sightings) == 10_000


def test_entries_beyond_reason_are_left_out_and_it_says_so() -> None:
    parsed = read(entry(), *[3] * 20_000)
    assert str(parsed.problems[-1]) == "line 20001: more than 20,000 entries; the rest is left out"
    assert (len(parsed.sightings), len(parsed.problems)) == (1, 20_000)


@pytest.mark.parametrize("status", ["no posts found", "ok", None, 3])
def test_an_answer_without_papers_is_one(status: object) -> None:
    assert parse(answer(status=status), seen_at=NOW) == Parsed()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'{"messages": [{"status": "Error: incorrect date"}], "collection": []}', "it says: Error: incorrect date"),
        (b'{"messages": [{"status": "Error: incorrect date"}]}', "it says: Error"),
        (b"[]", "no answer of bioRxiv"),
        (b'{"papers": []}', "no `collection`"),
        (b'{"collection": {}}', "no `collection`"),
        (b'{"collection": [{"doi": "10.11', "not JSON"),
        (b"[" * 100_000, "nested"),
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
FIELDS = st.dictionaries(st.sampled_from(sorted(entry())), JSON, max_size=6)


@given(st.lists(JSON | FIELDS.map(lambda fields: entry() | fields), max_size=5))
def test_any_entry_is_a_paper_or_counted(entries: list[object]) -> None:
    parsed = read(*entries)
    ends = len(parsed.sightings) + len({problem.line for problem in parsed.problems}) + sum(parsed.passed_over.values())
    same = len(entries) - len({json.dumps(one) for one in entries})
    assert ends + same >= min(len(entries), 1)
    assert all(sighting.ids and sighting.work.title for sighting in parsed.sightings)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, seen_at=NOW)


DAYS = {n: date(2026, 11, n) for n in range(1, 31)}


@pytest.mark.parametrize(
    ("newest", "known", "verdict"),
    [
        (22, None, "fresh"),
        (22, 22, "fresh"),
        (21, 21, "fresh"),
        (20, 19, "fresh"),
        (18, None, "fresh"),
        (18, 17, "fresh"),
        (20, 20, "quiet"),
        (19, 19, "quiet"),
        (None, 19, "quiet"),
        (18, 18, "stale"),
        (None, 18, "stale"),
        (None, None, "stale"),
        (17, 18, "stale"),
    ],
)
def test_the_verdict_goes_by_the_newest_day(newest: int | None, known: int | None, verdict: str) -> None:
    found = judge(DAYS[newest] if newest else None, DAYS[known] if known else None, TODAY)
    assert found[0] == verdict
    assert found[1]


@pytest.mark.parametrize(
    ("answered_at", "since", "first"),
    [
        (None, None, 20),
        (NOW, None, 20),
        (datetime(2026, 11, 20, 3, tzinfo=UTC), None, 18),
        (datetime(2026, 1, 1, tzinfo=UTC), None, 8),
        (datetime(2026, 12, 31, tzinfo=UTC), None, 20),
        (NOW, DAYS[1], 1),
        (NOW, date(2027, 1, 1), 22),
    ],
)
def test_it_is_asked_from_shortly_before_the_last_answer(answered_at: datetime | None, since: date | None, first: int) -> None:
    assert window(TODAY, answered_at, since) == DAYS[first]


def test_both_servers_are_off_until_somebody_wants_them() -> None:
    settings = BiorxivSettings()
    assert (settings.enabled, settings.url, settings.categories) == (False, "https://api.biorxiv.org", ())
    assert [(one.name, one.turn, one.title) for one in (Biorxiv("biorxiv", settings), Biorxiv("medrxiv", settings))] == [
        ("biorxiv", "biorxiv", "bioRxiv"),
        ("medrxiv", "medrxiv", "medRxiv"),
    ]


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        BiorxivSettings(url="api.biorxiv.org")
