import json
import time
from collections.abc import Callable
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
from digest.sources.openalex import OpenAlexSettings, abstract, asked_by, parse
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)


def entry(**fields: Any) -> dict[str, Any]:
    """A work of the real shape, with invented content; None takes a field out."""
    whole: dict[str, object] = {
        "id": "https://openalex.org/W4400000001",
        "doi": "https://doi.org/10.1000/Invented.7",
        "ids": {"openalex": "https://openalex.org/W4400000001", "doi": "https://doi.org/10.1000/invented.7"},
        "title": "An Invented\n  Network",
        "display_name": "An Invented Network",
        "publication_date": "2025-11-06",
        "type": "article",
        "is_retracted": False,
        "cited_by_count": 12,
        "authorships": [
            {
                "author_position": "first",
                "author": {"id": "https://openalex.org/A1", "display_name": "Jane Doe", "orcid": None},
                "institutions": [{"id": "https://openalex.org/I1", "display_name": "An Institute"}],
            },
            {
                "author_position": "last",
                "author": {"display_name": "Max Roe"},
                "institutions": [{"display_name": "A School"}, {"display_name": "A Firm"}],
            },
        ],
        "primary_topic": {"id": "https://openalex.org/T1", "display_name": "Invented Networks", "score": 0.99},
        "topics": [{"display_name": "Invented Networks"}, {"display_name": "Deep Inventions"}],
        "keywords": [{"display_name": "Net (mathematics)"}],
        "abstract_inverted_index": {"We": [0], "invent": [1], "a": [2], "deep": [3], "network.": [4]},
        "best_oa_location": {"landing_page_url": "https://example.org/7", "pdf_url": None},
        "locations": [
            {"landing_page_url": "https://doi.org/10.1000/invented.7", "pdf_url": None},
            {"landing_page_url": "http://arxiv.org/abs/2511.04321", "pdf_url": "https://arxiv.org/pdf/2511.04321"},
        ],
    }
    return {key: value for key, value in (whole | fields).items() if value is not None}


def read(answer: object, **how: Any) -> Parsed:
    return parse(json.dumps(answer).encode(), seen_at=NOW, **how)


def one(**fields: Any) -> Sighting:
    parsed = read(entry(**fields))
    assert parsed.problems == ()
    return parsed.sightings[0]


def test_a_work_is_read_whole() -> None:
    sighting = one()
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces) == ("openalex", NOW, True)
    assert sighting.ids == ("arxiv:2511.04321", "doi:10.1000/invented.7", "openalex:W4400000001")
    assert (work.title, work.abstract) == ("An Invented Network", "We invent a deep network.")
    assert (work.authors, work.organization) == (("Jane Doe", "Max Roe"), "An Institute")
    assert (work.keywords, work.categories) == (("Invented Networks", "Deep Inventions"), ())
    assert work.published_at == datetime(2025, 11, 6, tzinfo=UTC)
    assert work.links == {
        "arxiv": "https://arxiv.org/abs/2511.04321",
        "pdf": "https://arxiv.org/pdf/2511.04321",
        "doi": "https://doi.org/10.1000/invented.7",
    }
    assert sighting.readings == (Reading("openalex", "citations", 12, NOW),)


@pytest.mark.parametrize("answer", [entry(), [entry()], {"meta": {"count": 1}, "results": [entry()]}, {"results": [entry()]}])
def test_every_shape_of_an_answer_is_read(answer: object) -> None:
    parsed = read(answer)
    assert ([sighting.work.title for sighting in parsed.sightings], parsed.problems) == (["An Invented Network"], ())


@pytest.mark.parametrize("answer", [[], {"meta": {"count": 0}, "results": []}])
def test_an_answer_without_works_is_an_answer(answer: object) -> None:
    assert read(answer) == Parsed()


def test_a_retracted_work_is_told_with_all_its_ids() -> None:
    parsed = read([entry(is_retracted=True), entry(doi="10.1000/8", id=None, locations=None)])
    assert parsed.retracted == ("arxiv:2511.04321", "doi:10.1000/invented.7", "openalex:W4400000001")
    assert len(parsed.sightings) == 2


