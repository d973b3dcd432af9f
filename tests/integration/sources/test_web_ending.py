"""A program that stops while requests run."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.waiting import until
from support.website import Website

from digest.errors import ConfigurationError
from digest.sources.web import Abandoned, Site, Web

Begin = Callable[[Site], Future[bytes]]


@pytest.fixture
def begin() -> Any:
    """Asks in a thread."""
    with ThreadPoolExecutor(8) as pool:
        yield lambda at: pool.submit(at.get, "/", asked="The site")


def test_a_running_request_ends_at_once(site: Website, begin: Begin) -> None:
    site.will_answer({"write": lambda _: site.released.wait(30)})
    with Web() as web:
        running = begin(web.at(site.url, source="example"))
        until(lambda: site.paths)
        started = time.monotonic()
        web.abandon()
        with pytest.raises(Abandoned, match="the program is about to end") as caught:
            running.result(5)
    assert time.monotonic() - started < 5
    assert caught.value.fix


def test_what_waits_for_a_slot_or_its_turn_or_another_attempt_ends_too(site: Website, begin: Begin) -> None:
    site.will_answer({"status": 503, "headers": {"Retry-After": "60"}}, {"write": lambda _: site.released.wait(30)})
    with Web(at_once=1) as web:
        patient = begin(web.at(site.url, source="a"))
        until(lambda: site.paths)
        with Website() as other:
            other.will_answer({"write": lambda _: site.released.wait(30)})
            running = begin(web.at(other.url, source="b", pace="slow"))
            until(lambda: other.paths)
            queued = [begin(web.at(other.url, source="c", pace=pace)) for pace in ("slow", "")]
            started = time.monotonic()
            web.abandon()
            for future in (patient, running, *queued):
                with pytest.raises(Abandoned):
                    future.result(5)
            site.released.set()
    assert time.monotonic() - started < 5
    assert (len(site.paths), len(other.paths)) == (1, 1)


def test_a_name_server_that_is_dead_does_not_hold_up_the_end(begin: Begin) -> None:
    asked, released = threading.Event(), threading.Event()

    def resolve(_host: str) -> list[str]:
        asked.set()
        released.wait(30)
        return []

    started = time.monotonic()
    with Web(resolve=resolve) as web:
        running = begin(web.at("http://papers.example.org", source="example"))
        assert asked.wait(5)
    with pytest.raises(Abandoned):
        running.result(5)
    assert time.monotonic() - started < 5
    released.set()


def test_a_server_that_does_not_speak_tls_does_not_hold_up_the_end(begin: Begin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with Web() as web:
            running = begin(web.at(f"https://127.0.0.1:{silent.getsockname()[1]}", source="example"))
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
        with pytest.raises(Abandoned):
            running.result(5)
    assert time.monotonic() - started < 5


def test_after_the_end_nothing_is_asked(site: Website) -> None:
    with Web() as web:
        at = web.at(site.url, source="example")
        at.get("/", asked="The site")
    for question in (lambda: at.get("/", asked="The site"), lambda: web.at(site.url, source="x").get("/", asked="The site")):
        with pytest.raises(Abandoned):
            question()
    assert len(site.paths) == 1
    web.close()
    web.abandon()


def test_closing_ends_the_thread_and_the_connections(site: Website) -> None:
    before = threading.active_count()
    with Web() as web:
        web.at(site.url, source="example").get("/", asked="The site")
        open_meanwhile = threading.active_count()
    until(lambda: threading.active_count() <= before, "the end of all threads")
    assert open_meanwhile > before


def test_a_client_that_cannot_begin_leaves_nothing_behind(
    site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    before = threading.active_count()
    with Web() as web:
        at = web.at(site.url, source="example")
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="no such file") as caught:
                at.get("/", asked="The site")
        assert threading.active_count() == before
        monkeypatch.delenv("SSL_CERT_FILE")
        assert at.get("/", asked="The site") == b"[]"
    assert "SSL_CERT_FILE" in caught.value.fix


def test_work_between_requests_can_ask_whether_to_go_on(hourglass: Any) -> None:
    web = Web(sleep=hourglass.sleep)
    web.go_on()
    web.sleep(5)
    assert hourglass.waits == [5]
    web.abandon()
    with pytest.raises(Abandoned):
        web.go_on()


def test_a_wait_between_requests_ends_at_once(begin: Begin) -> None:
    web = Web()
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(web.sleep, 30)
        web.abandon()
        with pytest.raises(Abandoned):
            waiting.result(5)
    assert time.monotonic() - started < 5
