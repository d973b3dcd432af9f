"""bioRxiv and medRxiv as their API answers over a connection: pages of 100 or 30, versions, faults."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from support.website import PAGE, Answer, Asked, Website

from digest.errors import BadInput, ServerUnavailable
from digest.sources.base import Collected, Errand, Past
from digest.sources.biorxiv import Biorxiv, BiorxivSettings
from digest.sources.web import HttpError, Web

NOW = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)


def post(number: int, day: str = "2026-11-25", version: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "doi": f"10.1101/2026.11.25.{number:06}",
        "title": f"An Invented Protein, Number {number}",
        "authors": "Doe, J.; Roe, M.",
        "date": day,
        "version": str(version),
        "category": "neuroscience",
        "abstract": "We invent it.",
        "published": "NA",
        **fields,
    }


@dataclass
class Api:
    """`/details/SERVER/FROM/TO/CURSOR/json`, with `posts` by server; `instead` is what is said at a cursor."""

    posts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    instead: dict[tuple[str, int], Answer] = field(default_factory=dict)
    size: int = 30
    tells_total: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        _, details, server, first, last, cursor, form = asked.path.split("/")
        assert (details, form) == ("details", "json")
        self.asked.append((server, first, last, cursor))
        if answer := self.instead.get((server, int(cursor))):
            return answer
        posts = self.posts.get(server, [])
        found = posts[int(cursor) : int(cursor) + self.size]
        message = {"status": "ok" if posts else "no posts found", "count": len(found), "cursor": cursor}
        total = {"total": str(len(posts))} if self.tells_total else {}
        return Answer(body=json.dumps({"messages": [message | total], "collection": found}).encode())


@pytest.fixture
def api(site: Website) -> Api:
    speaking = Api()
    site.respond = speaking
    return speaking


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def web(waits: list[float]) -> Iterator[Web]:
    with Web(sleep=waits.append) as one:
        yield one


@pytest.fixture
def collect(api: Api, site: Website, web: Web) -> Callable[..., Collected]:
    def ask(name: str = "biorxiv", past: Past | None = None, now: datetime = NOW, **more: Any) -> Collected:
        source = Biorxiv(name, BiorxivSettings(url=site.url, categories=more.pop("categories", ())))
        return source.collect(Errand(now, web, past or Past(), **more))

    return ask


def numbers(collected: Collected) -> list[int]:
    return [int(sighting.ids[0].rpartition(".")[2]) for sighting in collected.parsed.sightings]


@pytest.mark.parametrize("size", [100, 30, 1])
@pytest.mark.parametrize("tells_total", [True, False])
def test_all_pages_are_read_however_long_they_are(
    api: Api, collect: Callable[..., Collected], size: int, tells_total: bool
) -> None:
    api.size, api.tells_total = size, tells_total
    number = 5 if size == 1 else 145
    api.posts["biorxiv"] = [post(n) for n in range(number)]
    collected = collect()
    assert numbers(collected) == list(range(number))
    cursors = [int(cursor) for *_, cursor in api.asked]
    assert cursors == [*range(0, number, size), *([] if tells_total else [number])]
    assert (collected.verdict, collected.newest) == ("fresh", "2026-11-25")


def test_it_is_asked_for_its_own_papers_from_two_days_before(api: Api, collect: Callable[..., Collected]) -> None:
    collect("medrxiv")
    assert api.asked == [("medrxiv", "2026-11-23", "2026-11-25", "0")]


def test_the_next_run_asks_from_before_the_last_answer(api: Api, collect: Callable[..., Collected]) -> None:
    collect(past=Past(NOW - timedelta(days=3), "2026-11-22"))
    assert api.asked == [("biorxiv", "2026-11-20", "2026-11-25", "0")]


def test_a_back_fill_asks_from_the_day_that_it_is_told(api: Api, collect: Callable[..., Collected]) -> None:
    collect(since=date(2026, 10, 1), past=Past(NOW, "2026-11-25"))
    assert api.asked == [("biorxiv", "2026-10-01", "2026-11-25", "0")]


def test_a_second_passes_between_two_requests(api: Api, collect: Callable[..., Collected], waits: list[float]) -> None:
    api.posts["biorxiv"] = [post(n) for n in range(60)]
    collect()
    assert len(api.asked) == 2
    assert all(0.5 < wait <= 1.0 for wait in waits)
    assert len(waits) >= 1


def test_a_version_on_another_page_is_the_same_paper(api: Api, collect: Callable[..., Collected]) -> None:
    api.posts["biorxiv"] = [post(n) for n in range(40)] + [post(3, version=2, title="Revised")]
    collected = collect()
    assert sorted(numbers(collected)) == list(range(40))
    revised = next(sighting for sighting in collected.parsed.sightings if sighting.work.title == "Revised")
    assert revised.announces
    assert collected.parsed.passed_over == {"older versions": 1}


def test_progress_is_told_in_entries(api: Api, collect: Callable[..., Collected]) -> None:
    api.posts["biorxiv"] = [post(n) for n in range(45)]
    told: list[tuple[int, int | None]] = []
    collect(progress=lambda done, total: told.append((done, total)))
    assert told == [(30, 45), (45, 45)]


def test_dates_are_compared_as_dates(api: Api, collect: Callable[..., Collected]) -> None:
    api.posts["biorxiv"] = [post(1, "2026-11-9"), post(2, "2026-11-24"), post(3, "2026-1-30")]
    collected = collect(past=Past(NOW, "2026-11-23"))
    assert (collected.verdict, collected.newest) == ("fresh", "2026-11-24")


@pytest.mark.parametrize(
    ("newest", "verdict"), [("2026-11-24", "quiet"), ("2026-11-22", "quiet"), ("2026-11-21", "stale"), ("", "stale")]
)
def test_an_answer_without_papers_is_quiet_for_three_days(collect: Callable[..., Collected], newest: str, verdict: str) -> None:
    collected = collect(past=Past(NOW - timedelta(hours=1), newest))
    assert (collected.verdict, collected.newest) == (verdict, newest)
    assert collected.evidence


def test_freshness_is_judged_by_all_papers_and_not_by_those_of_our_categories(
    api: Api, collect: Callable[..., Collected]
) -> None:
    api.posts["biorxiv"] = [post(1)]
    collected = collect(categories=("ecology",))
    assert (collected.verdict, collected.newest, collected.parsed.sightings) == ("fresh", "2026-11-25", ())
    assert collected.parsed.passed_over == {"other categories": 1}


@pytest.mark.parametrize(
    "fault",
    [
        Answer(404),
        Answer(200, PAGE),
        Answer(200, b'{"messages": [{"status": "ok"}], "collection": [{"doi": "10.11'),
        Answer(200, b'{"messages": [{"status": "Error: cursor"}], "collection": []}'),
        Answer(200, b'{"maintenance": true}'),
    ],
)
def test_what_was_had_before_it_broke_off_is_kept_and_the_run_has_failed(
    api: Api, collect: Callable[..., Collected], fault: Answer
) -> None:
    api.posts["biorxiv"] = [post(n) for n in range(60)]
    api.instead["biorxiv", 30] = fault
    collected = collect()
    assert (collected.verdict, numbers(collected)) == ("failed", list(range(30)))
    assert collected.evidence.startswith("it breaks off after 30 entries: bioRxiv was asked for the papers since 2026-11-23")
    assert len(collected.parsed.problems) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Answer(404), "404"),
        (Answer(503), "503"),
        (Answer(200, PAGE), "a web page"),
        (Answer(200, b'{"messages": [{"status": "Error: bad interval"}], "collection": []}'), "it says: Error: bad interval"),
        (Answer(200, b"[]"), "no answer of bioRxiv"),
    ],
)
def test_one_that_is_down_is_named_with_the_cause_and_the_other_is_read(
    api: Api, collect: Callable[..., Collected], fault: Answer, says: str
) -> None:
    api.posts["medrxiv"] = [post(1)]
    api.instead["biorxiv", 0] = fault
    with pytest.raises((ServerUnavailable, BadInput), match=f"bioRxiv was asked for the papers since 2026-11-23.*{says}"):
        collect("biorxiv")
    assert collect("medrxiv").verdict == "fresh"


def test_a_server_that_gives_the_same_page_for_ever_is_left(api: Api, collect: Callable[..., Collected]) -> None:
    same = json.dumps({"messages": [{"status": "ok", "total": 10**6}], "collection": [post(1), post(2)]}).encode()
    api.instead = {("biorxiv", cursor): Answer(200, same) for cursor in range(0, 20, 2)}
    collected = collect()
    assert (collected.verdict, numbers(collected), len(api.asked)) == ("failed", [1, 2], 2)
    assert "the same page again" in collected.evidence


def test_bad_entries_are_counted_by_their_place_in_all_pages(api: Api, collect: Callable[..., Collected]) -> None:
    api.posts["biorxiv"] = [post(n) for n in range(30)] + [post(30, doi="none"), post(31)]
    collected = collect()
    assert len(collected.parsed.sightings) == 31
    assert [problem.line for problem in collected.parsed.problems] == [31]


def test_an_answer_that_asks_for_patience_beyond_the_run_is_a_failure_with_its_wait(site: Website, web: Web) -> None:
    site.will_answer({"status": 503, "headers": {"Retry-After": "86400"}})
    with pytest.raises(HttpError) as caught:
        Biorxiv("biorxiv", BiorxivSettings(url=site.url)).collect(Errand(NOW, web))
    assert caught.value.wait == 86400
