import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.store import migrate
from digest.store.engine import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the current schema and nothing else: making one takes a hundred times as long as copying it."""
    file = tmp_path_factory.mktemp("empty") / "digest.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """An empty database in a file."""
    shutil.copy(empty_database, tmp_path)
    opened = Store.open(f"sqlite:///{tmp_path / 'digest.db'}")
    yield opened
    opened.close()
