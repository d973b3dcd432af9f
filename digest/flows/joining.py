"""Signing up on the web: what a visitor sends is noted, and what follows from it is settled a moment later, out of his sight.

So nobody learns from an answer, nor from how long it took, whether an address is known here.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from digest.allowance import Allowance
from digest.errors import NotPermitted
from digest.flows import links, subscribe
from digest.store import allowances, sign_ups
from digest.store.engine import Store
from digest.store.turns import take_turn
from digest.subscribers import wishes
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp
from digest.subscribers.roles import is_role
from digest.tokens import Signer

OF_A_VISITOR = (Allowance(5, timedelta(minutes=1)), Allowance(20, timedelta(hours=1)))
OF_ALL = (Allowance(200, timedelta(hours=1)),)
OF_AN_ADDRESS = (Allowance(1, timedelta(hours=24)), Allowance(3, timedelta(days=7)))
"""However many visitors type it: a mailbox gets no more mail from us than this before its owner has said yes."""
AT_ONCE = 100

log = logging.getLogger(__name__)


def note(store: Store, now: datetime, address: EmailAddress, wanted: Mapping[str, Any], visitor: str, origin: str) -> bool:
    """Note a sign-up; False if there were too many, from this visitor or from all.

    Args:
        wanted: what he chose, as `wishes.to_json` writes it.
        visitor: what he is counted as.
        origin: where from, as it is kept with his consent.
    """
    with store.write() as connection:
        if not allowances.spend(connection, {f"sign-up {visitor}": OF_A_VISITOR, "sign-up": OF_ALL}, now):
            return False
        sign_ups.note(connection, address, wanted, origin, now)
        return True


def settle(store: Store, now: datetime, signer: Signer, public_url: str) -> int:
    """Do for all that signed up what is to be done; returns how many there were."""
    settled = 0
    while True:
        with store.write() as connection:
            # Two who settle the same addresses, each in an order of his own, would wait for each other.
            take_turn(connection, "settle sign-ups")
            rows = sign_ups.take(connection, AT_ONCE)
            for row in rows:
                _settle(connection, now, row, signer, public_url)
        settled += len(rows)
        if len(rows) < AT_ONCE:
            return settled


def _settle(connection: Any, now: datetime, row: Any, signer: Signer, public_url: str) -> None:
    address = EmailAddress(row.address)
    if is_role(address):
        log.info("a sign-up of %s came to nothing: nobody there could confirm it", address.masked)
        return
    if not allowances.spend(connection, {f"address {signer.sign('address', address.mailbox)}": OF_AN_ADDRESS}, now):
        return
    wanted = wishes.from_json(row.wishes)
    sign_up = SignUp(address, preferences=wanted.preferences, interests=wanted.interests)
    try:
        source = f"the site, from {row.origin}"
        done = subscribe.enter(connection, now, sign_up, public_url=public_url, source=source, asked_at=row.asked_at)
    except NotPermitted as error:
        # He is not to be mailed: the visitor saw what everybody sees, and that is all.
        log.info("a sign-up of %s came to nothing: %s", address.masked, type(error).__name__)
        return
    if done.what == "already":
        links.mail_access(connection, now, done.subscriber, signer, public_url)
