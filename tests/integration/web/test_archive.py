"""The archive, the page of a paper, the search, and the pages that explain."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from digest.edition.model import Entry, Pick
from digest.papers.model import Paper, Reading, Sighting, Work
from digest.ranking.model import Term
from digest.store import editions, issues, papers
from digest.store.schema import metadata
from digest.web.archive import FOUND
from digest.web.frame import Frame
from digest.web.limits import SEARCHES
from digest.web.papers import MAX_KEY
from digest.web.public import paper_path
from digest.wiring import App, open_app

Ask = Callable[..., Any]
DAY = timedelta(days=1)
SUNDAY = date(2026, 11, 22)
KEYS = ("arxiv:2601.00001", "arxiv:2601.00002", "doi:10.1000/a/b")
NASTY = "</script><script>alert(1)</script> & “$\\alpha$”"
TERMS = (Term("votes", 90, 90.0, "90 upvotes"), Term("outlook", 1.5, 45.0), Term("freshness", 1, -4.2, "new yesterday"))


@pytest.fixture
def archive(app: App) -> list[Paper]:
    return filled(app)


def filled(app: App) -> list[Paper]:
    """Three papers, in daily editions of three days (the middle one is empty) and of last month, and in a weekly one."""
    seen = datetime(2026, 11, 20, 6, tzinfo=UTC)
    works = [
        Work("Graphs <i>of</i> trees", "We prove it.", ("Ann Lee", "Bob Ray"), links={"page": "https://example.org/1"}),
        Work("Trees of graphs", "We refute it.", ("Ann Lee",), summary="It is so.", summary_by="Hugging Face"),
        Work(NASTY, NASTY, (NASTY,), (NASTY,), (NASTY,), NASTY, NASTY, NASTY, links={"page": "javascript:alert(1)"}),
    ]
    readings = tuple(Reading("hf", "votes", 10 * n, seen + n * DAY / 4) for n in range(8))
    with app.store.write() as connection:
        sightings = [
            Sighting("hf", seen, work, (key,), readings if key == KEYS[0] else ())
            for work, key in zip(works, KEYS, strict=True)
        ]
        papers.record(connection, sightings)
        known = [papers.find(connection, [key])[0] for key in KEYS]
        for on, shown in ((SUNDAY, known), (SUNDAY - DAY, []), (SUNDAY - 2 * DAY, known[:1]), (date(2026, 10, 31), known[:1])):
            freeze(connection, on, "daily", shown)
        freeze(connection, date(2026, 11, 16), "weekly", known[1:])
    return known


def freeze(connection: Any, on: date, cadence: Any, shown: list[Paper]) -> None:
    entries = [
        Entry(one.id, frozenset(), rank, 130.8, TERMS, one.work, on - DAY, {"votes": 90}) for rank, one in enumerate(shown, 1)
    ]
    frozen_at = datetime(on.year, on.month, on.day, 6, tzinfo=UTC)
    because = "" if shown else "nothing new"
    made, _ = editions.freeze(connection, on=on, cadence=cadence, frozen_at=frozen_at, entries=entries, empty_because=because)
    issues.store_picks(connection, made.number, [Pick(one.id, "card") for one in shown])


def lines(page: Any) -> list[str]:
    found = re.findall(r'<li><a href="([^"]*)"', page.body)
    return [str(path) for path in found]


PAGES = (
    "/archive",
    "/archive/2026-11",
    "/archive/2026-11-22",
    "/archive/2026-11-21",
    "/archive/week/2026-11-16",
    "/papers/arxiv:2601.00001",
    "/papers/doi:10.1000/a/b",
    "/search",
    "/search?q=graphs",
    "/search?q=%3Cscript%3E%22nothing",
    "/how-ranking-works",
    "/privacy",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_plain(app: App, archive: list[Paper], web: Ask, path: str) -> None:
    page = web("GET", path)
    assert page.status == 200
    assert len(re.findall("<h1", page.body)) == 1
    assert not re.search(r"<script|<img|<iframe|\sstyle=|\son\w+=|javascript:", page.body)
    levels = [int(level) for level in re.findall(r"<h([1-6])", page.body)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = re.findall(r'\sid="([^"]*)"', page.body)
    assert len(ids) == len(set(ids))
    named = re.findall(r'(?:aria-labelledby|aria-describedby|\sfor)="([^"]*)"', page.body)
    assert {one for several in named for one in several.split()} <= set(ids)
    outside = re.findall(r'<a [^>]*href="https?:[^>]*>', page.body)
    assert all('rel="noopener"' in link for link in outside)


def test_looking_around_changes_nothing(app: App, archive: list[Paper], web: Ask) -> None:
    def everything() -> list[Any]:
        with app.store.read() as connection:
            return [connection.execute(select(table)).all() for table in metadata.sorted_tables]

    before = everything()
    for path in PAGES:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            assert web(method, path).status == (200 if method in ("GET", "HEAD") else 405)
    assert everything() == before


def test_every_link_of_the_archive_leads_to_a_page_that_there_is(archive: list[Paper], web: Ask) -> None:
    to_do, done = ["/archive"], set()
    while to_do:
        path = to_do.pop()
        done.add(path)
        page = web("GET", path)
        assert page.status == 200, path
        links = re.findall(r'<a [^>]*href="(/(?:archive|papers|search|how|privacy)[^"]*)"', page.body)
        to_do += [link for link in links if link not in done and link not in to_do]
    assert {f"/papers/{key}" for key in KEYS} <= done
    assert {"/archive/2026-10", "/archive/2026-10-31", "/archive/week/2026-11-16", "/how-ranking-works"} <= done


def test_the_archive_lists_editions_by_month_with_what_stands_first(archive: list[Paper], web: Ask) -> None:
    page = web("GET", "/archive")
    assert lines(page) == [
        "/archive/2026-11-22",
        "/archive/2026-11-20",
        "/archive/week/2026-11-16",
        "/archive/2026-10-31",
    ]
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page.body) == ["November 2026", "October 2026", "All months"]
    assert page.body.count('<span class="tag">weekly</span>') == 1
    assert "Graphs &lt;i&gt;of&lt;/i&gt; trees" in page.body
    assert lines(web("GET", "/archive/2026-10")) == ["/archive/2026-10-31"]


def test_an_archive_without_editions_says_so(web: Ask) -> None:
    page = web("GET", "/archive")
    assert page.status == 200
    assert "There is no edition yet" in page.body


def test_an_edition_leads_to_those_beside_it_and_no_further(archive: list[Paper], web: Ask) -> None:
    middle, last = (web("GET", f"/archive/2026-11-{day}").body for day in (20, 22))
    assert '<a href="/archive/2026-10-31" rel="prev">' in middle
    assert '<a href="/archive/2026-11-22" rel="next">' in middle
    assert '<a href="/archive/2026-11-20" rel="prev">' in last
    assert 'rel="next"' not in last
    week = web("GET", "/archive/week/2026-11-16").body
    assert 'rel="prev"' not in week
    assert "The week before Monday, 16 November 2026" in week


def test_an_edition_shows_its_papers_and_leads_to_their_pages(archive: list[Paper], web: Ask) -> None:
    page = web("GET", "/archive/2026-11-22").body
    assert [place for place, _ in re.findall(r'<h2>(\d+)\. <a href="([^"]*)"', page)] == ["1", "2", "3"]
    assert "/papers/doi:10.1000/a/b" in page
    assert "There is nothing in this edition." in web("GET", "/archive/2026-11-21").body


@pytest.mark.parametrize(
    "asked",
    [
        "2026-11-23",
        "2026-13",
        "9999-12",
        "2026-02-30",
        "20261122",
        "2026-W47-7",
        "2026-1-1",
        "0000-00-00",
        "x",
        "%00",
        "2026-11-22%0a",
        "week",
    ],
)
def test_what_is_no_edition_is_not_found(archive: list[Paper], web: Ask, asked: str) -> None:
    for path in (f"/archive/{asked}", f"/archive/week/{asked}"):
        page = web("GET", path)
        assert page.status == 404
        assert "<h1>There is no such" in page.body
        assert page.headers["cache-control"] == "no-store"


def test_a_paper_tells_every_term_of_every_edition(archive: list[Paper], web: Ask) -> None:
    page = web("GET", "/papers/arxiv:2601.00001").body
    summaries = re.findall(r"<summary>(.*?)</summary>", page)
    assert summaries == [
        "Sunday, 22 November 2026: no. 1 of 3",
        "Friday, 20 November 2026: no. 1 of 1",
        "Saturday, 31 October 2026: no. 1 of 1",
    ]
    first = page.partition("</details>")[0]
    rows = [re.sub(r"<[^>]*>", "|", row) for row in re.findall(r"<tr>(<th scope=\"row\".*?)</tr>", first)]
    assert [[cell.strip() for cell in row.split("|") if cell.strip()] for row in rows] == [
        ["Upvotes", "90 upvotes", "90", "+90.0"],
        ["Outlook", "× 1.5", "+45.0"],
        ["Age", "new yesterday", "1 day", "−4.2"],
        ["Score", "130.8"],
    ]


def test_a_paper_shows_its_votes_as_a_line_with_words_and_a_table(archive: list[Paper], web: Ask) -> None:
    page = web("GET", "/papers/arxiv:2601.00001").body
    (drawing,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert 'role="img"' in drawing
    assert ">Upvotes over time</title>" in drawing
    assert "From 0 on 20 November 2026 to 70 on 22 November 2026." in drawing
    assert drawing.count("<circle") == 8
    assert len(re.findall(r"<th scope=\"row\">\d+ November 2026, \d\d:\d\d</th>", page)) == 8
    assert "<svg" not in web("GET", f"/papers/{KEYS[1]}").body


def test_what_a_source_says_stays_text(archive: list[Paper], web: Ask) -> None:
    page = web("GET", f"/papers/{KEYS[2]}").body
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    assert "“α”" in page


def test_a_paper_has_one_page_whatever_it_is_called(app: App, archive: list[Paper], web: Ask) -> None:
    with app.store.write() as connection:
        print_ = Sighting("x", app.clock.now(), Work("In print"), ("doi:10.1000/print",))
        joined = Sighting("x", app.clock.now(), Work("In print"), ("arxiv:2601.00002", "doi:10.1000/print"))
        papers.record(connection, [print_])
        papers.record(connection, [joined])
    for name in ("doi:10.1000/print", "https://doi.org/10.1000/PRINT", "2601.00002v3", "arXiv:2601.00002"):
        page = web("GET", f"/papers/{name}")
        assert (page.status, page.headers["location"]) == (301, "/papers/arxiv:2601.00002")
    assert web("GET", "/papers/arxiv:2601.00002").status == 200


def test_a_paper_that_was_withdrawn_is_nowhere(app: App, archive: list[Paper], web: Ask) -> None:
    with app.store.write() as connection:
        papers.set_hidden(connection, archive[0].id, app.clock.now())
        papers.retract(connection, [KEYS[1]], app.clock.now())
    hidden, retracted = web("GET", f"/papers/{KEYS[0]}"), web("GET", f"/papers/{KEYS[1]}")
    assert (hidden.status, retracted.status) == (404, 410)
    assert "was retracted" in retracted.body
    for path in ("/archive", "/archive/2026-11-22", "/search?q=graphs"):
        page = web("GET", path).body
        assert "Graphs &lt;i&gt;" not in page
        assert "Trees of graphs" not in page


@pytest.mark.parametrize(
    "key", ["x", "%00", "arxiv:2601.00001%0Ax", "arxiv:9999.99999", "a" * (MAX_KEY + 1), "%ff", "..%2f..", ""]
)
def test_a_paper_that_nobody_knows_is_not_found(archive: list[Paper], web: Ask, key: str) -> None:
    assert web("GET", f"/papers/{key}").status == 404


def test_papers_whose_keys_differ_behind_a_question_mark_have_two_pages(app: App, web: Ask) -> None:
    keys = ["feed:https://example.org/?p=1", "feed:https://example.org/?p=2#a%b"]
    with app.store.write() as connection:
        for key in keys:
            papers.record(connection, [Sighting("x", app.clock.now(), Work(f"A paper called {key[28:30]}"), (key,))])
    for key in keys:
        page = web("GET", paper_path(Frame(app, ""), key))
        assert page.status == 200
        assert f"A paper called {key[28:30]}" in page.body


def test_the_search_finds_words_ids_and_nothing(archive: list[Paper], web: Ask) -> None:
    both = web("GET", "/search?q=graphs+trees")
    assert set(lines(both)) == {f"/papers/{KEYS[0]}", f"/papers/{KEYS[1]}"}
    assert "2 papers" in both.body
    assert 'value="graphs trees"' in both.body
    assert lines(web("GET", "/search?q=2601.00002")) == [f"/papers/{KEYS[1]}"]
    assert 'href="/feed/graphs%20trees.xml"' in both.body
    assert web("GET", "/feed/graphs%20trees.xml").status == 200
    nothing = web("GET", "/search?q=zebras")
    assert nothing.status == 200
    assert "Nothing was found" in nothing.body
    assert "/feed/zebras.xml" not in nothing.body


def test_what_somebody_searched_for_is_kept_by_nobody(archive: list[Paper], web: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    page = web("GET", "/search?q=zebras")
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    empty = web("GET", "/search")
    assert "zebras" not in empty.body
    assert "zebras" not in caplog.text


def test_a_search_that_finds_too_much_says_so(app: App, web: Ask) -> None:
    with app.store.write() as connection:
        many = [Sighting("x", app.clock.now(), Work(f"Graphs number {n}"), (f"arxiv:2601.{n:05}",)) for n in range(FOUND + 5)]
        papers.record(connection, many)
    page = web("GET", "/search?q=graphs")
    assert len(lines(page)) == FOUND
    assert "There are more." in page.body


def test_who_searches_too_much_is_asked_to_wait_and_reads_on(archive: list[Paper], web: Ask) -> None:
    times = SEARCHES.of_each[0].times
    answers = [web("GET", "/search?q=graphs") for _ in range(times + 2)]
    assert [page.status for page in answers[:times]] == [200] * times
    assert answers[-1].status == 429
    assert answers[-1].headers["retry-after"] == "60"
    assert [web("GET", path).status for path in ("/archive", f"/papers/{KEYS[0]}")] == [200] * 2


def test_whatever_is_asked_gets_a_page(app: App, archive: list[Paper], web: Ask) -> None:
    @settings(max_examples=SEARCHES.of_each[0].times - 5, deadline=None)
    @given(st.text(max_size=80) | st.binary(max_size=40))
    def ask(asked: str | bytes) -> None:
        spelled = quote_from_bytes(asked, "") if isinstance(asked, bytes) else quote(asked.encode(errors="replace"), "")
        assert web("GET", f"/search?q={spelled}").status == 200
        for path in (f"/papers/{spelled}", f"/archive/{spelled}", f"/archive/week/{spelled}"):
            assert web("GET", path).status in (200, 301, 404)

    ask()


@pytest.mark.parametrize("path", ["/archive", "/archive/2026-11-22", f"/papers/{KEYS[0]}", "/how-ranking-works", "/privacy"])
def test_a_page_that_somebody_has_is_not_sent_again(archive: list[Paper], web: Ask, path: str) -> None:
    page = web("GET", path)
    assert page.headers["cache-control"] == "public, max-age=60"
    again = web("GET", path, If_None_Match=page.headers["etag"])
    assert (again.status, again.body) == (304, "")


def test_ranking_is_explained_by_the_settings_that_it_goes_by(
    tmp_path: Path, serving: Callable[[App], AbstractContextManager[Ask]]
) -> None:
    overrides = {"ranking.weights.stars": 0, "ranking.floor": 7, "ranking.explore": 0, "ranking.window": "10d"}
    app = open_app(home=tmp_path, environ={"DIGEST_SITE__PUBLIC_URL": "https://papers.example.org"}, overrides=overrides)
    with serving(app) as ask:
        page = ask("GET", "/how-ranking-works").body
    app.close()
    assert "GitHub stars" not in page
    assert "fewer than 7 votes" in page
    assert "last 10 days" in page
    assert "outside your interests" not in page


def test_below_a_path_every_link_stays_below_it(tmp_path: Path, serving: Callable[[App], AbstractContextManager[Ask]]) -> None:
    app = open_app(home=tmp_path, environ={"DIGEST_SITE__PUBLIC_URL": "https://papers.example.org/digest"})
    filled(app)
    with serving(app) as ask:
        pages = [ask("GET", f"/digest{path}") for path in PAGES]
        moved = ask("GET", "/digest/papers/2601.00001")
    app.close()
    assert [page.status for page in pages] == [200] * len(PAGES)
    links = [link for page in pages for link in re.findall(r'(?:href|action)="([^"]*)"', page.body)]
    assert {link for link in links if not link.startswith(("/digest/", "#", "https://"))} == set()
    assert moved.headers["location"] == "/digest/papers/arxiv:2601.00001"


@pytest.mark.parametrize(
    ("contact", "link"),
    [("help@example.org", "mailto:help@example.org"), ("https://example.org/help", "https://example.org/help")],
)
def test_the_privacy_page_says_whom_to_write_to(
    tmp_path: Path, serving: Callable[[App], AbstractContextManager[Ask]], contact: str, link: str
) -> None:
    given_ = {"DIGEST_SITE__PUBLIC_URL": "https://papers.example.org/digest", "DIGEST_SITE__CONTACT": contact}
    app = open_app(home=tmp_path, environ=given_)
    with serving(app) as ask:
        page = ask("GET", "/digest/privacy").body
    app.close()
    assert f'<a href="{link}" rel="noopener">{contact}</a>' in page
    assert "14 days if you never confirm" in page
    assert "60 days" in page
