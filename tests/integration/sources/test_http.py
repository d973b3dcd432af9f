"""The GET against a server that does what servers do."""

import gzip
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from itertools import count
from typing import Any

import httpx2
import pytest

from digest import __version__
from digest.errors import ServerUnavailable
from digest.sources.http import MAX_BODY, get_json, open_client

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with open_client(connect=2, read=2) as opened:
        yield opened


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def get(client: httpx2.Client, site: Any, waits: list[float]) -> Callable[..., bytes]:
    def ask(**more: object) -> bytes:
        url = f"{site.url}/api/daily_papers"
        settings: dict[str, Any] = {"asked": "The site", "sleep": waits.append, "jitter": max, **more}
        return get_json(client, url, {"date": "2026-11-22"}, **settings)

    return ask


def test_the_body_comes_as_it_is(site: Any, get: Callable[..., bytes], waits: list[float]) -> None:
    site.will_answer({"body": b'[{"a": 1}]'})
    assert get() == b'[{"a": 1}]'
    assert site.paths == ["/api/daily_papers?date=2026-11-22"]
    assert site.agents == [f"trending-papers-digest/{__version__}"]
    assert waits == []


def test_a_compressed_body_is_unpacked(site: Any, get: Callable[..., bytes]) -> None:
    site.will_answer({"body": gzip.compress(b"[1, 2]"), "headers": JSON | {"Content-Encoding": "gzip"}})
    assert get() == b"[1, 2]"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_is_asked_once_more(site: Any, get: Callable[..., bytes], waits: list[float], status: int) -> None:
    site.will_answer({"status": status}, {"body": b"[1]"})
    assert get() == b"[1]"
    assert waits == [3.0]


def test_a_server_that_stays_busy_is_left_alone(site: Any, get: Callable[..., bytes], waits: list[float]) -> None:
    site.will_answer({"status": 503})
    with pytest.raises(ServerUnavailable, match="The site: it answered 503") as caught:
        get()
    assert caught.value.fix
    assert len(site.paths) == 2
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "60"}, 60),
        ({"Retry-After": "soon"}, 2),
        ({"Retry-After": "-5"}, 2),
    ],
)
def test_the_server_says_how_long_to_wait(
    site: Any, get: Callable[..., bytes], waits: list[float], headers: dict[str, str], wait: float
) -> None:
    site.will_answer({"status": 429, "headers": JSON | headers}, {"body": b"[]"})
    get()
    assert waits == [wait + 1]


def test_a_date_to_wait_for_is_read_against_the_servers_clock(site: Any, get: Callable[..., bytes], waits: list[float]) -> None:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 503 Busy\r\nDate: Sun, 22 Nov 1998 06:00:00 GMT\r\n"
            b"Retry-After: Sun, 22 Nov 1998 06:00:30 GMT\r\nContent-Length: 0\r\n\r\n"
        )

    site.will_answer({"write": write}, {"body": b"[]"})
    get()
    assert waits == [31]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(site: Any, get: Callable[..., bytes], waits: list[float]) -> None:
    site.will_answer({"status": 429, "headers": JSON | {"Retry-After": "3600"}})
    with pytest.raises(ServerUnavailable, match="3600 s"):
        get()
    assert (len(site.paths), waits) == (1, [])


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ({"status": 404}, "it answered 404"),
        ({"status": 400, "body": b'{"error": "Invalid date"}'}, "it answered 400"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "redirect"),
        ({"body": b"<html>", "headers": {"Content-Type": "text/html"}}, "not JSON but text/html"),
        ({"headers": {}}, "of no kind"),
        ({"body": b"[", "headers": JSON | {"Content-Encoding": "br"}}, "coded as br"),
        ({"body": b"nonsense", "headers": JSON | {"Content-Encoding": "gzip"}}, "damaged"),
    ],
)
def test_an_answer_that_would_not_change_is_not_asked_for_again(
    site: Any, get: Callable[..., bytes], script: dict[str, object], says: str
) -> None:
    site.will_answer(script)
    with pytest.raises(ServerUnavailable, match=says):
        get()
    assert len(site.paths) == 1


def test_a_connection_that_breaks_is_tried_once_more(site: Any, get: Callable[..., bytes], waits: list[float]) -> None:
    def reset(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.wfile = BytesIO()  # closing flushes it

    site.will_answer({"write": reset}, {"body": b"[1]"})
    assert get() == b"[1]"
    assert len(waits) == 1


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_body_that_breaks_off_is_not_taken_for_whole(site: Any, get: Callable[..., bytes], coding: str) -> None:
    whole = b"[" + b"1, " * 5000 + b"1]"
    half = (gzip.compress(whole, 0) if coding == "gzip" else whole)[:5000]
    length = {} if coding == "gzip" else {"Content-Length": str(len(whole))}
    site.will_answer({"body": half, "headers": JSON | {"Content-Encoding": coding} | length})
    with pytest.raises(ServerUnavailable):
        get()


def test_a_server_that_is_not_there_is_named_with_the_cause(client: httpx2.Client, waits: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(ServerUnavailable, match=r"The site: .*refused"):
            get_json(client, url, {}, asked="The site", sleep=waits.append)
    assert len(waits) == 1


def test_a_body_over_the_limit_is_not_held(site: Any, get: Callable[..., bytes]) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            handler.wfile.write(b" " * 2**16)

    site.will_answer({"write": endless})
    with pytest.raises(ServerUnavailable, match="larger than 16 MiB"):
        get()


def test_a_compressed_bomb_is_not_unpacked(site: Any, get: Callable[..., bytes]) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(b" " * 2**20) for _ in range(4 * MAX_BODY // 2**20)) + packer.flush()
    site.will_answer({"body": bomb, "headers": JSON | {"Content-Encoding": "gzip"}})
    with pytest.raises(ServerUnavailable, match="larger than 16 MiB"):
        get()


def test_a_server_that_says_nothing_is_given_up(site: Any, waits: list[float]) -> None:
    site.will_answer({"write": lambda _: site.released.wait(30)})
    with open_client(read=0.05) as hasty, pytest.raises(ServerUnavailable, match="no answer in time"):
        get_json(hasty, site.url, {}, asked="The site", sleep=waits.append)
    assert len(site.paths) == 2


def test_a_body_that_drips_is_given_up_after_a_minute(site: Any, get: Callable[..., bytes]) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            handler.wfile.write(b" ")

    site.will_answer({"write": drip})
    seconds = count(0, 25)
    with pytest.raises(ServerUnavailable, match="longer than 60 s"):
        get(elapsed=lambda: next(seconds))
