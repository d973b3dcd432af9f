"""Deliveries: who gets which edition when, and how far that is. One row an edition and reader, whatever happens."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from digest.edition.model import Pick
from digest.store.among import given, one_of, one_of_given
from digest.store.columns import Moments, plain_rows
from digest.store.rows import picks_from_json, picks_to_json
from digest.store.schema import delivery, edition, notice, subscriber
from digest.store.turns import take_turn
from digest.store.upsert import insert_new, insert_new_from
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence

UNDER_WAY = ("submitting", "in_doubt", "held")
"""States in which the reader may have the papers already, or may get them yet."""
READERS_AT_ONCE = 10_000
"""Ids that are queued by one statement: SQLite keeps in memory what a statement finds before it is inserted."""


@dataclass(frozen=True, slots=True)
class Due:
    """A reader who may be due: what his due times are made of."""

    subscriber_id: int
    next_due_at: datetime
    zone: str
    hour: str
    days: int
    cadence: Cadence


def readers_due(connection: Connection, now: datetime, *, after_id: int, limit: int) -> list[Due]:
    """Active readers with an hour whose `next_due_at` has come, in order of id."""
    columns = ("id", "next_due_at", "zone", "hour", "days", "cadence")
    query = (
        select(*(subscriber.c[name] for name in columns))
        .where(subscriber.c.state == "active", subscriber.c.next_due_at <= now, subscriber.c.id > after_id)
        .where(subscriber.c.active_since <= now, subscriber.c.hour.is_not(None))
        .order_by(subscriber.c.id)
        .limit(limit)
        # Nobody leaves between this look and the row that follows from it; and not a shared lock, for `move_due` would have to
        # wait for all who share it, and they for it.
        .with_for_update(key_share=True)
    )
    return [Due(*row) for row in connection.execute(query)]


def enqueue(connection: Connection, rows: Iterable[tuple[int, int, datetime]], now: datetime) -> int:
    """Queue (edition, subscriber, due_at) unless that reader has a row for that edition; returns how many are new."""
    return insert_new(
        connection,
        delivery,
        [
            {"edition_id": edition_id, "subscriber_id": subscriber_id, "due_at": due_at, "updated_at": now}
            for edition_id, subscriber_id, due_at in rows
        ],
    )


def move_due(connection: Connection, moves: Sequence[tuple[int, datetime, datetime | None]]) -> None:
    """Set `next_due_at` of (subscriber, old, new), unless it has changed meanwhile."""
    if moves:
        connection.execute(
            update(subscriber)
            .where(subscriber.c.id == bindparam("reader"), subscriber.c.next_due_at == bindparam("old"))
            .values(next_due_at=bindparam("new")),
            [{"reader": reader, "old": old, "new": new} for reader, old, new in moves],
        )


def enqueue_for_all(connection: Connection, issue: Row[Any], now: datetime) -> int:
    """Queue an edition for every reader without an hour who was active when it was frozen and reads on that day."""
    take_turn(connection, "queue an edition")  # two that insert the same rows in another order would wait for each other
    last = connection.execute(select(func.max(subscriber.c.id))).scalar() or 0
    queued = sum(_enqueue_among(connection, issue, now, after) for after in range(0, last, READERS_AT_ONCE))
    connection.execute(update(edition).where(edition.c.id == issue.id).values(queued_at=now))
    return queued


def _reads_when_frozen(on: date, cadence: Cadence, frozen_at: datetime) -> ColumnElement[bool]:
    """Who is due when an edition is frozen: without an hour, active by then, and reading on that day."""
    # Else SQLite looks through all who are active to find these.
    state = func.coalesce(subscriber.c.state, "")
    of_day = or_(literal(cadence == "weekly"), subscriber.c.days.op("&")(1 << on.weekday()) > 0)
    who = and_(state == "active", subscriber.c.hour.is_(None), subscriber.c.cadence == cadence)
    return and_(who, subscriber.c.active_since <= frozen_at, of_day)


def _has_row(number: int) -> ColumnElement[bool]:
    """Whether a reader has a row for this edition."""
    return select(delivery.c.id).where(delivery.c.edition_id == number, delivery.c.subscriber_id == subscriber.c.id).exists()


def _enqueue_among(connection: Connection, issue: Row[Any], now: datetime, after: int) -> int:
    """Those with the next ids after this one."""
    readers = (
        select(
            literal(issue.id),
            subscriber.c.id,
            literal(issue.frozen_at, delivery.c.due_at.type),
            literal("queued"),
            literal(0),
            literal(0),
            literal(0),
            literal(now, delivery.c.updated_at.type),
        )
        .where(_reads_when_frozen(issue.date, issue.cadence, issue.frozen_at))
        .where(subscriber.c.id > after, subscriber.c.id <= after + READERS_AT_ONCE)
        .where(~_has_row(issue.id))
    )
    readers = readers.with_for_update(read=True, of=subscriber)
    columns = ["edition_id", "subscriber_id", "due_at", "state", "attempts", "doubts", "failures", "updated_at"]
    return insert_new_from(connection, delivery, columns, readers)


class Reader(NamedTuple):
    """A reader of a claimed delivery, as far as his mail depends on him. A tuple, for one is made for every mail."""

    id: int
    token: str
    address: str
    name: str
    state: str
    size: int | None
    share: float | None
    confirmed_at: datetime | None
    seen: str
    language: str = ""


class Claimed(NamedTuple):
    """A claimed delivery and its reader."""

    id: int
    edition_id: int
    due_at: datetime
    attempts: int
    doubts: int
    failures: int
    next_try_at: datetime | None
    reply: str
    reader: Reader


_OF_MAIL = [delivery.c[name] for name in Claimed._fields if name != "reader"]
_OF_READER = [subscriber.c[name] for name in Reader._fields]


def readers(connection: Connection, ids: Collection[int]) -> dict[int, Reader]:
    """Readers by id."""
    query = select(*_OF_READER).where(one_of(connection, subscriber.c.id, ids))
    return {row.id: Reader(*row) for row in connection.execute(query)}


def keep_reader(connection: Connection, subscriber_id: int) -> bool:
    """Whether a reader is still there; if so, nobody erases him before this transaction ends."""
    here = select(subscriber.c.id).where(subscriber.c.id == subscriber_id).with_for_update(read=True, key_share=True)
    return connection.execute(here).first() is not None


def claimed(connection: Connection, ids: Sequence[int]) -> list[Claimed]:
    """Deliveries that a worker has claimed, in this order, with their readers."""
    query = _claimed(connection.dialect.name)
    moments = Moments(connection.dialect)
    found: dict[int, Claimed] = {}
    for row in plain_rows(connection, query, {"ids": given(connection, ids)}):
        number, edition_id, due_at, attempts, doubts, failures, next_try_at, reply = row[: len(_OF_MAIL)]
        reader_id, token, address, name, state, size, share, confirmed_at, seen, language = row[len(_OF_MAIL) :]
        reader = Reader(reader_id, token, address, name, state, size, share, moments[confirmed_at], seen, language)
        due, again = moments[due_at], moments[next_try_at]
        found[number] = Claimed(number, edition_id, due, attempts, doubts, failures, again, reply or "", reader)
    return [found[number] for number in ids if number in found]


@cache
def _claimed(dialect: str) -> Select[Any]:
    return select(*_OF_MAIL, *_OF_READER).join(subscriber).where(one_of_given(dialect, delivery.c.id, "ids"))


def fixed(connection: Connection, ids: Collection[int]) -> dict[int, tuple[tuple[Pick, ...], str]]:
    """(picks, message id) of those among these deliveries that have any: a second try has the same bytes."""
    if not ids:
        return {}
    query = select(delivery.c.id, delivery.c.picks, delivery.c.message_id).where(one_of(connection, delivery.c.id, ids))
    return {row.id: (picks_from_json(row.picks), row.message_id) for row in connection.execute(query) if row.picks}


def papers_under_way(connection: Connection, ids: Collection[int]) -> dict[int, list[tuple[int, tuple[Pick, ...]]]]:
    """For each reader, the (delivery, picks) that may have reached him or will, though no outcome says so."""
    found: dict[int, list[tuple[int, tuple[Pick, ...]]]] = defaultdict(list)
    for row in connection.execute(_under_way(connection.dialect.name), {"ids": given(connection, ids)}):
        found[row.subscriber_id].append((row.id, picks_from_json(row.picks)))
    return found


@cache
def _under_way(dialect: str) -> Select[Any]:
    return (
        select(delivery.c.id, delivery.c.subscriber_id, delivery.c.picks)
        # Readers and states are asked for first, side by side: else SQLite looks through all that are queued.
        .where(one_of_given(dialect, delivery.c.subscriber_id, "ids"), delivery.c.state.in_((*UNDER_WAY, "claimed", "queued")))
        .where(delivery.c.picks.is_not(None))
        .where(or_(delivery.c.state != "queued", delivery.c.attempts > 0, delivery.c.doubts > 0))
    )


def store_picks(connection: Connection, worker_id: int, chosen: Mapping[int, tuple[tuple[Pick, ...], str]]) -> None:
    """Write (picks, message id) beside the claimed rows that they were chosen for."""
    if chosen:
        rows = [(picks_to_json(picks), name, row, worker_id) for row, (picks, name) in chosen.items()]
        connection.exec_driver_sql(_STORE_PICKS[connection.dialect.name], rows)


# In the driver's own words: there is one for every mail, and making them out of SQLAlchemy's took longer than writing them.
_STORE_PICKS = {
    "sqlite": "UPDATE delivery SET picks = ?, message_id = ? WHERE id = ? AND worker_id = ? AND state = 'claimed'",
    "postgresql": "UPDATE delivery SET picks = %s::json, message_id = %s"
    " WHERE id = %s AND worker_id = %s AND state = 'claimed'",
}


def shorten_memories(connection: Connection, shorter: Mapping[int, tuple[str, str]]) -> None:
    """Replace readers' memories, (old, new) each, unless something was remembered meanwhile."""
    if shorter:
        connection.execute(
            update(subscriber)
            .where(subscriber.c.id == bindparam("reader"), subscriber.c.seen == bindparam("old"))
            .values(seen=bindparam("new")),
            [{"reader": reader, "old": old, "new": new} for reader, (old, new) in shorter.items()],
        )


