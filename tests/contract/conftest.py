"""The databases that the store's contract holds on: every test here runs on each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.databases import Cluster, Postgresql, Sqlite, a_server
from contract.world import World

from digest.store import migrate
from digest.store.engine import Store

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real PostgreSQL, for as long as this process runs tests."""
    with a_server() as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the current schema and nothing else."""
    file = tmp_path_factory.mktemp("template") / "digest.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_template: Path) -> Sqlite:
    """SQLite alone, for what only it does."""
    return Sqlite(tmp_path, sqlite_template)


@pytest.fixture
def postgresql(cluster: Cluster) -> Iterator[Postgresql]:
    """PostgreSQL alone, for what only it does."""
    databases = Postgresql(cluster)
    yield databases
    databases.give_back()


@pytest.fixture(params=DATABASES)
def databases(request: pytest.FixtureRequest) -> Sqlite | Postgresql:
    """Makes databases of one kind; a test that wants one, or what is made of it, runs for each kind."""
    found: Sqlite | Postgresql = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def url(databases: Sqlite | Postgresql) -> str:
    """The address of a database with the current schema."""
    return databases.current()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty database with the current schema."""
    opened = Store.open(url)
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> World:
    """The same, with somebody who puts things into it."""
    return World(store)
