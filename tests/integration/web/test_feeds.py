"""Atom feeds."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from contract.world import NOW, World
from integration.web import atom
from integration.web.morning import URL, edition, everything
from sqlalchemy import select

from digest.outbox import access
from digest.papers.model import Work
from digest.store import papers
from digest.store.schema import delivery, subscriber
from digest.wiring import App, open_app

HOSTILE = Work(
    title="Graphs ]]> & <script>alert(1)</script> \"quoted\" 'so'",
    abstract="We show </div></content> that <b>all</b> is well & more. It holds. &lt;i&gt;",
    authors=("Ann <Lee>", "", "Bo & Co"),
    categories=("cs.CL", "cs.CL", 'x" onload="alert(1)'),
    links={"arxiv": "https://arxiv.org/abs/2601.00001", "code": "javascript:alert(1)", "page": 'https://x.example/"><script>'},
)
Ask = Callable[..., Any]
Serve = Callable[[App], AbstractContextManager[Ask]]


@pytest.fixture
def app(blank: Path) -> Iterator[App]:
    """An application on the morning of the world's editions."""
    with closing(open_app(home=blank, environ={"DIGEST_SITE__PUBLIC_URL": URL}, now=NOW)) as opened:
        yield opened


@pytest.fixture
def world(app: App) -> World:
    """Puts things into it."""
    return World(app.store)


def feed_of(app: App, world: World, name: str = "ann") -> str:
    """The path of a reader's own feed."""
    with app.store.read() as connection:
        token = connection.execute(select(subscriber.c.token).where(subscriber.c.address == f"{name}@example.org")).scalar_one()
    return f"/feed/for/{access.feed(app.signer, token)}.xml"


@pytest.fixture
def ann(world: World) -> int:
    """A reader who got two papers today, one of them for her topic."""
    number = edition(world, 0, ("arxiv:2601.00001", Work("On graphs")), ("arxiv:2601.00002", Work("On fish")))
    edition(world, 1, ("arxiv:2601.00003", Work("On whales")))
    reader = world.reader("ann")
    one, two = world.paper("arxiv:2601.00001").id, world.paper("arxiv:2601.00002").id
    world.put(delivery, world.mail(reader, number), state="submitted", picks=[[two, 0, "topic", "life & sea"], [one, 1]])
    return reader


def test_the_public_feed_tells_the_papers_of_the_last_issues_the_newest_first(app: App, world: World, serving: Serve) -> None:
    edition(world, 1, ("arxiv:2601.00003", Work("On whales")))
    edition(world, 0, ("arxiv:2601.00001", Work("On graphs")), ("arxiv:2601.00002", Work("On fish")))
    for days in range(2, 16):
        edition(world, days, (f"arxiv:2602.000{days:02}", Work(f"Older paper {days}")))
    with serving(app) as web:
        answer = web("GET", "/feed.xml")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/atom+xml"
    assert atom.titles(answer.body)[:4] == ["On graphs", "On fish", "On whales", "Older paper 2"]
    assert len(atom.titles(answer.body)) == 15
    feed = atom.read(answer.body)
    assert atom.text_of(feed, "id") == f"{URL}/feed.xml"
    assert atom.text_of(feed, "updated") == "2026-11-22T06:00:00Z"
    assert f"<id>{URL}/papers/arxiv:2601.00001</id>" in answer.body


def test_a_paper_that_comes_again_is_told_as_it_came_first(app: App, world: World, serving: Serve) -> None:
    edition(world, 1, ("arxiv:2601.00001", Work("On graphs")))
    edition(world, 0, ("arxiv:2601.00002", Work("On fish")), ("arxiv:2601.00001", Work("On graphs, again")))
    with serving(app) as web:
        assert atom.titles(web("GET", "/feed.xml").body) == ["On fish", "On graphs"]


def test_a_feed_is_one_before_there_is_any_edition(web: Ask) -> None:
    for path in ("/feed.xml", "/feed/graphs.xml"):
        answer = web("GET", path)
        assert answer.status == 200
        assert atom.titles(answer.body) == []


def test_nothing_that_a_source_says_becomes_markup(app: App, world: World, serving: Serve) -> None:
    number = edition(world, 0, ("arxiv:2601.00001", HOSTILE))
    reader = world.reader("ann")
    one = world.paper("arxiv:2601.00001").id
    world.put(delivery, world.mail(reader, number), state="submitted", picks=[[one, 0, "topic", "</div><script>"]])
    with serving(app) as web:
        for path in ("/feed.xml", "/feed/graphs.xml", feed_of(app, world)):
            body = web("GET", path).body
            assert [title.startswith("Graphs ]]> & <script>") for title in atom.titles(body)] == [True]
            assert "<script" not in body
            assert "javascript:" not in body
            assert "x.example" not in body


def test_a_topic_has_a_feed_of_the_papers_with_its_words(app: App, world: World, serving: Serve) -> None:
    edition(world, 0, ("arxiv:2601.00001", Work("Neural graphs at night")), ("arxiv:2601.00002", Work("On fish")))
    with serving(app) as web:
        answer = web("GET", "/feed/neural%20graphs.xml")
        assert atom.titles(answer.body) == ["Neural graphs at night"]
        feed = atom.read(answer.body)
        assert atom.text_of(feed, "id") == f"{URL}/feed/neural%20graphs.xml"
        assert atom.text_of(feed, "title") == "neural graphs · Trending Papers"
        assert atom.titles(web("GET", "/feed/whales.xml").body) == []


