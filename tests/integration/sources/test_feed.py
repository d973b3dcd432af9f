"""Feeds as they come over a connection: redirects, error pages, archives, and what is new since the last look."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from support.website import PAGE, XML, Website

from digest.errors import BadInput, ServerUnavailable
from digest.sources.base import Collected, Errand, Past
from digest.sources.feed import FeedSettings, feeds_of
from digest.sources.web import Web

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
Collect = Callable[..., Collected]


def item(number: int, published: datetime | None = NOW - timedelta(days=1)) -> str:
    day = f"<pubDate>{published:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" if published else ""
    return f"<item><title>Net {number}</title><guid>https://blog.example.org/{number}</guid>{day}</item>"


def rss(*items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>A Blog</title>{''.join(items)}</channel></rss>".encode()


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(sleep=lambda _: None) as one:
        yield one


@pytest.fixture
def collect(site: Website, web: Web) -> Collect:
    def ask(past: Collected | None = None, now: datetime = NOW, path: str = "/feed/?feed=rss2", **more: Any) -> Collected:
        (feed,) = feeds_of(FeedSettings(urls={"A Blog": site.url + path}))
        before = Past(now - timedelta(hours=1), past.newest, past.cursor) if past else Past()
        return feed.collect(Errand(now, web, before, **more))

    return ask


def shows(site: Website, *items: str) -> None:
    site.will_answer({"body": rss(*items), "headers": XML})


def announced(collected: Collected) -> list[str]:
    return [sighting.work.title for sighting in collected.parsed.sightings if sighting.announces]


def test_a_feed_is_asked_for_at_the_address_that_the_operator_wrote(site: Website, collect: Collect) -> None:
    shows(site, item(1), item(2))
    collected = collect()
    assert site.paths == ["/feed/?feed=rss2"]
    assert announced(collected) == ["Net 1", "Net 2"]
    assert {sighting.source for sighting in collected.parsed.sightings} == {"feed:a-blog"}
    assert (collected.verdict, collected.evidence) == ("fresh", "2 of its 2 entries are new")


def test_the_next_look_is_quiet_until_something_new_has_come(site: Website, collect: Collect) -> None:
    shows(site, item(1))
    first = collect()
    second = collect(first, NOW + timedelta(hours=1))
    assert (second.verdict, second.newest) == ("quiet", first.newest)
    shows(site, item(2), item(1))
    third = collect(second, NOW + timedelta(hours=2))
    assert (third.verdict, third.evidence) == ("fresh", "1 of its 2 entries are new")
    assert third.newest != first.newest


def test_a_feed_without_news_for_a_week_is_stale_though_it_answers(site: Website, collect: Collect) -> None:
    shows(site, item(1))
    collected = collect()
    quiet = collect(collected, NOW + timedelta(days=7))
    assert quiet.verdict == "quiet"
    stale = collect(quiet, NOW + timedelta(days=7, seconds=1))
    assert (stale.verdict, stale.evidence) == ("stale", "none of its 1 entries is new since 2026-11-22, 7 days ago")


def test_a_feed_that_has_never_had_anything_is_stale_after_a_week(site: Website, collect: Collect) -> None:
    shows(site)
    collected = collect()
    assert collected.verdict == "quiet"
    assert collect(collected, NOW + timedelta(days=8)).verdict == "stale"


def test_the_archive_of_a_feed_never_fills_an_edition(site: Website, collect: Collect) -> None:
    archive = [item(n, NOW - timedelta(days=40 + n)) for n in range(2, 302)]
    shows(site, item(1), *archive)
    first = collect()
    assert announced(first) == ["Net 1"]
    assert len(first.parsed.sightings) == 301
    assert first.parsed.passed_over == {"older than 30 days": 300}
    second = collect(first, NOW + timedelta(hours=1))
    assert announced(second) == ["Net 1"]
    # What comes later is news whatever its date: journals date by issue.
    shows(site, item(999, NOW - timedelta(days=35)), item(1), *archive)
    assert announced(collect(second, NOW + timedelta(hours=2))) == ["Net 999", "Net 1"]


def test_a_back_fill_announces_what_it_is_asked_for(site: Website, collect: Collect) -> None:
    shows(site, item(1), item(2, NOW - timedelta(days=40)), item(3, NOW - timedelta(days=90)))
    assert announced(collect(since=date(2026, 9, 1))) == ["Net 1", "Net 2"]


def test_items_without_a_date_are_announced(site: Website, collect: Collect) -> None:
    shows(site, item(1, None))
    assert announced(collect()) == ["Net 1"]


def test_what_is_remembered_of_a_feed_stays_small(site: Website, collect: Collect) -> None:
    shows(site, *(item(n, NOW - timedelta(minutes=n)) for n in range(5000)))
    first = collect()
    assert sum(map(len, first.cursor.values())) < 2000
    assert collect(first, NOW + timedelta(hours=1)).verdict == "quiet"


@pytest.mark.parametrize("reverse", [False, True])
def test_news_at_either_end_of_a_long_feed_is_noticed(site: Website, collect: Collect, reverse: bool) -> None:
    items = [item(n, NOW - timedelta(minutes=n)) for n in range(500, 0, -1)]
    shows(site, *(items if reverse else items[::-1]))
    first = collect()
    new = item(501, NOW + timedelta(minutes=30))
    shows(site, *([*items, new] if reverse else [new, *items[::-1]]))
    assert collect(first, NOW + timedelta(hours=1)).evidence == "1 of its 501 entries are new"


def test_a_feed_that_breaks_off_has_failed_and_its_items_are_kept(site: Website, collect: Collect) -> None:
    site.will_answer({"body": rss(item(1), item(2))[:-60], "headers": XML})
    collected = collect()
    assert (collected.verdict, announced(collected)) == ("failed", ["Net 1"])
    assert "breaks off" in collected.evidence


def test_a_feed_of_more_than_ten_thousand_items_is_no_failure(site: Website, collect: Collect) -> None:
    shows(site, *(item(n) for n in range(10_001)))
    collected = collect()
    assert (collected.verdict, len(collected.parsed.sightings)) == ("fresh", 10_000)
    assert "more than 10,000" in collected.parsed.problems[0].what


def test_a_feed_that_has_moved_within_its_host_is_followed(site: Website, collect: Collect) -> None:
    site.will_answer({"status": 301, "headers": {"Location": "/rss.xml"}}, {"body": rss(item(1)), "headers": XML})
    assert announced(collect()) == ["Net 1"]
    assert site.paths == ["/feed/?feed=rss2", "/rss.xml"]


def test_a_feed_that_has_moved_elsewhere_is_not_followed(site: Website, collect: Collect) -> None:
    site.will_answer({"status": 301, "headers": {"Location": "http://127.0.0.1:9/feed"}})
    with pytest.raises(ServerUnavailable, match=r"A Blog was asked for its feed.*redirects"):
        collect()


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/rdf+xml", "application/octet-stream"])
def test_a_feed_is_one_whatever_its_server_calls_it(site: Website, collect: Collect, content_type: str) -> None:
    site.will_answer({"body": rss(item(1)), "headers": {"Content-Type": content_type}})
    assert collect().verdict == "fresh"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"status": 404, "headers": XML}, "404"),
        ({"body": PAGE, "headers": XML}, "a web page"),
        ({"body": b"<sitemap/>", "headers": XML}, "not an RSS or Atom feed: it begins with <sitemap>"),
        ({"body": b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss/>", "headers": XML}, "document type"),
        ({"body": b"<rss", "headers": XML}, "not an RSS or Atom feed"),
        ({"body": b"", "headers": XML}, "not an RSS or Atom feed"),
    ],
)
def test_what_is_no_feed_is_named_with_the_cause(site: Website, collect: Collect, answer: dict[str, Any], says: str) -> None:
    site.will_answer(answer)
    with pytest.raises((ServerUnavailable, BadInput), match=f"A Blog was asked for its feed.*{says}"):
        collect()


def test_a_relative_address_begins_at_that_of_the_feed(site: Website) -> None:
    shows(site, "<item><title>A Net</title><link>/net</link></item>")
    (feed,) = feeds_of(FeedSettings(urls={"A Blog": f"http://blog.example.org:{site.port}/posts/feed"}))
    with Web(resolve=lambda _name: ["127.0.0.1"]) as web:
        (sighting,) = feed.collect(Errand(NOW, web)).parsed.sightings
    assert sighting.work.links == {"page": f"http://blog.example.org:{site.port}/net"}
