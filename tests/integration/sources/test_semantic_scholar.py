"""Semantic Scholar as a source, against a local server that speaks its batch request."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.scholarly import HIDDEN_PAGE, PAGE, Answer, SemanticScholarServer, left_alone, said

from digest.errors import ServerUnavailable
from digest.papers.model import Reading
from digest.sources.base import Collected, Errand, Known
from digest.sources.semantic_scholar import BATCH, FIELDS, UNKNOWN, SemanticScholar, SemanticScholarSettings
from digest.sources.web import HttpError, Web

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)


def arxiv(number: int) -> Known:
    return Known((f"arxiv:2511.{number:05d}",))


def record(number: int, **fields: Any) -> dict[str, object]:
    """What Semantic Scholar knows of `arxiv(number)`."""
    return {
        "paperId": f"{number:040x}",
        "externalIds": {"ArXiv": f"2511.{number:05d}"},
        "title": f"Net {number}",
        "abstract": None,
        "publicationDate": "2025-11-06",
        "authors": [{"authorId": "1", "name": "Jane Doe"}],
        "citationCount": number,
        "tldr": {"model": "tldr@v2.0.0", "text": "A network."},
        "s2FieldsOfStudy": None,
        **fields,
    }


@contextmanager
def serving(*numbers: int, key: str = "") -> Iterator[SemanticScholarServer]:
    with SemanticScholarServer({f"ARXIV:2511.{n:05d}": record(n) for n in numbers}, key) as server:
        yield server


def ask(server: SemanticScholarServer, *known: Known, web: Web | None = None, **settings: Any) -> Collected:
    source = SemanticScholar(SemanticScholarSettings.model_validate({"url": server.url} | settings))
    with web or Web(sleep=lambda _: None) as opened:
        return source.collect(Errand(NOW, opened, known=known))


def test_known_papers_are_looked_up_in_one_request() -> None:
    with serving(1, 3, key="a-key") as server:
        collected = ask(server, arxiv(1), arxiv(2), arxiv(3), key="a-key")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.params) == ("POST", "/paper/batch", {"fields": FIELDS})
    assert asked.body == {"ids": ["ARXIV:2511.00001", "ARXIV:2511.00002", "ARXIV:2511.00003"]}
    assert asked.headers["x-api-key"] == "a-key"
    assert [sighting.readings for sighting in collected.parsed.sightings] == [
        (Reading("semantic_scholar", "citations", 1, NOW),),
        (Reading("semantic_scholar", "citations", 3, NOW),),
    ]
    assert not any(sighting.announces for sighting in collected.parsed.sightings)
    assert collected.verdict == "fresh"
    assert collected.evidence == "of 3 papers, 2 are known there"
    assert collected.asked == ("arxiv:2511.00001", "arxiv:2511.00002", "arxiv:2511.00003")
    assert (collected.parsed.passed_over, collected.not_before) == ({UNKNOWN: 1}, None)


def test_without_a_key_none_is_sent() -> None:
    with serving(1) as server:
        ask(server, arxiv(1))
    assert "x-api-key" not in server.asked[0].headers


def test_papers_are_asked_for_by_doi_and_by_its_own_id_where_they_have_no_other() -> None:
    own = "0" * 39 + "7"
    papers = {"DOI:10.1101/2025.11.06.000001": record(1, externalIds=None), own: record(7, externalIds={"ArXiv": "2511.00007"})}
    with SemanticScholarServer(papers) as server:
        collected = ask(
            server, Known(("doi:10.1101/2025.11.06.000001",)), Known((f"s2:{own}", "title:net 7|doe")), Known(("title:a|b",))
        )
    assert server.asked[0].body == {"ids": list(papers)}
    assert [sighting.ids[0] for sighting in collected.parsed.sightings] == ["doi:10.1101/2025.11.06.000001", "arxiv:2511.00007"]
    assert collected.asked == ("doi:10.1101/2025.11.06.000001", f"s2:{own}")


def test_more_papers_than_fit_take_more_requests_with_a_gap_and_no_more_than_the_limit() -> None:
    waits: list[float] = []
    with serving(*range(BATCH + 20)) as server:
        known = [arxiv(n) for n in range(BATCH + 20)]
        collected = ask(server, *known, web=Web(sleep=waits.append), limit=BATCH + 10)
    assert [len(asked.body["ids"]) for asked in server.asked] == [BATCH, 10]
    assert len(collected.asked) == len(collected.parsed.sightings) == BATCH + 10
    assert any(wait > 0.5 for wait in waits)


def test_papers_that_are_too_new_for_it_were_asked_for_and_it_is_quiet() -> None:
    with serving(9) as server:
        collected = ask(server, arxiv(1), arxiv(2))
    assert (collected.verdict, collected.parsed.sightings, collected.parsed.problems) == ("quiet", (), ())
    assert collected.parsed.passed_over == {UNKNOWN: 2}
    assert len(collected.asked) == 2


def test_where_nothing_is_to_be_asked_nobody_is() -> None:
    with serving(1) as server:
        collected = ask(server, Known(("title:a net|doe",)))
    assert (collected.verdict, collected.asked, server.asked) == ("quiet", (), [])


def test_a_bad_entry_is_reported_and_the_others_live() -> None:
    answer = [record(1), {"paperId": 3, "title": None}, None, record(4, citationCount=-1)]
    with serving() as server:
        server.will_say(said(answer))
        collected = ask(server, *(arxiv(n) for n in (1, 2, 3, 4)))
    assert [sighting.work.title for sighting in collected.parsed.sightings] == ["Net 1", "Net 4"]
    assert [str(problem).partition(":")[2].partition(":")[0] for problem in collected.parsed.problems] == [
        "2511.00002",
        "2511.00004",
    ]
    assert (collected.verdict, len(collected.asked)) == ("fresh", 4)


def test_the_server_that_wants_to_be_left_alone_for_hours_says_so_to_the_caller() -> None:
    with serving(1) as server:
        server.will_say(left_alone(4 * 3600))
        with pytest.raises(HttpError, match="Semantic Scholar was asked for 1 papers") as caught:
            ask(server, arxiv(1))
    assert (caught.value.status, len(server.asked)) == (429, 1)
    assert 14_000 < (caught.value.wait or 0) < 15_000


def test_what_came_before_the_limit_was_reached_is_kept() -> None:
    with serving(*range(BATCH + 1)) as server:
        server.will_say(None, left_alone(4 * 3600))
        collected = ask(server, *(arxiv(n) for n in range(BATCH + 1)))
    assert (collected.verdict, len(collected.parsed.sightings), len(collected.asked)) == ("failed", BATCH, BATCH)
    assert f"arxiv:2511.{BATCH:05d}" not in collected.asked
    assert collected.not_before is not None
    assert timedelta(hours=3.9) < collected.not_before - NOW < timedelta(hours=4.1)
    assert "429" in collected.evidence


TRUNCATED = Answer(200, b'[{"paperId": "0123", "title": "A N')
UNUSABLE = [
    (TRUNCATED, "not JSON"),
    (PAGE, "web page"),
    (HIDDEN_PAGE, "web page"),
    (said({"error": "Endpoint request timed out"}), "Endpoint request timed out"),
    (said("papers"), "no answer of Semantic Scholar"),
    (said([record(1), record(2)]), "2 entries to"),
    (said({"error": "Unrecognized or unsupported fields: [tldr]"}, 400), "400"),
]


@pytest.mark.parametrize(("answer", "says"), UNUSABLE)
def test_an_answer_that_cannot_be_used_is_named(answer: Answer, says: str) -> None:
    with serving(1) as server:
        server.will_say(answer)
        with pytest.raises(ServerUnavailable, match=f"Semantic Scholar was asked for 1 papers: .*{says}") as caught:
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


def test_a_wrong_key_ends_the_run_and_is_not_shown() -> None:
    with serving(*range(BATCH + 3), key="right") as server:
        with pytest.raises(HttpError, match="403") as caught:
            ask(server, *(arxiv(n) for n in range(BATCH + 3)), key="wrong-key")
        assert len(server.asked) == 1
    assert "wrong-key" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_with_the_cause() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        source = SemanticScholar(SemanticScholarSettings(url=f"http://127.0.0.1:{unused.getsockname()[1]}"))
        with (
            Web(sleep=lambda _: None) as web,
            pytest.raises(ServerUnavailable, match="Semantic Scholar was asked for 1 papers:"),
        ):
            source.collect(Errand(NOW, web, known=[arxiv(1)]))


def test_the_caller_is_told_how_far_it_is() -> None:
    steps: list[tuple[int, int | None]] = []
    with serving(*range(BATCH + 1)) as server, Web(sleep=lambda _: None) as web:
        source = SemanticScholar(SemanticScholarSettings(url=server.url))
        known = [arxiv(n) for n in range(BATCH + 1)]
        source.collect(Errand(NOW, web, known=known, progress=lambda done, total: steps.append((done, total))))
    assert steps == [(0, BATCH + 1), (BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]