def test_a_retraction_is_told_even_of_a_work_without_a_title() -> None:
    parsed = read([entry(is_retracted=True, title=None, display_name=None)])
    assert "doi:10.1000/invented.7" in parsed.retracted
    assert str(parsed.problems[0]) == "line 1: arxiv:2511.04321: has no title"


@pytest.mark.parametrize("value", [None, 0, 1, "true", [True]])
def test_nothing_but_true_is_a_retraction(value: object) -> None:
    assert read([entry(is_retracted=value)]).retracted == ()


def test_the_doi_that_arxiv_registers_is_an_arxiv_id() -> None:
    assert one(doi="https://doi.org/10.48550/arXiv.2511.04321", locations=None).ids[0] == "arxiv:2511.04321"
    # Its locations have no say then.
    other = [{"landing_page_url": "https://arxiv.org/abs/2511.99999"}]
    assert one(doi="https://doi.org/10.48550/arXiv.2511.04321", locations=other).ids[:1] == ("arxiv:2511.04321",)
    assert one(doi="10.48550/arXiv.2511.04321", locations=other).ids[1] == "openalex:W4400000001"


def test_a_work_that_two_arxiv_papers_are_said_to_be_is_neither() -> None:
    locations = [{"landing_page_url": f"https://arxiv.org/abs/2511.0000{n}"} for n in (1, 2)]
    parsed = read(entry(locations=locations))
    assert parsed.sightings[0].ids == ("doi:10.1000/invented.7", "openalex:W4400000001")
    assert "arXiv" in parsed.problems[0].what


def test_an_arxiv_id_is_found_wherever_the_work_can_be_read() -> None:
    places = [{"landing_page_url": "https://doi.org/10.48550/arxiv.2511.04321"}]
    assert one(locations=places).ids[0] == "arxiv:2511.04321"
    best = {"landing_page_url": None, "pdf_url": "https://arxiv.org/pdf/2511.04321v2.pdf"}
    assert one(locations=None, best_oa_location=best).ids[0] == "arxiv:2511.04321"


@pytest.mark.parametrize("value", ["nonsense", "x" * 10_000, 10.1, ["10.1000/7"]])
def test_a_doi_that_is_none_is_reported_and_the_work_kept(value: object) -> None:
    parsed = read(entry(doi=value))
    assert parsed.sightings[0].ids == ("arxiv:2511.04321", "openalex:W4400000001")
    assert "doi" in parsed.problems[0].what


def test_an_id_that_changes_its_case_is_one_id() -> None:
    parsed = read([entry(doi="10.1000/INVENTED.7", id="w4400000001"), entry()])
    assert [sighting.ids[2] for sighting in parsed.sightings] == ["openalex:W4400000001"]
    assert [problem.line for problem in parsed.problems] == [2]


def test_of_two_records_of_one_paper_the_first_counts_and_the_second_may_name_a_further_id() -> None:
    preprint = entry(doi="10.48550/arXiv.2511.04321", id="https://openalex.org/W1", cited_by_count=40, locations=None)
    published = entry(id="https://openalex.org/W2", cited_by_count=2)
    parsed = read([preprint, published, entry(id="https://openalex.org/W3", cited_by_count=3)])
    assert [sighting.ids for sighting in parsed.sightings] == [
        ("arxiv:2511.04321", "openalex:W1"),
        ("arxiv:2511.04321", "doi:10.1000/invented.7", "openalex:W2"),
    ]
    assert [reading.value for sighting in parsed.sightings for reading in sighting.readings] == [40]
    assert [problem.line for problem in parsed.problems] == [3]


def test_works_without_ids_are_kept_apart() -> None:
    bare = {"ids": None, "doi": None, "id": None, "locations": None}
    assert len(read([entry(title="One", **bare), entry(title="Two", **bare)]).sightings) == 2


def test_an_institution_is_told_only_where_the_first_author_has_one() -> None:
    def of(*institutions: object) -> str:
        return one(authorships=[{"author": {"display_name": "Jane Doe"}, "institutions": list(institutions)}]).work.organization

    assert of({"display_name": "An Institute"}, {"display_name": "An Institute"}, {"display_name": None}) == "An Institute"
    assert of({"display_name": "An Institute"}, {"display_name": "A Firm"}) == ""
    assert of() == ""
    assert one(authorships=None).work.organization == ""


