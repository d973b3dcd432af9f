"""What the links of a reader's mails do, in whose hands they ever are: leave, pause, take either back, and have the link to the
preferences mailed.

Whoever finds a forwarded digest can do all of it but take back what somebody else did. So the reader is told by mail whatever
is done in his name, and one button there makes it undone.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from digest.allowance import Allowance
from digest.errors import NotPermitted
from digest.flows import subscribe
from digest.outbox.access import LIFE, access, preferences_url, undo, undo_url, whose_undo
from digest.store import allowances, deliveries, events, notices, subscribers
from digest.store.engine import Store
from digest.store.events import Event
from digest.subscribers.model import Subscriber
from digest.tokens import Signer

What = Literal["unsubscribed", "paused", "undone", ""]
"""What can be taken back; that it was; or nothing."""
TOLD = (Allowance(3, timedelta(days=1)),)
"""Mails that a reader is sent of one kind because a link was used. He is told whenever he leaves: so he may do so only as often
as he may be brought back."""
BROUGHT_BACK = (Allowance(5, timedelta(days=1)),)
UNDONE_WITHIN = timedelta(days=30)
SAME_PRESS = timedelta(minutes=1)
"""Who presses again within it pressed once."""
BY = "a link in his mail"
# A sign-up is none: whoever types an address brings nobody back.
_TURNS = frozenset({"confirmed", "paused", "resumed", "unsubscribed"})
_TELLS = {"unsubscribed": "goodbye", "paused": "paused"}


@dataclass(frozen=True, slots=True)
class Acted:
    """What the visitor is told: `undo` takes it back; so many mails were already on their way."""

    undo: str
    on_its_way: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """Does what they ask for. For a token that names nobody nothing is done, and what is returned looks the same."""

    store: Store
    signer: Signer
    public_url: str

    def leave(self, now: datetime, token: str) -> Acted:
        """End the subscription that this public id names: no mail of its begins to be submitted after this returns."""
        with self.store.read() as connection:
            # Nothing limits who comes here, so what changes nothing must not keep the mailer from writing.
            if subscribers.by_token(connection, token) is None:
                return Acted(undo(self.signer, token, now))
        at, on_its_way = now, 0
        with suppress(NotPermitted), self.store.write() as connection:  # who may not leave is mailed nothing anyway
            known = subscribers.by_token(connection, token)
            if known is not None:
                at = _pressed_before(connection, known, "unsubscribed", now) or now
                if known.state != "unsubscribed":
                    back = undo_url(self.public_url, undo(self.signer, token, now))
                    subscribe.leave(connection, known, now, BY, undo_url=back)
                on_its_way = deliveries.on_its_way(connection, known.id)
        return Acted(undo(self.signer, token, at), on_its_way)

    def pause(self, now: datetime, token: str, weeks: int) -> Acted | None:
        """Mail this reader nothing for so long, and tell him; a pause that is longer stays. None: too often today."""
        at, on_its_way = now, 0
        with suppress(NotPermitted), self.store.write() as connection:  # who leaves just now is mailed nothing anyway
            known = subscribers.by_token(connection, token)
            if known is not None:
                before = _pressed_before(connection, known, "paused", now, weeks=weeks)
                at = before or now
                until = now + timedelta(weeks=weeks)
                if not before and _can_pause(known, until):
                    if not _may_tell(connection, known, "paused", now):
                        return None
                    self._pause(connection, known, now, until, weeks)
                on_its_way = deliveries.on_its_way(connection, known.id)
        return Acted(undo(self.signer, token, at), on_its_way)

    def ask(self, now: datetime, token: str) -> None:
        """Mail this reader the link to his preferences, unless he got enough of these today."""
        with self.store.write() as connection:
            known = subscribers.by_token(connection, token)
            if known is not None:
                mail_access(connection, now, known, self.signer, self.public_url)

    def find(self, now: datetime, link: str) -> What:
        """What this link takes back."""
        with self.store.read() as connection:
            return self._found(connection, now, link)[0]

    def undo(self, now: datetime, link: str) -> What | None:
        """Take back the act that this link is about, if nothing came after it: the reader is as he was. Returns what `find`
        would say now. None: too often today."""
        try:
            with self.store.write() as connection:
                what, known, done = self._found(connection, now, link)
                if known is not None and done is not None:
                    if not allowances.spend(connection, {f"undo {known.id}": BROUGHT_BACK}, now):
                        return None
                    self._bring_back(connection, known, done, now)
                    what = "undone"
                return what
        except NotPermitted:
            return ""  # suppressed, or gone another way while this was looked at

    def _pause(self, connection: Any, known: Subscriber, now: datetime, until: datetime, weeks: int) -> None:
        reader = subscribers.become(connection, known.id, "paused", now, paused_until=until)
        kept = {"by": BY, "until": until.isoformat(), "weeks": weeks, **subscribe.state_of(known)}
        events.record(connection, "paused", known.id, now, kept)
        self._tell_of_pause(connection, reader, until, now)

    def _tell_of_pause(self, connection: Any, reader: Subscriber, until: datetime, now: datetime) -> None:
        content = {
            "address": reader.address.text,
            "until": until.astimezone(ZoneInfo(reader.preferences.zone)).date().isoformat(),
            "undo_url": undo_url(self.public_url, undo(self.signer, reader.token, now)),
        }
        subscribe.notify(connection, "paused", reader, content, now)

    def _bring_back(self, connection: Any, known: Subscriber, done: Event, now: datetime) -> None:
        """Make a reader what he was before this event; his mails of then are queued again."""
        subscribe.refuse_suppressed(connection, known.address)
        undid = {"by": BY, "undid": done.at.isoformat()}
        earlier = next(iter(_turns(connection, known)[1:]), None)
        # He is a reader since then: what has become due meanwhile is his.
        subscribers.become(connection, known.id, "active", done.at, expecting=known.state)
        events.record(connection, "resumed", known.id, now, undid)
        notices.withdraw(connection, known.id, [_TELLS[done.kind]], "it was undone", now)
        until = datetime.fromisoformat(done.details["was_until"]) if done.details["was_until"] else None
        if done.details["was"] != "paused" or (until is not None and until <= now):
            deliveries.reopen(connection, known.id, f"the reader is {known.state}", done.at, now)
            return
        reader = subscribers.become(connection, known.id, "paused", now, paused_until=until)
        paused = {**undid, "until": done.details["was_until"]}
        if until and earlier and earlier.kind == "paused" and earlier.details.get("by") == BY:
            # The mail about it may have been withdrawn, and its link is about what is over.
            self._tell_of_pause(connection, reader, until, now)
            paused |= {name: earlier.details.get(name) for name in ("was", "was_until")}
        events.record(connection, "paused", known.id, now, paused)

    def _found(self, connection: Any, now: datetime, link: str) -> tuple[What, Subscriber | None, Event | None]:
        """What this link takes back, with the reader and the event if it is still to be done."""
        token, at = whose_undo(self.signer, link)
        known = subscribers.by_token(connection, token) if token and now - at <= UNDONE_WITHIN else None
        last = next(iter(_turns(connection, known)), None) if known else None
        if known is None or last is None:
            return "", None, None
        if last.details.get("undid") == at.isoformat():
            return "undone", None, None
        if last.at != at or last.details.get("by") != BY or last.details.get("was") not in ("active", "paused"):
            return "", None, None
        if last.kind == known.state == "unsubscribed" or last.kind == known.state == "paused":
            return last.kind, known, last
        return "", None, None


def mail_access(connection: Any, now: datetime, reader: Subscriber, signer: Signer, public_url: str) -> bool:
    """Mail a reader the link that opens his preferences for an hour; False: he is none, or got enough of these today."""
    if reader.state not in ("active", "paused") or not _may_tell(connection, reader, "preferences", now):
        return False
    until = (now + LIFE).astimezone(ZoneInfo(reader.preferences.zone))
    content = {
        "address": reader.address.text,
        "access_url": preferences_url(public_url, access(signer, reader.token, now)),
        "valid_until": f"{until:%H:%M} ({reader.preferences.zone})",
    }
    subscribe.notify(connection, "preferences", reader, content, now)
    return True


def _can_pause(known: Subscriber, until: datetime) -> bool:
    paused_until = known.paused_until
    return known.state == "active" or (known.state == "paused" and paused_until is not None and paused_until < until)


def _may_tell(connection: Any, reader: Subscriber, kind: str, now: datetime) -> bool:
    return allowances.spend(connection, {f"{kind} {reader.id}": TOLD}, now)


def _turns(connection: Any, known: Subscriber) -> list[Event]:
    """The events by which he came, went or paused, the last one first."""
    return [one for one in reversed(events.history(connection, known.id)) if one.kind in _TURNS]


def _pressed_before(connection: Any, known: Subscriber, kind: str, now: datetime, **same: object) -> datetime | None:
    """When this was done by the same press; None where that was long ago, or by other means."""
    last = next(iter(_turns(connection, known)), None) if known.state == kind else None
    details = {"by": BY, **same}
    if last is None or last.kind != kind or any(last.details.get(name) != value for name, value in details.items()):
        return None
    return last.at if now - last.at <= SAME_PRESS else None
