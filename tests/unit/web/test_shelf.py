"""Public pages are made once."""

import gzip

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digest.errors import ServerUnavailable
from digest.web.shelf import FRESH, LOOK_EVERY, Shelf


class Bench:
    """A shelf whose time and edition are told, and a page that counts how often it was made."""

    def __init__(self) -> None:
        self.now, self.edition, self.made, self.status = 1000.0, 1, 0, 200
        self.is_out = False
        self.shelf = Shelf(self.newest, lambda: self.now)

    def newest(self) -> int:
        self.fail_if_out()
        return self.edition

    def fail_if_out(self) -> None:
        if self.is_out:
            raise ServerUnavailable("the database does not answer", fix="check the server")

    def page(self) -> Response:
        self.fail_if_out()
        self.made += 1
        return HTMLResponse(f"<p>{self.made}</p>" + "x" * 2000, self.status)

    def ask(self, path: str = "/", **headers: str) -> Response:
        return self.shelf.answer(request_for(path, **headers), self.page)

    def at_hand(self, path: str = "/", *, method: str = "GET", query: bytes = b"", **headers: str) -> Response | None:
        return self.shelf.at_hand(request_for(path, method, query, **headers))


def request_for(path: str, method: str = "GET", query: bytes = b"", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": path, "query_string": query, "headers": raw})


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_page_is_made_once_and_given_to_all(bench: Bench) -> None:
    assert [bench.ask().body[:8] for _ in range(3)] == [b"<p>1</p>"] * 3
    assert bench.ask("/archive").body[:8] == b"<p>2</p>"


def test_a_new_edition_clears_the_shelf(bench: Bench) -> None:
    bench.ask()
    bench.edition = 2
    assert bench.ask().body[:8] == b"<p>1</p>"
    bench.now += LOOK_EVERY
    assert bench.ask().body[:8] == b"<p>2</p>"


def test_a_page_is_remade_after_a_while_so_that_what_is_hidden_is_gone(bench: Bench) -> None:
    bench.ask()
    bench.now += FRESH + 1
    assert bench.ask().body[:8] == b"<p>2</p>"


def test_who_has_the_page_is_not_sent_it_again(bench: Bench) -> None:
    first = bench.ask()
    again = bench.ask(if_none_match=f'"other", {first.headers["etag"]}')
    assert (again.status_code, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert bench.ask(if_none_match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("takes", "packed"),
    [("gzip, br", True), ("br;q=1.0, GZIP;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
def test_it_is_packed_for_those_who_take_it_so(bench: Bench, takes: str, packed: bool) -> None:
    answer = bench.ask(accept_encoding=takes)
    assert (answer.headers.get("content-encoding") == "gzip") == packed
    body = gzip.decompress(bytes(answer.body)) if packed else bytes(answer.body)
    assert body.startswith(b"<p>1</p>")
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["vary"] == "Accept-Encoding"


def test_what_failed_is_not_kept(bench: Bench) -> None:
    bench.status = 404
    assert bench.ask().status_code == bench.ask().status_code == 404
    assert bench.made == 2


def test_while_the_database_is_out_what_was_there_before_is_shown(bench: Bench) -> None:
    bench.ask()
    bench.is_out = True
    bench.now += FRESH + 1
    assert [bench.ask().body[:8] for _ in range(2)] == [b"<p>1</p>"] * 2
    with pytest.raises(ServerUnavailable):
        bench.ask("/archive")
    bench.is_out = False
    assert bench.ask().body[:8] == b"<p>2</p>"


def test_paths_that_differ_behind_a_question_mark_are_two(bench: Bench) -> None:
    assert [bench.ask(path).body[:8] for path in ("/papers/feed:x?p=1", "/papers/feed:x?p=2")] == [b"<p>1</p>", b"<p>2</p>"]


def test_what_stands_is_at_hand_without_waiting_for_anybody(bench: Bench) -> None:
    assert bench.at_hand() is None
    made = bench.ask()
    again = bench.at_hand()
    assert again is not None
    assert (again.body, again.headers["etag"]) == (made.body, made.headers["etag"])
    known = bench.at_hand(if_none_match=made.headers["etag"])
    assert known is not None
    assert known.status_code == 304


def test_what_would_take_work_is_not_at_hand(bench: Bench) -> None:
    bench.ask()
    assert bench.at_hand("/archive") is None, "it was never made"
    assert bench.at_hand(method="HEAD") is None
    assert bench.at_hand(query=b"q=words") is None
    bench.now += LOOK_EVERY
    assert bench.at_hand() is None, "it is time to look for a new edition"
    bench.ask()
    assert bench.at_hand() is not None