def skip_open(connection: Connection, subscriber_ids: Collection[int], why: str, now: datetime) -> int:
    """Withdraw what is queued or claimed for readers who leave. Call it before touching their subscriber rows."""
    open_rows = delivery.c.subscriber_id.in_(list(subscriber_ids)) & delivery.c.state.in_(("queued", "claimed"))
    return connection.execute(
        update(delivery).where(open_rows).values(state="skipped", worker_id=None, reply=why, updated_at=now)
    ).rowcount


def reopen(connection: Connection, subscriber_id: int, why: str, at: datetime, now: datetime) -> int:
    """Queue again what `skip_open` withdrew for this reason at this instant; returns how many.

    Picks are chosen anew, but not those of a mail that he may have got already.
    """
    withdrawn = (delivery.c.subscriber_id == subscriber_id) & (delivery.c.state == "skipped")
    picks = case((delivery.c.doubts > 0, delivery.c.picks), else_=null())
    return connection.execute(
        update(delivery)
        .where(withdrawn, delivery.c.reply == why, delivery.c.updated_at == at)
        .values(state="queued", reply="", picks=picks, updated_at=now)
    ).rowcount


def on_its_way(connection: Connection, subscriber_id: int) -> int:
    """How many mails to a reader are being submitted, which nobody can call back."""
    mine = (delivery.c.subscriber_id == subscriber_id) & (delivery.c.state == "submitting")
    return int(connection.execute(select(func.count()).where(mine)).scalar_one())


