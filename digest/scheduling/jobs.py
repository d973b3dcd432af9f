"""Jobs on PostgreSQL (procrastinate): who may use them, their tables, and how many there are.

A job carries nothing: it says what is to be done, and the tables of this program say to whom. One that is lost, doubled or
stuck costs time and no mail.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.errors import ConfigurationError, ServerUnavailable, TemporaryFailure
from digest.store.engine import shown
from digest.store.process import this_process

if TYPE_CHECKING:
    from procrastinate import App
    from sqlalchemy import Connection

_MARKED = """SELECT obj_description(to_regclass('procrastinate_jobs')) AS mark,
to_regclass('procrastinate_jobs') IS NOT NULL AS is_there"""
_LOCK = 0x6A6F6273
"""The turn of those who make the tables (pg_advisory_xact_lock)."""


def require(url: str) -> None:
    """Make sure that jobs can be used with this database. Raises ConfigurationError."""
    if _is_sqlite(url):
        raise ConfigurationError(
            f"workers share a database on a server, and {shown(url)} is a file of this machine",
            fix="set database.url to a PostgreSQL; on one machine use digest daemon",
        )
    if not installed():
        raise ConfigurationError(
            "what workers need is not installed", fix="install the extra, in the checkout: pip install '.[workers]'"
        )
    mark = _mark(url)
    if mark is None or mark < _latest(_own_migrations()):
        raise ConfigurationError(
            f"the tables for jobs in {shown(url)} are {'older than this program needs' if mark else 'not there'}",
            fix="run: digest db upgrade",
        )


def installed() -> bool:
    return find_spec("procrastinate") is not None


def application(url: str) -> "App":
    """The package over this database, with no tasks yet."""
    from procrastinate import App, PsycopgConnector
    from psycopg.conninfo import make_conninfo

    named = make_conninfo(_libpq(url), application_name=this_process())
    return App(connector=PsycopgConnector(conninfo=named, min_size=1, max_size=4))


def upgrade(url: str, migrations: Path | None = None) -> bool:
    """Make the tables for jobs, or bring them to what the installed package needs; each step is whole or not done.

    Returns whether there are such tables: not on SQLite, and not where the package is not installed. What was done last stands
    in the comment of a table, for the package itself keeps no account of it.

    Args:
        url: the database.
        migrations: the package's folder of migrations, `NN.NN.NN_NN_name.sql`, applied in the order of their names.
    """
    if _is_sqlite(url) or not installed():
        return False
    from procrastinate.schema import SchemaManager

    folder = migrations or _own_migrations()
    mark = _mark(url)
    if mark is None:
        _apply(url, SchemaManager.get_schema(), _latest(folder), expected=None)
        return True
    if not mark:
        raise ConfigurationError(
            f"the tables of procrastinate in {shown(url)} were not made by this program",
            fix="give this program a database of its own, or drop them: they keep nothing that lasts",
        )
    for file in sorted(folder.glob("*.sql")):
        if file.stem > mark:
            _apply(url, file.read_text(encoding="utf-8"), file.stem, expected=mark)
            mark = file.stem
    return True


def counts(connection: "Connection") -> dict[str, int] | None:
    """How many jobs are in which state; None where there are no tables for jobs."""
    if connection.dialect.name != "postgresql" or not connection.exec_driver_sql(_MARKED).one().is_there:
        return None
    rows = connection.exec_driver_sql("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status ORDER BY status")
    return {str(state): int(number) for state, number in rows}


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the package raises when the database fails it into an error of ours."""
    from procrastinate.exceptions import ConnectorException
    from psycopg.errors import ForeignKeyViolation, OperationalError

    try:
        yield
    except (ConnectorException, OperationalError) as error:
        if isinstance(error.__cause__, ForeignKeyViolation):
            raise TemporaryFailure(
                "this worker was silent for so long that it was given up", fix="nothing is lost: it enters itself anew"
            ) from error
        raise ServerUnavailable(
            f"the database does not answer: {reason(error)}", fix="check database.url and the server"
        ) from error


def reason(error: BaseException) -> str:
    """What the database said, in a line."""
    said = str(error.__cause__ or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _apply(url: str, statements: str, mark: str, *, expected: str | None) -> None:
    """Run statements in one transaction and note it, unless somebody else did meanwhile."""
    with _connection(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if _marked(connection) == expected:
            connection.execute(statements)
            connection.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{mark}'")


def _mark(url: str) -> str | None:
    with _connection(url) as connection:
        return _marked(connection)


def _marked(connection: Any) -> str | None:
    """The last step that was done; an empty text where somebody else made the tables, None where there are none."""
    mark, is_there = connection.execute(_MARKED).fetchone()
    return str(mark or "") if is_there else None


@contextmanager
def _connection(url: str) -> Iterator[Any]:
    import psycopg

    try:
        with psycopg.connect(_libpq(url)) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise ServerUnavailable(
            f"the database {shown(url)} does not answer: {reason(error)}", fix="check database.url and the server"
        ) from error


def _own_migrations() -> Path:
    from procrastinate.schema import SchemaManager

    return Path(SchemaManager.get_migrations_path())


def _latest(migrations: Path) -> str:
    return max(file.stem for file in migrations.glob("*.sql"))


def _libpq(url: str) -> str:
    """The address as the driver reads it (PostgreSQL, 34.1.1.2)."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")
