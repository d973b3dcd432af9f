import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from digest.errors import BadInput
from digest.papers.model import Reading, Sighting
from digest.sources.base import Known
from digest.sources.parsed import Parsed
from digest.sources.semantic_scholar import UNKNOWN, SemanticScholarSettings, asked_by, parse

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
PAPER_ID = "0123456789abcdef0123456789abcdef01234567"


def entry(**fields: Any) -> dict[str, Any]:
    """A paper of the real shape, with invented content; None takes a field out."""
    whole: dict[str, object] = {
        "paperId": PAPER_ID,
        "externalIds": {"ArXiv": "2511.04321", "DOI": "10.48550/arXiv.2511.04321", "CorpusId": 1},
        "title": "An Invented\n  Network",
        "abstract": "We invent a network.\nIt is deep.",
        "venue": "Invented Letters",
        "year": 2025,
        "publicationDate": "2025-11-06",
        "authors": [{"authorId": "1", "name": "Jane Doe"}, {"authorId": None, "name": "Max Roe"}],
        "citationCount": 12,
        "influentialCitationCount": 3,
        "tldr": {"model": "tldr@v2.0.0", "text": "A network is invented."},
        "s2FieldsOfStudy": [
            {"category": "Computer Science", "source": "external"},
            {"category": "Computer Science", "source": "s2-fos-model"},
            {"category": "Mathematics", "source": "s2-fos-model"},
        ],
        "publicationTypes": ["JournalArticle"],
    }
    return {key: value for key, value in (whole | fields).items() if value is not None}


def read(answer: object, **how: Any) -> Parsed:
    return parse(json.dumps(answer).encode(), seen_at=NOW, **how)


def one(**fields: Any) -> Sighting:
    parsed = read(entry(**fields))
    assert parsed.problems == ()
    return parsed.sightings[0]


def titles(parsed: Parsed) -> list[str]:
    return [sighting.work.title for sighting in parsed.sightings]


def test_a_paper_is_read_whole() -> None:
    sighting = one()
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces) == ("semantic_scholar", NOW, True)
    assert sighting.ids == ("arxiv:2511.04321", f"s2:{PAPER_ID}")
    assert (work.title, work.abstract) == ("An Invented Network", "We invent a network. It is deep.")
    assert (work.authors, work.keywords, work.categories) == (("Jane Doe", "Max Roe"), ("Computer Science", "Mathematics"), ())
    assert (work.summary, work.summary_by) == ("A network is invented.", "Semantic Scholar")
    assert work.published_at == datetime(2025, 11, 6, tzinfo=UTC)
    assert work.links == {"arxiv": "https://arxiv.org/abs/2511.04321", "pdf": "https://arxiv.org/pdf/2511.04321"}
    assert sighting.readings == (Reading("semantic_scholar", "citations", 12, NOW),)


def test_both_ids_of_a_paper_that_was_published_are_told_so_that_its_two_rows_can_be_joined() -> None:
    sighting = one(externalIds={"ArXiv": "2511.04321", "DOI": "10.1000/Invented.7"})
    assert sighting.ids == ("arxiv:2511.04321", "doi:10.1000/invented.7", f"s2:{PAPER_ID}")
    assert sighting.work.links["doi"] == "https://doi.org/10.1000/invented.7"


def test_a_count_that_is_not_told_is_not_zero_and_zero_is_a_count() -> None:
    assert one(citationCount=None).readings == ()
    assert one(citationCount=0).readings == (Reading("semantic_scholar", "citations", 0, NOW),)


def test_a_paper_without_a_summary_names_nobody_as_its_author() -> None:
    assert one(tldr=None).work.summary_by == ""
    assert one(tldr={"model": "tldr@v2.0.0", "text": None}).work.summary_by == ""


@pytest.mark.parametrize(
    "answer",
    [
        entry(),
        [entry()],
        {"data": [entry()]},
        {"total": 1, "offset": 0, "next": 100, "data": [entry(matchScore=109.5)]},
        {"offset": 0, "data": [{"citedPaper": entry(), "isInfluential": False}]},
        {"offset": 0, "data": [{"citingPaper": entry()}]},
        {"recommendedPapers": [entry()]},
    ],
)
def test_every_shape_of_an_answer_is_read(answer: object) -> None:
    parsed = read(answer)
    assert (titles(parsed), parsed.problems) == (["An Invented Network"], ())


@pytest.mark.parametrize("answer", [[], {"data": []}, {"total": 0, "offset": 0}, {"offset": 0, "data": None}])
def test_an_answer_without_papers_is_an_answer(answer: object) -> None:
    assert read(answer) == Parsed()


def test_what_is_not_known_there_is_counted_and_no_problem() -> None:
    parsed = read([None, entry(), None])
    assert (len(parsed.sightings), parsed.problems, parsed.passed_over) == (1, (), {UNKNOWN: 2})


