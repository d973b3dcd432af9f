"""The query API over a connection: what is asked in one request, and for which papers an answer counts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from support.arxiv import Arxiv, Paper, api, api_error
from support.website import XML, Answer, Asked, Website

from digest.errors import ServerUnavailable
from digest.sources.arxiv.api import ArxivApi, ArxivApiSettings
from digest.sources.base import Collected, Errand, Known
from digest.sources.web import HttpError, Web

NOW = datetime(2026, 4, 28, 6, 0, tzinfo=UTC)
PAPERS = [Paper(f"2604.{21_000 + number}") for number in range(250)]

Collect = Callable[..., Collected]


def known(*ids: str) -> list[Known]:
    return [Known((f"arxiv:{id_}",), has_categories=False) for id_ in ids]


@pytest.fixture
def arxiv(site: Website) -> Arxiv:
    return Arxiv(site, list(PAPERS), shown=NOW.date(), built=NOW.date())


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(sleep=lambda _: None) as one:
        yield one


@pytest.fixture
def collect(arxiv: Arxiv, web: Web) -> Collect:
    def ask(papers: list[Known], limit: int = 1000) -> Collected:
        source = ArxivApi(ArxivApiSettings(url=f"{arxiv.site.url}/api/query", limit=limit))
        return source.collect(Errand(NOW, web, known=papers))

    return ask


def test_a_hundred_papers_are_looked_up_in_one_request(collect: Collect, arxiv: Arxiv) -> None:
    collected = collect(known(*(paper.id for paper in PAPERS)))
    assert [len(params["id_list"].split(",")) for params in arxiv.questions("api")] == [100, 100, 50]
    assert arxiv.questions("api")[2]["max_results"] == "50"
    assert (collected.verdict, len(collected.parsed.sightings), len(collected.asked)) == ("fresh", 250, 250)
    assert collected.evidence == "250 of 250 papers were found"
    assert not any(sighting.announces for sighting in collected.parsed.sightings)
    assert collected.parsed.sightings[0].work.categories == ("cs.AI", "cs.LG")


def test_no_run_looks_up_more_than_its_limit(collect: Collect, arxiv: Arxiv) -> None:
    assert len(collect(known(*(paper.id for paper in PAPERS)), limit=120).asked) == 120
    assert arxiv.counts == {"api": 2}


def test_a_paper_that_arxiv_does_not_have_was_asked_for_nevertheless(collect: Collect) -> None:
    collected = collect(known("2604.21000", "0808.05394"))
    assert collected.verdict == "fresh"
    assert collected.asked == ("arxiv:2604.21000", "arxiv:0808.05394")
    assert collected.evidence == "1 of 2 papers were found"


def test_a_paper_counts_as_asked_for_by_its_first_id(collect: Collect) -> None:
    papers = [
        Known(("openreview:x", "arxiv:2604.21000"), has_categories=False),
        Known(("doi:10.1000/a",), has_categories=False),
    ]
    assert collect(papers).asked == ("openreview:x",)


def test_without_papers_nothing_is_asked(collect: Collect, arxiv: Arxiv) -> None:
    assert collect([]).verdict == "quiet"
    assert arxiv.asked == []


def test_a_page_that_is_empty_and_should_not_be_is_asked_for_again(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["api"] = [Answer(body=api([], total=2), headers=XML)]
    collected = collect(known("2604.21000", "2604.21001"))
    assert (collected.verdict, len(collected.asked)) == ("fresh", 2)
    assert arxiv.counts == {"api": 2}


def test_papers_of_a_page_that_stays_empty_count_as_not_asked_for(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["api"] = [Answer(body=api([], total=2), headers=XML)] * 2
    with pytest.raises(ServerUnavailable, match="it speaks of 2 results, and shows none"):
        collect(known("2604.21000", "2604.21001"))


def test_of_half_a_page_only_what_is_there_was_asked_for(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["api"] = [Answer(body=api(PAPERS[:1], total=2), headers=XML)] * 2
    assert collect(known("2604.21000", "2604.21001")).asked == ("arxiv:2604.21000",)


@pytest.mark.parametrize("status", [200, 400])
def test_an_id_that_arxiv_does_not_like_costs_none_of_the_others(collect: Collect, arxiv: Arxiv, status: int) -> None:
    arxiv.instead["api"] = [Answer(status, api_error("incorrect id format for 2604.21001"), XML)]
    collected = collect(known("2604.21000", "2604.21001", "2604.21002"))
    assert (collected.verdict, len(collected.asked), len(collected.parsed.sightings)) == ("fresh", 3, 2)
    assert [problem.what for problem in collected.parsed.problems] == ["arXiv says: incorrect id format for 2604.21001"]
    assert arxiv.questions("api")[1]["id_list"] == "2604.21000,2604.21002"


def test_an_id_alone_that_arxiv_does_not_like_was_asked_for(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["api"] = [Answer(400, api_error("incorrect id format for 2604.21001"), XML)]
    assert collect(known("2604.21001")).asked == ("arxiv:2604.21001",)
    assert arxiv.counts == {"api": 1}


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_about_something_else_is_told(collect: Collect, arxiv: Arxiv, status: int) -> None:
    arxiv.instead["api"] = [Answer(status, api_error("max_results must be an integer"), XML)]
    with pytest.raises(ServerUnavailable, match="arXiv says: max_results must be an integer"):
        collect(known("2604.21000"))


def test_what_was_had_before_a_fault_is_kept(collect: Collect, arxiv: Arxiv) -> None:
    usual = arxiv.site.respond
    assert usual is not None

    def patient_once(asked: Asked) -> Answer:
        return usual(asked) if "21000" in asked.path else Answer(429, b"Rate exceeded.", {"Retry-After": "7200"})

    arxiv.site.respond = patient_once
    collected = collect(known(*(paper.id for paper in PAPERS)))
    assert (collected.verdict, len(collected.parsed.sightings), len(collected.asked)) == ("failed", 100, 100)
    assert collected.not_before is not None
    assert "it answered 429" in collected.evidence


def test_a_server_without_patience_says_for_how_long(collect: Collect, arxiv: Arxiv) -> None:
    arxiv.instead["api"] = [Answer(429, b"Rate exceeded.", {"Retry-After": "7200"})]
    with pytest.raises(HttpError) as raised:
        collect(known("2604.21000"))
    assert raised.value.wait is not None


def test_an_answer_that_breaks_off_counts_for_what_was_complete(collect: Collect, arxiv: Arxiv) -> None:
    whole = api(PAPERS[:2])
    arxiv.instead["api"] = [Answer(body=whole[: whole.rindex(b"<entry>") + 20], headers=XML)] * 2
    collected = collect(known("2604.21000", "2604.21001"))
    assert collected.asked == ("arxiv:2604.21000",)
