"""What visitors have used of their allowances, so that a restart gives nobody a fresh one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from digest.allowance import Allowance, spent
from digest.store.among import one_of
from digest.store.schema import allowance
from digest.store.upsert import insert_new, insert_or_replace


def spend(connection: Connection, wanted: Mapping[str, Sequence[Allowance]], now: datetime) -> bool:
    """Use one of each of these allowances, by the key that it is counted under; False, and nothing used, if one is used up.

    A key holds no address, neither of mail nor of a machine: at most a signature of one.
    """
    names = {f"{key} {number}": one for key, several in wanted.items() for number, one in enumerate(several)}
    # A row that is not there yet cannot be locked, and two first uses at once would both be let through. Always in the same
    # order: two who lock the same rows in different ones would wait for each other for ever.
    insert_new(connection, allowance, [{"key": name, "free_at": 0.0} for name in sorted(names)])
    found = select(allowance.c.key, allowance.c.free_at).where(one_of(connection, allowance.c.key, list(names)))
    free_at = dict(connection.execute(found.order_by(allowance.c.key).with_for_update()).all())
    after = spent(names.values(), [free_at.get(name, 0.0) for name in names], now.timestamp())
    if after is None:
        return False
    rows = [{"key": name, "free_at": time} for name, time in zip(names, after, strict=True)]
    insert_or_replace(connection, allowance, rows)
    return True


def prune(connection: Connection, now: datetime) -> int:
    """Forget what says nothing any more."""
    return connection.execute(delete(allowance).where(allowance.c.free_at < now.timestamp())).rowcount
