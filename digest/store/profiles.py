"""Profiles: what a reader's interests amount to in one vocabulary. A row is of the interests that stand, or there is none.

Whoever writes interests deletes the reader's profiles first, in the same transaction and with his row locked; whoever learned
one stores it only if his interests are still those that it was learned from.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, select, true

from digest.store.among import one_of
from digest.store.schema import edition, interest, profile, subscriber
from digest.store.upsert import chunks, insert_or_replace
from digest.subscribers.model import InterestKind

if TYPE_CHECKING:
    from digest.ranking.profile import Profile

LEARNED_FROM: tuple[InterestKind, ...] = ("topic", "liked", "disliked")
"""The kinds of interest that a profile is made of; all others are looked for as they stand."""
READ_BY = ("active", "paused")
KEPT = timedelta(days=7)
"""An edition's last mails go out two days after it was frozen; a profile that is wanted later is learned again."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a reader's interests have changed since they were read: interests are only appended and ended, and
    given the words of their paper. Clocks differ between machines, and numbers do not."""

    last: int = 0
    ended: int = 0
    described: int = 0


def of(connection: Connection, ids: Collection[int], version: int, model: str = "") -> dict[int, "Profile"]:
    """The profiles of readers in a vocabulary; who has none that can be read is missing.

    One that knows the meanings of another model than this is passed over; one that knows none will do.
    """
    from digest.ranking.profile import Profile

    found: dict[int, Profile] = {}
    usable = true() if not model else profile.c.model.in_((model, ""))
    query = select(profile.c.subscriber_id, profile.c.content).where(one_of(connection, profile.c.subscriber_id, ids))
    for reader, content in connection.execute(query.where(profile.c.vocabulary_id == version, usable)):
        try:
            found[reader] = Profile.from_bytes(content)
        except ValueError:
            continue  # an older program wrote it; it is learned anew
    return found


def stamps(connection: Connection, ids: Collection[int]) -> dict[int, Stamp]:
    """How the interests of each of these readers stand."""
    found = dict.fromkeys(ids, Stamp())
    for chunk in chunks(ids):
        counts = (func.max(interest.c.id), func.count(interest.c.valid_to), func.count(interest.c.work))
        query = select(interest.c.subscriber_id, *counts).where(interest.c.subscriber_id.in_(chunk))
        for reader, *standing in connection.execute(query.group_by(interest.c.subscriber_id)):
            found[reader] = Stamp(*standing)
    return found


def save(
    connection: Connection,
    version: int,
    learned: Mapping[int, "Profile"],
    at: Mapping[int, Stamp],
    now: datetime,
    model: str = "",
) -> set[int]:
    """Store profiles, each learned from interests as they stood `at`; returns whose were stored.

    Passed over are readers whose interests have changed since, or are being changed: theirs would be of yesterday.
    """
    stored: set[int] = set()
    for chunk in chunks(learned.keys()):
        standing = select(subscriber.c.id).where(subscriber.c.id.in_(chunk)).order_by(subscriber.c.id)
        # Nobody is waited for, so that nobody can wait for us in a circle.
        free = connection.scalars(standing.with_for_update(key_share=True, skip_locked=True)).all()
        now_at = stamps(connection, free)
        rows = [
            {
                "subscriber_id": one,
                "vocabulary_id": version,
                "model": model,
                "made_at": now,
                "content": learned[one].to_bytes(),
            }
            for one in free
            if now_at[one] == at[one]
        ]
        insert_or_replace(connection, profile, rows)
        stored.update(one["subscriber_id"] for one in rows)
    return stored


def lock(connection: Connection, ids: Collection[int]) -> None:
    """Wait until nobody else writes interests or profiles of these readers; it is ours to do until this transaction ends."""
    for chunk in chunks(ids):
        readers = select(subscriber.c.id).where(subscriber.c.id.in_(chunk)).order_by(subscriber.c.id)
        connection.execute(readers.with_for_update(key_share=True)).all()


def forget(connection: Connection, ids: Collection[int]) -> None:
    """Delete the profiles of readers whose interests are about to change, and let nobody store others until this transaction
    ends. Call it before writing the interests."""
    lock(connection, ids)
    for chunk in chunks(ids):
        connection.execute(delete(profile).where(profile.c.subscriber_id.in_(chunk)))


def lacking(connection: Connection, version: int, model: str = "", *, after_id: int = 0, limit: int) -> list[int]:
    """Readers, by id and from one id on, who said something to learn from and have no profile of this vocabulary and this model
    (none: of whichever)."""
    said = interest.c.kind.in_(LEARNED_FROM) & interest.c.valid_to.is_(None) & (interest.c.subscriber_id == subscriber.c.id)
    learned = (profile.c.subscriber_id == subscriber.c.id) & (profile.c.vocabulary_id == version)
    if model:
        learned &= profile.c.model == model
    # Else SQLite looks for the states first, and sorts a million readers to find a hundred.
    state = func.coalesce(subscriber.c.state, "")
    query = (
        select(subscriber.c.id)
        .where(subscriber.c.id > after_id, state.in_(READ_BY))
        .where(select(interest.c.id).where(said).exists(), ~select(profile.c.subscriber_id).where(learned).exists())
        .order_by(subscriber.c.id)
        .limit(limit)
    )
    return list(connection.scalars(query))


def prune(connection: Connection, now: datetime, current: int) -> int:
    """Forget those of vocabularies that neither are current nor have an edition of late; returns how many."""
    lately = select(edition.c.vocabulary_id).where(edition.c.frozen_at >= now - KEPT, edition.c.vocabulary_id.is_not(None))
    old = (profile.c.vocabulary_id != current) & profile.c.vocabulary_id.not_in(lately)
    return connection.execute(delete(profile).where(old)).rowcount