def test_a_paper_without_an_id_of_its_own_is_kept_by_its_title() -> None:
    parsed = read(
        {"data": [{"citedPaper": {"paperId": None, "title": "One"}}, {"citedPaper": {"paperId": None, "title": "Two"}}]}
    )
    assert [(sighting.work.title, sighting.ids) for sighting in parsed.sightings] == [("One", ()), ("Two", ())]


def test_a_paper_that_stands_twice_is_read_once() -> None:
    parsed = read([entry(), entry(citationCount=99)])
    assert [sighting.readings[0].value for sighting in parsed.sightings] == [12]
    assert [problem.line for problem in parsed.problems] == [2]


def test_an_id_that_changes_its_case_and_version_is_one_id() -> None:
    external = {"ArXiv": "ARXIV:2511.04321v3", "DOI": "https://doi.org/10.1000/INVENTED.7"}
    spelled = one(externalIds=external, paperId=PAPER_ID.upper())
    assert spelled.ids == ("arxiv:2511.04321", "doi:10.1000/invented.7", f"s2:{PAPER_ID}")


def test_a_doi_of_another_arxiv_paper_does_not_make_two_papers_one() -> None:
    parsed = read(entry(externalIds={"ArXiv": "2511.04321", "DOI": "10.48550/arXiv.2511.99999"}))
    assert parsed.sightings[0].ids == ("arxiv:2511.04321", f"s2:{PAPER_ID}")
    assert "DOI" in parsed.problems[0].what


@pytest.mark.parametrize(
    "bad",
    [3, "2511.04321", [], {}, {"citedPaper": None}, entry(title=""), entry(title=["A Net"]), entry(title="x" * 20_000)],
)
def test_a_bad_entry_is_reported_by_its_place_and_the_others_live(bad: object) -> None:
    parsed = read([entry(title="One", externalIds=None, paperId=None), bad, entry(title="Three")])
    assert titles(parsed) == ["One", "Three"]
    assert [problem.line for problem in parsed.problems] == [2]


@pytest.mark.parametrize("value", [-1, 1.5, 10**400, True, "71", [71]])
def test_a_count_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(citationCount=value))
    assert parsed.sightings[0].readings == ()
    assert "citations" in parsed.problems[0].what


@pytest.mark.parametrize("value", ["0000-00-00", "2025-13-06", "2031-01-01", 2025, {}])
def test_a_date_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(publicationDate=value))
    assert parsed.sightings[0].work.published_at is None
    assert "publicationDate" in parsed.problems[0].what


def test_a_date_without_padding_is_a_date() -> None:
    assert one(publicationDate="2025-1-6").work.published_at == datetime(2025, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "external", [{"ArXiv": "nonsense"}, {"DOI": "x" * 10_000}, {"ArXiv": 2511.04321}, {"DOI": ["10.1000/7"]}]
)
def test_an_id_that_is_none_is_reported_and_the_paper_kept(external: object) -> None:
    parsed = read(entry(externalIds=external))
    assert parsed.sightings[0].ids == (f"s2:{PAPER_ID}",)
    assert len(parsed.problems) == 1


@pytest.mark.parametrize("value", ["", "12", "z" * 40, 7, {}])
def test_a_paper_id_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(paperId=value))
    assert parsed.sightings[0].ids == ("arxiv:2511.04321",)
    assert len(parsed.problems) == 1


def test_fields_of_strange_types_are_absent() -> None:
    work = one(authors="Jane", s2FieldsOfStudy={"a": 1}, tldr=["x"], abstract=3, externalIds=[], somethingNew={"a": [1]}).work
    assert (work.authors, work.keywords, work.summary, work.abstract) == ((), (), "", "")
    assert one(authors=[None, 3, {"name": 7}, {"name": " "}, {"name": "Jane Doe"}]).work.authors == ("Jane Doe",)


def test_texts_are_cleaned_and_bounded() -> None:
    hostile = "A \u202eNet\u0000 of \U0001f9e0 and $\\alpha$"
    work = one(title=hostile, abstract="word " * 20_000, authors=[{"name": f"A{n} B"} for n in range(10_000)]).work
    assert work.title == "A Net of \U0001f9e0 and $\\alpha$"
    assert len(work.abstract) <= 6000
    assert len(work.authors) == 400


def test_ten_thousand_entries_are_read() -> None:
    assert len(read([{"title": f"Net {n}", "paperId": f"{n:040x}"} for n in range(10_000)]).sightings) == 10_000


