"""Ratings: which papers readers liked and disliked, and what is known of those papers.

A rating is an interest of kind `liked` or `disliked`, whose value is a paper's canonical id. The last word about a paper
counts, under whichever of its ids it was said.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Select, select, update

from digest.papers.model import Work
from digest.store import profiles, subscribers
from digest.store.among import given, one_of_given
from digest.store.columns import plain_rows
from digest.store.rows import work_from_json, work_from_row, work_to_json
from digest.store.schema import interest, paper, paper_alias
from digest.store.upsert import chunks
from digest.subscribers.model import Interest

Rating = Literal["liked", "disliked"]
RATINGS: tuple[Rating, ...] = ("liked", "disliked")


def rate(connection: Connection, subscriber_id: int, key: str, rating: Rating | None, now: datetime) -> bool:
    """Note what a reader thinks of a paper from now on, None being nothing any more; returns whether that is new."""
    return bool(rate_all(connection, subscriber_id, {key: rating}, now))


def rate_all(
    connection: Connection,
    subscriber_id: int,
    ratings: Mapping[str, Rating | None],
    now: datetime,
    works: Mapping[str, Work] = subscribers.NOTHING,
) -> list[str]:
    """The same for many papers, by canonical id; returns the ids of those that he rated otherwise before.

    `works` are papers that he has from elsewhere; they are kept beside his rating in case that no source has shown them.
    """
    profiles.lock(connection, [subscriber_id])
    standing = subscribers.standing(connection, subscriber_id, RATINGS)
    numbers = _numbers(connection, {*ratings, *(row.value for row in standing)})
    before = {numbers.get(row.value, row.value): row for row in standing}
    wanted = {numbers.get(key, key): (key, rating) for key, rating in ratings.items()}
    changed = {
        one: (key, rating) for one, (key, rating) in wanted.items() if rating != (before[one].kind if one in before else None)
    }
    ended = [row.id for row in standing if numbers.get(row.value, row.value) in changed]
    if ended:
        profiles.forget(connection, [subscriber_id])
        subscribers.end(connection, ended, now)
    new = [(subscriber_id, Interest(rating, key)) for key, rating in changed.values() if rating is not None]
    subscribers.append_interests(connection, new, now, works)
    return [key for key, _ in changed.values()]


def works_of(connection: Connection, keys: Collection[str]) -> dict[str, Work]:
    """What is known of papers, by any of their canonical ids: as the sources tell it, or else as some reader brought it."""
    found: dict[str, Work] = {}
    numbers = _numbers(connection, keys)
    works: dict[int, Work] = {}
    for chunk in chunks(set(numbers.values())):
        rows = connection.execute(select(paper).where(paper.c.id.in_(chunk)))
        works.update({row.id: work_from_row(row) for row in rows})
    found.update({key: works[number] for key, number in numbers.items()})
    for words in chunks({key for key in keys if key not in found}):
        kept = select(interest.c.value, interest.c.work).where(interest.c.value.in_(words), interest.c.work.is_not(None))
        found.update({value: work_from_json(work) for value, work in connection.execute(kept.order_by(interest.c.id))})
    return found


def papers_rated(connection: Connection, interests: Mapping[int, Sequence[Interest]]) -> dict[int, set[int]]:
    """For each reader with these interests who rated any, the papers that he rated: what he knows is no news to him."""
    rated = [(one, wish.value) for one, wanted in interests.items() for wish in wanted if wish.kind in RATINGS]
    numbers = _numbers(connection, {key for _, key in rated})
    found: dict[int, set[int]] = {}
    for one, key in rated:
        if key in numbers:
            found.setdefault(one, set()).add(numbers[key])
    return found


def without_work(connection: Connection, limit: int) -> list[str]:
    """Ids of papers that readers have rated and of which nobody knows a word, in order."""
    rated = interest.c.kind.in_(RATINGS) & interest.c.valid_to.is_(None) & interest.c.work.is_(None)
    known = select(paper_alias.c.alias).where(paper_alias.c.alias == interest.c.value).exists()
    query = select(interest.c.value).where(rated, ~known).distinct().order_by(interest.c.value)
    kept = interest.alias()
    brought = select(kept.c.id).where(kept.c.value == interest.c.value, kept.c.work.is_not(None)).exists()
    return list(connection.scalars(query.where(~brought).limit(limit)))


def keep_works(connection: Connection, works: Mapping[str, Work]) -> int:
    """Note what was found out about papers that readers have rated; returns how many readers learn from it."""
    concerned: set[int] = set()
    for keys in chunks(works.keys()):
        rated = interest.c.value.in_(keys) & interest.c.kind.in_(RATINGS) & interest.c.work.is_(None)
        readers = set(connection.scalars(select(interest.c.subscriber_id).where(rated & interest.c.valid_to.is_(None))))
        profiles.forget(connection, readers)
        concerned |= readers
        for key in keys:
            bare = (interest.c.value == key) & interest.c.subscriber_id.in_(readers) & interest.c.work.is_(None)
            connection.execute(update(interest).where(bare, interest.c.kind.in_(RATINGS)).values(work=work_to_json(works[key])))
    return len(concerned)


def _numbers(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """The papers that canonical ids name today; merges are followed."""
    found = plain_rows(connection, _named(connection.dialect.name), {"keys": given(connection, keys)}) if keys else ()
    return dict(found)


@cache
def _named(dialect: str) -> Select[Any]:
    query = select(paper_alias.c.alias, paper_alias.c.paper_id)
    return query.where(one_of_given(dialect, paper_alias.c.alias, "keys"))
