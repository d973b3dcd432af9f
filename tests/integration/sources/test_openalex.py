"""OpenAlex as a source, against a local server that speaks its list of works."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.scholarly import HIDDEN_PAGE, PAGE, Answer, OpenAlexServer, left_alone, said

from digest.errors import ServerUnavailable
from digest.papers.model import Reading
from digest.sources.base import Collected, Errand, Known
from digest.sources.openalex import BATCH, FIELDS, OpenAlex, OpenAlexSettings
from digest.sources.web import HttpError, Web
from digest.sources.web.answers import Answers

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)


def arxiv(number: int) -> Known:
    return Known((f"arxiv:2511.{number:05d}",))


def work(number: int, **fields: Any) -> dict[str, Any]:
    """What OpenAlex knows of `arxiv(number)`."""
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": f"https://doi.org/10.48550/arXiv.2511.{number:05d}",
        "title": f"Net {number}",
        "display_name": f"Net {number}",
        "publication_date": "2025-11-06",
        "is_retracted": False,
        "cited_by_count": number,
        "authorships": [{"author": {"display_name": "Jane Doe"}, "institutions": [{"display_name": "An Institute"}]}],
        "topics": [{"display_name": "Invented Networks"}],
        "abstract_inverted_index": {"Deep": [0], "nets.": [1]},
        "referenced_works": ["https://openalex.org/W0"],
        **fields,
    }


@contextmanager
def serving(*numbers: int, key: str = "", longest_page: int = 100) -> Iterator[OpenAlexServer]:
    with OpenAlexServer([work(n) for n in numbers], key, longest_page) as server:
        yield server


def ask(server: OpenAlexServer, *known: Known, web: Web | None = None, **settings: Any) -> Collected:
    source = OpenAlex(OpenAlexSettings.model_validate({"url": server.url} | settings))
    with web or Web(sleep=lambda _: None) as opened:
        return source.collect(Errand(NOW, opened, known=known))


def test_known_papers_are_looked_up_by_doi_in_one_request() -> None:
    with serving(1, 3, key="a-key") as server:
        collected = ask(server, arxiv(1), arxiv(2), arxiv(3), key="a-key")
    (asked,) = server.asked
    numbers = "|".join(f"10.48550/arxiv.2511.{n:05d}" for n in (1, 2, 3))
    assert (asked.method, asked.path) == ("GET", "/works")
    assert asked.params == {"filter": f"doi:{numbers}", "per_page": "100", "select": FIELDS, "api_key": "a-key"}
    assert [(sighting.ids, sighting.readings) for sighting in collected.parsed.sightings] == [
        (("arxiv:2511.00001", "openalex:W1"), (Reading("openalex", "citations", 1, NOW),)),
        (("arxiv:2511.00003", "openalex:W3"), (Reading("openalex", "citations", 3, NOW),)),
    ]
    assert not any(sighting.announces for sighting in collected.parsed.sightings)
    assert (collected.verdict, collected.evidence) == ("fresh", "of 3 papers, 2 are known there")
    assert collected.asked == ("arxiv:2511.00001", "arxiv:2511.00002", "arxiv:2511.00003")


def test_without_a_key_none_is_sent() -> None:
    with serving(1) as server:
        ask(server, arxiv(1))
    assert "api_key" not in server.asked[0].params


def test_the_key_is_neither_kept_nor_told(tmp_path: Path) -> None:
    with serving(1, key="the-right-key") as server:
        ask(server, arxiv(1), key="the-right-key", web=Web(Answers(tmp_path, 10), sleep=lambda _: None))
        kept = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert kept
        assert all(b"the-right-key" not in path.read_bytes() and "the-right-key" not in str(path) for path in kept)
        with pytest.raises(HttpError) as caught:
            ask(server, arxiv(1), key="the-wrong-key")
    assert "the-wrong-key" not in f"{caught.value} {caught.value.fix} {caught.value.body!r}"


def test_a_retraction_is_told_with_every_id_of_the_paper() -> None:
    with OpenAlexServer([work(1, is_retracted=True), work(2)]) as server:
        collected = ask(server, arxiv(1), arxiv(2))
    assert collected.parsed.retracted == ("arxiv:2511.00001", "openalex:W1")


def test_a_published_paper_is_asked_for_by_its_publishers_doi() -> None:
    published = work(
        1, doi="https://doi.org/10.1000/invented.7", locations=[{"landing_page_url": "https://arxiv.org/abs/2511.00001"}]
    )
    with OpenAlexServer([published]) as server:
        collected = ask(server, Known(("arxiv:2511.00001", "doi:10.1000/invented.7")))
    assert server.asked[0].params["filter"] == "doi:10.1000/invented.7"
    assert collected.parsed.sightings[0].ids == ("arxiv:2511.00001", "doi:10.1000/invented.7", "openalex:W1")


def test_more_papers_than_fit_take_more_requests_and_no_more_than_the_limit() -> None:
    with serving(*range(BATCH + 20)) as server:
        collected = ask(server, *(arxiv(n) for n in range(BATCH + 20)), limit=BATCH + 10)
    assert [asked.params["filter"].count("10.48550/") for asked in server.asked] == [BATCH, 10]
    assert len(collected.asked) == len(collected.parsed.sightings) == BATCH + 10


def test_a_server_of_short_pages_is_asked_for_the_next_ones() -> None:
    with serving(*range(25), longest_page=10) as server:
        collected = ask(server, *(arxiv(n) for n in range(30)))
    assert [asked.params.get("page") for asked in server.asked] == [None, "2", "3"]
    assert len(collected.parsed.sightings) == 25


@pytest.mark.parametrize("count", [10**9, 10**9 + 0.5, "many", None, -1])
def test_a_server_that_counts_wrong_is_not_asked_for_ever(count: object) -> None:
    with serving(1) as server:
        server.will_say(*[said({"meta": {"count": count}, "results": [work(1)]})] * 9)
        collected = ask(server, arxiv(1))
    assert len(server.asked) <= 4
    assert [sighting.ids[0] for sighting in collected.parsed.sightings] == ["arxiv:2511.00001"]


def test_papers_that_it_does_not_know_were_asked_for_and_it_is_quiet() -> None:
    with serving(9) as server:
        collected = ask(server, arxiv(1), arxiv(2))
    assert (collected.verdict, collected.parsed.sightings, len(collected.asked)) == ("quiet", (), 2)


def test_where_nothing_is_to_be_asked_nobody_is() -> None:
    with serving(1) as server:
        collected = ask(server, Known(("title:a net|doe",)), Known(("doi:10.1000/a,b",)))
    assert (collected.verdict, collected.asked, server.asked) == ("quiet", (), [])


def test_a_bad_work_is_reported_and_the_others_live() -> None:
    with serving() as server:
        server.will_say(
            said({"results": [work(1), None, {"title": 7}, work(4, cited_by_count="4"), work(5, title="x" * 20_000)]})
        )
        collected = ask(server, *(arxiv(n) for n in (1, 4, 5)))
    assert [sighting.work.title for sighting in collected.parsed.sightings] == ["Net 1", "Net 4"]
    assert len(collected.parsed.problems) == 4
    assert (collected.verdict, len(collected.asked)) == ("fresh", 3)


def test_a_budget_that_is_spent_until_tomorrow_is_told_to_the_caller() -> None:
    with serving(1) as server:
        server.will_say(left_alone(15 * 3600))
        with pytest.raises(HttpError, match="OpenAlex was asked for 1 papers") as caught:
            ask(server, arxiv(1))
    assert (caught.value.status, len(server.asked)) == (429, 1)
    assert 53_000 < (caught.value.wait or 0) < 55_000


def test_what_came_before_the_budget_was_spent_is_kept() -> None:
    with serving(*range(3 * BATCH)) as server:
        server.will_say(None, left_alone(15 * 3600))
        collected = ask(server, *(arxiv(n) for n in range(3 * BATCH)))
    assert (len(server.asked), collected.verdict) == (2, "failed")
    assert len(collected.asked) == len(collected.parsed.sightings) == BATCH
    assert collected.not_before is not None
    assert timedelta(hours=14.9) < collected.not_before - NOW < timedelta(hours=15.1)
    assert "429" in collected.evidence


UNUSABLE = [
    (Answer(200, b'{"results": [{"title": "A N'), "not JSON"),
    (PAGE, "web page"),
    (HIDDEN_PAGE, "web page"),
    (said({"error": "Timeout", "message": "the search took too long"}), "the search took too long"),
    (said([1, 2], 400), "400"),
    (said({"results": "none"}), "no answer of OpenAlex"),
]


@pytest.mark.parametrize(("answer", "says"), UNUSABLE)
def test_an_answer_that_cannot_be_used_is_named(answer: Answer, says: str) -> None:
    with serving(1) as server:
        server.will_say(answer)
        with pytest.raises(ServerUnavailable, match=f"OpenAlex was asked for 1 papers: .*{says}") as caught:
            ask(server, arxiv(1))
    assert caught.value.fix


@pytest.mark.parametrize("answer", [answer for answer, _ in UNUSABLE])
def test_an_answer_that_cannot_be_used_costs_only_its_own_papers(answer: Answer) -> None:
    with serving(*range(BATCH + 3)) as server:
        server.will_say(answer)
        collected = ask(server, *(arxiv(n) for n in range(BATCH + 3)))
    assert (collected.verdict, len(collected.parsed.sightings)) == ("failed", 3)
    assert collected.asked == tuple(f"arxiv:2511.{n:05d}" for n in range(BATCH, BATCH + 3))
    assert (len(collected.parsed.problems), collected.not_before) == (1, None)


def test_a_page_that_cannot_be_used_costs_the_papers_of_its_request() -> None:
    with serving(*range(20), longest_page=10) as server:
        server.will_say(None, PAGE)
        with pytest.raises(ServerUnavailable):
            ask(server, *(arxiv(n) for n in range(20)))


def test_a_server_that_is_not_there_is_asked_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        source = OpenAlex(OpenAlexSettings(url=f"http://127.0.0.1:{unused.getsockname()[1]}"))
        known = [arxiv(n) for n in range(2 * BATCH)]
        with Web(sleep=lambda _: None) as web, pytest.raises(ServerUnavailable, match="OpenAlex was asked for 50 papers:"):
            source.collect(Errand(NOW, web, known=known))


def test_a_run_whose_time_is_up_keeps_what_it_had() -> None:
    clock = [0.0]

    def hours_pass(done: int, total: int | None) -> None:
        clock[0] += 3600 if done == BATCH else 0

    known = [arxiv(n) for n in range(3 * BATCH)]
    with serving(*range(3 * BATCH)) as server, Web(sleep=lambda _: None, elapsed=lambda: clock[0]) as web:
        collected = OpenAlex(OpenAlexSettings(url=server.url)).collect(Errand(NOW, web, known=known, progress=hours_pass))
    assert (len(server.asked), collected.verdict) == (1, "failed")
    assert collected.asked == tuple(paper.ids[0] for paper in known[:BATCH])
