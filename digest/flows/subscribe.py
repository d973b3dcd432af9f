"""Subscribing and all that follows from it: confirm, change, pause, resume, unsubscribe, erase. Every act leaves an event.

Nobody is mailed an edition who did not confirm, or for whom the operator does not vouch; nobody who said no comes back but
by a confirmation of his own, or by taking his leaving back (`flows/links.py`); a suppressed address never does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from digest.edition.calendar import Schedule, next_due, reads_on
from digest.errors import ConfigurationError, NotPermitted, UsageError
from digest.flows import returning
from digest.outbox.access import ask_url
from digest.outbox.identity import unsubscribe_url
from digest.rendering.words import at_hour
from digest.store import events, notices, sign_ups, subscribers, suppressions
from digest.store.engine import Store
from digest.store.enrolment import Confirmation, enrol, queue_confirmations
from digest.store.erasure import scrub
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import (
    Interest,
    InterestKind,
    Preferences,
    SignUp,
    State,
    Subscriber,
    may_become,
)
from digest.tokens import fingerprint, random_token

CONFIRMATION_LIFE = timedelta(days=7)
CONFIRMATION_AGAIN_AFTER = timedelta(hours=24)
"""Whoever types somebody else's address into a form has him mailed once a day at most."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What came of a sign-up.

    `active`: he is a reader now; `pending`: he was mailed a confirmation; `waiting`: he was mailed one less than a day ago
    and is not mailed another; `already`: he was a reader before, and nothing changed.
    """

    what: Literal["active", "pending", "waiting", "already"]
    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Asked:
    """A confirmation that is under way: the token for the mail, and what is kept of it."""

    token: str
    kept: Confirmation


def subscribe(
    store: Store, now: datetime, sign_up: SignUp, *, confirmed: bool, public_url: str | None, source: str
) -> Subscribed:
    """Sign somebody up: at once if the operator vouches for him (`confirmed`), else he is mailed a confirmation.

    `source` says in words where he signed up; it is kept as part of his consent.

    Raises:
        ConfigurationError: a confirmation needs `site.public_url`.
        NotPermitted: the address is suppressed, or its reader has complained.
    """
    if not confirmed and not public_url:
        raise ConfigurationError("site.public_url is not set, and a confirmation needs it", fix="set it, or pass --confirmed")
    with store.write() as connection:
        return enter(connection, now, sign_up, public_url=None if confirmed else public_url, source=source)


def enter(
    connection: Any,
    now: datetime,
    sign_up: SignUp,
    *,
    public_url: str | None,
    source: str,
    asked_at: datetime | None = None,
) -> Subscribed:
    """The same within a transaction: at once without a `public_url`, else he is mailed a confirmation that leads there.

    That mail says when it was asked for on the site, which is `asked_at`; None: it was the operator who entered him.

    Raises NotPermitted as `subscribe`, and nothing was written.
    """
    address, confirmed = sign_up.address, public_url is None
    consent = consent_of(source, now, confirmed=confirmed)
    refuse_suppressed(connection, address)
    asked = None if confirmed else new_confirmation(now)
    added = enrol(connection, [(sign_up, asked.kept if asked else None)], consent, now)
    known = subscribers.by_address(connection, address)
    assert known is not None
    if not added:
        if known.state in ("active", "paused"):
            return Subscribed("already", known)
        if known.state == "complained":
            raise NotPermitted(f"{known.address} has complained about our mail and is never mailed again")
        if asked and _was_mailed_lately(connection, known, now):
            return Subscribed("waiting", known)
        if confirmed:
            _ask_no_more(connection, known, now)
        if asked and known.state != "pending":
            known = subscribers.become(connection, known.id, known.state, now, also=columns_of(asked.kept))
            consent |= returning.to_keep(sign_up)
        else:
            returning.choose_anew(connection, known, sign_up, now)
            kept = columns_of(asked.kept) if asked else {"confirmed_at": now}
            new_state: State = "pending" if asked else "active"
            known = subscribers.become(connection, known.id, new_state, now, also={**kept, "consent": consent})
    events.record(connection, "subscribed", known.id, now, consent)
    if asked and public_url:
        ask_to_confirm(connection, [(known.id, sign_up, asked)], public_url, now, asked_at)
    return Subscribed("active" if confirmed else "pending", known)


def find_to_confirm(store: Store, now: datetime, token: str) -> Subscriber | None:
    """Who was mailed this confirmation token; None: it is not valid (any more)."""
    with store.read() as connection:
        return subscribers.by_confirmation(connection, fingerprint(token), now)


def confirm(store: Store, now: datetime, token: str, public_url: str, schedule: Schedule) -> Subscriber | None:
    """Take the reader at his word who was mailed this token, and welcome him; a repeat changes nothing.

    None: the token is not valid (any more).
    """
    with store.write() as connection:
        known = subscribers.by_confirmation(connection, fingerprint(token), now)
        if known is None or known.state in ("active", "paused"):
            return known
        if suppressions.find(connection, known.address) is not None:
            return None
        reader = _confirmed(connection, known, now, by="the reader")
        wanted = subscribers.interests(connection, [reader.id], now).get(reader.id, ())
        content = {
            "name": reader.name,
            "address": reader.address.text,
            **_first_of(reader.preferences, schedule, now),
            "topics": [interest.value for interest in wanted if interest.kind == "topic"],
            "unsubscribe_url": unsubscribe_url(public_url, reader.token),
            "preferences_url": ask_url(public_url, reader.token),
        }
        notify(connection, "welcome", reader, content, now)
        return reader


def confirm_address(store: Store, now: datetime, address: EmailAddress) -> Subscriber:
    """Confirm for a pending reader, on the operator's word; nothing is mailed.

    Raises:
        UsageError: there is no such subscriber.
        NotPermitted: he is not pending, or is suppressed.
    """
    with store.write() as connection:
        known = _known(connection, address)
        if known.state in ("active", "paused"):
            return known
        refuse_suppressed(connection, address)
        return _confirmed(connection, known, now, by="the operator")


def change(
    store: Store,
    now: datetime,
    address: EmailAddress,
    *,
    name: str | None = None,
    preferences: Mapping[str, Any] | None = None,
    interests: Mapping[InterestKind, Sequence[Interest]] | None = None,
) -> Subscriber:
    """Change what a reader chose: some fields of his `Preferences`, and all interests of the kinds given.

    Raises:
        UsageError: there is no such subscriber.
    """
    with store.write() as connection:
        known = _known(connection, address)
        wish = replace(known.preferences, **preferences or {})
        changed: dict[str, Any] = dict(subscribers.change(connection, known.id, now, name=name, wish=wish))
        for kind, wanted in (interests or {}).items():
            if subscribers.set_interests(connection, known.id, kind, wanted, now):
                changed[kind] = [interest.value for interest in wanted]
        if changed:
            events.record(connection, "changed", known.id, now, changed)
        return _known(connection, address)


def pause(store: Store, now: datetime, address: EmailAddress, until: datetime | None) -> Subscriber:
    """Mail him nothing until then, or until he is resumed.

    Raises:
        UsageError: there is no such subscriber, or `until` is not later than now.
        NotPermitted: he is not active.
    """
    if until is not None and until <= now:
        raise UsageError("the pause would be over already", fix="name a later day")
    with store.write() as connection:
        reader = subscribers.become(connection, _known(connection, address).id, "paused", now, paused_until=until)
        events.record(connection, "paused", reader.id, now, {"until": until.isoformat() if until else None})
        return reader


def resume(store: Store, now: datetime, address: EmailAddress) -> Subscriber:
    """End a pause. Raises UsageError without such a subscriber, NotPermitted if he is neither paused nor active."""
    with store.write() as connection:
        known = _known(connection, address)
        if known.state == "active":
            return known
        reader = subscribers.become(connection, known.id, "active", now, expecting="paused")
        events.record(connection, "resumed", reader.id, now)
        return reader


def unsubscribe(store: Store, now: datetime, address: EmailAddress, by: str = "the operator") -> Subscriber:
    """End a subscription; a second time changes nothing. Raises UsageError without such a subscriber."""
    with store.write() as connection:
        return leave(connection, _known(connection, address), now, by)


def erase(store: Store, now: datetime, address: EmailAddress) -> None:
    """Forget a reader: all that holds his address goes. Its keyed hash stays suppressed, lest an old list revive him.

    Raises:
        UsageError: there is no such subscriber.
    """
    with store.write() as connection:
        known = _known(connection, address)
        notices.forget(connection, known.address)
        sign_ups.forget(connection, known.address)
        subscribers.erase(connection, known.id)
        suppressions.add(connection, known.address, "erased", now)
        suppressions.forget_note(connection, known.address)
        events.record(connection, "erased", None, now, {"state": known.state})
    scrub(store)


def first_digest(preferences: Preferences, schedule: Schedule, now: datetime) -> str:
    """When a new reader gets his first mail, in words: `on Monday at 07:30`; empty for one who reads on no day."""
    due = _first_of(preferences, schedule, now)
    return at_hour(datetime.fromisoformat(due["first_digest"]), due["first_zone"]) if due else ""


def _first_of(preferences: Preferences, schedule: Schedule, now: datetime) -> dict[str, str]:
    """The same for a mail that says it in its reader's language: in his own time, and whose zone that is if it must be told."""
    due = next_due(preferences, now) or _next_edition(preferences, schedule, now)
    if due is None:
        return {}
    local = due.astimezone(ZoneInfo(preferences.zone)).replace(tzinfo=None)
    return {"first_digest": local.isoformat(timespec="minutes"), "first_zone": "" if preferences.hour else preferences.zone}


