"""OAI-PMH over a connection: pages, tokens that die, and what the server asks of those who harvest."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from support.arxiv import EASTERN, Arxiv, Paper, oai, oai_error
from support.website import PAGE, XML, Answer, Asked, Website

from digest.errors import ServerUnavailable
from digest.sources.arxiv.oai import MAX_PAGES, ArxivOai, ArxivOaiSettings
from digest.sources.base import Collected, Errand, Past
from digest.sources.web import HttpError, Web

FRIDAY, SATURDAY, MONDAY, TUESDAY = date(2026, 4, 24), date(2026, 4, 25), date(2026, 4, 27), date(2026, 4, 28)
MANY = [Paper(f"2604.{21_000 + number}", TUESDAY) for number in range(7)]

Collect = Callable[..., Collected]


def at(day: date, hour: int = 2) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=EASTERN).astimezone(UTC)


def after(day: date, newest: str = "arxiv:2604.20000", papers: int = 50) -> Past:
    return Past(at(day), newest, {"covered": day.isoformat(), "proven": day.isoformat(), "papers": str(papers)})


def news(collected: Collected) -> list[str]:
    return [sighting.ids[0].removeprefix("arxiv:") for sighting in collected.parsed.sightings if sighting.announces]


@pytest.fixture
def arxiv(site: Website) -> Arxiv:
    return Arxiv(site, list(MANY), shown=TUESDAY, built=TUESDAY, harvested=TUESDAY, per_page=3)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def web(waits: list[float]) -> Iterator[Web]:
    with Web(sleep=waits.append, jitter=min) as one:
        yield one


@pytest.fixture
def collect(arxiv: Arxiv, web: Web) -> Collect:
    def ask(
        past: Past | None = None, now: datetime | None = None, since: date | None = None, categories: tuple[str, ...] = ()
    ) -> Collected:
        source = ArxivOai(ArxivOaiSettings(url=f"{arxiv.site.url}/oai", categories=categories))
        return source.collect(Errand(now or at(TUESDAY), web, past or after(MONDAY), since))

    return ask


def test_all_pages_are_read_by_their_tokens_alone(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect()
    assert collected.verdict == "fresh"
    assert news(collected) == [paper.id for paper in MANY]
    first, *others = arxiv.questions("oai")
    assert first == {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": "2026-04-27"}
    assert [set(params) for params in others] == [{"verb", "resumptionToken"}] * 2
    assert (collected.newest, collected.evidence) == ("arxiv:2604.21006", "OAI-PMH has 7 papers, up to 2604.21006")


def test_each_category_is_a_set_and_a_paper_of_two_counts_once(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect(categories=("cs.AI", "hep-th", "cs.LG"))
    assert [params["set"] for params in arxiv.questions("oai") if "set" in params] == ["cs:cs:AI", "physics:hep-th", "cs:cs:LG"]
    assert len(collected.parsed.sightings) == 7


def test_between_two_requests_lie_three_seconds(collect: Collect, waits: list[float]) -> None:
    collect()
    assert waits
    assert all(0 < wait <= 3.0 for wait in waits)
    assert len(waits) >= 2


def test_a_token_that_died_begins_the_list_anew(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.tokens_die = 1
    collected = collect()
    assert collected.verdict == "fresh"
    assert news(collected) == [paper.id for paper in MANY]
    assert len(arxiv.questions("oai")) == 5


def test_tokens_that_keep_dying_end_the_harvest_and_what_was_had_is_kept(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.tokens_die = 10
    collected = collect()
    assert collected.verdict == "failed"
    assert "badResumptionToken: Token has expired." in collected.evidence
    assert news(collected) == [paper.id for paper in MANY[:3]]
    assert len(arxiv.questions("oai")) == 4


def test_a_moment_that_the_server_asks_for_is_waited_for(collect: Collect, arxiv: Arxiv, waits: list[float]) -> None:
    arxiv.instead["oai"] = [Answer(503, b"", {"Retry-After": "20"})]
    assert collect().verdict == "fresh"
    assert max(waits) >= 19


def test_an_hour_that_the_server_asks_for_is_left_to_the_next_runs(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["oai"] = [Answer(503, b"", {"Retry-After": "3600"})]
    with pytest.raises(HttpError) as raised:
        collect()
    assert raised.value.wait is not None


def test_pages_that_fail_later_leave_what_there_was(collect: Collect, arxiv: Arxiv) -> None:
    usual = arxiv.site.respond
    assert usual is not None
    arxiv.site.respond = lambda asked: Answer(503, b"", {"Retry-After": "7200"}) if "Token" in asked.path else usual(asked)
    collected = collect()
    assert (collected.verdict, len(news(collected))) == ("failed", 3)
    assert collected.not_before is not None
    assert (
        "OAI-PMH broke off: arXiv (OAI-PMH) was asked for the records of all categories since 2026-04-27" in collected.evidence
    )
    assert collected.cursor["covered"] == "2026-04-27"


def test_a_page_that_breaks_off_leaves_what_was_complete(collect: Collect, arxiv: Arxiv) -> None:
    page = oai(MANY[:3], token="more")
    arxiv.instead["oai"] = [Answer(body=page[: page.rindex(b"<record>") + 9], headers=XML)] * 3
    collected = collect()
    assert collected.verdict == "failed"
    assert news(collected) == [paper.id for paper in MANY[:2]]
    assert "it breaks off or is damaged" in collected.evidence


@pytest.mark.parametrize("stray", [b"\x0b", b"&#x1f;", b"&nbsp;", b"\xff", b" & "], ids=ascii)
def test_a_stray_character_in_one_record_costs_neither_the_others_nor_the_pages_behind_it(
    collect: Collect, arxiv: Arxiv, stray: bytes
) -> None:
    usual = arxiv.site.respond
    assert usual is not None

    def damaged(asked: Asked) -> Answer:
        answer = usual(asked)
        return replace(answer, body=answer.body.replace(b"We invent", b"We" + stray + b"invent", 1))

    arxiv.site.respond = damaged
    collected = collect()
    assert (collected.verdict, collected.parsed.problems) == ("fresh", ())
    assert news(collected) == [paper.id for paper in MANY]


def test_a_web_page_is_no_answer(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["oai"] = [Answer(200, PAGE, XML)] * 9
    with pytest.raises(ServerUnavailable, match="web page"):
        collect()


def test_an_error_of_the_protocol_that_comes_with_an_error_of_http_is_told_in_its_words(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["oai"] = [Answer(422, oai_error("noRecordsMatch"), XML)]
    assert collect(after(MONDAY, papers=2)).verdict == "quiet"
    arxiv.instead["oai"] = [Answer(400, oai_error("badArgument", "No such date"), XML)]
    with pytest.raises(ServerUnavailable, match="arXiv says badArgument: No such date"):
        collect()


def test_pages_that_go_round_in_a_circle_are_left(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.site.respond = lambda _: Answer(body=oai(MANY[:1], token="same"), headers=XML)
    collected = collect()
    assert collected.verdict == "failed"
    assert "its pages go round in a circle" in collected.evidence


def test_pages_without_end_are_left(collect: Collect, arxiv: Arxiv) -> None:
    asked_for = list[Asked]()

    def endless(asked: Asked) -> Answer:
        asked_for.append(asked)
        return Answer(body=oai([Paper(f"2604.{len(asked_for):05}", TUESDAY)], token=f"page {len(asked_for)}"), headers=XML)

    arxiv.site.respond = endless
    collected = collect()
    assert len(asked_for) == MAX_PAGES
    assert f"more than {MAX_PAGES} pages; what changed after 2026-04-28 is left out" in collected.evidence
    assert len(news(collected)) == MAX_PAGES


def test_while_nothing_is_due_nothing_is_asked(collect: Collect, arxiv: Arxiv) -> None:
    weekend = collect(after(FRIDAY), at(SATURDAY))
    assert (weekend.verdict, weekend.newest) == ("quiet", "arxiv:2604.20000")
    assert weekend.cursor["covered"] == "2026-04-24"
    later = collect(after(TUESDAY), at(TUESDAY, 12))
    assert later.verdict == "fresh"
    assert arxiv.asked == []


def test_a_back_fill_is_asked_for_whatever_is_due(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.papers = [
        Paper("2603.00001", date(2026, 3, 10)),
        Paper("2603.00002", date(2026, 3, 12), versions=3, changed=FRIDAY),
        Paper("2602.00003", date(2026, 2, 10), versions=2, changed=FRIDAY),
    ]
    collected = collect(after(FRIDAY), at(SATURDAY), since=date(2026, 3, 10))
    assert (collected.verdict, set(news(collected))) == ("fresh", {"2603.00001", "2603.00002"})
    assert collected.cursor["covered"] == "2026-04-24"
    assert arxiv.questions("oai")[0]["from"] == "2026-03-10"


def test_a_day_of_nothing_is_late_where_papers_are_many_and_quiet_where_they_are_few(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.harvested = MONDAY
    assert collect(after(MONDAY)).verdict == "stale"
    few = collect(after(MONDAY, papers=3))
    assert few.verdict == "quiet"
    assert few.cursor == {"covered": "2026-04-28", "proven": "2026-04-27", "papers": "3"}


def test_the_first_run_takes_the_last_day(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect(Past())
    assert arxiv.questions("oai")[0]["from"] == "2026-04-27"
    assert (collected.verdict, collected.cursor["covered"]) == ("fresh", "2026-04-28")


def test_revised_deleted_and_bad_records_are_told_apart(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.papers = [
        MANY[0],
        replace(MANY[1], versions=2, submitted=datetime(2026, 3, 1, tzinfo=UTC)),
        replace(MANY[2], deleted=True),
        replace(MANY[3], title=""),
    ]
    parsed = collect().parsed
    assert [(sighting.ids[0], sighting.announces) for sighting in parsed.sightings] == [
        ("arxiv:2604.21000", True),
        ("arxiv:2604.21001", False),
    ]
    assert parsed.retracted == ("arxiv:2604.21002",)
    assert [problem.what for problem in parsed.problems] == ["has no title"]


def test_the_operators_progress_counts_pages(arxiv: Arxiv, web: Web) -> None:
    steps: list[tuple[int, int | None]] = []
    source = ArxivOai(ArxivOaiSettings(url=f"{arxiv.site.url}/oai"))
    source.collect(Errand(at(TUESDAY), web, after(MONDAY), progress=lambda done, total: steps.append((done, total))))
    assert steps == [(1, None), (2, None), (3, None)]