@pytest.mark.parametrize("topic", ["%00", "%20", "%F0%9F%8E%93", "a" * 121, "a/b", "..", "%ff%fe"])
def test_what_is_no_topic_has_no_feed(web: Ask, topic: str) -> None:
    answer = web("GET", f"/feed/{topic}.xml")
    assert answer.status == 404
    assert "<title>" in answer.body


@pytest.mark.parametrize(
    "topic", ["c%2B%2B", "%22graphs%22%20OR%20*", "a%27%3B--", "%3Cscript%3Ex", "NEAR(a%20b)", "a%00b", "%C3%A9t%C3%A9"]
)
def test_any_words_are_a_topic_and_never_a_command(web: Ask, topic: str) -> None:
    answer = web("GET", f"/feed/{topic}.xml")
    assert answer.status == 200
    assert atom.titles(answer.body) == []
    assert "<script" not in answer.body


def test_what_the_operator_hides_is_in_no_feed(app: App, world: World, ann: int, serving: Serve) -> None:
    with app.store.write() as connection:
        papers.set_hidden(connection, world.paper("arxiv:2601.00002").id, NOW)
    with serving(app) as web:
        for path in ("/feed.xml", "/feed/fish.xml", feed_of(app, world)):
            assert "On fish" not in atom.titles(web("GET", path).body)


def test_a_reader_has_a_feed_of_what_was_chosen_for_him_and_why(app: App, world: World, ann: int, serving: Serve) -> None:
    with serving(app) as web:
        answer = web("GET", feed_of(app, world))
    assert atom.titles(answer.body) == ["On fish", "On graphs"]
    assert "close to your topic “life &amp; sea”" in answer.body
    assert "ann@example.org" not in answer.body + str(answer.headers)


def test_a_readers_feed_is_kept_by_nobody_but_him(app: App, world: World, ann: int, serving: Serve) -> None:
    with serving(app) as web:
        answer = web("GET", feed_of(app, world))
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers
        again = web("GET", feed_of(app, world), If_None_Match=answer.headers["etag"])
        assert (again.status, again.body) == (304, "")
        assert again.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("state", "status"), [("paused", 200), ("bounced", 200), ("pending", 404), ("unsubscribed", 404), ("complained", 404)]
)
def test_a_feed_lasts_as_long_as_somebody_is_a_reader(
    app: App, world: World, ann: int, serving: Serve, state: str, status: int
) -> None:
    world.put(subscriber, ann, state=state)
    with serving(app) as web:
        assert web("GET", feed_of(app, world)).status == status


def test_no_other_token_opens_a_feed(app: App, world: World, ann: int, serving: Serve) -> None:
    with app.store.read() as connection:
        token = connection.execute(select(subscriber.c.token)).scalar_one()
    forged = f"{token}.{app.signer.sign('preferences', token)}"
    unknown = access.feed(app.signer, "x" * 22)
    with serving(app) as web:
        answers = {web("GET", f"/feed/for/{made}.xml").body for made in (forged, unknown, token, "x", "%00", "x" * 3000)}
        assert len(answers) == 1  # nobody learns which it was
        assert "There is no such page" in answers.pop()
        assert web("GET", f"/feed/for/{access.feed(app.signer, token)}.xml").status == 200


def test_whoever_has_a_feed_is_told_so_and_pages_of_other_sites_may_read_it(
    app: App, world: World, ann: int, serving: Serve
) -> None:
    with serving(app) as web:
        for path in ("/feed.xml", "/feed/graphs.xml"):
            first = web("GET", path)
            assert first.headers["access-control-allow-origin"] == "*"
            assert first.headers["cache-control"] == "public, max-age=60"
            again = web("GET", path, If_None_Match=first.headers["etag"])
            assert (again.status, again.body) == (304, "")
            assert again.headers["access-control-allow-origin"] == "*"


def test_reading_feeds_changes_nothing(app: App, world: World, ann: int, serving: Serve) -> None:
    own = feed_of(app, world)
    before = everything(app)
    with serving(app) as web:
        for path in ("/feed.xml", "/feed/graphs.xml", own):
            for method in ("GET", "HEAD", "OPTIONS", "POST"):
                web(method, path)
    assert everything(app) == before


def test_below_a_path_a_feed_names_its_whole_addresses(tmp_path: Path, serving: Serve) -> None:
    with closing(open_app(home=tmp_path, environ={"DIGEST_SITE__PUBLIC_URL": f"{URL}/mail"}, now=NOW)) as app:
        edition(World(app.store), 0, ("doi:10.1000/a(b)/c", Work("On graphs")))
        with serving(app) as web:
            for path in ("/mail/feed.xml", "/feed.xml"):
                feed = atom.read(web("GET", path).body)
                assert atom.text_of(feed, "id") == f"{URL}/mail/feed.xml"
                assert [link.get("href") for link in feed.findall(f"{atom.ATOM}link")] == [
                    f"{URL}/mail/feed.xml",
                    f"{URL}/mail/",
                ]
                (entry,) = feed.findall(f"{atom.ATOM}entry")
                assert atom.text_of(entry, "id") == f"{URL}/mail/papers/doi:10.1000/a%28b%29/c"
