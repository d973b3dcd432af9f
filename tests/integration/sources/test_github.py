"""GitHub as a source, against a local server that speaks of repositories."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.scholarly import HIDDEN_PAGE, PAGE, Answer, GitHubServer, left_alone, said

from digest.errors import ServerUnavailable
from digest.papers.model import Reading
from digest.sources.base import Collected, Errand, Known
from digest.sources.github import NOT_SHOWN, GitHub, GitHubSettings
from digest.sources.lookup import MAX_FAULTS
from digest.sources.web import HttpError, Web
from digest.sources.web.answers import Answers

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)


def paper(number: int, code: str) -> Known:
    return Known((f"arxiv:2511.{number:05d}",), f"https://github.com/{code}")


def ask(server: GitHubServer, *known: Known, web: Web | None = None, **settings: Any) -> Collected:
    source = GitHub(GitHubSettings.model_validate({"url": server.url} | settings))
    with web or Web(sleep=lambda _: None) as opened:
        return source.collect(Errand(NOW, opened, known=known))


def stars(collected: Collected) -> dict[str, int]:
    return {sighting.ids[0]: sighting.readings[0].value for sighting in collected.parsed.sightings}


def test_the_stars_of_a_papers_repository_are_read() -> None:
    with GitHubServer({"example/net": 42}, token="a-token") as server:
        collected = ask(server, paper(1, "Example/Net/tree/main"), token="a-token")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.params) == ("GET", "/repos/example/net", {})
    assert asked.headers["authorization"] == "Bearer a-token"
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    (sighting,) = collected.parsed.sightings
    assert (sighting.source, sighting.ids, sighting.announces) == ("github", ("arxiv:2511.00001",), False)
    assert sighting.readings == (Reading("github", "stars", 42, NOW),)
    assert (collected.verdict, collected.asked) == ("fresh", ("arxiv:2511.00001",))
    assert collected.evidence == "of 1 papers, the stars of 1 were read"


def test_without_a_token_none_is_sent() -> None:
    with GitHubServer({"example/net": 42}) as server:
        ask(server, paper(1, "example/net"))
    assert "authorization" not in server.asked[0].headers


def test_a_repository_of_two_papers_is_asked_for_once_and_read_for_both() -> None:
    with GitHubServer({"example/net": 42}) as server:
        collected = ask(server, paper(1, "example/net"), paper(2, "Example/Net.git"))
    assert len(server.asked) == 1
    assert stars(collected) == {"arxiv:2511.00001": 42, "arxiv:2511.00002": 42}


def test_code_that_lies_elsewhere_is_not_asked_for() -> None:
    with GitHubServer({}) as server:
        collected = ask(server, Known(("arxiv:2511.00001",), "https://gitlab.com/example/net"), Known(("arxiv:2511.00002",)))
    assert (collected.verdict, collected.asked, server.asked) == ("quiet", (), [])


def test_no_more_than_the_limit_is_asked_for() -> None:
    with GitHubServer({f"example/net{n}": n for n in range(5)}) as server:
        collected = ask(server, *(paper(n, f"example/net{n}") for n in range(5)), limit=3)
    assert len(server.asked) == len(collected.asked) == 3


def test_a_repository_that_was_renamed_is_found_under_its_new_name() -> None:
    with GitHubServer({"example/other": 1, "example/net": 42}, moved={"example/old": "example/net"}) as server:
        collected = ask(server, paper(1, "example/old"))
    assert [asked.path for asked in server.asked] == ["/repos/example/old", "/repositories/1"]
    assert stars(collected) == {"arxiv:2511.00001": 42}


def test_a_redirect_that_leads_elsewhere_is_not_followed() -> None:
    with GitHubServer({"example/net": 42}) as elsewhere, GitHubServer({"example/net": 1}) as server:
        server.will_say(said({"message": "Moved"}, 301, {"Location": f"{elsewhere.url}/repos/example/net"}))
        collected = ask(server, paper(1, "example/net"))
    assert (elsewhere.asked, collected.parsed.sightings) == ([], ())
    assert collected.asked == ("arxiv:2511.00001",)


@pytest.mark.parametrize(
    "answer",
    [
        said({"message": "Not Found"}, 404),
        said({"message": "Repository access blocked", "block": {"reason": "tos"}}, 403),
        said({"message": "Repository unavailable", "block": {"reason": "dmca"}}, 451),
        said({"message": "Gone"}, 410),
    ],
)
def test_a_repository_that_is_not_shown_was_asked_for_and_costs_no_other(answer: Answer) -> None:
    with GitHubServer({"example/net": 42}) as server:
        server.will_say(answer)
        collected = ask(server, paper(1, "example/gone"), paper(2, "example/net"))
    assert stars(collected) == {"arxiv:2511.00002": 42}
    assert (collected.verdict, collected.parsed.problems) == ("fresh", ())
    assert collected.parsed.passed_over == {NOT_SHOWN: 1}
    assert collected.asked == ("arxiv:2511.00001", "arxiv:2511.00002")


def test_where_no_repository_is_shown_it_is_quiet() -> None:
    with GitHubServer({}) as server:
        collected = ask(server, paper(1, "example/gone"))
    assert (collected.verdict, collected.asked) == ("quiet", ("arxiv:2511.00001",))


@pytest.mark.parametrize("value", [None, -1, "many", [42]])
def test_stars_that_are_no_count_are_reported_and_the_others_live(value: object) -> None:
    with GitHubServer({"example/odd": value, "example/net": 42}) as server:
        collected = ask(server, paper(1, "example/odd"), paper(2, "example/net"))
    assert stars(collected) == {"arxiv:2511.00002": 42}
    assert [problem.what.partition(":")[0] for problem in collected.parsed.problems] == ["example/odd"]
    assert (collected.verdict, len(collected.asked)) == ("fresh", 2)


def test_the_limit_ends_the_run_and_what_came_before_is_kept() -> None:
    with GitHubServer({f"example/net{n}": n for n in range(5)}, remaining=2) as server:
        collected = ask(server, *(paper(n, f"example/net{n}") for n in range(5)))
    assert len(server.asked) == 3
    assert stars(collected) == {"arxiv:2511.00000": 0, "arxiv:2511.00001": 1}
    assert (collected.verdict, collected.asked) == ("failed", ("arxiv:2511.00000", "arxiv:2511.00001"))
    assert collected.not_before is not None
    assert timedelta(minutes=45) < collected.not_before - NOW < timedelta(minutes=55)


@pytest.mark.parametrize(
    "answer",
    [left_alone(3000), said({"message": "You have exceeded a secondary rate limit."}, 403, {"Retry-After": "3000"})],
)
def test_a_limit_that_is_reached_from_the_start_is_told_to_the_caller(answer: Answer) -> None:
    with GitHubServer({"example/net": 42}) as server:
        server.will_say(answer)
        with pytest.raises(HttpError, match="GitHub was asked for example/net") as caught:
            ask(server, paper(1, "example/net"), paper(2, "example/other"))
    assert len(server.asked) == 1
    assert 2900 < (caught.value.wait or 0) < 3100


def test_a_limit_that_is_reached_after_another_fault_is_told_to_the_caller_too() -> None:
    with GitHubServer({}) as server:
        server.will_say(PAGE, left_alone(3000))
        with pytest.raises(HttpError) as caught:
            ask(server, paper(1, "example/net"), paper(2, "example/other"))
    assert 2900 < (caught.value.wait or 0) < 3100


def test_a_limit_that_is_told_in_words_alone_ends_the_run_too() -> None:
    with GitHubServer({"example/net": 42}) as server:
        server.will_say(None, said({"message": "API rate limit exceeded for 192.0.2.1."}, 403))
        collected = ask(server, paper(1, "example/net"), paper(2, "example/other"), paper(3, "example/third"))
    assert (collected.verdict, collected.asked, collected.not_before) == ("failed", ("arxiv:2511.00001",), None)


def test_a_token_that_is_wrong_ends_the_run_and_is_not_shown() -> None:
    with GitHubServer({"example/net": 42}, token="right") as server:
        with pytest.raises(HttpError, match="401") as caught:
            ask(server, paper(1, "example/net"), paper(2, "example/other"), token="wrong-token")
        assert len(server.asked) == 1
    assert "wrong-token" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [Answer(200, b'{"stargazers_c'), PAGE, HIDDEN_PAGE, said([42]), said({"message": "Server Error"}), Answer(418, b"{}")],
)
def test_an_answer_that_cannot_be_used_costs_only_its_own_papers(answer: Answer) -> None:
    with GitHubServer({"example/net": 42}) as server:
        server.will_say(answer)
        collected = ask(server, paper(1, "example/odd"), paper(2, "example/net"))
    assert (collected.verdict, stars(collected)) == ("failed", {"arxiv:2511.00002": 42})
    assert collected.asked == ("arxiv:2511.00002",)
    assert "GitHub was asked for example/odd" in str(collected.parsed.problems[0])


def test_a_server_of_nothing_but_faults_is_left_alone_after_some() -> None:
    with GitHubServer({}) as server:
        server.will_say(*[PAGE] * 40)
        with pytest.raises(ServerUnavailable):
            ask(server, *(paper(n, f"example/net{n}") for n in range(30)))
    assert len(server.asked) == MAX_FAULTS


def test_a_server_that_is_not_there_is_named_with_the_cause() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        source = GitHub(GitHubSettings(url=f"http://127.0.0.1:{unused.getsockname()[1]}"))
        with Web(sleep=lambda _: None) as web, pytest.raises(ServerUnavailable, match="GitHub was asked for example/net:"):
            source.collect(Errand(NOW, web, known=[paper(1, "example/net")]))


def test_a_repository_that_has_not_changed_costs_nothing_of_the_limit(tmp_path: Path) -> None:
    with GitHubServer({"example/net": 42}, remaining=1) as server:
        first = ask(server, paper(1, "example/net"), web=Web(Answers(tmp_path, 10), sleep=lambda _: None))
        again = ask(server, paper(1, "example/net"), web=Web(Answers(tmp_path, 10), sleep=lambda _: None))
    assert stars(first) == stars(again) == {"arxiv:2511.00001": 42}
    assert "if-none-match" in server.asked[1].headers
