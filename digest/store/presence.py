"""Who has the database open: a lock on a file beside it, shared by all that work and alone for one that replaces it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.errors import Busy


class Presence:
    """Held while a process uses an SQLite database; the operating system lets go of it when the process ends."""

    def __init__(self, database: Path) -> None:
        """Raises Busy while the database is being replaced."""
        self._file: int | None = None
        try:
            self._file = _open(database)
        except OSError:
            return  # where nothing can be written, nothing can be replaced either
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            self.end()
            raise Busy(f"{database} is being restored", fix="try again when that has ended") from None

    def end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Keep everybody else out while the block runs. Raises Busy if somebody is in."""
    lock = _open(database)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"{database} is in use by another process", fix="stop the daemon, the web part and cron first") from None
        yield
    finally:
        os.close(lock)


def _open(database: Path) -> int:
    return open_beside(database, "lock")


def open_beside(database: Path, ending: str) -> int:
    """A file for a lock beside a database, made if it is not there. Raises OSError.

    One that root makes belongs to whom the database belongs to, as SQLite has it with its own: the service, which is to open it
    too, does not run as root. No link that stands there makes root give away something else.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    opened = os.open(database.with_name(f"{database.name}.{ending}"), flags, 0o600)
    if os.geteuid() == 0 and database.exists() and os.fstat(opened).st_nlink == 1:
        owner = database.stat()
        os.fchown(opened, owner.st_uid, owner.st_gid)
    return opened
