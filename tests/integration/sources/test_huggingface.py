"""Hugging Face as it answers over a connection: a list for each day, in pages, with faults."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.errors import ServerUnavailable
from digest.sources.base import Collected, Errand, Past
from digest.sources.huggingface import HuggingFace, HuggingFaceSettings
from digest.sources.web import HttpError, Web

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
TODAY, YESTERDAY, OLD = date(2026, 11, 24), date(2026, 11, 23), date(2026, 11, 14)


def listed(*ids: str, votes: int = 3) -> list[object]:
    return [{"paper": {"id": id_, "title": f"Net {id_}", "upvotes": votes}, "numComments": 0} for id_ in ids]


def many(number: int) -> list[object]:
    return listed(*(f"2611.{n:05}" for n in range(1, number + 1)))


@dataclass
class Api:
    """`/api/daily_papers`: a list for each day, and for some days something else than their list."""

    url: str
    lists: dict[date, list[object]] = field(default_factory=dict)
    instead: dict[date, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    most: int = 100
    """How many entries a page has at most, whatever is asked for."""
    knows_pages: bool = True
    asked: list[tuple[date, int]] = field(default_factory=list)
    """The days asked for, and the page of each."""

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(handler.path).query).items()}
        day, page = date.fromisoformat(query["date"]), int(query.get("p", "0")) if self.knows_pages else 0
        self.asked.append((day, int(query.get("p", "0"))))
        size = min(int(query.get("limit", "50")), self.most)
        body = json.dumps(self.lists.get(day, [])[page * size : (page + 1) * size]).encode()
        status, body, headers = self.instead.get(day, (200, body, {}))
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def days(self) -> list[date]:
        return [day for day, page in self.asked if page == 0]


@pytest.fixture
def api(site: Any) -> Api:
    speaking = Api(site.url, {TODAY: listed("2611.00003", "2611.00002"), YESTERDAY: listed("2611.00001")})
    site.will_answer({"write": speaking})
    return speaking


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(sleep=lambda _: None) as one:
        yield one


@pytest.fixture
def collect(api: Api, web: Web) -> Callable[..., Collected]:
    def ask(past: Past | None = None, now: datetime = NOW, since: date | None = None, days: int = 14) -> Collected:
        source = HuggingFace(HuggingFaceSettings(url=api.url, days=days))
        return source.collect(Errand(now, web, past or Past(), since))

    return ask


def past(collected: Collected, at: datetime) -> Past:
    """What the store hands to the next run."""
    return Past(at, collected.newest, collected.cursor)


def ids(collected: Collected) -> list[str]:
    return [sighting.ids[0].removeprefix("arxiv:") for sighting in collected.parsed.sightings]


def places(collected: Collected) -> list[int]:
    return [reading.value for one in collected.parsed.sightings for reading in one.readings if reading.metric == "rank"]


def test_todays_list_comes_first_and_the_papers_of_the_days_before_follow(api: Api, collect: Callable[..., Collected]) -> None:
    api.lists[OLD] = listed("2610.00009")
    collected = collect()
    assert ids(collected) == ["2611.00003", "2611.00002", "2611.00001", "2610.00009"]
    assert places(collected) == [1, 2, 1, 1]
    assert (collected.verdict, collected.newest) == ("fresh", "arxiv:2611.00003")
    assert api.days() == [TODAY - timedelta(days=age) for age in range(15)]


def test_the_next_run_reads_the_young_lists_again_and_the_old_ones_when_they_are_due(
    api: Api, collect: Callable[..., Collected]
) -> None:
    collected, now = collect(), NOW
    api.asked.clear()
    for _ in range(24):
        now += timedelta(hours=1)
        collected = collect(past(collected, now - timedelta(hours=1)), now)
    reads = Counter(api.days())
    # Midnight lies between: for ten of the hours today's list is the youngest, then that of the day after.
    assert [reads[TODAY - timedelta(days=age)] for age in (-1, 0, 1, 2, 10)] == [14, 24, 12, 4, 1]
    assert sum(reads.values()) < 100


def test_a_cursor_that_was_stored_and_read_back_says_the_same(api: Api, collect: Callable[..., Collected]) -> None:
    first = collect()
    stored = Past(NOW, first.newest, json.loads(json.dumps(dict(first.cursor))))
    api.asked.clear()
    second = collect(stored, NOW + timedelta(hours=1))
    assert api.days() == [TODAY, YESTERDAY]
    assert second.cursor.keys() == first.cursor.keys()


def test_the_cursor_forgets_days_that_are_no_longer_read(collect: Callable[..., Collected]) -> None:
    later = NOW + timedelta(days=3)
    collected = collect(past(collect(days=5), NOW), later, days=5)
    assert min(collected.cursor) == "2026-11-22"
    assert max(collected.cursor) == "2026-11-27"


def test_a_list_of_more_than_a_hundred_papers_is_read_page_by_page(api: Api, collect: Callable[..., Collected]) -> None:
    api.lists = {TODAY: many(230)}
    collected = collect(days=1)
    assert [page for day, page in api.asked if day == TODAY] == [0, 1, 2]
    assert places(collected) == list(range(1, 231))


def test_a_server_that_gives_fifty_whatever_is_asked_for_is_read_to_the_end(
    api: Api, collect: Callable[..., Collected]
) -> None:
    api.lists, api.most = {TODAY: many(120)}, 50
    assert places(collect(days=1)) == list(range(1, 121))


def test_a_list_that_never_ends_is_read_as_far_as_a_list_can_go(api: Api, collect: Callable[..., Collected]) -> None:
    api.instead[TODAY] = (200, json.dumps(many(5000)).encode(), {})
    collected = collect()
    assert api.asked.count((TODAY, 0)) == 1
    assert (TODAY, 1) not in api.asked
    assert len(collected.parsed.sightings) == 1000
    assert [str(problem) for problem in collected.parsed.problems] == [
        "line 1001: more than 1,000 entries; the rest is left out"
    ]


def test_a_mirror_that_knows_no_pages_is_not_asked_for_ever(api: Api, collect: Callable[..., Collected]) -> None:
    api.lists, api.knows_pages = {TODAY: many(100)}, False
    collected = collect(days=1)
    assert len(ids(collected)) == 100
    assert [page for day, page in api.asked if day == TODAY] == [0, 1]


def test_a_paper_on_two_lists_is_brought_once_with_the_counts_of_the_newer(api: Api, collect: Callable[..., Collected]) -> None:
    api.lists = {TODAY: listed("2611.00002", "2611.00001", votes=9), YESTERDAY: listed("2611.00001", votes=8)}
    collected = collect()
    assert ids(collected) == ["2611.00002", "2611.00001"]
    assert [reading.value for reading in collected.parsed.sightings[1].readings if reading.metric == "votes"] == [9]


def test_a_back_fill_reads_every_list_since_its_day(api: Api, collect: Callable[..., Collected]) -> None:
    first = collect()
    api.asked.clear()
    api.lists[date(2026, 10, 1)] = listed("2609.00001")
    collected = collect(past(first, NOW), since=date(2026, 10, 1))
    assert len(api.days()) == 55
    assert "2609.00001" in ids(collected)
    assert min(collected.cursor) == "2026-11-10"


def test_a_weekday_whose_list_is_that_of_the_day_before_is_stale(api: Api, collect: Callable[..., Collected]) -> None:
    api.lists[TODAY] = listed("2611.00001")
    collected = collect()
    assert collected.verdict == "stale"
    assert "2026-11-24 has only papers of the day before at 13:00Z" in collected.evidence


BROKEN = {
    "an HTML page with status 200": (200, b"<!doctype html><html>busy</html>", {"Content-Type": "text/html"}),
    "an HTML page that calls itself JSON": (200, b"<!doctype html><html>busy</html>", {}),
    "truncated JSON": (200, b'[{"paper": {"id": "2611.0', {}),
    "an error that calls itself an answer": (200, b'{"error": "Invalid date"}', {}),
    "not found": (404, b"{}", {}),
    "a body that breaks off": (200, b"[", {"Content-Length": "400"}),
}
each_fault = pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)


@each_fault
def test_without_todays_list_the_others_are_kept_and_the_run_has_failed(
    api: Api, collect: Callable[..., Collected], fault: tuple[int, bytes, dict[str, str]]
) -> None:
    api.instead[TODAY] = fault
    collected = collect()
    assert (collected.verdict, ids(collected)) == ("failed", ["2611.00001"])
    (problem,) = collected.parsed.problems
    assert "Hugging Face was asked for the papers of 2026-11-24" in problem.what
    assert problem.what in collected.evidence
    assert TODAY.isoformat() not in collected.cursor


@each_fault
def test_an_old_list_that_cannot_be_had_costs_readings_and_is_asked_for_again(
    api: Api, collect: Callable[..., Collected], fault: tuple[int, bytes, dict[str, str]]
) -> None:
    api.instead[OLD] = fault
    first = collect()
    assert (first.verdict, len(first.parsed.problems)) == ("fresh", 1)
    api.asked.clear()
    collect(past(first, NOW), NOW + timedelta(hours=1))
    assert set(api.days()) == {TODAY, YESTERDAY, OLD}


@each_fault
def test_a_source_of_which_nothing_can_be_had_says_why_and_is_not_asked_for_every_day(
    api: Api, collect: Callable[..., Collected], fault: tuple[int, bytes, dict[str, str]]
) -> None:
    api.instead = {TODAY - timedelta(days=age): fault for age in range(15)}
    with pytest.raises(ServerUnavailable, match="Hugging Face was asked for the papers of 2026-11-24"):
        collect()
    assert len(set(api.days())) == 3


def test_a_server_that_asks_to_be_left_alone_is(api: Api, collect: Callable[..., Collected]) -> None:
    api.instead = {TODAY - timedelta(days=age): (429, b"{}", {"Retry-After": "7200"}) for age in range(15)}
    with pytest.raises(HttpError) as refused:
        collect()
    assert refused.value.wait == pytest.approx(7200, abs=5)
    assert set(api.days()) == {TODAY}


def test_a_server_that_asks_to_be_left_alone_later_keeps_what_it_gave(api: Api, collect: Callable[..., Collected]) -> None:
    api.instead[OLD] = (429, b"{}", {"Retry-After": "7200"})
    collected = collect()
    assert collected.verdict == "fresh"
    assert collected.not_before is not None
    assert abs(collected.not_before - NOW - timedelta(hours=2)) < timedelta(seconds=5)
    assert min(api.days()) == OLD


def test_one_bad_entry_costs_no_other(api: Api, collect: Callable[..., Collected]) -> None:
    api.lists[TODAY] = [*listed("2611.00003"), {"paper": None}, {"paper": {"id": "x"}}, *listed("2611.00002")]
    collected = collect()
    assert ids(collected)[:2] == ["2611.00003", "2611.00002"]
    assert [problem.line for problem in collected.parsed.problems] == [2, 3]
