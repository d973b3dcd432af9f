"""Editions, papers and search as data."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from contract.world import NOW, TODAY, World, sighting
from integration.web.conftest import served
from integration.web.morning import DAY, URL, edition, everything
from sqlalchemy import event as listening
from support.sink import free_port

from digest.errors import Busy
from digest.papers.model import Work
from digest.resources import checkout
from digest.store import papers
from digest.web.api import Api
from digest.web.feeds import Feeds
from digest.web.openapi import EDITIONS
from digest.wiring import App, open_app

Ask = Callable[..., Any]
Serve = Callable[[App], AbstractContextManager[Ask]]
GRAPHS = Work(
    "On $\\alpha$-graphs", "We show it.", ("Ann Lee",), ("cs.LG",), links={"arxiv": "https://arxiv.org/abs/2401.01234"}
)
FISH = Work("On fish", links={"page": "javascript:alert(1)"})
API = "/api/v1"
BEHIND_A_PROXY = {"DIGEST_SITE__PUBLIC_URL": URL, "DIGEST_WEB__TRUSTED_PROXIES": "127.0.0.1"}
TOP = checkout() or Path()


@pytest.fixture
def app(blank: Path) -> Iterator[App]:
    """An application on the morning of the world's editions."""
    with closing(open_app(home=blank, environ=BEHIND_A_PROXY, now=NOW)) as opened:
        yield opened


@pytest.fixture
def world(app: App) -> World:
    """Two days and a week with two papers."""
    made = World(app.store)
    edition(made, 1, ("arxiv:2401.01234", GRAPHS))
    edition(made, 0, ("doi:10.1000/f/1", FISH), ("arxiv:2401.01234", GRAPHS))
    edition(made, 6, ("arxiv:2401.01234", GRAPHS), cadence="weekly")
    made.record(sighting(GRAPHS.title, "arxiv:2401.01234", at=NOW - DAY, readings={"votes": 3}))
    made.record(sighting(GRAPHS.title, "arxiv:2401.01234", at=NOW - timedelta(hours=2), readings={"votes": 5}))
    made.record(sighting(GRAPHS.title, "arxiv:2401.01234", at=NOW - timedelta(hours=1), readings={"votes": 8}))
    return made


