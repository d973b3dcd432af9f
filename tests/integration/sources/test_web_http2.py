"""Servers that speak HTTP/2, and those that only pretend to."""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import h2.config
import h2.connection
import h2.events
import pytest

from digest.errors import ServerUnavailable
from digest.sources.web import Limits, Site

OK = [(":status", "200"), ("content-type", "application/json")]
Respond = Callable[[h2.connection.H2Connection, int], None]


class Http2:
    """A server on loopback that speaks HTTP/2 over TLS; `respond` answers a request, `asked` are the headers of all."""

    def __init__(self, certificate: Path) -> None:
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate)
        self._tls.set_alpn_protocols(["h2"])
        self.respond: Respond = self.usual
        self.asked: list[dict[bytes, bytes]] = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    @staticmethod
    def usual(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, OK)
        connection.send_data(stream, b"[1]", end_stream=True)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        config = h2.config.H2Configuration(client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False)
        connection = h2.connection.H2Connection(config)
        with suppress(OSError, h2.exceptions.ProtocolError), self._tls.wrap_socket(accepted, server_side=True) as wire:
            connection.initiate_connection()
            wire.sendall(connection.data_to_send())
            while data := wire.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.asked.append(dict(event.headers))
                        self.respond(connection, event.stream_id)
                wire.sendall(connection.data_to_send())


@pytest.fixture
def http2(trusted: Path) -> Iterator[Http2]:
    with Http2(trusted) as one:
        yield one


@pytest.fixture
def at(http2: Http2, open_web: Any) -> Site:
    return open_web(limits=Limits(connect=5, read=0.2, total=5)).at(
        http2.url, source="example", headers={"X-Api-Key": "sesame"}
    )


def test_http2_is_spoken_where_the_server_speaks_it(http2: Http2, at: Site) -> None:
    assert [at.get("/a", {"b": "c"}, asked="The site") for _ in range(3)] == [b"[1]"] * 3
    assert http2.connections == 1
    asked = http2.asked[0]
    assert (asked[b":path"], asked[b":authority"]) == (b"/a?b=c", http2.url.removeprefix("https://").encode())
    assert (asked[b"x-api-key"], asked[b"accept-encoding"]) == (b"sesame", b"gzip")


def test_a_question_can_be_posted_over_http2(http2: Http2, at: Site) -> None:
    assert at.post("/batch", {"ids": []}, asked="The site") == b"[1]"
    assert http2.asked[0][b":method"] == b"POST"


def test_nothing_secret_is_logged_over_http2(http2: Http2, at: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    at.get("/", asked="The site")
    assert http2.asked[0][b"x-api-key"] == b"sesame"
    assert "sesame" not in caplog.text


def silence(connection: h2.connection.H2Connection, stream: int) -> None:
    """Nothing."""


def broken_off(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, OK)
    connection.send_data(stream, b"[1, ")
    connection.reset_stream(stream)


def gone_away(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.close_connection(error_code=11)


def no_status(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "two hundred")], end_stream=True)


def shorter_than_it_says(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [*OK, ("content-length", "100")])
    connection.send_data(stream, b"[1]", end_stream=True)


def huge_headers(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [*OK, *((f"x-{number}", "y" * 8000) for number in range(12))], end_stream=True)


@pytest.mark.parametrize("respond", [silence, broken_off, gone_away, no_status, shorter_than_it_says, huge_headers])
def test_a_server_that_speaks_it_badly_is_an_error_in_words(http2: Http2, at: Site, respond: Respond) -> None:
    http2.respond = respond
    with pytest.raises(ServerUnavailable, match="The site: ") as caught:
        at.get("/", asked="The site")
    assert str(caught.value).isprintable()
    assert len(http2.asked) == 3
    http2.respond = http2.usual
    assert at.get("/", asked="The site") == b"[1]"
