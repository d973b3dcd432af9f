"""Copies of an SQLite database, made while it is in use; PostgreSQL has better tools of its own."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import chain, count
from pathlib import Path

from digest.errors import BadInput, ConfigurationError, UsageError, unwritable
from digest.store import schema
from digest.store.engine import Store, sqlite_path
from digest.store.presence import alone

_POSTGRESQL = "this is for SQLite"
_FIX = "check the folder and its free space"


def backup(store: Store, target: Path) -> None:
    """Write a consistent copy; the file appears whole or not at all.

    Raises:
        UsageError: the target is there already, or the database is no SQLite file.
        TemporaryFailure: there is no room for it.
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
        _copy(lambda: sqlite3.connect(source), part)
        part.replace(target)
        _keep(target.parent)
    except OSError as error:
        raise unwritable(target, error, fix=_FIX) from None


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
        TemporaryFailure: there is no room for both; it is as it was.
        NotPermitted: it cannot be written; it is as it was.
    """
    path = sqlite_path(url)
    if path is None:
        raise UsageError(_POSTGRESQL, fix="use pg_restore for PostgreSQL")
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path):
        try:
            return _replace(path, file)
        except OSError as error:
            raise unwritable(path, error, fix=_FIX) from None


def _opened(file: Path) -> sqlite3.Connection:
    """A file that is only read; any name will do, also one with `?` or `#` in it."""
    # Without a log there is nothing to be read but the file; SQLite, not told so, makes one beside it and leaves it there.
    lone = not any(file.with_name(file.name + log).exists() for log in ("-wal", "-journal"))
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro{'&immutable=1' if lone else ''}", uri=True)


def _replace(path: Path, file: Path) -> Path | None:
    fresh = path.with_name(path.name + ".restoring")
    fresh.unlink(missing_ok=True)  # of a restore that was killed
    _copy(lambda: _opened(file), fresh)
    kept = None
    if path.exists():
        if os.geteuid() == 0:
            # What root restores belongs to whom it belonged to: the service does not run as root.
            os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
        kept = _unused(path.with_name(path.name + ".before-restore"))
        try:
            _copy(lambda: sqlite3.connect(path), kept)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            shutil.copyfile(path, kept)  # it is no database any more, and that is why it is replaced
            _keep(kept)
    for side in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        side.unlink(missing_ok=True)
    fresh.replace(path)
    _keep(path.parent)
    return kept


def _unused(path: Path) -> Path:
    """This name, or with the first number from 2 on under which there is nothing."""
    others = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(name for name in chain([path], others) if not name.exists())


def _copy(opened: Callable[[], sqlite3.Connection], target: Path) -> None:
    """Write a copy that outlasts a loss of power, or nothing."""
    try:
        with closing(opened()) as origin, closing(sqlite3.connect(target)) as copy:
            origin.backup(copy)
        _keep(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from None


def _keep(place: Path) -> None:
    """Have a file, or the names in a folder, on the disk before anything else is done."""
    number = os.open(place, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
