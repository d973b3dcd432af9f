"""How often a visitor may ask, and what he is told who asks too often."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from integration.web.morning import everything
from starlette.routing import Route
from support.site import Site

from digest.outbox.access import access, feed
from digest.subscribers.model import Subscriber
from digest.tokens import random_token
from digest.web import limits
from digest.web.app import create_app
from digest.web.limits import CHOICES, DATA, FEEDS, GUESSES, LINKS, OWN_FEED, PAGES, PREVIEWS, SEARCHES, Limit
from digest.wiring import App

Ask = Callable[..., Any]
Serve = Callable[[App], AbstractContextManager[Ask]]

PUBLIC = [
    ("/search?q=robot", SEARCHES),
    ("/preview?topics=robot", PREVIEWS),
    ("/papers/arxiv:2603.10001", PAGES),
    ("/feed/robot.xml", FEEDS),
    ("/api/v1/search?q=robot", SEARCHES),
    ("/api/v1/editions", DATA),
    ("/api/v1/editions/2026-03-02", DATA),
    ("/api/v1/editions/week/2026-03-02", DATA),
    ("/api/v1/papers/arxiv:2603.10001", DATA),
    ("/api/v1/openapi.json", DATA),
]
OF_READERS = [
    ("GET", "/undo/x", LINKS),
    ("POST", "/undo/x", LINKS),
    ("GET", "/confirm/x", LINKS),
    ("POST", "/confirm/x", LINKS),
    ("GET", "/f/x/1/more", LINKS),
    ("POST", "/f/x/1/more", LINKS),
    ("GET", "/p/ask/x", LINKS),
    ("POST", "/p/ask/x", LINKS),
    ("POST", "/p/pause/x/1", LINKS),
    ("GET", "/p/{access}", LINKS),
    ("GET", "/p/{access}/export", LINKS),
    ("POST", "/p/{access}", CHOICES),
    ("POST", "/p/{access}/pause", CHOICES),
]
WITHOUT = {
    *("/", "/archive", "/feed.xml"),  # made once for all
    *("/how-ranking-works", "/privacy", "/check-inbox", "/robots.txt", "/.well-known/security.txt"),
    *("/healthz", "/readyz", "/metrics"),  # for monitors
    "/subscribe",  # counted by what is noted
    "/u/{token}",  # mail providers unsubscribe their users, all from a few addresses
}


@pytest.fixture
def home(tmp_path: Path, morning_home: Path) -> Path:
    """Its editions are frozen."""
    return shutil.copytree(morning_home, tmp_path / "home")


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site behind a proxy, on the morning of its first edition."""
    return make_site(web__trusted_proxies=["127.0.0.1"])


@pytest.fixture
def web(site: Site, serving: Serve) -> Iterator[Ask]:
    with serving(site.app) as asking:
        yield asking


@pytest.fixture
def ann(site: Site) -> Subscriber:
    (reader,) = site.subscribe("ann@example.org")
    return reader


def refused_after(web: Ask, method: str, path: str, **headers: str) -> tuple[int, Any]:
    """How often it was answered before it was refused, and how it was refused."""
    for times in count():
        answer = web(method, path, **headers)
        assert answer.status in (200, 404, 422, 429)
        if answer.status == 429:
            return times, answer
        assert times < 700, f"{path} has no limit"
    raise AssertionError


@pytest.mark.parametrize(("path", "limit"), PUBLIC)
def test_who_reads_too_much_waits_and_others_do_not(site: Site, web: Ask, path: str, limit: Limit) -> None:
    before = everything(site.app)
    times, refused = refused_after(web, "GET", f"{path}{'&' if '?' in path else '?'}n=1")
    assert times >= limit.of_each[0].times
    assert refused.headers["retry-after"] == "60"
    assert "x-frame-options" in refused.headers
    if path.startswith("/api/"):
        assert refused.headers["content-type"] == "application/problem+json"
        assert json.loads(refused.body)["status"] == 429
        described = json.loads(web("GET", "/api/v1/openapi.json", X_Forwarded_For="203.0.113.9").body)["paths"]
        assert all("Retry-After" in one["get"]["responses"]["429"]["headers"] for one in described.values())
    else:
        assert "<h1>Too many at once</h1>" in refused.body
    assert web("GET", path, X_Forwarded_For="203.0.113.9").status == 200
    assert web("GET", "/").status == 200
    assert everything(site.app) == before


