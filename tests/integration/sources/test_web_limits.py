"""Servers that send too much, too slowly, or something else than they say."""

import gzip
import subprocess
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any

import pytest
from support.website import JSON, PAGE, XML, Website, raw, reset

from digest.errors import ServerUnavailable
from digest.sources.web import HttpError, Limits

MIB = 2**20
GZIP = JSON | {"Content-Encoding": "gzip"}


def ask(site: Website, open_web: Any, kind: str = "json", **more: object) -> bytes:
    return open_web(**more).at(site.url, source="example").get("/", kind=kind, asked="The site")


def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    first = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + (mebibytes - 1) * (packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH))


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_compressed_body_is_unpacked(site: Website, open_web: Any, coding: str) -> None:
    site.will_answer({"body": gzip.compress(b"[1, 2]"), "headers": JSON | {"Content-Encoding": coding}})
    assert ask(site, open_web) == b"[1, 2]"


def test_a_body_of_just_the_limit_is_taken(site: Website, open_web: Any) -> None:
    body = b"[" + b" " * 9_998 + b"]"
    site.will_answer({"body": body}, {"body": gzip.compress(body), "headers": GZIP})
    assert ask(site, open_web, limits=Limits(body=10_000)) == body
    assert ask(site, open_web, limits=Limits(body=10_000)) == body


def test_a_length_over_the_limit_is_believed_at_once(site: Website, open_web: Any) -> None:
    site.will_answer({"write": raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16777217\r\n\r\n[")})
    with pytest.raises(HttpError, match="The site: the answer is larger than 16 MiB"):
        ask(site, open_web)
    assert len(site.paths) == 1


def test_an_endless_body_is_cut_off_at_the_limit(site: Website, open_web: Any) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        while True:
            handler.wfile.write(b" " * 2**16)

    site.will_answer({"write": endless})
    with pytest.raises(HttpError, match="larger than 1 MiB"):
        ask(site, open_web, limits=Limits(body=MIB))
    assert len(site.paths) == 1


def test_a_gzip_bomb_stops_at_the_limit(site: Website, open_web: Any) -> None:
    site.will_answer({"body": bomb(256), "headers": GZIP})
    with pytest.raises(HttpError, match="larger than 16 MiB"):
        ask(site, open_web)
    assert len(site.paths) == 1


def test_a_gzip_bomb_costs_little_memory(site: Website) -> None:
    script = (
        "import resource, sys\n"
        "from digest.sources.web import HttpError, Web\n"
        "grown = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "with Web() as web:\n"
        "    at = web.at(sys.argv[1], source='example')\n"
        "    at.get('/', asked='The site')\n"
        "    before = grown()\n"
        "    try: at.get('/', asked='The site')\n"
        "    except HttpError as error: print(grown() - before, error)\n"
    )
    site.will_answer({}, {"body": bomb(256), "headers": GZIP})
    done = subprocess.run([sys.executable, "-c", script, site.url], capture_output=True, text=True, check=True, timeout=30)
    mebibytes, _, error = done.stdout.partition(" ")
    assert error == "The site: the answer is larger than 16 MiB\n"
    assert int(mebibytes) < 64


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "gzip, br", "zstd", "x\x1b[31m"])
def test_a_coding_that_was_not_asked_for_is_refused(site: Website, open_web: Any, coding: str) -> None:
    site.will_answer({"body": gzip.compress(gzip.compress(b"[]")), "headers": JSON | {"Content-Encoding": coding}})
    with pytest.raises(ServerUnavailable) as caught:
        ask(site, open_web)
    assert str(caught.value).isprintable()
    if coding.isprintable():
        assert f"coded as {coding}, which was not asked for" in str(caught.value)
        assert len(site.paths) == 1


def test_an_answer_that_is_compressed_twice_is_refused_though_it_says_once(site: Website, open_web: Any) -> None:
    site.will_answer({"body": gzip.compress(gzip.compress(b"[]")), "headers": GZIP})
    with pytest.raises(HttpError, match="compressed once more"):
        ask(site, open_web)


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        gzip.compress(b"[" * 5000, 0, mtime=0)[:2500],
        gzip.compress(b"[]", mtime=0)[:-8] + bytes(8),
        gzip.compress(b"[]", mtime=0) + b"x",
    ],
)
def test_a_damaged_compressed_body_may_be_whole_the_next_time(site: Website, open_web: Any, body: bytes) -> None:
    site.will_answer({"body": body, "headers": GZIP}, {"body": gzip.compress(b"[1]"), "headers": GZIP})
    assert ask(site, open_web) == b"[1]"
    site.will_answer({"body": body, "headers": GZIP})
    with pytest.raises(ServerUnavailable, match="The site: the compressed answer"):
        ask(site, open_web)
    assert len(site.paths) == 5


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[1, 2",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b"",
    ],
)
def test_an_answer_that_breaks_off_is_not_taken_for_whole(site: Website, open_web: Any, half: bytes) -> None:
    site.will_answer({"write": raw(half)}, {"body": b"[1]"})
    assert ask(site, open_web) == b"[1]"
    site.will_answer({"write": raw(half)})
    with pytest.raises(ServerUnavailable, match="The site: "):
        ask(site, open_web)
    assert len(site.paths) == 5


