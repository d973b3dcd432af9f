import asyncio
import http.client
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import uvicorn
from support.sink import Sink, free_port
from support.site import MONDAY, Site

from digest.clock import SteppedClock
from digest.store import migrate
from digest.web.server import serve_until
from digest.wiring import App, open_app

HOST = "papers.example.org"
Ask = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def served(app: App, port: int) -> Iterator[None]:
    """The web part of an application, answering on loopback."""
    loops: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()
    stop = asyncio.Event()
    failed: list[BaseException] = []

    async def answer() -> None:
        loops.append(asyncio.get_running_loop())
        ready.set()
        await serve_until(app, stop, f"127.0.0.1:{port}")

    def run() -> None:
        try:
            asyncio.run(answer())
        except BaseException as error:  # noqa: BLE001 - the test must hear of any
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    _wait_until_it_answers(port, thread)
    try:
        yield
    finally:
        if thread.is_alive():
            loops[0].call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not failed, failed


def _wait_until_it_answers(port: int, thread: threading.Thread) -> None:
    while thread.is_alive():
        try:
            ask(port, "GET", "/healthz")
        except ConnectionError:
            continue
        return


def ask(port: int, method: str, path: str, body: bytes | str | Iterator[bytes] | None = None, **headers: str) -> Answer:
    """One request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        named = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(), {key.lower(): value for key, value in response.getheaders()})
    finally:
        connection.close()


@pytest.fixture(scope="module", autouse=True)
def _servers_end_at_once() -> Iterator[None]:
    """uvicorn looks whether it is to end ten times a second, and waits that long again for what is still being said: with
    hundreds of servers that is a minute. Here it looks a hundred times; what it waits for stays the same."""

    async def briefly(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))

    with mock.patch.object(uvicorn.server, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": briefly})):
        yield


@pytest.fixture(scope="session")
def morning_home(tmp_path_factory: pytest.TempPathFactory, prepared_home: Path) -> Path:
    """A home whose editions of Monday are frozen, made once and copied for each test."""
    folder = shutil.copytree(prepared_home, tmp_path_factory.mktemp("morning") / "home")
    with Sink() as nobody:
        made = Site(folder, nobody, SteppedClock(MONDAY))
        made.publish()
        made.app.close()
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the current schema and nothing else: making one takes a hundred times as long as copying it."""
    file = tmp_path_factory.mktemp("empty") / "digest.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def blank(tmp_path: Path, empty_database: Path) -> Path:
    """The folder of the test, as a state folder with an empty database."""
    shutil.copy(empty_database, tmp_path)
    return tmp_path


@pytest.fixture
def app(blank: Path) -> Iterator[App]:
    """An application on an empty database."""
    opened = open_app(home=blank, environ={"DIGEST_SITE__PUBLIC_URL": f"https://{HOST}"})
    yield opened
    opened.close()


@pytest.fixture
def serving() -> Callable[[App], AbstractContextManager[Ask]]:
    """Serves an application, and gives what asks its pages."""

    @contextmanager
    def serve(app: App) -> Iterator[Ask]:
        port = free_port()
        with served(app, port):
            yield lambda method, path, body=None, **headers: ask(port, method, path, body, **headers)

    return serve


@pytest.fixture
def web(app: App, serving: Callable[[App], AbstractContextManager[Ask]]) -> Iterator[Ask]:
    """Asks the pages of `app`."""
    with serving(app) as asking:
        yield asking
