"""Subscribers: found, added, changed, and moved from state to state; with what they want.

A reader who leaves gets nothing more: what waits for him is withdrawn in the same transaction, before his own row is
touched (ARCHITECTURE.md, promise 1), except what is on the wire already.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, or_, select, update

from digest.edition.calendar import next_due
from digest.errors import NotPermitted
from digest.papers.model import Work
from digest.store import deliveries, events, notices, profiles
from digest.store.among import given, one_of_given
from digest.store.columns import Instant, plain_rows
from digest.store.rows import work_to_json
from digest.store.schema import delivery, interest, subscriber
from digest.store.upsert import CHUNK, chunks
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence, Interest, InterestKind, Preferences, State, Subscriber, may_become

LEFT: frozenset[State] = frozenset({"paused", "unsubscribed", "bounced", "complained"})
"""States in which a reader gets no edition, though he got some before."""
NOTHING: Mapping[str, Work] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reader:
    """A subscriber with what he wants and with his memory of papers (`digest.subscribers.seen`)."""

    subscriber: Subscriber
    interests: tuple[Interest, ...]
    seen: str


def by_address(connection: Connection, address: EmailAddress) -> Subscriber | None:
    return _one(connection, select(subscriber).where(subscriber.c.address_key == address.key))


def by_token(connection: Connection, token: str) -> Subscriber | None:
    """The subscriber whose public random id this is."""
    return _one(connection, select(subscriber).where(subscriber.c.token == token))


def by_confirmation(connection: Connection, fingerprint: str, now: datetime) -> Subscriber | None:
    """The subscriber who was mailed the confirmation token with this fingerprint, while it is valid."""
    valid = (subscriber.c.confirmation == fingerprint) & (subscriber.c.confirmation_until > now)
    return _one(connection, select(subscriber).where(valid))


def confirmation_until(connection: Connection, subscriber_id: int) -> datetime | None:
    """Until when the confirmation token that was mailed last is valid."""
    return connection.execute(select(subscriber.c.confirmation_until).where(subscriber.c.id == subscriber_id)).scalar()


def readers(connection: Connection, ids: Collection[int], at: datetime) -> list[Reader]:
    """Readers by id, in order of id, with what they wanted at an instant; two statements, however many."""
    rows = connection.execute(select(subscriber).where(subscriber.c.id.in_(list(ids))).order_by(subscriber.c.id)).all()
    wanted = interests(connection, [row.id for row in rows], at)
    return [Reader(from_row(row), wanted.get(row.id, ()), row.seen) for row in rows]


def listing(
    connection: Connection, at: datetime, *, state: State | None = None, search: str = "", limit: int | None = None
) -> Iterator[Reader]:
    """Readers in order of sign-up, read as they are asked for; `search` is a part of the address or name, in any case."""
    query = select(subscriber.c.id).order_by(subscriber.c.id)
    if state is not None:
        query = query.where(subscriber.c.state == state)
    if search:
        in_address = subscriber.c.address_key.contains(search.casefold(), autoescape=True)
        query = query.where(or_(in_address, subscriber.c.name.icontains(search, autoescape=True)))
    last, left = 0, limit
    while left is None or left > 0:
        ids = connection.execute(query.where(subscriber.c.id > last).limit(min(left or CHUNK, CHUNK))).scalars().all()
        if not ids:
            return
        yield from readers(connection, ids, at)
        last, left = ids[-1], None if left is None else left - len(ids)


def states(connection: Connection, addresses: Collection[EmailAddress]) -> dict[str, tuple[int, State]]:
    """By `EmailAddress.key`, the (id, state) of those who have a row."""
    query = select(subscriber.c.address_key, subscriber.c.id, subscriber.c.state)
    return {
        row.address_key: (row.id, row.state)
        for chunk in chunks([address.key for address in addresses])
        for row in connection.execute(query.where(subscriber.c.address_key.in_(chunk)))
    }


def counts(connection: Connection) -> dict[State, int]:
    """How many subscribers are in which state."""
    query = select(subscriber.c.state, func.count()).group_by(subscriber.c.state)
    return dict(connection.execute(query).all())


def earliest_due(connection: Connection) -> datetime | None:
    """When the next reader with an hour of his own is due."""
    query = select(func.min(subscriber.c.next_due_at)).where(subscriber.c.state == "active")
    return connection.execute(query).scalar()


def change(
    connection: Connection, subscriber_id: int, now: datetime, *, name: str | None = None, wish: Preferences | None = None
) -> dict[str, list[Any]]:
    """Change what a reader chose; returns [old, new] for each column that changed. Other due times begin from now."""
    row = _locked(connection, subscriber_id)
    new = {} if wish is None else columns_of(wish)
    if name is not None:
        new["name"] = name
    changed = {column: [getattr(row, column), value] for column, value in new.items() if getattr(row, column) != value}
    if not changed:
        return {}
    if wish is not None and changed.keys() & {"zone", "hour", "days", "cadence"}:
        new["next_due_at"] = due_after(row.state, wish, now)
    connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(new))
    return changed


def become(
    connection: Connection,
    subscriber_id: int,
    new: State,
    now: datetime,
    *,
    expecting: State | None = None,
    paused_until: datetime | None = None,
    also: Mapping[str, Any] | None = None,
) -> Subscriber:
    """Bring a reader to a state, and return him as he is then. `also`: other columns to set.

    `expecting` is the state that makes this right: one who left a moment ago is not brought back by what was meant for
    the reader he was.

    Raises:
        NotPermitted: his state may not become this one, or is not the one expected.
    """
    if new in LEFT:
        # Single mails first, as workers and erasure do it: in another order, two of them would wait for each other.
        notices.withdraw(connection, subscriber_id, ("confirm", "welcome", "paused"), f"the reader is {new}", now)
        deliveries.skip_open(connection, [subscriber_id], f"the reader is {new}", now)
    row = _locked(connection, subscriber_id)
    if not may_become(row.state, new) or expecting not in (None, row.state):
        raise NotPermitted(f"{row.address} is {row.state} and cannot become {new}")
    values: dict[str, Any] = {"state": new, "paused_until": paused_until}
    values["next_due_at"] = row.next_due_at if new == row.state else due_after(new, from_row(row).preferences, now)
    if new == "active" != row.state:
        values["active_since"] = now
    if new not in ("active", "paused", "pending"):
        values |= {"confirmation": None, "confirmation_until": None}
    values |= also or {}
    connection.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(values))
    if new in LEFT:
        # What was queued for him while this transaction waited for his row.
        deliveries.skip_open(connection, [subscriber_id], f"the reader is {new}", now)
    return from_row(_locked(connection, subscriber_id))


def wake_paused(connection: Connection, now: datetime) -> int:
    """Make those active again whose pause is over; returns how many."""
    over = (subscriber.c.state == "paused") & (subscriber.c.paused_until <= now)
    query = select(subscriber.c.id, subscriber.c.paused_until).where(over).order_by(subscriber.c.id)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        # He is back since then, whenever somebody looks: what has become due since is his.
        become(connection, row.id, "active", row.paused_until, expecting="paused")
    events.record_for_all(connection, "resumed", [(row.id, {"by": "the end of the pause"}) for row in rows], now)
    return len(rows)


def erase(connection: Connection, subscriber_id: int) -> None:
    """Delete a subscriber and everything that hangs on him. Notices to his address: `notices.forget`."""
    connection.execute(delete(delivery).where(delivery.c.subscriber_id == subscriber_id))
    connection.execute(delete(subscriber).where(subscriber.c.id == subscriber_id))


def interests(connection: Connection, ids: Collection[int], at: datetime) -> dict[int, tuple[Interest, ...]]:
    """What each of these readers wanted at an instant; who wanted nothing is missing."""
    query, parameters = _interests(connection.dialect.name), {"ids": given(connection, ids), "at": at}
    found: dict[int, list[Interest]] = {}
    for subscriber_id, kind, value, weight in plain_rows(connection, query, parameters):
        found.setdefault(subscriber_id, []).append(Interest(kind, value, weight))
    return {subscriber_id: tuple(wanted) for subscriber_id, wanted in found.items()}


@cache
def _interests(dialect: str) -> Select[Any]:
    at = bindparam("at", type_=Instant)
    valid = (interest.c.valid_from <= at) & (interest.c.valid_to.is_(None) | (interest.c.valid_to > at))
    query = select(interest.c.subscriber_id, interest.c.kind, interest.c.value, interest.c.weight)
    return query.where(one_of_given(dialect, interest.c.subscriber_id, "ids"), valid).order_by(interest.c.id)


def set_interests(
    connection: Connection, subscriber_id: int, kind: InterestKind, wanted: Iterable[Interest], now: datetime
) -> bool:
    """Let a reader want exactly these of one kind from now on; returns whether that is new.

    What he wanted before stays on record, with its end.
    """
    wanted = list(dict.fromkeys(wanted))
    profiles.lock(connection, [subscriber_id])
    before = {Interest(row.kind, row.value, row.weight): row.id for row in standing(connection, subscriber_id, [kind])}
    new = [one for one in wanted if one not in before]
    ended = [number for one, number in before.items() if one not in wanted]
    if ended:
        profiles.forget(connection, [subscriber_id])
        end(connection, ended, now)
    append_interests(connection, [(subscriber_id, one) for one in new], now)
    return bool(ended or new)


def append_interests(
    connection: Connection, wanted: Sequence[tuple[int, Interest]], now: datetime, works: Mapping[str, Work] = NOTHING
) -> None:
    """Note for each (subscriber, interest) that he wants it from now on; his profiles are forgotten, to be learned anew.

    `works` are papers by id that those may like who have them from elsewhere: for papers that no source has shown us.
    """
    rows = [
        {
            "subscriber_id": one,
            "kind": wish.kind,
            "value": wish.value,
            "weight": wish.weight,
            "valid_from": now,
            "work": work_to_json(works[wish.value]) if wish.value in works else None,
        }
        for one, wish in wanted
    ]
    if rows:
        profiles.forget(connection, {one for one, _ in wanted})
        connection.execute(insert(interest), rows)


def standing(connection: Connection, subscriber_id: int, kinds: Collection[InterestKind]) -> list[Row[Any]]:
    """His interests of these kinds that have not ended."""
    mine = (interest.c.subscriber_id == subscriber_id) & interest.c.kind.in_(list(kinds)) & interest.c.valid_to.is_(None)
    return list(connection.execute(select(interest).where(mine).order_by(interest.c.id)))


def ever_wanted(connection: Connection, subscriber_id: int) -> list[Row[Any]]:
    """All interests that are on record of a reader, those that have ended too."""
    return list(connection.execute(select(interest).where(interest.c.subscriber_id == subscriber_id).order_by(interest.c.id)))


def end(connection: Connection, numbers: Collection[int], now: datetime) -> None:
    """End interests by their rows; the profiles of whom they belong to are forgotten by then."""
    for chunk in chunks(numbers):
        connection.execute(update(interest).where(interest.c.id.in_(chunk)).values(valid_to=now))


def due_after(state: State, preferences: Preferences, now: datetime) -> datetime | None:
    """What `next_due_at` is for a reader of this state who chose this: his first due time after now."""
    return next_due(preferences, now) if state == "active" else None


def columns_of(preferences: Preferences) -> dict[str, Any]:
    """Preferences as the columns of `subscriber`."""
    return {
        "zone": preferences.zone,
        "hour": preferences.hour and preferences.hour.strftime("%H:%M"),
        "days": sum(1 << day for day in preferences.days),
        "cadence": preferences.cadence,
        "size": preferences.size,
        "share": preferences.share,
        "language": preferences.language,
    }


def preferences_from(
    zone: str,
    hour: str | None,
    days: int,
    cadence: Cadence,
    size: int | None = None,
    share: float | None = None,
    language: str = "",
) -> Preferences:
    """The inverse of `columns_of`: preferences from the columns of `subscriber`."""
    return Preferences(
        zone=zone,
        hour=None if hour is None else time.fromisoformat(hour),
        days=frozenset(day for day in range(7) if days >> day & 1),
        cadence=cadence,
        size=size,
        share=share,
        language=language,
    )


def from_row(row: Row[Any]) -> Subscriber:
    """A row of `subscriber` as the noun."""
    return Subscriber(
        id=row.id,
        address=EmailAddress(row.address),
        state=row.state,
        token=row.token,
        name=row.name,
        preferences=preferences_from(row.zone, row.hour, row.days, row.cadence, row.size, row.share, row.language),
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        paused_until=row.paused_until,
        next_due_at=row.next_due_at,
        consent=row.consent,
    )


def _one(connection: Connection, query: Select[Any]) -> Subscriber | None:
    row = connection.execute(query).first()
    return None if row is None else from_row(row)


def _locked(connection: Connection, subscriber_id: int) -> Row[Any]:
    return connection.execute(select(subscriber).where(subscriber.c.id == subscriber_id).with_for_update()).one()