def endlessly(start: bytes, piece: bytes) -> Any:
    """Sends so much, and then more and more, slowly."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while not handler.server.RequestHandlerClass.site.released.wait(0.02):  # type: ignore[attr-defined]
            handler.wfile.write(piece)

    return write


SLOWLY = {
    "the status line": endlessly(b"HTTP/1.1 200 ", b"O"),
    "headers": endlessly(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a body of known length": endlessly(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n", b" "
    ),
    "a chunked body": endlessly(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
    ),
    "a body without end": endlessly(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n", b" "),
    "informational answers": endlessly(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
}


@pytest.mark.parametrize("what", SLOWLY)
def test_a_server_that_drips_is_given_up_when_the_whole_takes_too_long(
    site: Website, open_web: Any, hourglass: Any, what: str
) -> None:
    site.will_answer({"write": SLOWLY[what]})
    started = time.monotonic()
    with pytest.raises(ServerUnavailable, match=r"The site: no whole answer within 0\.1 s"):
        ask(site, open_web, limits=Limits(total=0.1))
    assert 3 * 0.1 <= time.monotonic() - started < 5
    assert hourglass.waits == [3.0, 5.0]


def test_an_error_page_that_drips_is_an_error_page(site: Website, open_web: Any) -> None:
    site.will_answer({"write": endlessly(b"HTTP/1.0 404 Not Found\r\n\r\n", b"x")})
    with pytest.raises(HttpError, match="it answered 404") as caught:
        ask(site, open_web, limits=Limits(read=0.3))
    assert set(caught.value.body) == set(b"x")


@pytest.mark.parametrize(
    ("body", "headers", "quoted"),
    [
        (gzip.compress(b"no such paper", mtime=0), {"Content-Encoding": "gzip"}, b"no such paper"),
        (b"nonsense", {"Content-Encoding": "gzip"}, b""),
        (b"no such", {"Content-Length": "100"}, b"no such"),
        (bomb(2), {"Content-Encoding": "gzip"}, b" " * 2048),
        (b"\xff" * 100_000, {}, b"\xff" * 2048),
    ],
)
def test_an_error_carries_the_beginning_of_its_page_whatever_is_wrong_with_it(
    site: Website, open_web: Any, body: bytes, headers: dict[str, str], quoted: bytes
) -> None:
    site.will_answer({"status": 404, "body": body, "headers": headers})
    with pytest.raises(HttpError, match="it answered 404") as caught:
        ask(site, open_web, limits=Limits(read=0.3))
    assert caught.value.body == quoted


def test_a_flood_of_informational_answers_ends_with_the_time(site: Website, open_web: Any) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        while True:
            handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 500)

    site.will_answer({"write": flood})
    with pytest.raises(ServerUnavailable, match="no whole answer within"):
        ask(site, open_web, limits=Limits(total=0.2))


def test_a_server_that_says_nothing_is_given_up_after_one_read(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer({"write": lambda _: site.released.wait(30)})
    with pytest.raises(ServerUnavailable, match="The site: no answer in time: it fell silent"):
        ask(site, open_web, limits=Limits(read=0.05))
    assert hourglass.waits == [3.0, 5.0]


def test_a_server_that_falls_silent_in_the_middle_is_given_up(site: Website, open_web: Any) -> None:
    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[")
        site.released.wait(30)

    site.will_answer({"write": half})
    with pytest.raises(ServerUnavailable, match="it fell silent"):
        ask(site, open_web, limits=Limits(read=0.05))


def test_a_name_that_is_not_looked_up_in_time_is_named_as_the_cause(site: Website, open_web: Any) -> None:
    def resolve(_host: str) -> list[str]:
        site.released.wait(30)
        return []

    with pytest.raises(ServerUnavailable, match="no answer in time: its name was not looked up in time"):
        ask(site, open_web, limits=Limits(connect=0.05), resolve=resolve)


def test_headers_without_end_are_cut_off(site: Website, open_web: Any) -> None:
    def many(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in count():
            handler.wfile.write(b"X-%d: %s\r\n" % (number, b"y" * 1000))

    def one(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            handler.wfile.write(b"y" * 65536)

    for write in (many, one):
        site.will_answer({"write": write})
        with pytest.raises(ServerUnavailable, match="The site: "):
            ask(site, open_web)


@pytest.mark.parametrize(
    "noise",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\xff\x1b[31m\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nX\x00: y\r\n\r\n",
    ],
)
def test_what_is_no_http_is_an_error_in_clean_words(site: Website, open_web: Any, noise: bytes) -> None:
    site.will_answer({"write": raw(noise)})
    with pytest.raises(ServerUnavailable, match="The site: ") as caught:
        ask(site, open_web)
    assert str(caught.value).isprintable()
    assert caught.value.fix


def test_a_switch_of_protocols_is_not_taken_part_in(site: Website, open_web: Any) -> None:
    site.will_answer(
        {"write": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nxyz")}
    )
    with pytest.raises(ServerUnavailable, match="The site: "):
        ask(site, open_web)


def test_a_connection_that_is_reset_is_tried_again(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer({"write": reset}, {"body": b"[1]"})
    assert ask(site, open_web) == b"[1]"
    assert hourglass.waits == [3.0]


@pytest.mark.parametrize(("kind", "headers"), [("json", JSON), ("json", {"Content-Type": "text/html"}), ("xml", XML)])
def test_an_error_page_with_status_200_is_refused(site: Website, open_web: Any, kind: str, headers: dict[str, str]) -> None:
    site.will_answer({"body": PAGE, "headers": headers})
    with pytest.raises(HttpError, match="The site: the answer is a web page") as caught:
        ask(site, open_web, kind)
    assert (caught.value.status, caught.value.body) == (200, PAGE)
    assert len(site.paths) == 1


def test_a_feed_that_calls_itself_a_page_is_taken(site: Website, open_web: Any) -> None:
    site.will_answer({"body": b"<?xml version='1.0'?><rss/>", "headers": {"Content-Type": "text/html"}})
    assert ask(site, open_web, "xml") == b"<?xml version='1.0'?><rss/>"


def test_something_else_is_named_by_its_kind(site: Website, open_web: Any) -> None:
    site.will_answer({"body": b"busy", "headers": {"Content-Type": "text/plain"}})
    with pytest.raises(HttpError, match="The site: the answer is not JSON but text/plain"):
        ask(site, open_web)
