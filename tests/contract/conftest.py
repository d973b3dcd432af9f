"""The databases that the store's contract holds on: every test here runs on each of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digest.store import migrate
from digest.store.engine import Store


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'digest.db'}"


DATABASES: dict[str, Callable[[Path], str]] = {"sqlite": _sqlite}
"""By name, what gives the address of an empty database."""


@pytest.fixture(params=list(DATABASES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database with the current schema."""
    url = DATABASES[request.param](tmp_path)
    migrate.upgrade(url)
    opened = Store.open(url)
    yield opened
    opened.close()
