from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ServerUnavailable
from digest.papers.text import MAX_AUTHORS, MAX_NAME
from digest.sources.arxiv.entries import (
    authors_of,
    belongs,
    categories_of,
    category,
    check_id,
    identified,
    month_of,
    months_before,
    newest,
    set_of,
    version_of,
)
from digest.sources.faults import not_before, nothing_had
from digest.sources.fields import Unusable
from digest.sources.web import HttpError

NOW = datetime(2026, 4, 27, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Jane Doe", ["Jane Doe"]),
        ("Jane Doe and Max Roe", ["Jane Doe", "Max Roe"]),
        ("Jane Doe, Max Roe and Ann Poe", ["Jane Doe", "Max Roe", "Ann Poe"]),
        ("Jane Doe, Max Roe, and Ann Poe", ["Jane Doe", "Max Roe", "Ann Poe"]),
        ("Jane Doe & Max Roe", ["Jane Doe", "Max Roe"]),
        ("Ann Poe,  Madonna, Max Roe", ["Ann Poe", "Madonna", "Max Roe"]),
        ("Ann Poe, , Max Roe,", ["Ann Poe", "Max Roe"]),
        ("Jane\n     Doe,\n  Max Roe", ["Jane Doe", "Max Roe"]),
        ("Jane Doe (LAB, UB), Max Roe (CAMP)", ["Jane Doe", "Max Roe"]),
        (
            "Jane Doe (1,2), Max Roe (1) and Ann Poe (1) ((1) University of Here, (2) University of There)",
            ["Jane Doe", "Max Roe", "Ann Poe"],
        ),
        ("Jane Doe (for the team, Max Roe", ["Jane Doe (for the team", "Max Roe"]),
        ("Jane Doe, Jr., Max Roe", ["Jane Doe Jr.", "Max Roe"]),
        ("Jane Doe III, Max Roe, IV", ["Jane Doe III", "Max Roe IV"]),
        ("The TEST Collaboration: Jane Doe, Max Roe", ["The TEST Collaboration", "Jane Doe", "Max Roe"]),
        ("Jane Doe, et al.", ["Jane Doe"]),
        ("Jane Doe and others", ["Jane Doe"]),
        (r"Paulo Andr\'e, B\'ela Bollob\'as", [r"Paulo Andr\'e", r"B\'ela Bollob\'as"]),
        (r"S{\l}awa Doe, H{\aa}kan Roe", [r"S{\l}awa Doe", r"H{\aa}kan Roe"]),
        (r"Jane {Doe, of Here}, Max Roe", [r"Jane {Doe, of Here}", "Max Roe"]),
        ("Alexander Sand, Anders Andersson", ["Alexander Sand", "Anders Andersson"]),
        ("某人, Jane Doe", ["某人", "Jane Doe"]),
        ("", []),
        ("  ,  ", []),
    ],
)
def test_authors_are_told_apart_as_arxiv_writes_them(text: str, names: list[str]) -> None:
    assert list(authors_of(text)) == names


def test_three_hundred_authors_are_all_kept() -> None:
    names = [f"Author {number} (Institute {number % 7}, Town)" for number in range(300)]
    assert authors_of(", ".join(names)) == tuple(f"Author {number}" for number in range(300))


@given(st.text(alphabet=st.one_of(st.sampled_from("(){},;:& \\'and"), st.characters()), max_size=400))
def test_any_authors_are_read_within_their_limits(text: str) -> None:
    names = authors_of(text)
    assert len(names) <= MAX_AUTHORS
    assert all(name == name.strip() and 0 < len(name) <= MAX_NAME + 10 for name in names)


def test_categories_of_other_schemes_are_none_of_arxivs() -> None:
    terms = ["cs.AI", "math-ph", "cond-mat.mes-hall", "68T07", "I.2.6", "cs.AI", " hep-th ", "", "Computer Science", "a" * 50]
    assert categories_of(terms) == ("cs.AI", "math-ph", "cond-mat.mes-hall", "hep-th")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("cs.ai", "cs.AI"), ("CS", "cs"), ("physics.AO-PH", "physics.ao-ph"), (" hep-th ", "hep-th"), ("q-bio.nc", "q-bio.NC")],
)
def test_a_category_is_spelled_as_arxiv_does(text: str, spelled: str) -> None:
    assert category(text) == spelled