def test_an_author_is_called_as_on_the_paper_where_openalex_has_no_name() -> None:
    authorships = [{"author": {"display_name": None}, "raw_author_name": "Doe, Jane"}, {"author": None}, None, 3]
    assert one(authorships=authorships).work.authors == ("Doe, Jane",)


def test_the_marks_of_publishers_are_no_part_of_a_title() -> None:
    title = "Growth of <i>E. coli</i> &amp; CO<sub>2</sub> where a < b"
    assert one(title=title).work.title == "Growth of E. coli & CO2 where a < b"


def test_a_title_of_marks_alone_is_none() -> None:
    assert read([entry(title="<i></i>", display_name=None)]).problems[0].what.endswith("has no title")


def test_a_date_that_is_a_year_is_no_day() -> None:
    assert one(publication_date="2026-01-01").work.published_at is None


@pytest.mark.parametrize("value", ["0000-00-00", "2025-13-06", "2031-01-02", 2025, {}])
def test_a_date_that_is_none_is_reported_and_the_work_kept(value: object) -> None:
    parsed = read(entry(publication_date=value))
    assert parsed.sightings[0].work.published_at is None
    assert "publication_date" in parsed.problems[0].what


def test_a_count_that_is_not_told_is_not_zero_and_zero_is_a_count() -> None:
    assert one(cited_by_count=None).readings == ()
    assert one(cited_by_count=0).readings == (Reading("openalex", "citations", 0, NOW),)


@pytest.mark.parametrize("value", [-1, 1.5, 10**400, True, "71", [71]])
def test_a_count_that_is_none_is_reported_and_the_work_kept(value: object) -> None:
    parsed = read(entry(cited_by_count=value))
    assert parsed.sightings[0].readings == ()
    assert "citations" in parsed.problems[0].what


@pytest.mark.parametrize("bad", [None, 3, "W1", [], {}, entry(title=["A"]), entry(title="x" * 20_000)])
def test_a_bad_entry_is_reported_by_its_place_and_the_others_live(bad: object) -> None:
    parsed = read([entry(title="One", doi="10.1000/1", locations=None), bad, entry(title="Three")])
    assert [sighting.work.title for sighting in parsed.sightings] == ["One", "Three"]
    assert [problem.line for problem in parsed.problems] == [2]


def test_fields_of_strange_types_are_absent() -> None:
    work = one(authorships="Jane", topics={"a": 1}, primary_topic=3, abstract_inverted_index=[1], best_oa_location=[]).work
    assert (work.authors, work.keywords, work.abstract) == ((), (), "")


def test_ten_thousand_works_are_read() -> None:
    works = [{"title": f"Net {n}", "doi": f"10.1000/{n}"} for n in range(10_000)]
    assert len(read({"results": works}).sightings) == 10_000


