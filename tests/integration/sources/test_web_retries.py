"""Servers that are busy, ask to be left alone, or are not there; and runs that have only so much time."""

import socket
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from support.website import JSON, Website, reset

from digest.errors import ServerUnavailable
from digest.sources.web import HttpError, Limits

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def at(site: Website, open_web: Any) -> Any:
    web = open_web(now=lambda: NOW, budget=timedelta(minutes=2))
    return web.at(site.url, source="example")


def said(status: int, **headers: str) -> dict[str, Any]:
    """An answer; the server's own clock is that of the test."""
    return {"status": status, "headers": JSON | {name.replace("_", "-"): text for name, text in headers.items()}}


def undated(status: bytes, *headers: bytes) -> dict[str, Any]:
    """An answer without the date that our server would write."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: 0\r\n%b\r\n"
            % (status, b"".join(h + b"\r\n" for h in headers))
        )

    return {"write": write}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_three_times_with_growing_waits(site: Website, at: Any, hourglass: Any, status: int) -> None:
    site.will_answer(said(status), said(status), {"body": b"[1]"})
    assert at.get("/", asked="The site") == b"[1]"
    assert hourglass.waits == [3.0, 5.0]


def test_a_server_that_stays_busy_is_left_alone(site: Website, at: Any, hourglass: Any) -> None:
    site.will_answer({"status": 503, "body": b"down for repairs " * 1000})
    with pytest.raises(HttpError, match=r"^The site: it answered 503$") as caught:
        at.get("/", asked="The site")
    assert (caught.value.status, caught.value.wait, len(caught.value.body)) == (503, None, 2048)
    assert caught.value.fix
    assert (len(site.paths), len(hourglass.waits)) == (3, 2)


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 451])
def test_what_another_attempt_would_not_change_is_not_asked_again(site: Website, at: Any, status: int) -> None:
    site.will_answer({"status": status, "body": b"" if status in (204, 304) else b"why"})
    with pytest.raises(HttpError, match=f"it answered {status}") as caught:
        at.get("/", asked="The site")
    assert caught.value.status == status
    assert len(site.paths) == 1


@pytest.mark.parametrize(
    ("value", "wait"),
    [("7", 7), ("0", 0), ("60", 60), ("soon", 2), ("-5", 2), ("9" * 400, 2)],
)
def test_the_server_says_how_long_to_wait(site: Website, at: Any, hourglass: Any, value: str, wait: float) -> None:
    site.will_answer(said(429, Retry_After=value), {})
    at.get("/", asked="The site")
    assert hourglass.waits == [wait + 1]


def test_a_date_to_wait_for_is_read_against_the_servers_clock_or_else_ours(site: Website, at: Any, hourglass: Any) -> None:
    site.will_answer(
        undated(b"503 Busy", b"Date: Sun, 22 Nov 1998 06:00:00 GMT", b"Retry-After: Sun, 22 Nov 1998 06:00:30 GMT"),
        undated(b"503 Busy", b"Retry-After: Mon, 02 Mar 2026 06:00:20 GMT"),
        {},
    )
    at.get("/", asked="The site")
    assert hourglass.waits == [31, 21]


@pytest.mark.parametrize(
    ("headers", "seconds", "words"),
    [
        ({"Retry_After": "3600"}, 3600, "60 min"),
        ({"Retry_After": "54000"}, 54000, "15 h"),
        ({"Retry_After": "999999999"}, 86400, "24 h"),
        ({"RateLimit": '"api";r=0;t=600'}, 600, "10 min"),
    ],
)
def test_a_server_that_asks_for_longer_than_the_run_is_not_waited_for(
    site: Website, at: Any, hourglass: Any, headers: dict[str, str], seconds: float, words: str
) -> None:
    site.will_answer(said(429, **headers))
    with pytest.raises(HttpError, match=f"The site: it answered 429 and asks to be left alone for {words}") as caught:
        at.get("/", asked="The site")
    assert (caught.value.wait, len(site.paths), hourglass.waits) == (seconds, 1, [])


def test_until_then_it_is_not_asked_again_by_anybody(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer(said(429, Retry_After="600"), {})
    web = open_web()
    for source in ("a", "b"):
        with pytest.raises(HttpError, match="asks to be left alone for 10 min") as caught:
            web.at(site.url, source=source).get("/", asked="The site")
        assert caught.value.status == 429
        assert caught.value.wait == pytest.approx(600, abs=1)
    assert len(site.paths) == 1
    hourglass.shown += 599
    web.at(site.url, source="c").get("/", asked="The site")
    assert hourglass.waits == [2.0]
    web.at(site.url, source="c").get("/", asked="The site")
    assert hourglass.waits == [2.0]


def test_other_servers_are_asked_meanwhile(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer(said(429, Retry_After="600"))
    web = open_web()
    with pytest.raises(HttpError):
        web.at(site.url, source="a").get("/", asked="The site")
    with Website() as other:
        assert web.at(other.url, source="b").get("/", asked="The other") == b"[]"
    assert hourglass.waits == []


def test_a_limit_that_a_good_answer_used_up_is_waited_for_before_the_next_question(
    site: Website, at: Any, hourglass: Any
) -> None:
    site.will_answer(said(200, RateLimit='"api";r=0;t=55'), said(200, RateLimit='"api";r=9;t=55'))
    at.get("/", asked="The site")
    assert hourglass.waits == []
    at.get("/", asked="The site")
    at.get("/", asked="The site")
    assert hourglass.waits == [56]


def test_a_limit_that_was_waited_for_is_not_waited_for_again(site: Website, open_web: Any) -> None:
    waits: list[float] = []
    site.will_answer(said(200, RateLimit='"api";r=0;t=55'), {})
    at = open_web(sleep=waits.append, elapsed=time.monotonic).at(site.url, source="example")
    for _ in range(3):
        at.get("/", asked="The site")
    assert waits == [pytest.approx(56, abs=5)]


def test_github_says_429_as_403_and_when_as_an_instant(site: Website, at: Any, hourglass: Any) -> None:
    reset_at = str(int(NOW.timestamp()) + 40)
    spent = undated(b"403 Forbidden", b"X-RateLimit-Remaining: 0", b"X-RateLimit-Reset: " + reset_at.encode())
    site.will_answer(spent, {})
    at.get("/", asked="The site")
    assert hourglass.waits == [41]
    reset_at = str(int(NOW.timestamp()) + 2400)
    site.will_answer(undated(b"403 Forbidden", b"X-RateLimit-Remaining: 0", b"X-RateLimit-Reset: " + reset_at.encode()))
    with pytest.raises(HttpError, match="it answered 403 and asks to be left alone for 40 min") as caught:
        at.get("/", asked="The site")
    assert caught.value.wait == 2400


def test_a_posted_question_is_asked_again_too(site: Website, at: Any) -> None:
    site.will_answer(said(503), {"body": b"[1]"})
    assert at.post("/", {"ids": []}, asked="The site") == b"[1]"
    assert [asked.body for asked in site.requests] == [b'{"ids":[]}'] * 2


def test_a_server_that_is_not_there_is_named_with_the_cause(open_web: Any, hourglass: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        at = open_web().at(f"http://127.0.0.1:{unused.getsockname()[1]}", source="example")
        with pytest.raises(ServerUnavailable, match=r"^The site: connection refused$") as caught:
            at.get("/", asked="The site")
    assert hourglass.waits == [3.0, 5.0]
    assert "in a browser" in caught.value.fix


def test_a_name_that_nobody_knows_is_named_as_the_cause(open_web: Any) -> None:
    def resolve(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(ServerUnavailable, match="The site: its name cannot be looked up: Name or service not known"):
        open_web(resolve=resolve).at("http://papers.example.org", source="example").get("/", asked="The site")


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_a_name_that_is_none_is_an_error_in_words(open_web: Any, host: str) -> None:
    with pytest.raises(ServerUnavailable, match="The site: "):
        open_web(limits=Limits(connect=0.5)).at(f"http://{host}.invalid", source="example").get("/", asked="The site")


def test_a_connection_that_always_breaks_is_given_up_after_three_attempts(site: Website, at: Any) -> None:
    site.will_answer({"write": reset})
    with pytest.raises(ServerUnavailable, match="The site: "):
        at.get("/", asked="The site")
    assert len(site.paths) == 3


def test_a_run_that_has_no_time_left_asks_nothing(site: Website, at: Any, hourglass: Any) -> None:
    assert at.remaining() == 120
    hourglass.shown += 119
    assert at.remaining() == 1
    at.get("/", asked="The site")
    hourglass.shown += 5
    assert at.remaining() == 0
    with pytest.raises(ServerUnavailable, match="The site: the time for this run is used up"):
        at.get("/", asked="The site")
    assert len(site.paths) == 1


def test_a_new_run_has_its_own_time(site: Website, open_web: Any, hourglass: Any) -> None:
    web = open_web(budget=timedelta(seconds=10))
    first = web.at(site.url, source="example")
    hourglass.shown += 11
    with pytest.raises(ServerUnavailable):
        first.get("/", asked="The site")
    assert web.at(site.url, source="example").get("/", asked="The site") == b"[]"


def test_a_wait_that_does_not_fit_is_not_begun(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer({"status": 503})
    with pytest.raises(HttpError, match="it answered 503"):
        open_web(budget=timedelta(seconds=4)).at(site.url, source="example").get("/", asked="The site")
    assert hourglass.waits == [3.0]
    with pytest.raises(ServerUnavailable, match="the time for this run is used up"):
        open_web(budget=timedelta(seconds=4)).at(site.url, source="x", pace="slow", gap=5.0).get("/", asked="The site")
    assert hourglass.waits == [3.0]


def test_the_end_of_the_run_ends_a_request_that_is_under_way(site: Website, open_web: Any) -> None:
    site.will_answer({"write": lambda _: site.released.wait(30)})
    at = open_web(budget=timedelta(seconds=0.1), limits=Limits()).at(site.url, source="example")
    started = time.monotonic()
    with pytest.raises(ServerUnavailable, match="The site: the time for this run is used up"):
        at.get("/", asked="The site")
    assert 0.1 <= time.monotonic() - started < 10