@pytest.mark.parametrize("text", ["", "cs.", "cs.AI+cs.CL", "cs.AI,cs.CL", "computer science", "../rss", "cs/AI", "1.2"])
def test_what_is_no_category_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like cs\.AI"):
        category(text)


@pytest.mark.parametrize(
    ("name", "of_set"),
    [
        ("cs.AI", "cs:cs:AI"),
        ("cs", "cs"),
        ("stat.ML", "stat:stat:ML"),
        ("q-bio.NC", "q-bio:q-bio:NC"),
        ("hep-th", "physics:hep-th"),
        ("astro-ph.CO", "physics:astro-ph:CO"),
        ("physics.optics", "physics:physics:optics"),
        ("physics", "physics:physics"),
        ("math-ph", "physics:math-ph"),
        ("math.MP", "math:math:MP"),
    ],
)
def test_each_category_has_its_set(name: str, of_set: str) -> None:
    assert set_of(name) == of_set


def test_a_paper_belongs_where_its_first_category_is() -> None:
    assert belongs(("cs.AI", "cs.LG"), ["cs.AI"])
    assert belongs(("cs.AI",), ["cs"])
    assert not belongs(("cs.LG", "cs.AI"), ["cs.AI"])
    assert not belongs((), ["cs.AI"])
    assert belongs((), [])


def test_the_version_stands_at_the_end_of_an_id() -> None:
    assert [version_of(text) for text in ("oai:arXiv.org:2604.01234v12", "2604.01234", "math/0309136v2")] == [12, 1, 2]


def test_an_id_tells_its_month() -> None:
    ids = ("arxiv:2604.01234", "arxiv:0704.0001", "arxiv:math/0309136", "arxiv:hep-th/9901001")
    assert [month_of(id_) for id_ in ids] == [(2026, 4), (2007, 4), (2003, 9), (1999, 1)]
    assert months_before("arxiv:2512.00001", date(2026, 1, 2)) == 1


def test_an_id_of_next_month_is_no_id_yet() -> None:
    check_id("arxiv:2604.01234", NOW)
    with pytest.raises(Unusable, match="in the future"):
        check_id("arxiv:2605.01234", NOW)
    # Zones and clocks differ: on its last day the next month may have begun.
    check_id("arxiv:2605.01234", datetime(2026, 4, 30, 6, tzinfo=UTC))


def test_the_newest_is_found_among_those_that_can_be_compared() -> None:
    assert newest(["arxiv:2604.00002", "arxiv:hep-th/9901001", "doi:10.1/x", "arxiv:1412.7000", ""]) == "arxiv:2604.00002"
    assert newest(["arxiv:hep-th/9901001"]) == newest([]) == ""


def test_a_doi_is_a_second_id_and_a_link() -> None:
    ids, links = identified("arxiv:2604.01234", "10.1000/ABC.5")
    assert ids == ("arxiv:2604.01234", "doi:10.1000/abc.5")
    assert links["doi"] == "https://doi.org/10.1000/abc.5"
    assert links["pdf"] == "https://arxiv.org/pdf/2604.01234"


def test_of_several_dois_the_first_counts() -> None:
    assert identified("arxiv:2604.01234", "n/a 10.1000/a, 10.1000/b")[0][1:] == ("doi:10.1000/a",)


def test_the_doi_of_a_whole_volume_makes_no_two_papers_one() -> None:
    ids, links = identified("arxiv:2604.01234", "10.1007/978-3-0348-0043-3")
    assert ids == ("arxiv:2604.01234",)
    assert "doi" in links
    assert len(identified("arxiv:2604.01234", "10.1007/978-3-031-12345-6_7")[0]) == 2


@pytest.mark.parametrize("text", ["", "none", "10.48550/arXiv.2604.01234", "10.48550/arXiv.1901.00001"])
def test_a_doi_of_arxivs_own_adds_nothing(text: str) -> None:
    assert identified("arxiv:2604.01234", text)[0] == ("arxiv:2604.01234",)


def test_who_asks_for_a_rest_gets_the_longest_that_was_asked_for() -> None:
    faults = [ServerUnavailable("one"), HttpError("two", status=503, wait=600.0), HttpError("three", status=404)]
    assert not_before(NOW, faults) == NOW + timedelta(minutes=10)
    assert not_before(NOW, faults[:1]) is None
    raised = nothing_had(faults)
    assert isinstance(raised, HttpError)
    assert (str(raised), raised.wait, raised.status) == ("one; two; three", 600.0, 503)
    assert not isinstance(nothing_had(faults[:1]), HttpError)