def test_a_million_entries_are_not_held() -> None:
    parsed = read([{"title": f"Net {n}"} for n in range(10_001)] + [3] * 10**6)
    assert len(parsed.sightings) == 10_000
    assert [str(problem) for problem in parsed.problems] == ["line 10001: more than 10,000 entries; the rest is left out"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'{"error": "Invalid query parameters error.", "message": "x is no filter"}', "OpenAlex says: x is no filter"),
        (b'{"error": "Not found"}', "OpenAlex says: Not found"),
        (b"{}", "no answer of OpenAlex"),
        (b'{"results": 3}', "no answer of OpenAlex"),
        (b"3", "no answer of OpenAlex"),
        (b'{"results": [{"title": "An Inv', "not JSON"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse(raw, seen_at=NOW)


def test_a_look_up_makes_no_papers_and_tells_no_dates() -> None:
    sighting = read({"results": [entry()]}, announces=False).sightings[0]
    assert (sighting.announces, sighting.work.published_at) == (False, None)


def test_an_abstract_is_rebuilt_by_position() -> None:
    assert abstract({"b": [1, 3], "a": [0, 2], "c.": [4]}) == "a b a b c."
    assert abstract({"first": [5], "last": [900]}) == "first last"


@pytest.mark.parametrize(
    "index",
    [
        {"here": [0], "far": [10**9, 6000, -1, 10**400, True, "0", None, 0.5, [0]]},
        {"here": [0], "over": [0, 0, 0]},
        {"here": [0], "none": None, "number": 3, "object": {"0": 0}},
    ],
)
def test_positions_that_no_abstract_has_are_left_out(index: dict[str, object]) -> None:
    assert abstract(index).startswith("here")
    assert "far" not in abstract(index)
    assert "over" not in abstract(index)


@pytest.mark.parametrize("index", [None, [], "text", 3, {}])
def test_no_index_is_no_abstract(index: object) -> None:
    assert abstract(index) == ""


@pytest.mark.parametrize(
    "make",  # whatever is huge is made by its test, not held by each process of a run
    [
        lambda: {f"word{n}": [n] for n in range(10**6)},
        lambda: {"word": list(range(10**6))},
        lambda: {"w" * 10**6: list(range(6000))},
        lambda: {f"{n}" + "w" * 1000: [n] for n in range(6000)},
    ],
    ids=["many words", "many places", "a long word at many places", "many long words"],
)
def test_a_huge_index_costs_little_and_is_cut(make: Callable[[], dict[str, object]]) -> None:
    index = make()
    begun = time.process_time()
    text = abstract(index)
    assert time.process_time() - begun < 5
    assert len(text) <= 6000
    assert text.endswith("…")


def test_the_heading_that_a_publisher_left_is_no_part_of_an_abstract() -> None:
    def of(text: str) -> str:
        return abstract({f"{word}": [place] for place, word in enumerate(text.split())})

    assert of("Abstract We invent networks.") == "We invent networks."
    assert of("ABSTRACT: we invent networks.") == "we invent networks."
    assert of("Abstract interpretation is old.") == "Abstract interpretation is old."
    assert of("Abstract Meaning Representation is a graph.") == "Abstract Meaning Representation is a graph."


@pytest.mark.parametrize(
    ("ids", "by"),
    [
        (("arxiv:2511.04321",), "10.48550/arxiv.2511.04321"),
        (("arxiv:math/0309136",), "10.48550/arxiv.math/0309136"),
        (("arxiv:2511.04321", "doi:10.1000/7"), "10.1000/7"),
        (("arxiv:2511.04321", "doi:10.1000/a,b"), "10.48550/arxiv.2511.04321"),
        (("doi:10.1000/a,b",), None),
        (("doi:10.1000/a+b",), None),
        (("doi:10.1000/!a",), None),
        (("doi:10.1000/" + "a" * 81,), None),
        (("openalex:W1", "title:a net|doe"), None),
        ((), None),
    ],
)
def test_a_paper_is_asked_for_by_a_doi_that_means_nothing_else_in_a_filter(ids: tuple[str, ...], by: str | None) -> None:
    assert asked_by(Known(ids)) == by


def test_the_settings_are_those_of_the_real_address_and_take_lengths_of_time() -> None:
    settings = OpenAlexSettings.model_validate({"key": "a-key"})
    assert (settings.enabled, settings.url, settings.limit) == (False, "https://api.openalex.org", 500)
    assert settings.again_after.days == 3
    assert "a-key" not in repr(settings)


@pytest.mark.parametrize("bad", [{"limit": 0}, {"again_after": "soon"}, {"url": "ftp://example.org"}, {"mailto": "x"}])
def test_settings_that_cannot_be_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OpenAlexSettings.model_validate(bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted(entry()))


def _overridden(fields: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(entry(**fields))


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON, max_size=6).map(_overridden), max_size=5))
def test_any_entry_is_a_paper_or_a_problem(entries: list[object]) -> None:
    parsed = read(entries)
    assert len(parsed.sightings) + len({problem.line for problem in parsed.problems}) >= len(entries)
    assert all(0 <= reading.value <= 10**9 for sighting in parsed.sightings for reading in sighting.readings)


WORDS = st.text("bcdé", min_size=1, max_size=8)


@given(st.dictionaries(WORDS, st.lists(st.integers(-2, 12), max_size=5), max_size=8))
def test_an_abstract_is_the_words_of_its_index_in_their_order(index: dict[str, list[int]]) -> None:
    claims = [(place, word) for word, places in index.items() for place in places if place >= 0]
    first = dict(reversed(claims))
    assert abstract(index) == " ".join(first[place] for place in sorted(first))


@given(JSON)
def test_any_json_is_read_or_refused(answer: object) -> None:
    with suppress(BadInput):
        read(answer)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, seen_at=NOW)
