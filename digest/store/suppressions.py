"""Addresses that are never to be mailed again, kept as keyed hashes: the list tells nobody whom it protects.

The key lies in the database beside the list and is never rotated, for the list cannot be made again without the addresses.
"""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, select, update

from digest.store import deliveries, events, subscribers
from digest.store.among import one_of
from digest.store.schema import notice, secret, suppression
from digest.store.upsert import insert_new
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import State, may_become

Reason = Literal["operator", "bounce", "complaint", "erased"]
STATE_AFTER: dict[Reason, State] = {
    "operator": "unsubscribed",
    "bounce": "bounced",
    "complaint": "complained",
    "erased": "unsubscribed",
}
KEY_NAME = "suppression_key"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of the list; `hash` is the keyed hash of the address, in hexadecimal digits."""

    hash: str
    reason: str
    note: str
    since: datetime


def suppress(connection: Connection, address: EmailAddress, reason: Reason, now: datetime, note: str = "") -> bool:
    """Never mail this address again: put it on the list, withdraw what waits for it and end its reader's subscription.

    Returns whether it is new on the list.
    """
    note = address.left_out(note)[:500]
    new = add(connection, address, reason, now, note)
    connection.execute(
        update(notice)
        .where(notice.c.recipient_key == address.key, notice.c.state.in_(("queued", "claimed")))
        .values(state="skipped", worker_id=None, reply=f"suppressed: {reason}", updated_at=now)
    )
    reader, moved = subscribers.by_address(connection, address), False
    if reader is not None:
        deliveries.skip_open(connection, [reader.id], f"suppressed: {reason}", now)
        if may_become(reader.state, STATE_AFTER[reason]):
            moved = subscribers.become(connection, reader.id, STATE_AFTER[reason], now).state != reader.state
    if reader is not None and (new or moved):
        events.record(connection, "suppressed", reader.id, now, {"reason": reason, "note": note})
    elif new:
        # The note may tell who it is, and what belongs to no reader goes with none: the entry alone has it.
        events.record(connection, "suppressed", None, now, {"reason": reason})
    return new


def add(connection: Connection, address: EmailAddress, reason: Reason, now: datetime, note: str = "") -> bool:
    """Put an address on the list, and nothing else; returns whether it is new there. An earlier reason stands."""
    key = _key(connection) or _make_key(connection)
    row = {"address_hash": _hash(key, address), "reason": reason, "note": address.left_out(note)[:500], "since": now}
    return bool(insert_new(connection, suppression, [row]))


def remove(connection: Connection, address: EmailAddress) -> bool:
    """Take an address off the list; returns whether it was there."""
    key = _key(connection)
    if key is None:
        return False
    return bool(connection.execute(delete(suppression).where(suppression.c.address_hash == _hash(key, address))).rowcount)


def forget_note(connection: Connection, address: EmailAddress) -> None:
    """Leave of an entry what the hash and the reason say."""
    key = _key(connection)
    if key is not None:
        entry = suppression.c.address_hash == _hash(key, address)
        connection.execute(update(suppression).where(entry).values(note=""))


def find(connection: Connection, address: EmailAddress) -> Suppression | None:
    """The entry of an address."""
    key = _key(connection)
    if key is None:
        return None
    row = connection.execute(select(suppression).where(suppression.c.address_hash == _hash(key, address))).first()
    return None if row is None else Suppression(*row)


def suppressed_among(connection: Connection, addresses: Collection[str]) -> set[str]:
    """Which of these addresses are on the list; each is the `text` of an address, whatever the case of its letters."""
    key = _key(connection)
    if key is None:
        return set()
    hashes = {address: _hash(key, EmailAddress(address)) for address in addresses}
    query = select(suppression.c.address_hash).where(one_of(connection, suppression.c.address_hash, set(hashes.values())))
    listed = set(connection.scalars(query))
    return {address for address, its in hashes.items() if its in listed} if listed else set()


def listing(connection: Connection) -> list[Suppression]:
    """The whole list, oldest first."""
    query = select(suppression).order_by(suppression.c.since, suppression.c.address_hash)
    return [Suppression(*row) for row in connection.execute(query)]


def _hash(key: hmac.HMAC, address: EmailAddress) -> str:
    # A copy of what was begun: `hmac.digest` lets go of the interpreter's lock each time (`digest.tokens`).
    mac = key.copy()
    mac.update(address.key.encode())
    return mac.hexdigest()


_KEY = select(secret.c.value).where(secret.c.name == KEY_NAME)


def _key(connection: Connection) -> hmac.HMAC | None:
    found = connection.execute(_KEY).scalar()
    return None if found is None else hmac.new(bytes.fromhex(found), None, "sha256")


def _make_key(connection: Connection) -> hmac.HMAC:
    insert_new(connection, secret, [{"name": KEY_NAME, "value": secrets.token_hex(KEY_BYTES)}])
    made = _key(connection)  # ours, or that of another process that was first
    assert made is not None
    return made
