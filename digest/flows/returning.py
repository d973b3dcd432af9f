"""Coming back: what somebody who was a reader before asks for this time is kept with his sign-up, and his when he confirms it.

Anybody can type his address. So until then all stays as it was when he left: his choices, and the way to take leaving back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from digest.store import events, subscribers
from digest.subscribers import wishes
from digest.subscribers.model import RATED, STATED, SignUp, Subscriber


def to_keep(sign_up: SignUp) -> dict[str, Any]:
    """What the event of a sign-up keeps of it beside the consent."""
    wanted = wishes.to_json(wishes.Wishes(sign_up.preferences, sign_up.interests))
    return {"name": sign_up.name, "wishes": wanted} if sign_up.chooses else {}


def has_asked(connection: Any, known: Subscriber) -> bool:
    """Whether one who left or bounced was mailed a confirmation since then."""
    return known.state in ("unsubscribed", "bounced") and subscribers.confirmation_until(connection, known.id) is not None


def take_up(connection: Any, known: Subscriber, now: datetime) -> Mapping[str, Any]:
    """Make what he asked for last his; returns the record of his asking."""
    asked = dict(next(one.details for one in reversed(events.history(connection, known.id)) if one.kind == "subscribed"))
    wanted = wishes.from_json(asked.pop("wishes", {}))
    name = asked.pop("name", "")
    choose_anew(connection, known, SignUp(known.address, name, wanted.preferences, wanted.interests), now)
    return asked


def choose_anew(connection: Any, known: Subscriber, sign_up: SignUp, now: datetime) -> None:
    """Let one who comes back have what he chose this time, if anything; what he rated before stands, unless he brings ratings
    along. What was chosen for one who never confirmed may have been anybody's."""
    if known.confirmed_at and not sign_up.chooses:
        return
    subscribers.change(connection, known.id, now, name=sign_up.name or known.name, wish=sign_up.preferences)
    rates = any(interest.kind in RATED for interest in sign_up.interests)
    for kind in (*STATED, *(RATED if rates else ())):
        wanted = [interest for interest in sign_up.interests if interest.kind == kind]
        subscribers.set_interests(connection, known.id, kind, wanted, now)
