"""What tests of real input and output share: a home, a clock, a mail server on loopback, and the program itself."""

import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.operator import Operator
from support.sink import Sink
from support.site import MONDAY, Site, prepare_home

from digest.clock import SteppedClock

DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be an operator himself."""
    for name in list(os.environ):
        if name.startswith("DIGEST_") or name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "NOTIFY_SOCKET"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with papers in its database, made once and copied for each test."""
    return prepare_home(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def home(tmp_path: Path, prepared_home: Path) -> Path:
    """A state folder of its own: the current schema, sixty papers, nobody subscribed."""
    return shutil.copytree(prepared_home, tmp_path / "home")


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """A state folder with nothing in it."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def clock() -> SteppedClock:
    """It is Monday, six o'clock, and editions are due."""
    return SteppedClock(MONDAY)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as one:
        yield one


@pytest.fixture
def make_site(home: Path, sink: Sink, clock: SteppedClock) -> Iterator[Callable[..., Site]]:
    """Makes a site over `home`; settings are given as `section__key`, another mail server as `sink`."""
    with ExitStack() as stack:

        def make(*, sink: Sink = sink, clock: SteppedClock = clock, **settings: object) -> Site:
            site = Site(home, sink, clock, **settings)
            stack.callback(site.app.close)
            return site

        yield make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with two connections to its mail server."""
    return make_site(smtp__connections=2)


@pytest.fixture
def operator(home: Path, sink: Sink) -> Iterator[Operator]:
    """Runs the real program over `home`, mailing to `sink`."""
    with Operator(home, sink.url) as one:
        yield one


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """What a mail server for `localhost` speaks TLS with; `trusted` makes its certificate known."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(DATA / "localhost.pem")
    return context


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(DATA / "localhost.pem"))
    return DATA / "localhost.pem"


@pytest.fixture
def make_read_only() -> Callable[[Path], None]:
    """Makes a database one that may only be read, whoever asks: the mode of a file means nothing to root."""

    def make(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(18)  # the write version in the header; SQLite only reads what it is too old to write
            file.write(b"\x03")

    return make
