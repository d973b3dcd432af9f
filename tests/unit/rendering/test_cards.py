"""What is shown of a paper."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.edition.model import Entry
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.rendering.cards import link_views, paper_view

DAY = date(2026, 11, 22)
SOUGHT = "What+is+%CE%B1+%26+why%3F+Gr%C3%B6%C3%9Fe"
EntryMaker = Callable[..., Entry]


def test_a_card_says_who_what_and_how_many(entry: EntryMaker) -> None:
    view = paper_view(entry(), DAY)
    assert view.byline == "Tuna Meral, Kaan Oktay, Hidir Yesiltepe +1 · Virginia Tech"
    assert view.category == "cs.CV"
    assert view.count == "128 upvotes, 14 comments, 1.2k stars"
    assert view.summary.startswith("We propose to project latents")
    assert view.summary_by == "from the abstract"
    assert [link.label for link in view.links] == ["Paper", "arXiv", "PDF", "Code"]
    assert view.url == view.links[0].url


def test_a_written_summary_wins_and_names_its_author(entry: EntryMaker) -> None:
    view = paper_view(entry(summary="It is fast.", summary_by="Hugging Face"), DAY)
    assert (view.summary, view.summary_by) == ("It is fast.", "AI summary by Hugging Face")


def test_a_summary_is_called_a_machines_only_where_that_is_known(entry: EntryMaker) -> None:
    def told(by: str) -> str:
        return paper_view(entry(summary="It is fast.", summary_by=by), DAY).summary_by

    assert told("Semantic Scholar") == "AI summary by Semantic Scholar"
    assert (told("Ann Editor"), told("")) == ("summary by Ann Editor", "summary")


@pytest.mark.parametrize(("days", "age"), [(-1, "new"), (0, "new"), (1, "day 2"), (6, "day 7")])
def test_a_paper_is_new_on_the_day_that_lists_it_or_else_on_the_day_it_is_first_seen(
    entry: EntryMaker, days: int, age: str
) -> None:
    day = DAY - timedelta(days=days)
    assert paper_view(entry(listed_on=day, first_seen_on=DAY - timedelta(days=3)), DAY).age == age
    assert paper_view(entry(listed_on=None, published_at=datetime(2025, 1, 1, tzinfo=UTC), first_seen_on=day), DAY).age == age


def test_a_card_never_tells_two_ages(entry: EntryMaker) -> None:
    terms = (Term("freshness", 0, 0.0, "new today"),)
    assert paper_view(entry(terms=terms, first_seen_on=DAY - timedelta(days=4)), DAY).age == "new"
    published = {"listed_on": None, "published_at": datetime(2025, 1, 1, tzinfo=UTC)}
    late = paper_view(entry(terms=terms, **published, first_seen_on=DAY - timedelta(days=4)), DAY)
    assert (late.age, late.reasons, late.otherwise) == ("day 5", (), "no. 1 of all papers of this edition")


def test_a_paper_that_tells_no_date_is_not_called_new(entry: EntryMaker) -> None:
    assert paper_view(entry(listed_on=None), DAY).age == ""
    assert paper_view(entry(listed_on=None, first_seen_on=DAY - timedelta(days=1)), DAY).age == "day 2"


def test_reasons_stand_in_the_order_in_which_they_counted(entry: EntryMaker) -> None:
    terms = tuple(Term(f"s{n}", 1, score, f"reason {n}") for n, score in enumerate((0.1, 0.9, 0.5, 0.7)))
    view = paper_view(entry(terms=(*terms, Term("none", 0, -0.1, "no merit"))), DAY)
    assert view.reasons == ("reason 1", "reason 3", "reason 2")


def test_a_paper_without_reasons_still_has_a_place(entry: EntryMaker) -> None:
    view = paper_view(entry(terms=(), rank=7), DAY)
    assert (view.reasons, view.otherwise) == ((), "no. 7 of all papers of this edition")


def test_a_reason_that_the_card_shows_anyhow_is_not_said_twice(entry: EntryMaker) -> None:
    terms = (
        Term("votes", 128, 0.9, "128 upvotes"),
        Term("freshness", 1, 0.5, "new today"),
        Term("growth", 90, 0.3, "+90 upvotes"),
    )
    assert paper_view(entry(terms=terms), DAY).reasons == ("+90 upvotes",)
    assert paper_view(entry(terms=terms, listed_on=None), DAY).reasons == ("new today", "+90 upvotes")


def test_a_reason_that_the_card_shows_anyhow_is_better_than_none(entry: EntryMaker) -> None:
    assert paper_view(entry(terms=(Term("votes", 128, 0.9, "128 upvotes"),)), DAY).otherwise == "128 upvotes"


def test_what_is_not_known_is_not_made_up(entry: EntryMaker) -> None:
    bare = entry(abstract="", authors=(), categories=(), organization="", links={}, numbers={"rank": 3})
    view = paper_view(bare, DAY)
    assert (view.byline, view.category, view.numbers, view.summary, view.summary_by, view.url) == ("", "", (), "", "", "")


def test_a_paper_that_came_without_an_address_can_be_looked_for(entry: EntryMaker) -> None:
    view = paper_view(entry(title="What is $\\alpha$ & why? Größe", links={"tracker": "https://example.org/t"}), DAY)
    assert (view.url, view.sources) == ("", frozenset())
    assert [(link.label, link.url) for link in view.links] == [
        ("Search arXiv", f"https://arxiv.org/search/?searchtype=title&query={SOUGHT}"),
        ("Search Google Scholar", f"https://scholar.google.com/scholar?q={SOUGHT}"),
    ]
    assert paper_view(entry(title="", links={}), DAY).links == ()


@given(title=st.text())
def test_whatever_its_title_is_it_is_looked_for_by_a_short_address_of_the_web(title: str) -> None:
    work = Work(title=title)
    for link in link_views(work):
        assert re.fullmatch(r"https://[\w.]+/[\w./?&=%+~-]+", link.url, re.ASCII)
        assert len(link.url) < 1600


def test_three_hundred_authors_are_three_and_a_number(entry: EntryMaker) -> None:
    view = paper_view(entry(authors=tuple(f"Author {n}" for n in range(300)), organization=""), DAY)
    assert view.byline == "Author 0, Author 1, Author 2 +297"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/x",
        "https://",
        "//example.org",
        "https://example.org/a b",
        'https://example.org/"onclick=',
        "https://example.org/<b>",
        "https://example.org/\n",
        "https://exämple.org/",
        "https://[example.org/",
        "https://example.org/" + "x" * 3000,
    ],
)
def test_only_web_addresses_become_links(entry: EntryMaker, url: str) -> None:
    shown = [link.url for link in paper_view(entry(links={"page": url, "code": "https://example.org/ok"}), DAY).links]
    assert shown in (["https://example.org/ok"], ["https://example.org/", "https://example.org/ok"])


def test_links_of_unknown_kinds_are_not_shown(entry: EntryMaker) -> None:
    links = {"tracker": "https://example.org/t", "page": "https://example.org/p"}
    assert [link.url for link in paper_view(entry(links=links), DAY).links] == ["https://example.org/p"]


def test_the_best_link_is_the_paper_whatever_its_kind(entry: EntryMaker) -> None:
    view = paper_view(entry(links={"doi": "https://doi.org/10.1/x", "code": "https://example.org/c"}), DAY)
    assert [(link.label, link.url) for link in view.links] == [
        ("Paper", "https://doi.org/10.1/x"),
        ("Code", "https://example.org/c"),
    ]


def test_one_address_is_shown_once(entry: EntryMaker) -> None:
    view = paper_view(entry(links={"page": "https://arxiv.org/abs/1", "arxiv": "https://arxiv.org/abs/1"}), DAY)
    assert [link.label for link in view.links] == ["Paper"]


def test_tex_is_readable_everywhere(entry: EntryMaker) -> None:
    work = {"title": r"$\alpha$-Flow", "authors": (r"Andr\'e Doe",), "abstract": r"We propose $O(n^2)$."}
    view = paper_view(entry(**work, organization=""), DAY)
    assert (view.title, view.byline, view.summary) == ("α-Flow", "André Doe", "We propose O(n²).")


def test_an_empty_title_is_said_to_be_empty(entry: EntryMaker) -> None:
    assert paper_view(entry(title=" "), DAY).title == "Untitled paper"


def test_only_the_host_of_a_link_is_thanked(entry: EntryMaker) -> None:
    links = {
        "page": "https://example.org/@arxiv.org/x",
        "code": "https://arxiv.org.example.org/",
        "pdf": "HTTPS://www.ArXiv.org/1",
    }
    assert paper_view(entry(links={"page": links["page"], "code": links["code"]}), DAY).sources == frozenset()
    assert paper_view(entry(links=links), DAY).sources == {"arXiv"}
