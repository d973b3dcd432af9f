"""What tests of real input and output share: a home, a clock, a mail server on loopback, and the program itself."""

import os
import sys

# Whatever this machine's environment says: tests start a hundred processes, and each that has to compile everything anew spends
# two seconds on it; so does every run on the tests themselves. It stands before the imports, which are compiled too.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import ipaddress
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.hugging_face import HuggingFace
from support.operator import Operator
from support.sink import Sink
from support.site import MONDAY, Site, learn_words, prepare_home

from digest.clock import SteppedClock

DATA = Path(__file__).parent / "data"
# Half of what Hypothesis tries as it comes, for a suite that is run often: `--hypothesis-profile=default` tries all. How long
# one takes says what else the machine does, and nothing of what is tested.
settings.register_profile("often", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("often")
_outside: list[str] = []
"""Whom this process wanted to reach beyond this machine."""


def _is_loopback(host: object) -> bool:
    try:
        return host in ("", "localhost", None) or ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_name(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return host not in ("", "localhost", None)
    return False


def _keep_in(event: str, arguments: tuple[Any, ...]) -> None:
    """No test asks anybody outside: neither for the address of a name nor at an address."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if not isinstance(address, tuple) or _is_loopback(address[0]):
            return  # a socket that is a file, or this machine
        asked = f"{event} {address}"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        if not _is_name(host):
            return
        if host.endswith(".invalid"):
            # There is none (RFC 2606 2); nobody need be asked for that.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        asked = f"{event} {host}"
    else:
        return
    _outside.append(asked)
    raise PermissionError(f"a test may not ask anybody outside: {asked}")


sys.addaudithook(_keep_in)


@pytest.fixture(autouse=True)
def _nobody_outside_is_asked() -> Iterator[None]:
    """Fails whoever tried, though the program took the refusal for a server that is down."""
    _outside.clear()
    yield
    assert not _outside


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be an operator himself."""
    for name in list(os.environ):
        if name.startswith("DIGEST_") or name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "NOTIFY_SOCKET"):
            monkeypatch.delenv(name)
    # Its hundred authorities take longer to read than most of what clients are asked for here; this one has signed nothing.
    monkeypatch.setenv("SSL_CERT_FILE", str(DATA / "elsewhere.pem"))


@pytest.fixture(scope="session")
def unread_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with papers in its database and no vocabulary of them, made once."""
    return prepare_home(tmp_path_factory.mktemp("unread"))


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory, unread_home: Path) -> Path:
    """The same with a vocabulary, copied for each test: fitting it takes as long as many a test."""
    return learn_words(shutil.copytree(unread_home, tmp_path_factory.mktemp("prepared") / "home"))


@pytest.fixture
def home(tmp_path: Path, prepared_home: Path) -> Path:
    """A state folder of its own: the current schema, sixty papers and their vocabulary, nobody subscribed."""
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
def hugging_face() -> Iterator[HuggingFace]:
    """A Hugging Face with no papers yet."""
    with HuggingFace() as one:
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
