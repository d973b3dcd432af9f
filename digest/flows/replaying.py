"""Replaying: a mail as it was submitted, made once more from what was stored of it. Nothing is queued, submitted or noted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from digest.errors import UsageError
from digest.flows.messages import Imprint, Press
from digest.outbox.identity import is_message_id
from digest.store import deliveries, editions, makings, subscribers
from digest.store.engine import Store
from digest.store.rows import picks_from_json
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence
from digest.tokens import Signer


@dataclass(frozen=True, slots=True)
class Replay:
    """A mail once more."""

    row: Any
    """Its delivery, with the reader's address and the edition's name."""
    content: bytes
    changed: tuple[str, ...] | None
    """What has changed since, of `templates`, `settings` and `program`; None where it was not noted then."""


def replay(
    store: Store, imprint: Imprint, keys: Sequence[str], address: EmailAddress, on: date, cadence: Cadence | None = None
) -> Replay:
    """The mail that brought a reader the edition of a date; without a cadence the daily one, or else the weekly one.

    Raises:
        UsageError: there is no such reader or mail, or what it was made of is forgotten.
    """
    with store.read() as connection:
        found = subscribers.by_address(connection, address)
        if found is None:
            raise UsageError(f"{address} is not a subscriber", fix="digest subscribers list")
        row = _row(connection, address, on, cadence)
        edition = editions.load(connection, row.edition_id)
        reader = deliveries.readers(connection, [found.id])[found.id]
        before = makings.noted(connection, row.updated_at)
    signer = next((one for one in map(_alone, keys) if is_message_id(one, row.message_id, edition.name, reader.token)), None)
    if signer is not None:
        imprint = replace(imprint, signer=signer)  # whoever signed it then signs it now, whichever key is the newest
    content = Press(imprint, edition).message(picks_from_json(row.picks), reader, row.message_id, row.due_at, row.id)
    now = imprint.making()
    changed = None if before is None else tuple(part for part, state in now.items() if before.get(part) != state)
    return Replay(row, content, changed)


def _row(connection: Any, address: EmailAddress, on: date, cadence: Cadence | None) -> Any:
    mails = [
        row
        for row in deliveries.listed(connection, address_key=address.key)
        if row.edition_date == on and cadence in (None, row.edition_cadence)
    ]
    if not mails:
        raise UsageError(f"{address} has no mail of {on}", fix=f"digest deliveries list --only {address}")
    tried = [row for row in mails if row.attempts or row.doubts or row.state == "submitting"]
    if not tried:
        row = mails[0]
        why = f" ({row.reply})" if row.reply else ""
        raise UsageError(
            f"the mail of {on} to {address} is {row.state}{why} and was never submitted",
            fix=f"to see what it would be: digest preview --date {on} --for {address}",
        )
    row = min(tried, key=lambda row: row.edition_cadence)
    if not row.picks:
        raise UsageError(
            f"what the mail of {on} to {address} was made of is forgotten by now", fix="picks are kept for 60 days"
        )
    return row


def _alone(key: str) -> Signer:
    return Signer([key])
