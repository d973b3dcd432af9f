"""Copies of an SQLite database, made while it is in use; PostgreSQL has better tools of its own."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from digest.errors import BadInput, ConfigurationError, NotPermitted, UsageError
from digest.store import schema
from digest.store.engine import Store, sqlite_path
from digest.store.presence import alone

_POSTGRESQL = "this is for SQLite"


def backup(store: Store, target: Path) -> None:
    """Write a consistent copy; the file appears whole or not at all.

    Raises:
        UsageError: the target is there already, or the database is no SQLite file.
        NotPermitted: the target cannot be written.
    """
    source = sqlite_path(str(store.engine.url))
    if source is None:
        raise UsageError(_POSTGRESQL, fix="use pg_dump for PostgreSQL")
    part = target.with_name(target.name + ".part")
    try:
        if target.exists():
            raise UsageError(f"{target} is there already", fix="choose another name")
        part.unlink(missing_ok=True)
        origin, copy = sqlite3.connect(source), sqlite3.connect(part)
        try:
            origin.backup(copy)
        finally:
            copy.close()
            origin.close()
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise NotPermitted(f"{target} cannot be written: {error}", fix="check the folder and its free space") from None


def check(file: Path) -> None:
    """Make sure that a file is a backup that this program can work with.

    Raises:
        UsageError: there is no such file.
        BadInput: it is no digest database, or damaged.
        ConfigurationError: its schema is newer than this program's.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    try:
        connection = _opened(file)
        try:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            sound = connection.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BadInput(f"{file} is not a digest database: {error}") from None
    if not found or sound != "ok":
        raise BadInput(f"{file} is damaged: {sound}")
    if found[0] > schema.HEAD:
        raise ConfigurationError(f"{file} has schema {found[0]}, newer than this program's", fix="run the newer program")


def restore(url: str, file: Path) -> Path | None:
    """Put a backup in the database's place; the former one is kept beside it, and its path returned.

    Raises:
        UsageError: the database is no SQLite file.
        Busy: another process has it open.
        NotPermitted: it cannot be written; it is as it was.
    """
    path = sqlite_path(url)
    if path is None:
        raise UsageError(_POSTGRESQL, fix="use pg_restore for PostgreSQL")
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path):
        try:
            return _replace(path, file)
        except (OSError, sqlite3.Error) as error:
            raise NotPermitted(f"{path} cannot be replaced: {error}", fix="check the folder and its free space") from None


def _opened(file: Path) -> sqlite3.Connection:
    """A file that is only read; any name will do, also one with `?` or `#` in it."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _replace(path: Path, file: Path) -> Path | None:
    fresh = path.with_name(path.name + ".restoring")
    fresh.unlink(missing_ok=True)  # of a restore that was killed
    origin, copy = _opened(file), sqlite3.connect(fresh)
    try:
        origin.backup(copy)
    finally:
        copy.close()
        origin.close()
    kept = None
    if path.exists():
        if os.geteuid() == 0:
            # What root restores belongs to whom it belonged to: the service does not run as root.
            os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
        kept = path.with_name(path.name + ".before-restore")
        former, copy = sqlite3.connect(path), sqlite3.connect(kept)
        try:
            former.backup(copy)
        finally:
            copy.close()
            former.close()
    for side in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        side.unlink(missing_ok=True)
    fresh.replace(path)
    return kept
