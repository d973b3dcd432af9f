"""A real HTTP server on loopback that answers as it is told and remembers what it was asked."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Answer:
    """What to answer: `body` goes out as it is; a callable writes to the connection by itself."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=utf-8"})
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


@dataclass
class FakeSite:
    """`answers` are given in turn, the last one for good; `paths` and `agents` are what came in."""

    url: str
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    paths: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    """Set at the end of a test: whoever holds a connection open lets go."""

    def will_answer(self, *scripted: dict[str, Any]) -> None:
        self.answers = [Answer(**fields) for fields in scripted]


class _Handler(BaseHTTPRequestHandler):
    site: FakeSite

    def do_GET(self) -> None:
        self.site.paths.append(self.path)
        self.site.agents.append(self.headers.get("User-Agent", ""))
        answer = self.site.answers.pop(0) if len(self.site.answers) > 1 else self.site.answers[0]
        try:
            if answer.write:
                answer.write(self)
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Nothing: a test's output is its own."""


@pytest.fixture
def site() -> Iterator[FakeSite]:
    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Handler.site = FakeSite(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Handler.site
        Handler.site.released.set()
        server.shutdown()
        thread.join()
