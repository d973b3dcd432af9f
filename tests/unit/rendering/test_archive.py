"""The archive by month, and the page of a paper."""

from datetime import UTC, date, datetime

from digest.papers.model import Paper, Work
from digest.rendering.archive import edition_line, month_views, year_views
from digest.rendering.paper_page import AUTHORS_SHOWN, found_view, paper_page


def line(on: date) -> tuple[date, object]:
    return on, edition_line(on, weekly=False, path=f"/archive/{on}", first="On $\\alpha$")


def test_editions_are_listed_by_month_in_their_order() -> None:
    days = [date(2026, 11, 2), date(2026, 11, 1), date(2026, 10, 31)]
    months = month_views([line(day) for day in days], "/papers/archive")  # type: ignore[misc]
    assert [(month.name, month.path, [one.iso for one in month.lines]) for month in months] == [
        ("November 2026", "/papers/archive/2026-11", ["2026-11-02", "2026-11-01"]),
        ("October 2026", "/papers/archive/2026-10", ["2026-10-31"]),
    ]
    assert months[0].lines[0].first == "On α"


def test_months_are_listed_by_year_each_once() -> None:
    years = year_views([date(2026, 1, 2), date(2026, 1, 1), date(2025, 12, 31), date(2025, 2, 3)], "/archive")
    assert [(year.name, [month.name for month in year.months]) for year in years] == [
        ("2026", ["January 2026"]),
        ("2025", ["December 2025", "February 2025"]),
    ]


def paper(**work: object) -> Paper:
    return Paper(1, "arxiv:2601.00001", datetime(2026, 11, 20, tzinfo=UTC), Work(**{"title": "On graphs", **work}))  # type: ignore[arg-type]


def test_a_page_has_what_is_known_and_nothing_of_what_is_not() -> None:
    page = paper_page(paper(), [])
    assert (page.title, page.authors, page.abstract) == ("On graphs", "", "")
    assert [link.label for link in page.links] == ["Search arXiv", "Search Google Scholar"]
    assert [(fact.name, fact.value) for fact in page.facts] == [("First seen here", "20 November 2026")]


def test_a_page_names_strong_ids_and_only_links_to_the_web() -> None:
    links = {"page": "javascript:alert(1)", "pdf": "https://example.org/1.pdf"}
    page = paper_page(paper(links=links, categories=("cs.LG",)), ["arxiv:2601.00001", "doi:10.1000/<x>?", "title:on graphs|"])
    assert [link.url for link in page.links] == ["https://example.org/1.pdf"]
    assert [(fact.name, fact.value, fact.url) for fact in page.facts[1:]] == [
        ("Fields", "cs.LG", ""),
        ("arXiv", "2601.00001", "https://arxiv.org/abs/2601.00001"),
        ("DOI", "10.1000/<x>?", "https://doi.org/10.1000/%3Cx%3E%3F"),
    ]


def test_many_authors_are_counted() -> None:
    page = paper_page(paper(authors=tuple(f"A{n}" for n in range(AUTHORS_SHOWN + 5))), [])
    assert page.authors.endswith(f", A{AUTHORS_SHOWN - 1} and 5 more")


def test_what_was_found_is_told_in_two_lines() -> None:
    found = found_view(paper(title="", authors=("A", "B", "C", "D")), "/papers/x")
    assert (found.title, found.byline) == ("Untitled paper", "A, B, C and 1 more · 20 November 2026")
