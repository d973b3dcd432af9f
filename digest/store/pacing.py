"""The pace that all workers share: times for messages are reserved in small batches, a transaction each."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, func, select

from digest.outbox import pacing
from digest.outbox.pacing import Ask, Grant, Window
from digest.store.schema import pace
from digest.store.turns import take_turn
from digest.store.upsert import insert_or_replace

PROMPT = 0.002
"""Seconds within which the database tells its time, if nothing comes between."""
MOST_LOOKS = 5
_EPOCH = 2440587.5
"""1970-01-01 as a Julian day."""
_WINDOW = [pace.c[name] for name in ("free_at", "rate", "too_many", "lowered_at", "updated_at")]


def reserve(connection: Connection, asks: Sequence[Ask], monotonic: Callable[[], float]) -> list[Grant]:
    """Reserve times for messages, one grant for each ask; what the worker has seen lowers or raises what is learned.

    The limits hold for all who share the database, for its clock is the one that counts. The grants' times are on the
    worker's own clock, which `monotonic` shows.
    """
    take_turn(connection, "reserve times")
    now, here = _clocks(connection, monotonic)
    rows = connection.execute(select(pace.c.key, *_WINDOW).where(pace.c.key.in_([ask.key for ask in asks])))
    windows = {key: Window(*values) for key, *values in rows}
    grants: list[Grant] = []
    for ask in asks:
        windows[ask.key], grant = pacing.reserve(windows.get(ask.key, Window()), ask, now)
        grants.append(Grant(grant.key, grant.start + here, grant.number, grant.gap, grant.rate))
    insert_or_replace(connection, pace, [{"key": key, **asdict(window)} for key, window in windows.items()])
    return grants


def learned(connection: Connection) -> dict[str, float]:
    """The rates, messages a second, that workers have learned of late, by domain or relay."""
    now = _now(connection)
    found = connection.execute(select(pace.c.key, *_WINDOW).where(pace.c.rate.is_not(None)))
    standing = {key: pacing.standing(Window(*values), now) for key, *values in found}
    return {key: rate for key, rate in standing.items() if rate is not None}


def _clocks(connection: Connection, monotonic: Callable[[], float]) -> tuple[float, float]:
    """The time on the shared clock, and how far the worker's own is ahead of it. Looking again helps where something came
    between: two workers that are wrong by different amounts would take each other's times."""
    looks: list[tuple[float, float, float]] = []
    while not looks or (looks[-1][0] > PROMPT and len(looks) < MOST_LOOKS):
        before, now, after = monotonic(), _now(connection), monotonic()
        looks.append((after - before, now, (before + after) / 2 - now))
    return looks[-1][1], min(looks)[2]


def _now(connection: Connection) -> float:
    """Seconds since 1970 on the clock that all workers share. It goes on within a transaction."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
    return (float(connection.execute(select(func.julianday("now"))).scalar_one()) - _EPOCH) * 86400.0