def test_a_million_entries_are_not_held() -> None:
    parsed = read([{"title": f"Net {n}"} for n in range(10_001)] + [3] * 10**6)
    assert len(parsed.sightings) == 10_000
    assert [str(problem) for problem in parsed.problems] == ["line 10001: more than 10,000 entries; the rest is left out"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'{"error":"Paper with id 0 not found"}', "Semantic Scholar says: Paper with id 0 not found"),
        (b'{"message":"Too Many Requests","code":"429"}', "Semantic Scholar says: Too Many Requests"),
        (b"{}", "no answer of Semantic Scholar"),
        (b'{"data": 3}', "no answer of Semantic Scholar"),
        (b'{"papers": []}', "no answer of Semantic Scholar"),
        (b"3", "no answer of Semantic Scholar"),
        (b'[{"title": "An Inv', "not JSON"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse(raw, seen_at=NOW)


ASKED = ("arxiv:2511.04321", "doi:10.1000/invented.7")


def look_up(*entries: object, asked: tuple[str, ...] = ASKED) -> Parsed:
    return read(list(entries), announces=False, asked=asked)


def test_a_look_up_makes_no_papers_and_tells_no_dates() -> None:
    sighting = look_up(entry(), None).sightings[0]
    assert (sighting.announces, sighting.work.published_at) == (False, None)


def test_an_entry_that_tells_no_id_is_of_the_paper_that_was_asked_for() -> None:
    parsed = look_up(entry(externalIds=None, paperId=None), entry(externalIds={}, title="Another"))
    assert [sighting.ids for sighting in parsed.sightings] == [
        ("arxiv:2511.04321",),
        ("doi:10.1000/invented.7", f"s2:{PAPER_ID}"),
    ]


def test_one_record_for_two_ids_says_that_they_are_one_paper() -> None:
    parsed = look_up(entry(), entry())
    assert [sighting.ids for sighting in parsed.sightings] == [
        ("arxiv:2511.04321", f"s2:{PAPER_ID}"),
        ("arxiv:2511.04321", "doi:10.1000/invented.7", f"s2:{PAPER_ID}"),
    ]


def test_a_record_of_another_arxiv_paper_is_not_taken_for_the_one_asked_for() -> None:
    parsed = look_up(entry(externalIds={"ArXiv": "2511.99999"}), None)
    assert parsed.sightings == ()
    assert str(parsed.problems[0]) == "arxiv:2511.04321: the answer is about arxiv:2511.99999"


def test_a_problem_of_a_look_up_names_the_paper() -> None:
    assert str(look_up(None, entry(title=None)).problems[0]) == "doi:10.1000/invented.7: has no title"


@pytest.mark.parametrize("entries", [[], [None], [None, None, None]])
def test_an_answer_of_another_length_is_not_one_to_these_ids(entries: list[object]) -> None:
    with pytest.raises(BadInput, match="entries to 2 ids"):
        look_up(*entries)


@pytest.mark.parametrize(
    ("ids", "by"),
    [
        (("arxiv:2511.04321", "doi:10.1000/7"), "arxiv:2511.04321"),
        (("doi:10.1000/7", f"s2:{PAPER_ID}"), "doi:10.1000/7"),
        (("doi:10.1000/a'b", f"s2:{PAPER_ID}"), f"s2:{PAPER_ID}"),
        (("title:a net|doe",), None),
        ((), None),
    ],
)
def test_a_paper_is_asked_for_by_its_strongest_id(ids: tuple[str, ...], by: str | None) -> None:
    assert asked_by(Known(ids)) == by


def test_the_settings_are_those_of_the_real_address_and_take_lengths_of_time() -> None:
    settings = SemanticScholarSettings.model_validate({"key": "a-key", "again_after": "12h"})
    assert (settings.enabled, settings.url) == (False, "https://api.semanticscholar.org/graph/v1")
    assert (settings.limit, settings.again_after.total_seconds()) == (1000, 12 * 3600)
    assert "a-key" not in repr(settings)


@pytest.mark.parametrize("bad", [{"limit": 0}, {"again_after": "soon"}, {"url": "ftp://example.org"}, {"keys": "x"}])
def test_settings_that_cannot_be_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SemanticScholarSettings.model_validate(bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted(entry()))


def _overridden(fields: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(entry(**fields))


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON, max_size=6).map(_overridden), max_size=5))
def test_any_entry_is_a_paper_or_a_problem_or_unknown(entries: list[object]) -> None:
    parsed = read(entries)
    accounted = len(parsed.sightings) + len({problem.line for problem in parsed.problems}) + sum(parsed.passed_over.values())
    assert accounted >= len(entries)
    assert all(0 <= reading.value <= 10**9 for sighting in parsed.sightings for reading in sighting.readings)


@given(JSON)
def test_any_json_is_read_or_refused(answer: object) -> None:
    with suppress(BadInput):
        read(answer)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, seen_at=NOW)