def _next_edition(preferences: Preferences, schedule: Schedule, now: datetime) -> datetime | None:
    """When the next edition is frozen that is for a reader without an hour."""
    freezing = now
    for _ in range(8):
        freezing = schedule.next_freezing(freezing)
        on = schedule.date_at(freezing)
        if schedule.appears(on, preferences.cadence) and reads_on(preferences, on):
            return freezing
    return None


def consent_of(source: str, now: datetime, *, confirmed: bool) -> dict[str, Any]:
    """The record of where and when somebody asked, and that the operator vouches for it if he does."""
    asked = {"source": source, "asked_at": now.isoformat()}
    return {**asked, "confirmed_by": "the operator", "confirmed_at": now.isoformat()} if confirmed else asked


def columns_of(confirmation: Confirmation) -> dict[str, Any]:
    """What a subscriber's row keeps of a confirmation."""
    return {"confirmation": confirmation.fingerprint, "confirmation_until": confirmation.until}


def refuse_suppressed(connection: Any, address: EmailAddress) -> None:
    """Raise NotPermitted for an address that is on the suppression list."""
    entry = suppressions.find(connection, address)
    if entry is not None:
        raise NotPermitted(
            f"{address} is suppressed since {entry.since:%Y-%m-%d} ({entry.reason})",
            fix=f"if its owner asks for mail again: digest suppressions remove {address}",
        )


