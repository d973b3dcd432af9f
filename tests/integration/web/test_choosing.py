"""Choosing before subscribing: real requests to the real program."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from support.site import Site

from digest.flows import joining, subscribe
from digest.store import papers, subscribers
from digest.store.schema import metadata, notice, sign_up
from digest.subscribers.address import EmailAddress
from digest.wiring import App

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
Ask = Callable[..., Any]
EVIL = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"


@pytest.fixture
def home(tmp_path: Path, morning_home: Path) -> Path:
    """Its editions are frozen."""
    return shutil.copytree(morning_home, tmp_path / "home")


@pytest.fixture
def web(site: Site, serving: Callable[[App], AbstractContextManager[Ask]]) -> Iterator[Ask]:
    """Asks the pages of a site with sixty papers, a day before its next edition."""
    with serving(site.app) as asking:
        yield asking


def everything(app: App) -> list[Any]:
    with app.store.read() as connection:
        return [connection.execute(select(table)).all() for table in metadata.sorted_tables]


def titles(page: Any) -> list[str]:
    return [unescape(title) for title in re.findall(r"<h3>\d+\. <a [^>]*>([^<]*)</a>", page.body)]


def hidden(page: Any) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.body)
    return {name: unescape(value) for name, value in found}


def test_the_first_page_leads_to_the_form(web: Ask) -> None:
    assert 'href="/choose"' in web("GET", "/").body
    page = web("GET", "/choose")
    assert page.status == 200
    assert '<form method="get" action="/preview">' in page.body
    assert page.headers["cache-control"] == "public, max-age=60"


def test_no_address_is_asked_for_where_it_would_come_into_a_url(web: Ask) -> None:
    assert 'name="email"' not in web("GET", "/choose").body


def test_what_trends_is_offered(web: Ask) -> None:
    offered = re.findall(r'<input type="checkbox" name="topic" value="([^"]*)">', web("GET", "/choose").body)
    assert "protein folding study" in offered
    assert len(offered) == len(set(offered)) <= 12


def test_every_field_has_a_label_and_what_is_said_of_it(web: Ask) -> None:
    body = web("GET", "/choose?zone=Berlin&size=99&topics=%3F").body
    ids = re.findall(r'\bid="([^"]*)"', body)
    assert len(ids) == len(set(ids))
    named = re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]*)"', body)
    assert set(named) == set(re.findall(r'<label for="([^"]*)"', body))
    described = {one for ids_ in re.findall(r'aria-describedby="([^"]*)"', body) for one in ids_.split()}
    assert described <= set(ids)
    assert {"zone-wrong", "size-wrong", "topics-wrong"} <= described


def test_a_preview_shows_what_was_chosen_and_says_why(web: Ask) -> None:
    page = web("GET", "/preview?topics=protein+folding&share=100&size=4")
    assert page.status == 200
    assert "Tuesday, 3 March 2026" in page.body
    assert ["protein folding" in title for title in titles(page)] == [True, True, True, False]
    assert page.body.count("close to your topic “protein folding”") == 3
    assert page.body.count("outside your interests") == 1
    assert page.headers["cache-control"] == "no-store"


def test_without_choices_it_is_what_everybody_gets(web: Ask) -> None:
    page = web("GET", "/preview")
    assert len(titles(page)) == 3
    assert "close to your topic" not in page.body


def test_what_is_kept_away_is_not_there_and_nothing_may_be_left(web: Ask) -> None:
    assert not [title for title in titles(web("GET", "/preview?mutes=robot&size=25")) if "robot" in title]
    assert "Nothing would be in it." in web("GET", "/preview?mutes=study").body


def test_a_paper_that_one_likes_brings_its_kind_and_not_itself(web: Ask) -> None:
    page = web("GET", "/preview?papers=2603.10004&share=100&size=3")
    assert titles(page)
    assert all("robot" in title for title in titles(page))
    assert "A robot study, number 4" not in titles(page)


def test_a_weekly_preview_is_of_the_next_weekly_edition(web: Ask) -> None:
    assert "Monday, 9 March 2026" in web("GET", "/preview?cadence=weekly").body


def test_a_paper_that_the_operator_hides_is_gone_from_the_next_preview(site: Site, web: Ask) -> None:
    best = titles(web("GET", "/preview"))[0]
    with site.app.store.write() as connection:
        (found,) = papers.search(connection, f'"{best}"')[:1]
        papers.set_hidden(connection, found.id, site.now)
    assert best not in titles(web("GET", "/preview"))


def test_looking_and_choosing_change_nothing(site: Site, web: Ask) -> None:
    before = everything(site.app)
    for path in ("/choose", "/choose?topics=graph", "/preview?topics=graph&papers=2603.10004", "/preview?size=99"):
        for method in ("GET", "HEAD"):
            web(method, path)
    assert everything(site.app) == before


@pytest.mark.parametrize("path", ["/choose", "/preview"])
def test_what_is_wrong_is_told_and_what_was_typed_is_kept(web: Ask, path: str) -> None:
    page = web("GET", f"{path}?zone=Berlin&topics=graphs&day=2")
    assert page.status == 422
    assert '<a href="#zone">Time zone</a>: &#39;Berlin&#39; is not a time zone: did you mean Europe/Berlin?' in page.body
    assert ">\ngraphs</textarea>" in page.body
    assert '<input type="checkbox" name="day" value="2" checked>' in page.body
    assert 'aria-invalid="true" aria-describedby="zone-wrong zone-hint"' in page.body


@pytest.mark.parametrize("path", ["/choose", "/preview"])
@pytest.mark.parametrize(
    "query",
    [
        *(
            f"{name}={EVIL}"
            for name in ("topics", "topic", "authors", "categories", "mutes", "zone", "hour", "share", "papers")
        ),
        "forget=%00&forget=" + "x" * 600,
        "day=7&day=-1&day=%D9%A1",
        "size=%D9%A3&share=nan&cadence=%00",
        "share=1e999",
        "topics=%ED%A0%80&papers=%00%0b",
        "unknown=1&email=ann%40example.org",
        "&&=&==%",
        "papers=" + "2603.10004+" * 300,
        "&".join(f"topic={n}" for n in range(300)),
    ],
)
def test_whatever_a_query_says_is_answered(web: Ask, path: str, query: str) -> None:
    page = web("GET", f"{path}?{query}")
    assert page.status in (200, 422)
    assert "<script" not in page.body
    assert "example.org" not in page.body


def test_a_visitor_previews_twenty_times_a_minute_at_most(web: Ask) -> None:
    answers = [web("GET", "/preview") for _ in range(22)]
    assert [answer.status for answer in answers[:20]] == [200] * 20
    assert (answers[-1].status, answers[-1].headers["retry-after"]) == (429, "60")
    assert web("GET", "/choose?topics=graph").status == 200


def urlencoded(fields: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(fields)


def test_who_subscribes_after_a_preview_gets_what_he_chose(site: Site, web: Ask) -> None:
    chosen = "topics=protein+folding&mutes=robot&share=75&size=4&hour=07%3A30&zone=Europe%2FBerlin&day=0&papers=2603.10001"
    page = web("GET", f"/preview?{chosen}")
    answer = web("POST", "/subscribe", urlencoded({**hidden(page), "email": "ann@example.org"}), **FORM)
    assert (answer.status, answer.headers["location"]) == (303, "/check-inbox")
    joining.settle(site.app.store, site.now, site.app.signer, "https://papers.example.org")
    ann = site.reader("ann@example.org")
    assert (ann.state, ann.preferences.zone, ann.preferences.size, ann.preferences.share) == (
        "pending",
        "Europe/Berlin",
        4,
        0.75,
    )
    assert (str(ann.preferences.hour), ann.preferences.days) == ("07:30:00", frozenset({0}))
    with site.app.store.read() as connection:
        wanted = subscribers.interests(connection, [ann.id], site.now)[ann.id]
        (mail,) = connection.execute(select(notice)).all()
    assert [(one.kind, one.value) for one in wanted] == [
        ("topic", "protein folding"),
        ("mute", "robot"),
        ("liked", "arxiv:2603.10001"),
    ]
    assert "protein" not in str(mail.content)


def test_a_wrong_address_loses_no_choices(web: Ask) -> None:
    page = web("POST", "/subscribe", "email=nope&topics=graphs%0Arobots&size=4", **FORM)
    assert page.status == 422
    assert hidden(page) == {"topics": "graphs\nrobots", "size": "4"}


def test_wrong_choices_are_asked_for_again_and_nothing_is_noted(site: Site, web: Ask) -> None:
    page = web("POST", "/subscribe", "email=ann%40example.org&size=99&topics=graphs", **FORM)
    assert page.status == 422
    assert ">\ngraphs</textarea>" in page.body
    assert "ann@" not in page.body
    with site.app.store.read() as connection:
        assert connection.execute(select(sign_up)).all() == []


def test_nobody_changes_a_readers_choices_by_signing_him_up_again(site: Site, web: Ask) -> None:
    site.subscribe("ann@example.org", topics=["graphs"], size=5)
    web("POST", "/subscribe", "email=ann%40example.org&size=25&topics=robots", **FORM)
    joining.settle(site.app.store, site.now, site.app.signer, "https://papers.example.org")
    ann = site.reader("ann@example.org")
    with site.app.store.read() as connection:
        wanted = subscribers.interests(connection, [ann.id], site.now)[ann.id]
    assert (ann.preferences.size, [one.value for one in wanted]) == (5, ["graphs"])


def test_the_way_back_to_the_form_keeps_everything(web: Ask) -> None:
    page = web("GET", "/preview?topics=graphs&topic=language+model&day=1&size=4")
    (back,) = re.findall(r'href="(/choose\?[^"]*)"', page.body)
    form = web("GET", unescape(back)).body
    assert ">\ngraphs\nlanguage model</textarea>" in form
    assert re.findall(r'name="day" value="(\d)" checked', form) == ["1"]
    assert 'name="size" inputmode="numeric" maxlength="2" value="4"' in form


def test_who_was_erased_is_not_brought_back(site: Site, web: Ask) -> None:
    site.subscribe("ann@example.org")
    subscribe.erase(site.app.store, site.now, EmailAddress("ann@example.org"))
    assert web("POST", "/subscribe", "email=ann%40example.org&topics=graphs", **FORM).status == 303
    joining.settle(site.app.store, site.now, site.app.signer, "https://papers.example.org")
    with site.app.store.read() as connection:
        assert subscribers.by_address(connection, EmailAddress("ann@example.org")) is None
