"""Enrolment: new subscribers, one or a thousand at a time, in a number of statements that does not grow with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from digest.store.schema import notice, subscriber
from digest.store.subscribers import append_interests, columns_of, due_after
from digest.store.upsert import chunks, insert_new
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp
from digest.tokens import random_token


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is kept of a token that was mailed: its fingerprint, and until when it is valid."""

    fingerprint: str
    until: datetime


def enrol(
    connection: Connection,
    newcomers: Sequence[tuple[SignUp, Confirmation | None]],
    consent: Mapping[str, Any],
    now: datetime,
) -> dict[str, int]:
    """Add those whose address has no row yet: pending with a confirmation, active without.

    Returns their ids by `EmailAddress.key`; who is missing had a row already.
    """
    next_due = {wish: due_after("active", wish, now) for wish in {sign_up.preferences for sign_up, _ in newcomers}}
    rows = [_row(sign_up, confirmation, next_due[sign_up.preferences], consent, now) for sign_up, confirmation in newcomers]
    insert_new(connection, subscriber, rows)
    # Found by the tokens that they have just been given: whoever had a row before keeps his own.
    query = select(subscriber.c.address_key, subscriber.c.id)
    added = {
        row.address_key: row.id
        for tokens in chunks([row["token"] for row in rows])
        for row in connection.execute(query.where(subscriber.c.token.in_(tokens)))
    }
    wanted = [
        (added[key], interest)
        for sign_up, _ in newcomers
        if (key := sign_up.address.key) in added
        for interest in sign_up.interests
    ]
    append_interests(connection, wanted, now)
    return added


def queue_confirmations(
    connection: Connection, mails: Sequence[tuple[int, EmailAddress, str, Mapping[str, Any]]], now: datetime
) -> None:
    """Queue for each (subscriber, address, key, content) the mail that asks him to confirm. Keys are those of fresh tokens."""
    rows = [
        {
            "kind": "confirm",
            "recipient": address.text,
            "recipient_key": address.key,
            "key": key,
            "subscriber_id": subscriber_id,
            "content": dict(content),
            "due_at": now,
            "updated_at": now,
        }
        for subscriber_id, address, key, content in mails
    ]
    if rows:
        connection.execute(insert(notice), rows)


def _row(
    sign_up: SignUp, confirmation: Confirmation | None, due: datetime | None, consent: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    active = confirmation is None
    return {
        "token": random_token(),
        "address": sign_up.address.text,
        "address_key": sign_up.address.key,
        "name": sign_up.name,
        "state": "active" if active else "pending",
        **columns_of(sign_up.preferences),
        "created_at": now,
        "confirmed_at": now if active else None,
        "active_since": now if active else None,
        "confirmation": confirmation and confirmation.fingerprint,
        "confirmation_until": confirmation and confirmation.until,
        "consent": dict(consent),
        "next_due_at": due if active else None,
    }