def data(web: Ask, path: str) -> Any:
    """What is answered, as data."""
    answer = web("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return json.loads(answer.body)


def problem(answer: Any) -> tuple[int, str]:
    """The status and the words of a problem as RFC 9457 has it."""
    told = json.loads(answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["type"] == "about:blank"
    assert told["status"] == answer.status
    return answer.status, told["detail"]


def test_the_editions_come_the_latest_first_and_lead_to_their_papers(world: World, web: Ask) -> None:
    told = data(web, f"{API}/editions")
    assert [(one["date"], one["cadence"]) for one in told["editions"]] == [
        ("2026-11-22", "daily"),
        ("2026-11-21", "daily"),
        ("2026-11-16", "weekly"),
    ]
    assert told["next"] is None
    assert told["editions"][0]["url"] == f"{URL}/archive/2026-11-22"
    for one in told["editions"]:
        issue = data(web, urlsplit(one["api_url"]).path)
        assert {name: issue[name] for name in one} == one
        assert issue["papers"]


def test_an_edition_says_of_each_paper_where_it_stood_and_why(world: World, web: Ask) -> None:
    issue = data(web, f"{API}/editions/2026-11-22")
    assert [(one["rank"], one["section"], one["paper"]["key"]) for one in issue["papers"]] == [
        (1, "card", "doi:10.1000/f/1"),
        (2, "card", "arxiv:2401.01234"),
    ]
    graphs = issue["papers"][1]
    assert graphs["terms"] == [{"signal": "votes", "value": 3, "score": 1.0, "reason": "+3 <b>votes</b>"}]
    assert graphs["numbers"] == {"votes": 3}
    assert graphs["paper"]["title"] == "On α-graphs"
    assert graphs["paper"]["url"] == f"{URL}/papers/arxiv:2401.01234"
    assert graphs["paper"]["links"] == {"arxiv": "https://arxiv.org/abs/2401.01234"}
    assert issue["papers"][0]["paper"]["links"] == {}
    assert issue["frozen_at"] == "2026-11-22T06:00:00Z"


def test_all_editions_are_found_page_by_page_each_once(app: App, serving: Serve) -> None:
    world = World(app.store)
    many = EDITIONS + 10
    for days in range(many):
        edition(world, days, (f"arxiv:2401.{days:05}", Work(f"Paper {days}")))
        if days % 7 == 0:
            edition(world, days, (f"arxiv:2401.{days:05}", Work(f"Paper {days}")), cadence="weekly")
    found, path = [], f"{API}/editions"
    with serving(app) as web:
        while path:
            told = data(web, path)
            found += [(one["date"], one["cadence"]) for one in told["editions"]]
            path = (told["next"] or "").removeprefix(URL)
    expected = [((TODAY - days * DAY).isoformat(), "daily") for days in range(many)]
    expected += [((TODAY - days * DAY).isoformat(), "weekly") for days in range(0, many, 7)]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("key", ["arxiv:2401.01234", "2401.01234v3", "https://arxiv.org/abs/2401.01234", "arxiv%3A2401.01234"])
def test_a_paper_is_found_by_any_spelling_of_its_id(world: World, web: Ask, key: str) -> None:
    paper = data(web, f"{API}/papers/{key}")
    assert (paper["key"], paper["ids"]) == ("arxiv:2401.01234", ["arxiv:2401.01234"])


@pytest.mark.parametrize("key", ["doi:10.1000/f/1", "doi:10.1000%2Ff%2F1", "10.1000/F/1"])
def test_a_doi_may_keep_its_slashes(world: World, web: Ask, key: str) -> None:
    assert data(web, f"{API}/papers/{key}")["key"] == "doi:10.1000/f/1"


def test_a_paper_has_its_last_reading_of_each_day_and_its_editions(world: World, web: Ask) -> None:
    paper = data(web, f"{API}/papers/arxiv:2401.01234")
    assert [(one["at"], one["metric"], one["value"]) for one in paper["readings"]] == [
        ("2026-11-21T08:00:00Z", "votes", 3),
        ("2026-11-22T07:00:00Z", "votes", 8),
    ]
    assert [(one["date"], one["cadence"], one["rank"]) for one in paper["editions"]] == [
        ("2026-11-22", "daily", 2),
        ("2026-11-21", "daily", 1),
        ("2026-11-16", "weekly", 1),
    ]


def test_a_question_mark_in_an_id_is_part_of_it(world: World, web: Ask) -> None:
    assert data(web, f"{API}/papers/doi:10.1000/f/1?x")["key"] == "doi:10.1000/f/1"
    assert problem(web("GET", f"{API}/papers/doi:10.1000/f/1%3Fx"))[0] == 404


def test_search_gives_the_papers_with_these_words(world: World, web: Ask) -> None:
    assert [one["key"] for one in data(web, f"{API}/search?q=graph")["papers"]] == ["arxiv:2401.01234"]
    assert [one["key"] for one in data(web, f"{API}/search?q=doi:10.1000/f/1")["papers"]] == ["doi:10.1000/f/1"]
    assert len(data(web, f"{API}/search?q=on")["papers"]) == 2
    assert len(data(web, f"{API}/search?q=on&limit=1")["papers"]) == 1
    assert data(web, f"{API}/search?q=whales")["papers"] == []


def test_what_is_hidden_was_never_there_and_what_is_retracted_is_gone(app: App, world: World, serving: Serve) -> None:
    with app.store.write() as connection:
        papers.set_hidden(connection, world.paper("doi:10.1000/f/1").id, NOW)
    world.retract("arxiv:2401.01234")
    with serving(app) as web:
        assert problem(web("GET", f"{API}/papers/doi:10.1000/f/1")) == (404, "There is no such paper.")
        assert problem(web("GET", f"{API}/papers/arxiv:2401.01234")) == (410, "The paper was retracted.")
        assert data(web, f"{API}/search?q=on")["papers"] == []
        assert data(web, f"{API}/editions/2026-11-22")["papers"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/editions/2026-11-20", 404),
        ("/editions/2026-13-01", 404),
        ("/editions/20261122", 404),
        ("/editions/0000-01-01", 404),
        ("/editions/%00", 404),
        ("/editions/week/2026-11-22", 404),
        ("/papers/", 404),
        ("/papers/%00", 404),
        ("/papers/arxiv:9999.99999", 404),
        ("/papers/..%2F..%2Fetc%2Fpasswd", 404),
        ("/papers/%ff%fe", 404),
        ("/papers/" + "x" * 3000, 404),
        ("/nothing", 404),
        ("/editions?before=yesterday", 422),
        ("/editions?before=", 422),
        ("/editions?before=%D9%A2%D9%A0%D9%A2%D9%A6-01-01", 422),
        ("/search", 422),
        ("/search?q=", 422),
        ("/search?q=" + "x" * 201, 422),
        ("/search?q=x&limit=0", 422),
        ("/search?q=x&limit=101", 422),
        ("/search?q=x&limit=-1", 422),
        ("/search?q=x&limit=%C2%B2", 422),
        ("/search?q=x&limit=" + "9" * 5000, 422),
    ],
)
def test_what_is_not_there_or_not_understood_is_told_as_a_problem(world: World, web: Ask, path: str, status: int) -> None:
    answer = web("GET", API + path)
    assert problem(answer)[0] == status
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("words", ["%00", "%20", "%22OR%20*", "NEAR(", "a%27%3B--", "%F0%9F%8E%93", "%25", "c%2B%2B", "%ff"])
def test_any_words_can_be_asked_for(world: World, web: Ask, words: str) -> None:
    assert data(web, f"{API}/search?q={words}")["papers"] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_data_is_only_read(app: App, world: World, web: Ask, method: str) -> None:
    before = everything(app)
    for path in ("/editions", "/editions/2026-11-22", "/papers/arxiv:2401.01234", "/search?q=on", "/openapi.json"):
        answer = web(method, API + path)
        assert problem(answer)[0] == 405
        assert "GET" in answer.headers["allow"]
        web("GET", API + path)
    assert everything(app) == before


@pytest.mark.parametrize(
    "path",
    [
        "/editions",
        "/editions?before=2026-11-22",
        "/editions/2026-11-22",
        "/papers/arxiv:2401.01234",
        "/search?q=on",
        "/openapi.json",
    ],
)
def test_whoever_has_an_answer_is_told_so_and_pages_of_other_sites_may_read_it(world: World, web: Ask, path: str) -> None:
    first = web("GET", API + path)
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert first.headers["cache-control"] == "public, max-age=60"
    again = web("GET", API + path, If_None_Match=first.headers["etag"])
    assert (again.status, again.body, again.headers["access-control-allow-origin"]) == (304, "", "*")


def test_a_query_is_never_answered_with_another_ones_answer(world: World, web: Ask) -> None:
    all_ = data(web, f"{API}/editions")
    assert len(data(web, f"{API}/editions?before=2026-11-22")["editions"]) == 2
    assert data(web, f"{API}/editions") == all_


def test_a_database_that_is_busy_is_told_as_a_problem_too(app: App, world: World, web: Ask) -> None:
    def fail(*_: Any) -> None:
        raise Busy("the database is locked", fix="wait")

    listening.listen(app.store.engine, "before_cursor_execute", fail)
    answer = web("GET", f"{API}/search?q=on")
    assert problem(answer) == (503, "Not just now.")
    assert answer.headers["retry-after"] == "60"


def test_below_a_path_all_addresses_lie_there(tmp_path: Path, serving: Serve) -> None:
    with closing(open_app(home=tmp_path, environ={"DIGEST_SITE__PUBLIC_URL": f"{URL}/mail"}, now=NOW)) as app:
        edition(World(app.store), 0, ("arxiv:2401.01234", GRAPHS))
        with serving(app) as web:
            told = data(web, f"/mail{API}/editions/2026-11-22")
            assert told["api_url"] == f"{URL}/mail/api/v1/editions/2026-11-22"
            assert told["papers"][0]["paper"]["url"] == f"{URL}/mail/papers/arxiv:2401.01234"
            assert data(web, f"/mail{API}/openapi.json")["servers"] == [{"url": f"{URL}/mail"}]
            assert problem(web("GET", f"/mail{API}/nothing"))[0] == 404


def test_every_path_of_the_program_is_described_and_every_described_one_is_there(world: World, web: Ask) -> None:
    described = data(web, f"{API}/openapi.json")["paths"]
    routes = Api(None, None, None, None).routes()  # type: ignore[arg-type]
    assert set(described) == {route.path.replace(":path", "") for route in routes}


def test_a_fuzzer_finds_no_answer_that_is_not_described(app: App, world: World, tmp_path: Path) -> None:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with served(app, port):
        before = everything(app)
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{site}{API}/openapi.json", "--url", site, "--no-color"]
        how = ["--max-examples", "40", "--generation-deterministic", "--max-failures", "5"]
        crowd = {**os.environ, "SCHEMATHESIS_HOOKS": "support.crowd", "PYTHONPATH": f"{TOP}{os.pathsep}{TOP / 'tests'}"}
        ran = subprocess.run(
            [*command, *how], cwd=tmp_path, env=crowd, capture_output=True, text=True, check=False, timeout=170
        )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert "Selected: 5/5" in ran.stdout  # all but the document itself, which it has read
    assert everything(app) == before


def test_the_reference_names_every_path_of_feeds_and_api(world: World, web: Ask) -> None:
    named = set(re.findall(r"^\| `(/[^`]+)` \|", (TOP / "docs/reference/feeds-and-api.md").read_text(), re.MULTILINE))
    described = set(data(web, f"{API}/openapi.json")["paths"])
    assert named == described | {route.path for route in Feeds(None, None, None, None).routes()}  # type: ignore[arg-type]
