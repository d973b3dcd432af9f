"""The database: opened with the pragmas that the promises need, read and written in short transactions.

SQLite: write-ahead log, `synchronous=FULL` (a commit survives the loss of power) and every write transaction opened by
`BEGIN IMMEDIATE`, so that it waits for the lock at its start and never fails in its middle. PostgreSQL:
`synchronous_commit=on` in every session, whatever the server's default; and the server ends a write that falls silent in its
middle, because its process was frozen or its machine is out of reach, for all others would wait for its locks. Sessions
are called by their process, so that those of a worker that was given up for dead can be ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from digest.errors import ConfigurationError, DigestError, NotPermitted, ServerUnavailable, TemporaryFailure
from digest.store import schema
from digest.store.process import this_process

BUSY_TIMEOUT = 30.0
"""Seconds that a write waits for another process's write, unless the address says otherwise (`sqlite:///digest.db?timeout=5`)."""
SILENT_AT_MOST = 20.0
"""Seconds between two statements of a write, on PostgreSQL: less than until a worker is given up for dead."""


class Store:
    """A database that holds the current schema. All methods are safe to call from several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open the database at `url`, which must be there and hold the schema of this program.

        Raises:
            ConfigurationError: the address is wrong, or the schema is older or newer than this program's.
            ServerUnavailable: PostgreSQL does not answer.
        """
        found = cls.schema_of(url)
        store = cls(create(url))
        if found != schema.HEAD:
            store.close()
            if found is None:
                raise ConfigurationError(f"there is no digest database at {shown(url)}", fix="create it: digest db upgrade")
            if found < schema.HEAD:
                raise ConfigurationError(
                    f"the database has schema {found}, this program needs {schema.HEAD}", fix="run: digest db upgrade"
                )
            raise ConfigurationError(
                f"the database has schema {found}, which is newer than this program's {schema.HEAD}",
                fix="run the newer program, or restore a backup made before the upgrade",
            )
        return store

    @classmethod
    def schema_of(cls, url: str) -> str | None:
        """The schema of the database at `url`; None where there is none. Raises as `open`."""
        engine = create(url)
        path = sqlite_path(url)
        if path is not None and not path.exists():
            return None  # connecting would make an empty file, and hide that the real one is lost
        try:
            with explained(url), engine.connect() as connection:
                if not engine.dialect.has_table(connection, "alembic_version"):
                    return None
                return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        finally:
            engine.dispose()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the database, as it was when it was first asked."""
        with explained(str(self.engine.url)), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it durable when this returns, or nothing of it."""
        with explained(str(self.engine.url)), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection


def create(url: str) -> Engine:
    """An engine with our pragmas, whatever schema lies behind it. Raises ConfigurationError for an address we cannot use."""
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise ConfigurationError(f"{shown(url)} is neither SQLite nor PostgreSQL", fix="set database.url")
        given: dict[str, Any] = {}
        if parsed.get_backend_name() == "postgresql":
            given["application_name"] = this_process()
        elif "timeout" not in parsed.query:
            given["timeout"] = BUSY_TIMEOUT
        engine = create_engine(
            parsed,
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
            hide_parameters=True,  # there are addresses among them, and a traceback ends in a log
            connect_args=given,
        )
    except (ArgumentError, NoSuchModuleError, ValueError):
        # What is wrong with it may be the password: it is not quoted.
        raise ConfigurationError(
            "database.url is not a database address",
            fix="write it like sqlite:////srv/digest.db or postgresql://user@host/digest; in a password, @ : / are %40 %3A %2F",
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the driver {error.name} of this database is not installed",
            fix="for PostgreSQL install the extra, in the checkout: pip install '.[postgres]'",
        ) from None
    event.listen(engine, "connect", _on_connect_sqlite if engine.dialect.name == "sqlite" else _on_connect_postgresql)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _on_begin_sqlite)
    else:
        event.listen(engine, "begin", _on_begin_postgresql)
    return engine


def _on_connect_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_connect_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        # Who does not answer the network any more is gone in a minute, and in two hours as systems come.
        cursor.execute("SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3")
    connection.commit()


def _on_begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _on_begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql(f"SET LOCAL {silent_at_most()}")


def silent_at_most() -> str:
    """The setting of PostgreSQL that ends a write which falls silent; a read holds nothing up, and may take its time."""
    return f"idle_in_transaction_session_timeout = {1000 * SILENT_AT_MOST:.0f}"


def shown(url: str) -> str:
    """A database address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "database.url"


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite database; None for one in memory and for other databases."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn what the driver says into what happened and what to do."""
    try:
        yield
    except DBAPIError as error:
        raise _explain(error, url) from error


def _explain(error: DBAPIError, url: str) -> DigestError:
    said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    path = sqlite_path(url)
    lower = said.lower()
    if path is not None:
        if "locked" in lower or "busy" in lower:
            return TemporaryFailure(
                f"the database {path} is locked by another process", fix="try again when the other command has ended"
            )
        if "readonly" in lower or "read-only" in lower or "unable to open" in lower or "permission" in lower:
            return NotPermitted(
                f"the database {path} cannot be written ({said})", fix="check the owner and mode of the file and of its folder"
            )
        if "full" in lower or "disk i/o" in lower:
            return TemporaryFailure(f"the disk of {path} is full or failing ({said})", fix="make room; nothing was lost")
        if "malformed" in lower or "not a database" in lower:
            return ConfigurationError(f"{path} is not a database ({said})", fix="restore a backup: digest db restore")
    elif known := _of_postgresql(getattr(error.orig, "sqlstate", None) or "", shown(url), said):
        return known
    elif isinstance(error, OperationalError):
        return ServerUnavailable(f"the database {shown(url)} does not answer: {said}", fix="check database.url and the server")
    return DigestError(f"the database refused: {said}")


def _of_postgresql(state: str, where: str, said: str) -> DigestError | None:
    """What a state (PostgreSQL, Appendix A) means, where it means more than that something is wrong."""
    if state.startswith("40") or state == "55P03":
        return TemporaryFailure(f"the database {where} is locked by another process ({said})", fix="try again")
    if state.startswith("53"):
        return TemporaryFailure(f"the server of {where} has no room ({said})", fix="make room; nothing was lost")
    if state == "25P03":
        return ServerUnavailable(f"the database {where} ended a write that had fallen silent", fix="nothing of it was kept")
    if state in ("25006", "42501"):
        return NotPermitted(f"the database {where} cannot be written ({said})", fix="check the rights of its user")
    return None
