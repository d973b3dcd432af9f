"""A web server on loopback that answers as it is told, and remembers what it was asked."""

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Self

JSON = {"Content-Type": "application/json; charset=utf-8"}
XML = {"Content-Type": "text/xml; charset=utf-8"}
PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


@dataclass(frozen=True)
class Asked:
    """A request as it came in. `connection` counts the connections of the server from 1."""

    method: str
    path: str
    headers: Message
    body: bytes
    connection: int


@dataclass
class Answer:
    """What to answer: `body` goes out as it is; a callable writes to the connection by itself, which is closed afterwards."""

    status: int = 200
    body: bytes = b"[]"
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


class Website:
    """A server that keeps its connections open, in a thread of its own; with `tls`, over HTTPS.

    `answers` are given in turn, the last one for good; or `respond`, if set, makes an answer of what is asked. `requests` are
    what came in; `paths` are parts of them. `released` is set at the end: whoever holds a connection open lets go.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.answers: list[Answer] = [Answer()]
        self.respond: Callable[[Asked], Answer] | None = None
        self.requests: list[Asked] = []
        self.released = threading.Event()
        self.connections = 0
        self._lock = threading.Lock()
        self._server = _Server((host, 0), type("Handler", (_Handler,), {"site": self}))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://{'localhost' if tls else host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.requests]

    def will_answer(self, *scripted: dict[str, Any]) -> None:
        self.answers = [Answer(**fields) for fields in scripted]

    def take(self, asked: Asked) -> Answer:
        with self._lock:
            self.requests.append(asked)
            if self.respond is None:
                return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return self.respond(asked)

    def met(self) -> int:
        with self._lock:
            self.connections += 1
            return self.connections


def raw(*pieces: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Writes these bytes and nothing else."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)

    return write


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Resets the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.wfile = BytesIO()  # closing flushes it


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    site: Website

    def setup(self) -> None:
        self.number = self.site.met()
        super().setup()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = self.site.take(Asked(self.command, self.path, self.headers, body, self.number))
        if answer.write:
            self.close_connection, self.protocol_version = True, "HTTP/1.0"
            answer.write(self)
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Nothing: a test's output is its own."""