def listed(
    connection: Connection, *, state: str | None = None, address_key: str | None = None, limit: int | None = None
) -> list[Row[Any]]:
    """Deliveries with their reader and edition, the latest due first."""
    query = _with_names().order_by(delivery.c.due_at.desc(), delivery.c.id).limit(limit)
    if state is not None:
        query = query.where(delivery.c.state == state)
    if address_key is not None:
        query = query.where(subscriber.c.address_key == address_key)
    return list(connection.execute(query))


def due_now(
    connection: Connection,
    now: datetime,
    unfrozen: Iterable[tuple[date, Cadence]] = (),
    only: EmailAddress | None = None,
) -> dict[str, int]:
    """How many mails are queued and due, and how many readers are due besides: those whose hour has come, and those who wait
    for an edition that is frozen and not queued yet, or for one of the `unfrozen`. `only`: those of one address."""
    whom = true() if only is None else subscriber.c.address_key == only.key
    mine = true() if only is None else notice.c.recipient_key == only.key
    letters = select(func.count()).where(notice.c.state == "queued", notice.c.due_at <= now, mine)
    mails = (
        select(func.count())
        .select_from(delivery.join(subscriber))
        .where(delivery.c.state == "queued", delivery.c.due_at <= now)
    )
    fresh = select(edition.c.id, edition.c.date, edition.c.cadence, edition.c.frozen_at).where(
        edition.c.queued_at.is_(None), edition.c.empty_because == "", edition.c.frozen_at <= now
    )
    waited_for: list[ColumnElement[bool]] = []
    for number, *issue in connection.execute(fresh).all():
        waited_for.append(_reads_when_frozen(*issue) & ~_has_row(number))
    waited_for.extend(_reads_when_frozen(on, cadence, now) for on, cadence in unfrozen)
    come = (subscriber.c.state == "active") & (subscriber.c.next_due_at <= now)
    readers = select(func.count()).select_from(subscriber).where(or_(come, *waited_for), whom)
    queued = sum(int(connection.execute(query).scalar_one()) for query in (letters, mails.where(whom)))
    return {"queued": queued, "readers": int(connection.execute(readers).scalar_one())}


