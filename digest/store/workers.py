"""Processes that deliver: who is there, who is gone, and what the dead held."""

import os
import platform
import zlib
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, column, delete, func, insert, select, table, update
from sqlalchemy.exc import OperationalError

from digest.store.process import boot_id, born, process_name, this_process
from digest.store.schema import delivery, notice, worker
from digest.store.turns import take_turn

BEAT_EVERY = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=60)
PATIENCE = "5s"
"""How long the server is given to notice that a process has died; whoever looks next finds the worker again."""
_SESSIONS = zlib.crc32(b"sessions of workers") >> 1
_ACTIVITY = table("pg_stat_activity", column("pid"), column("usename"), column("application_name"))


def register(connection: Connection, now: datetime) -> int:
    """Enter this process; returns its id."""
    row = {
        "host": platform.node(),
        "boot_id": boot_id(),
        "pid": os.getpid(),
        "born": born(os.getpid()),
        "started_at": now,
        "beat_at": now,
    }
    return int(connection.execute(insert(worker).returning(worker.c.id), row).scalar_one())


def beat(connection: Connection, worker_id: int, now: datetime) -> bool:
    """Say that this worker lives; False if it was given up for dead."""
    return connection.execute(update(worker).where(worker.c.id == worker_id).values(beat_at=now)).rowcount == 1


def retire(connection: Connection, worker_id: int, now: datetime) -> None:
    """Take a worker off the list; what it still held is queued again, or in doubt."""
    bury(connection, [worker_id], now)


def listed(connection: Connection) -> list[Row[Any]]:
    """Every worker that is entered, the longest there first."""
    return list(connection.execute(select(worker).order_by(worker.c.started_at, worker.c.id)))


def dead(connection: Connection, now: datetime, is_alive: Callable[[int, int], bool]) -> list[int]:
    """Workers that are silent for too long, or known to have died: on this host in this boot without their process, or
    before this host was booted. Whose session still lives at a PostgreSQL server may have a group on its way there: one that
    has died is waited for."""
    here, boot = platform.node(), boot_id()
    gone = []
    for row in connection.execute(select(worker)):
        silent = now - row.beat_at > SILENT_AFTER
        rebooted = bool(row.boot_id and boot and row.boot_id != boot)
        known_dead = row.host == here and (rebooted or not is_alive(row.pid, row.born))
        if silent or (known_dead and _session_ended(connection, row.id)):
            gone.append(row.id)
    return gone


def hold_session(connection: Connection, worker_id: int) -> None:
    """Let others see, for as long as this session lives, that what this worker writes may still be on its way."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_lock(_SESSIONS, _key(worker_id))))


def _session_ended(connection: Connection, worker_id: int) -> bool:
    if connection.dialect.name != "postgresql":
        return True
    with suppress(OperationalError), connection.begin_nested():
        connection.execute(select(func.set_config("lock_timeout", PATIENCE, True)))
        connection.execute(select(func.pg_advisory_xact_lock(_SESSIONS, _key(worker_id))))
        connection.execute(select(func.set_config("lock_timeout", "0", True)))
        return True
    return False


def _key(worker_id: int) -> int:
    return worker_id & 0x7FFFFFFF


def bury(connection: Connection, ids: list[int], now: datetime) -> tuple[int, int]:
    """Free what workers held, and what is held by nobody who is entered: claimed rows are queued again, rows that were
    submitting are in doubt; returns how many.

    `worker_id` stays on a row in doubt: an outcome that its worker reports after all settles it.
    """
    _cut_off(connection, ids)
    # Two who bury at once would take each other's new rows for those of the dead.
    take_turn(connection, "bury workers")
    # First of all, so that none of them claims anything behind our back.
    connection.execute(delete(worker).where(worker.c.id.in_(ids)))
    claimed = in_doubt = 0
    for mails in (notice, delivery):
        held = mails.c.worker_id.not_in(select(worker.c.id))
        claimed += connection.execute(
            update(mails).where(held, mails.c.state == "claimed").values(state="queued", worker_id=None, updated_at=now)
        ).rowcount
        in_doubt += connection.execute(
            update(mails)
            .where(held, mails.c.state == "submitting")
            .values(
                state="in_doubt",
                doubts=mails.c.doubts + 1,
                attempts=mails.c.attempts + 1,
                in_doubt_at=case((mails.c.in_doubt_at.is_(None), now), else_=mails.c.in_doubt_at),
                updated_at=now,
            )
        ).rowcount
    return claimed, in_doubt


def _cut_off(connection: Connection, ids: Collection[int]) -> None:
    """End the sessions that dead processes have at a PostgreSQL server. One that froze in the midst of a write holds what all
    others wait for, and the server itself ends only those that froze between two statements, not amid a pipeline of them."""
    if connection.dialect.name != "postgresql":
        return
    rows = connection.execute(select(worker).where(worker.c.id.in_(ids)))
    dead_ones = {process_name(row.host, row.boot_id, row.pid, row.born) for row in rows} - {this_process()}
    if not dead_ones:
        return
    theirs = (_ACTIVITY.c.application_name.in_(dead_ones)) & (_ACTIVITY.c.usename == func.current_user())
    connection.execute(select(func.pg_terminate_backend(_ACTIVITY.c.pid)).where(theirs))