def new_confirmation(now: datetime) -> Asked:
    """A fresh token, and what is kept of it."""
    token = random_token()
    return Asked(token, Confirmation(fingerprint(token), now + CONFIRMATION_LIFE))


def ask_to_confirm(
    connection: Any,
    whom: Sequence[tuple[int, SignUp, Asked]],
    public_url: str,
    now: datetime,
    asked_at: datetime | None = None,
) -> None:
    """Queue the one mail that somebody gets who has not confirmed yet, for each (subscriber, sign-up, confirmation).

    It says that it was asked for on the site at that time; None: it does not.
    """
    told: dict[str, Any] = {}
    if asked_at:
        at = asked_at.astimezone(UTC)
        told = {"asked_on": at.date().isoformat(), "asked_at": f"{at:%H:%M}", "asked_from": urlsplit(public_url).hostname}
    mails = [
        (
            subscriber_id,
            sign_up.address,
            asked.kept.fingerprint[:20],
            {
                "confirm_url": f"{public_url}/confirm/{asked.token}",
                "address": sign_up.address.text,
                "valid_until": asked.kept.until.date().isoformat(),
                **told,
                "language": sign_up.preferences.language,
            },
        )
        for subscriber_id, sign_up, asked in whom
    ]
    queue_confirmations(connection, mails, now)


def _known(connection: Any, address: EmailAddress) -> Subscriber:
    known = subscribers.by_address(connection, address)
    if known is None:
        raise UsageError(f"{address} is no subscriber", fix="list them: digest subscribers list")
    return known


def _was_mailed_lately(connection: Any, known: Subscriber, now: datetime) -> bool:
    until = subscribers.confirmation_until(connection, known.id)
    return until is not None and now < until - CONFIRMATION_LIFE + CONFIRMATION_AGAIN_AFTER


def _ask_no_more(connection: Any, known: Subscriber, now: datetime) -> None:
    """Withdraw the mail that asks whom the operator vouches for, or that was in doubt and turned out to have come."""
    notices.withdraw(connection, known.id, ["confirm"], "he is confirmed", now)


def _confirmed(connection: Any, known: Subscriber, now: datetime, by: str) -> Subscriber:
    _ask_no_more(connection, known, now)
    expecting: State = "pending"
    asked = known.consent
    if returning.has_asked(connection, known):
        expecting, asked = known.state, returning.take_up(connection, known, now)
    consent = {**asked, "confirmed_by": by, "confirmed_at": now.isoformat()}
    kept = {"confirmed_at": now, "consent": consent}
    reader = subscribers.become(connection, known.id, "active", now, expecting=expecting, also=kept)
    events.record(connection, "confirmed", reader.id, now, {"by": by})
    return reader


def leave(connection: Any, known: Subscriber, now: datetime, by: str, *, undo_url: str = "") -> Subscriber:
    """End a subscription within a transaction; a second time changes nothing.

    Args:
        connection: of the transaction.
        known: whose it is.
        now: the time.
        by: who ended it, in words.
        undo_url: the page that takes it back, for the mail that says goodbye.
    """
    if not may_become(known.state, "unsubscribed") or known.state == "unsubscribed":
        return known
    reader = subscribers.become(connection, known.id, "unsubscribed", now, expecting=known.state)
    events.record(connection, "unsubscribed", reader.id, now, {"by": by, **state_of(known)})
    if known.state in ("active", "paused"):
        content = {"name": reader.name, "address": reader.address.text, "undo_url": undo_url}
        notify(connection, "goodbye", reader, content, now)
    return reader


def state_of(known: Subscriber) -> dict[str, Any]:
    """What an event keeps of how a reader was before it: his state, and until when he had paused."""
    return {"was": known.state, "was_until": known.paused_until.isoformat() if known.paused_until else None}


def notify(connection: Any, kind: str, reader: Subscriber, content: Mapping[str, Any], now: datetime) -> None:
    """Queue a single mail to a reader, in his language."""
    content = {**content, "language": reader.preferences.language}
    key = now.strftime("%Y%m%dT%H%M%S.%f")
    notices.enqueue(connection, kind=kind, recipient=reader.address, key=key, content=content, now=now, subscriber_id=reader.id)