def test_what_stands_on_the_shelf_is_given_without_counting(web: Ask) -> None:
    assert {web("GET", "/feed/robot.xml").status for _ in range(2 * FEEDS.of_each[0].times)} == {200}


@pytest.mark.parametrize(("method", "path", "limit"), OF_READERS)
def test_what_a_link_in_a_mail_leads_to_has_a_limit(
    site: Site, ann: Subscriber, web: Ask, method: str, path: str, limit: Limit
) -> None:
    opens = path.format(access=access(site.app.signer, ann.token, site.now))
    times, refused = refused_after(web, method, opens)
    assert times >= min(limit.of_each[0].times, GUESSES[0].times)
    assert refused.headers["retry-after"] == "60"
    assert web(method, opens, X_Forwarded_For="203.0.113.9").status in (200, 404, 422)


def test_what_is_posted_is_counted_over_a_restart(site: Site, ann: Subscriber, serving: Serve) -> None:
    path = f"/p/{access(site.app.signer, ann.token, site.now)}"
    with serving(site.app) as web:
        times, _ = refused_after(web, "POST", path)
        assert times == CHOICES.of_each[0].times
        assert web("GET", path).status == 200
    with serving(site.app) as web:
        before = everything(site.app)
        assert web("POST", path).status == 429
        assert everything(site.app) == before
        site.later(minutes=1)
        assert web("POST", path).status == 200


def test_who_guesses_is_kept_from_all_that_a_secret_opens(site: Site, ann: Subscriber, web: Ask) -> None:
    opens, own = f"/p/{access(site.app.signer, ann.token, site.now)}", f"/feed/for/{feed(site.app.signer, ann.token)}.xml"
    shapes = ("/p/{}", "/undo/{}", "/confirm/{}", "/f/1-{}/1/more", "/feed/for/{}.xml")
    made_up = [shape.format(random_token()) for shape in shapes for _ in range(GUESSES[0].times)]
    answers = [web("GET", path).status for path in made_up]
    assert set(answers[: GUESSES[0].times]) == {404}
    assert answers[-1] == 429
    assert [web("GET", path).status for path in (opens, own)] == [429, 429]
    assert [web("GET", path, X_Forwarded_For="203.0.113.9").status for path in (opens, own)] == [200, 200]
    assert [web("GET", path).status for path in ("/", "/archive", "/search?q=robot")] == [200] * 3


def test_a_provider_that_unsubscribes_its_users_is_never_refused(site: Site, web: Ask) -> None:
    readers = site.subscribe(*(f"reader{n}@example.org" for n in range(40)))
    for number in range(3 * LINKS.of_each[0].times):
        assert web("POST", f"/u/{random_token()}", "List-Unsubscribe=One-Click").status == 200, number
    for reader in readers:
        assert web("POST", f"/u/{reader.token}", "List-Unsubscribe=One-Click").status == 200
        assert site.reader(reader.address.text).state == "unsubscribed"


def test_a_service_reads_the_feeds_of_many_readers_and_none_of_them_too_often(site: Site, web: Ask) -> None:
    readers = site.subscribe(*(f"reader{n}@example.org" for n in range(40)))
    paths = [f"/feed/for/{feed(site.app.signer, reader.token)}.xml" for reader in readers]
    assert [web("GET", path).status for path in paths * 2] == [200] * len(paths) * 2
    times, _ = refused_after(web, "GET", paths[0])
    assert times >= OWN_FEED.of_each[0].times - 2
    assert web("GET", paths[1]).status == 200


def test_a_page_has_a_limit_or_a_reason_to_have_none(site: Site) -> None:
    routes = [route for route in create_app(site.app).routes if isinstance(route, Route)]
    assert {route.path for route in routes if not isinstance(route.app, limits.Limited)} == WITHOUT


def test_after_the_time_that_a_visitor_is_told_there_is_one_more() -> None:
    every = [one for one in vars(limits).values() if isinstance(one, Limit)]
    assert len(every) >= 8
    told = int(limits.AGAIN["Retry-After"])
    for allowance in (allowance for one in every for allowance in (*one.of_each, *GUESSES)):
        used_up = 1e9 + allowance.span.total_seconds()
        assert allowance.spent(used_up, 1e9) is None
        assert allowance.spent(used_up, 1e9 + told) is not None
