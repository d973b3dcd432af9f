"""A real Chromium, which reaches nothing but this machine. It is Debian's; nothing is downloaded."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser.judging import Checker
from browser.places import settle_in
from playwright.sync_api import Browser, Page, sync_playwright
from support.house import House
from support.sink import Sink

NAMES = ("chromium", "chromium-browser", "google-chrome")
ALONE = (
    "--no-sandbox",  # CI is root, for whom Chromium has no sandbox; the pages are ours
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-quic",
)
Open = Callable[..., Page]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", metavar="FOLDER", type=Path, help="keep a picture of each page, in four looks")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    where = next(filter(None, map(shutil.which, NAMES)), None)
    assert where, "no Chromium here; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=list(ALONE))
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Open]:
    """Opens an empty page in a browser that remembers nothing; takes what Playwright's `new_context` takes."""
    with ExitStack() as stack:

        def make(**how: object) -> Page:
            context = chromium.new_context(**how)  # type: ignore[arg-type]
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            return page

        yield make


@pytest.fixture(scope="session")
def checker() -> Iterator[Checker]:
    with Checker() as one:
        yield one


@pytest.fixture
def house(home: Path, sink: Sink) -> Iterator[House]:
    with House(home, sink) as one:
        yield one


@pytest.fixture(scope="session")
def lived_in(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory, checker: Checker) -> Iterator[House]:
    """A house with readers in all states that the places need. The checker makes itself ready meanwhile."""
    del checker
    home = shutil.copytree(prepared_home, tmp_path_factory.mktemp("lived-in") / "home")
    with Sink() as sink, House(home, sink) as house:
        settle_in(house)
        yield house
