from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.store import migrate
from digest.store.engine import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database in a file."""
    url = f"sqlite:///{tmp_path / 'digest.db'}"
    migrate.upgrade(url)
    opened = Store.open(url)
    yield opened
    opened.close()
