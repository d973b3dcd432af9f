"""One at a time, whatever process and machine it is: within a transaction, or for as long as a block runs.

SQLite has a single writer anyhow, and one machine; PostgreSQL is asked for a lock. Either way the turn ends with the process.
"""

import fcntl
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from digest.errors import Busy, unwritable
from digest.store.engine import Store, explained, sqlite_path
from digest.store.presence import open_beside

LOOK_AGAIN = 0.2
"""Seconds from one look whether the turn has come to the next."""


def take_turn(connection: Connection, what: str) -> None:
    """Wait until no other transaction does `what`; it is this transaction's turn until it ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_number(what))))


@contextmanager
def alone(store: Store, what: str, patience: float, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Do the block while nobody else does `what` with this database, be it in this process or in another one.

    No transaction is open meanwhile: the block may take minutes.

    Args:
        store: the database that those who are to take turns share.
        what: what is done in turns.
        patience: seconds to wait for the turn, in steps of `LOOK_AGAIN`; 0 looks once.
        sleep: how to wait; what it raises ends the waiting.

    Raises:
        Busy: the turn did not come in time.
        NotPermitted: the folder of the database cannot be written.
        TemporaryFailure: there is no room in it.
    """
    with _contender(store, what) as try_to_take:
        for _ in range(int(patience / LOOK_AGAIN)):
            if try_to_take():
                break
            sleep(LOOK_AGAIN)
        else:
            if not try_to_take():
                raise Busy(f"another process is at it: {what}", fix="try again when it has ended")
        yield


def _contender(store: Store, what: str) -> AbstractContextManager[Callable[[], bool]]:
    if not store.is_sqlite:
        return _at_the_server(store, what)
    path = sqlite_path(str(store.engine.url))
    return _at_a_file(path, what) if path is not None else _nobody_else()


@contextmanager
def _at_a_file(database: Path, what: str) -> Iterator[Callable[[], bool]]:
    """A lock on a file beside the database: of the open file, so that it holds between threads as well."""
    ending = f"turn-{re.sub('[^a-z0-9]+', '-', what.lower())}"
    try:
        lock = open_beside(database, ending)
    except OSError as error:
        beside = database.with_name(f"{database.name}.{ending}")
        raise unwritable(beside, error, fix="check its owner and mode, and those of its folder") from None

    def try_to_take() -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield try_to_take
    finally:
        os.close(lock)


@contextmanager
def _at_the_server(store: Store, what: str) -> Iterator[Callable[[], bool]]:
    """A lock of a session: the connection is taken out of the pool, for the lock lasts as long as it is open."""
    url = str(store.engine.url)
    with explained(url):
        connection = store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def try_to_take() -> bool:
        with explained(url):
            return bool(connection.execute(select(func.pg_try_advisory_lock(_number(what)))).scalar_one())

    try:
        connection.detach()
        yield try_to_take
    finally:
        # The server would notice in its own time that the session has ended, and the next turn is to begin now.
        with suppress(DBAPIError):
            connection.execute(select(func.pg_advisory_unlock_all()))
        connection.close()


@contextmanager
def _nobody_else() -> Iterator[Callable[[], bool]]:
    """A database in memory belongs to one connection."""
    yield lambda: True


def _number(what: str) -> int:
    return zlib.crc32(what.encode())