def find(connection: Connection, delivery_id: int) -> Row[Any] | None:
    return connection.execute(_with_names().where(delivery.c.id == delivery_id)).first()


def counts(connection: Connection, edition_id: int) -> dict[str, int]:
    """How many rows of an edition are in which state."""
    query = select(delivery.c.state, func.count()).where(delivery.c.edition_id == edition_id).group_by(delivery.c.state)
    return {state: number for state, number in connection.execute(query)}  # noqa: C416


def refused_since_taken(connection: Connection, at_most: int) -> set[int]:
    """The readers who were refused, by due times, since the last mail that was taken; some of them, where there are more."""
    # Rows that were never in doubt are found by the index, however many there are.
    ended = delivery.c.doubts == 0
    taken = connection.execute(select(func.max(delivery.c.due_at)).where(delivery.c.state == "submitted", ended)).scalar()
    refused = select(delivery.c.subscriber_id).where(delivery.c.state == "rejected", ended).distinct().limit(at_most)
    return set(connection.scalars(refused if taken is None else refused.where(delivery.c.due_at > taken)))


def ever_in_doubt(connection: Connection, edition_id: int) -> int:
    query = select(func.count()).where(delivery.c.edition_id == edition_id, delivery.c.in_doubt_at.is_not(None))
    return int(connection.execute(query).scalar_one())


def _with_names() -> Select[Any]:
    return select(
        delivery,
        subscriber.c.address.label("email"),
        edition.c.date.label("edition_date"),
        edition.c.cadence.label("edition_cadence"),
    ).select_from(delivery.join(subscriber).join(edition))
