"""Collecting when it is time, and not before."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from support.site import MONDAY, Site

from digest.clock import SteppedClock
from digest.flows import run


class Lists(BaseHTTPRequestHandler):
    """Answers every question for a day's papers, and counts."""

    asked: ClassVar[list[str]] = []
    status = 200

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b'[{"paper": {"id": "2603.09999", "title": "A paper of the day", "upvotes": 7}}]'
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def lists() -> Iterator[tuple[type[Lists], str]]:
    handler = type("Handler", (Lists,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def collecting(make_site: Callable[..., Site], lists: tuple[type[Lists], str]) -> Site:
    return make_site(sources__huggingface__enabled=True, sources__huggingface__url=lists[1])


def test_a_source_is_asked_once_an_hour_however_often_cron_calls(
    collecting: Site, lists: tuple[type[Lists], str], clock: SteppedClock
) -> None:
    run.collect(collecting.app.plan)
    run.publish(collecting.app.plan)
    first = len(lists[0].asked)
    for _ in range(5):
        clock.advance(timedelta(minutes=10))
        assert run.collect(collecting.app.plan) == []
    clock.advance(timedelta(minutes=10))
    assert [one.verdict for one in run.collect(collecting.app.plan)] == ["fresh"]
    assert len(lists[0].asked) == 2 * first


def test_before_an_edition_is_frozen_its_sources_are_asked_again(collecting: Site, clock: SteppedClock) -> None:
    clock.set(MONDAY - timedelta(minutes=20))
    run.publish(collecting.app.plan, on=(MONDAY - timedelta(days=1)).date())
    assert len(run.collect(collecting.app.plan)) == 1
    clock.advance(timedelta(minutes=10))
    assert run.collect(collecting.app.plan) == []
    clock.set(MONDAY)
    assert len(run.collect(collecting.app.plan)) == 1


def test_a_source_that_failed_is_asked_again_after_ten_minutes(
    collecting: Site, lists: tuple[type[Lists], str], clock: SteppedClock
) -> None:
    run.publish(collecting.app.plan)
    lists[0].status = 404
    assert [one.verdict for one in run.collect(collecting.app.plan)] == ["failed"]
    clock.advance(timedelta(minutes=5))
    assert run.collect(collecting.app.plan) == []
    lists[0].status = 200
    clock.advance(timedelta(minutes=6))
    assert [one.verdict for one in run.collect(collecting.app.plan)] == ["fresh"]


def test_a_source_that_is_dead_stops_nothing(collecting: Site, lists: tuple[type[Lists], str]) -> None:
    lists[0].status = 404
    run.collect(collecting.app.plan)
    published = run.publish(collecting.app.plan)
    assert published[0].edition.missing_sources == ("Hugging Face",)
    assert published[0].new
