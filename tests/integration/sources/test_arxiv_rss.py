"""arXiv over a connection: the feed, checked by OAI-PMH, from one day to the next."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from support.arxiv import EASTERN, Arxiv, Paper, oai_error, rss
from support.website import PAGE, XML, Answer, Website

from digest.errors import BadInput, ServerUnavailable
from digest.sources.arxiv.oai import ArxivOaiSettings
from digest.sources.arxiv.rss import ArxivRss, ArxivRssSettings
from digest.sources.base import Collected, Errand, Past
from digest.sources.web import HttpError, Web

THURSDAY, FRIDAY, SATURDAY = date(2026, 4, 23), date(2026, 4, 24), date(2026, 4, 25)
MONDAY, TUESDAY = date(2026, 4, 27), date(2026, 4, 28)
PAPERS = [
    Paper("2604.20001", THURSDAY),
    Paper("2604.20002", FRIDAY, versions=2, changed=MONDAY),
    Paper("2604.20003", MONDAY),
    Paper("2604.20004", MONDAY, categories=("stat.ML", "cs.AI"), kind="cross"),
    Paper("2604.20005", TUESDAY),
    Paper("2604.20006", TUESDAY),
    Paper("2504.10001", TUESDAY, kind="replace", versions=2, submitted=datetime(2025, 4, 1, 12, tzinfo=UTC)),
]

Collect = Callable[..., Collected]


def at(day: date, hour: int = 2) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=EASTERN).astimezone(UTC)


def after(day: date, newest: str, papers: int = 50) -> Past:
    return Past(at(day), newest, {"covered": day.isoformat(), "proven": day.isoformat(), "papers": str(papers)})


AFTER_MONDAY = after(MONDAY, "arxiv:2604.20004")


def news(collected: Collected) -> list[str]:
    return [sighting.ids[0].removeprefix("arxiv:") for sighting in collected.parsed.sightings if sighting.announces]


@pytest.fixture
def arxiv(site: Website) -> Arxiv:
    return Arxiv(site, PAPERS, shown=TUESDAY, built=TUESDAY, harvested=TUESDAY)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(sleep=lambda _: None) as one:
        yield one


@pytest.fixture
def collect(arxiv: Arxiv, web: Web) -> Collect:
    def ask(
        past: Past = AFTER_MONDAY, now: datetime | None = None, since: date | None = None, second: str = "", **settings: Any
    ) -> Collected:
        slice_ = ArxivRssSettings(**{"url": arxiv.site.url, "categories": ("cs.AI", "cs.CL"), **settings})
        source = ArxivRss(slice_, ArxivOaiSettings(url=f"{second or arxiv.site.url}/oai"))
        return source.collect(Errand(now or at(TUESDAY), web, past, since))

    return ask


def test_all_categories_are_asked_for_in_one_request(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect()
    assert arxiv.asked == [("rss", {"categories": "cs.AI+cs.CL"})]
    assert (collected.verdict, collected.newest) == ("fresh", "arxiv:2604.20006")
    assert news(collected) == ["2604.20005", "2604.20006"]
    assert len(collected.parsed.sightings) == 3
    assert collected.cursor == {"covered": "2026-04-28", "proven": "2026-04-28", "papers": "2"}
    assert collected.not_before is None


def test_an_hour_later_the_same_feed_is_still_fresh_and_nothing_else_is_asked(collect: Collect, arxiv: Arxiv) -> None:
    first = collect()
    again = collect(Past(at(TUESDAY), first.newest, first.cursor), at(TUESDAY, 3))
    assert again.verdict == "fresh"
    assert (again.newest, again.cursor) == (first.newest, first.cursor)
    assert arxiv.counts == {"rss": 2}


def test_a_stale_feed_with_a_fresh_date_of_building_is_found_out_and_replaced(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = MONDAY
    collected = collect()
    assert collected.verdict == "fresh"
    assert collected.evidence == "the feed is stale; taken from OAI-PMH: 2 papers, up to 2604.20006"
    assert news(collected)[-2:] == ["2604.20005", "2604.20006"]
    assert [params["from"] for params in arxiv.questions("oai")] == ["2026-04-27", "2026-04-27"]
    assert [params["set"] for params in arxiv.questions("oai")] == ["cs:cs:AI", "cs:cs:CL"]


def test_a_feed_that_keeps_us_waiting_leaves_half_of_the_time_of_the_run_to_the_second_route(
    arxiv: Arxiv, open_web: Callable[..., Web], hourglass: Any
) -> None:
    arxiv.instead["rss"] = [Answer(503, b"", {"Retry-After": "200"})] * 9
    web, began = open_web(budget=timedelta(minutes=5)), hourglass.elapsed()
    collected = asked_by(web, arxiv.site.url, f"http://localhost:{arxiv.site.port}")
    assert (collected.verdict, news(collected)[-2:]) == ("fresh", ["2604.20005", "2604.20006"])
    assert hourglass.elapsed() - began < 150


def test_both_routes_together_take_no_longer_than_one_run_may(
    arxiv: Arxiv, open_web: Callable[..., Web], hourglass: Any
) -> None:
    for route in ("rss", "oai"):
        arxiv.instead[route] = [Answer(503, b"", {"Retry-After": "85"})] * 9
    web, began = open_web(budget=timedelta(minutes=3)), hourglass.elapsed()
    with pytest.raises(ServerUnavailable):
        asked_by(web, arxiv.site.url, f"http://localhost:{arxiv.site.port}")
    assert hourglass.elapsed() - began <= 180


def asked_by(web: Web, url: str, second: str) -> Collected:
    source = ArxivRss(ArxivRssSettings(url=url, categories=("cs.AI",)), ArxivOaiSettings(url=f"{second}/oai"))
    return source.collect(Errand(at(TUESDAY), web, AFTER_MONDAY))


def test_what_neither_route_has_is_late(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = arxiv.harvested = MONDAY
    collected = collect()
    assert (collected.verdict, collected.cursor["covered"]) == ("stale", "2026-04-27")
    assert "that of 2026-04-28 is due; OAI-PMH has nothing newer either" in collected.evidence


def test_a_stale_feed_and_a_second_route_that_is_down_is_stale(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = MONDAY
    arxiv.down.add("oai")
    collected = collect()
    assert collected.verdict == "stale"
    assert news(collected) == ["2604.20003", "2604.20004"]
    assert (
        "OAI-PMH could not be asked: arXiv (OAI-PMH) was asked for the records of cs.AI since 2026-04-27" in collected.evidence
    )


def test_a_feed_that_is_down_is_replaced(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.down.add("rss")
    collected = collect()
    assert collected.verdict == "fresh"
    assert collected.evidence.startswith("the feed could not be had; taken from OAI-PMH: 2 papers")
    assert "arXiv was asked for the feed of cs.AI+cs.CL" in str(collected.parsed.problems[0])


def test_a_web_page_with_status_200_is_no_feed_and_is_replaced(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["rss"] = [Answer(200, PAGE, {"Content-Type": "text/html"})] * 3
    collected = collect()
    assert collected.verdict == "fresh"
    assert "web page" in collected.evidence


def test_where_both_routes_are_down_both_are_named(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.down |= {"rss", "oai"}
    with pytest.raises(ServerUnavailable) as raised:
        collect()
    assert "the feed of cs.AI+cs.CL" in str(raised.value)
    assert "(OAI-PMH) was asked for the records" in str(raised.value)


def test_at_the_weekend_a_feed_that_is_down_is_no_loss(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.down.add("rss")
    collected = collect(after(FRIDAY, "arxiv:2604.20002"), at(SATURDAY))
    assert collected.verdict == "quiet"
    assert "it answered 502" in collected.evidence
    assert arxiv.counts["oai"] == 0


def test_a_weekend_is_quiet(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = arxiv.built = SATURDAY
    collected = collect(after(FRIDAY, "arxiv:2604.20002"), at(SATURDAY))
    assert (collected.verdict, collected.newest) == ("quiet", "arxiv:2604.20002")
    assert collected.evidence.endswith("the next are due on Monday 2026-04-27")


def test_a_category_that_arxiv_does_not_know_is_the_operators_to_mend(collect: Collect, arxiv: Arxiv) -> None:
    with pytest.raises(BadInput, match=r"Bad archive 'xx\.AI'") as raised:
        collect(categories=("cs.AI", "xx.AI"))
    assert raised.value.fix == "correct sources.arxiv_rss.categories"
    assert arxiv.counts["oai"] == 0


def test_so_it_is_where_the_feed_says_it_with_status_400(collect: Collect, arxiv: Arxiv) -> None:
    body = rss([], built=TUESDAY, title="Feed error for query: x", description="Bad archive 'x'.")
    arxiv.instead["rss"] = [Answer(400, body, XML)]
    with pytest.raises(BadInput, match="Bad archive 'x'"):
        collect()


def test_without_categories_nothing_is_asked(collect: Collect, arxiv: Arxiv) -> None:
    with pytest.raises(ServerUnavailable, match="no categories are set") as raised:
        collect(categories=())
    assert raised.value.fix == "set sources.arxiv_rss.categories"
    assert arxiv.asked == []


def test_days_that_were_missed_are_filled_in(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect(after(THURSDAY, "arxiv:2604.20001"))
    assert collected.verdict == "fresh"
    assert set(news(collected)) == {f"2604.2000{number}" for number in range(1, 7)}
    assert len(collected.parsed.sightings) == len({sighting.ids for sighting in collected.parsed.sightings})
    assert "papers announced between 2026-04-23 and 2026-04-28 may be missing: completed from OAI-PMH" in collected.evidence
    assert {params["from"] for params in arxiv.questions("oai")} == {"2026-04-23"}


def test_what_breaks_off_while_days_are_filled_in_is_kept_and_asked_for_again(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.per_page = 2
    arxiv.instead["oai"] = []
    since_thursday = after(THURSDAY, "arxiv:2604.20001")
    whole = arxiv.site.respond
    assert whole is not None
    arxiv.site.respond = lambda asked: Answer(404) if "resumptionToken" in asked.path else whole(asked)
    collected = collect(since_thursday)
    assert (collected.verdict, collected.cursor["covered"]) == ("failed", "2026-04-23")
    assert {"2604.20001", "2604.20005"} < set(news(collected))
    arxiv.site.respond = whole
    again = collect(since_thursday)
    assert again.verdict == "fresh"
    assert {"2604.20002", "2604.20003", "2604.20004"} < set(news(again))


def test_the_first_run_at_a_weekend_brings_the_papers_of_friday(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = arxiv.built = arxiv.harvested = SATURDAY
    arxiv.papers = [Paper("2604.20001", THURSDAY), Paper("2604.20002", FRIDAY)]
    collected = collect(Past(), at(SATURDAY))
    assert (collected.verdict, collected.cursor["covered"]) == ("fresh", "2026-04-24")
    assert "2604.20002" in news(collected)


def test_a_back_fill_goes_as_far_as_it_is_asked_to(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect(since=date(2026, 4, 1))
    assert {params["from"] for params in arxiv.questions("oai")} == {"2026-04-01"}
    assert set(news(collected)) == {f"2604.2000{number}" for number in range(1, 7)}
    assert collected.verdict == "fresh"
    assert collected.evidence.endswith("6 papers filled in from 2026-04-01 on")


def test_a_back_fill_that_breaks_off_fails(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.down.add("oai")
    collected = collect(since=date(2026, 4, 1))
    assert collected.verdict == "failed"
    assert news(collected) == ["2604.20005", "2604.20006"]


def test_who_wants_no_cross_lists_gets_none_from_either_route(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown, arxiv.built = MONDAY, MONDAY
    collected = collect(after(FRIDAY, "arxiv:2604.20002"), at(MONDAY), kinds=("new",))
    assert news(collected) == ["2604.20003"]
    arxiv.shown = FRIDAY
    collected = collect(after(FRIDAY, "arxiv:2604.20002"), at(MONDAY), kinds=("new",))
    assert "2604.20004" not in news(collected)
    assert "2604.20003" in news(collected)


def test_a_full_feed_is_completed(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.papers = [Paper(f"2604.{30_000 + number}", TUESDAY, abstract="", authors="") for number in range(2010)]
    arxiv.per_page = 1500
    collected = collect()
    assert collected.verdict == "fresh"
    assert "the feed is full (2,000 entries): completed from OAI-PMH" in collected.evidence
    assert len(news(collected)) == 2010


def test_a_feed_that_breaks_off_is_completed(collect: Collect, arxiv: Arxiv) -> None:
    whole = rss([replace(PAPERS[4]), replace(PAPERS[5])], built=TUESDAY)
    arxiv.instead["rss"] = [Answer(body=whole[: whole.rindex(b"<item>") + 40], headers=XML)] * 3
    collected = collect()
    assert collected.verdict == "fresh"
    assert set(news(collected)) >= {"2604.20005", "2604.20006"}


def test_papers_that_were_taken_back_are_told(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = MONDAY
    arxiv.papers = [
        *PAPERS,
        Paper("2604.20009", TUESDAY, deleted=True),
        Paper("2604.20010", TUESDAY, size="0kb", source_type="I"),
    ]
    collected = collect()
    assert collected.parsed.retracted == ("arxiv:2604.20009", "arxiv:2604.20010")
    assert collected.parsed.passed_over == {"deleted records": 1, "withdrawn papers": 1}


def test_a_server_that_wants_to_be_left_alone_for_an_hour_is(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["rss"] = [Answer(503, b"", {"Retry-After": "3600"})]
    with Website() as second:
        second.respond = arxiv.site.respond
        collected = collect(second=second.url)
    assert collected.verdict == "fresh"
    assert collected.not_before is not None
    assert timedelta(minutes=59) < collected.not_before - at(TUESDAY) <= timedelta(hours=1)


def test_where_both_want_to_be_left_alone_the_error_says_how_long(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["rss"] = arxiv.instead["oai"] = [Answer(503, b"", {"Retry-After": "3600"})] * 2
    with pytest.raises(HttpError) as raised:
        collect()
    assert raised.value.wait is not None
    assert raised.value.wait > 3500


def test_an_error_of_one_set_costs_none_of_the_others(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.shown = MONDAY
    arxiv.instead["oai"] = [Answer(body=oai_error("badArgument", "No such set"), headers=XML)]
    arxiv.papers = [*PAPERS, Paper("2604.20011", TUESDAY, categories=("cs.CL",))]
    collected = collect()
    assert collected.verdict == "failed"
    assert "arXiv says badArgument: No such set" in collected.evidence
    assert "2604.20011" in news(collected)


def test_a_week_is_collected_once_and_without_a_gap(collect: Collect, arxiv: Arxiv) -> None:
    """Tuesday to Monday: the feed is down on Wednesday, stale on Friday, and at the weekend there is none."""
    days = [TUESDAY + timedelta(days=number) for number in range(7)]
    arxiv.papers = [
        Paper(f"2604.{21_000 + 10 * number + one}", day)
        for number, day in enumerate(days)
        if day.weekday() < 5
        for one in range(4)
    ]
    past, verdicts, first_seen = AFTER_MONDAY, [], dict[str, date]()
    for day in days:
        arxiv.shown = arxiv.built = arxiv.harvested = day
        arxiv.down = {"rss"} if day.weekday() == 2 else set()
        if day.weekday() == 4:
            arxiv.shown = day - timedelta(days=1)
        for hour in (2, 12, 23):
            collected = collect(past, at(day, hour))
            verdicts.append((day.weekday(), collected.verdict))
            for id_ in news(collected):
                first_seen.setdefault(id_, day)
            if collected.verdict in ("fresh", "quiet"):
                past = Past(at(day, hour), collected.newest, collected.cursor)
    assert first_seen == {paper.id: paper.day for paper in arxiv.papers}
    assert {verdict for day, verdict in verdicts if day < 5} == {"fresh"}
    assert {verdict for day, verdict in verdicts if day >= 5} == {"quiet"}
