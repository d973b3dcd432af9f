"""Settling: what the operator knows about a delivery that the program does not."""

from datetime import datetime
from typing import Literal

from digest.outbox.retry import State
from digest.store import deliveries, ledger
from digest.store.engine import Store
from digest.store.rows import picks_from_json
from digest.store.schema import delivery, notice
from digest.subscribers import seen

Settled = Literal["submitted", "rejected", "queued"]
RETRIABLE: tuple[State, ...] = ("rejected", "expired", "parked", "skipped")
"""States in which a mail has surely not reached its reader, so that nobody need be asked before it is tried again."""


def settle(store: Store, now: datetime, number: int, state: Settled) -> bool:
    """Give a delivery that is in doubt, held or parked the state that it has in truth; returns whether it was one.

    One that was submitted has brought its papers to the reader, so they join his memory.
    """
    with store.write() as connection:
        if state == "queued":
            return ledger.retry(connection, delivery, number, now, from_states=ledger.UNSETTLED)
        if not ledger.resolve(connection, delivery, number, state, now):
            return False
        row = deliveries.find(connection, number)
        if state == "submitted" and row is not None:
            papers = [pick.paper_id for pick in picks_from_json(row.picks)]
            ledger.remember(connection, number, row.subscriber_id, seen.segment(row.edition_date, papers))
        return True


def settle_notice(store: Store, now: datetime, number: int, state: Settled) -> bool:
    """The same for a notice."""
    with store.write() as connection:
        if state == "queued":
            return ledger.retry(connection, notice, number, now, from_states=ledger.UNSETTLED)
        return ledger.resolve(connection, notice, number, state, now)
