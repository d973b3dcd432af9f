"""Liking: which papers a reader liked or did not, said from the mail, by the operator, or as a list; and what those are that no
source has shown us. Every act leaves an event.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from digest.clock import Clock
from digest.errors import UsageError
from digest.flows.asking import in_words
from digest.papers.model import Work
from digest.sources.base import AttentionSource, Errand, Known
from digest.sources.web import Web
from digest.store import events, profiles, ratings, subscribers, turns
from digest.store.engine import Store
from digest.store.ratings import Rating
from digest.subscribers.address import EmailAddress
from digest.subscribers.library import Like
from digest.subscribers.model import MAX_RATED

Verdict: TypeAlias = Literal["more", "less", "neither"]
RATING: Mapping[Verdict, Rating | None] = {"more": "liked", "less": "disliked", "neither": None}
UNKNOWN_AT_ONCE = 10_000
NOT_THERE = Work(title=" ")
"""What is kept of a paper that arXiv does not have: nothing to learn from, and no reason to ask again."""

log = logging.getLogger("digest")


@dataclass(frozen=True, slots=True)
class Liked:
    """What came of a list of papers: how many are new, were liked before, and were too many."""

    new: int
    already: int
    too_many: int


def rate(store: Store, now: datetime, subscriber_id: int, key: str, verdict: Verdict, *, by: str) -> bool:
    """Note that a reader wants more or less like this paper, or neither any more; returns whether that is new.

    Whoever has rated as many as are kept loses the oldest.
    """
    with store.write() as connection:
        if not ratings.rate(connection, subscriber_id, key, RATING[verdict], now):
            return False
        rated = subscribers.standing(connection, subscriber_id, ratings.RATINGS)
        if len(rated) > MAX_RATED:
            profiles.forget(connection, [subscriber_id])
            subscribers.end(connection, [row.id for row in rated[: len(rated) - MAX_RATED]], now)
        events.record(connection, "rated", subscriber_id, now, {verdict: [key], "by": by})
        return True


def like_all(store: Store, now: datetime, address: EmailAddress, likes: Sequence[Like], *, by: str) -> Liked:
    """Note that a reader likes these papers, besides those that he rated before.

    Raises:
        UsageError: there is no such subscriber.
    """
    with store.write() as connection:
        known = subscribers.by_address(connection, address)
        if known is None:
            raise UsageError(f"{address} is no subscriber", fix="list them: digest subscribers list")
        profiles.lock(connection, [known.id])  # nobody else counts his papers meanwhile
        rated = {row.value: row.kind for row in subscribers.standing(connection, known.id, ratings.RATINGS)}
        wanted = dict(zip(_keys(connection, likes), likes, strict=True))
        room = max(0, MAX_RATED - len(rated))
        too_many = {*[key for key in wanted if key not in rated][room:]}
        taken = {key: like for key, like in wanted.items() if key not in too_many}
        works = {key: like.work for key, like in taken.items() if like.work}
        changed = ratings.rate_all(connection, known.id, dict.fromkeys(taken, "liked"), now, works)
        if changed:
            events.record(connection, "rated", known.id, now, {"more": changed, "by": by})
        return Liked(len(changed), len(taken) - len(changed), len(too_many))


def _keys(connection: Any, likes: Sequence[Like]) -> list[str]:
    """By which of its ids each paper is liked: one that the database knows it by, else the strongest."""
    several = {id_ for like in likes if len(like.ids) > 1 for id_ in like.ids}
    known = ratings.works_of(connection, several)
    return [next((id_ for id_ in like.ids if id_ in known), like.ids[0]) for like in likes]


def look_up(store: Store, clock: Clock, web: Web, source: AttentionSource, patience: timedelta = timedelta(0)) -> int:
    """Ask arXiv's query API what those rated papers are of which nobody knows a word; returns how many were found.

    Each is asked for once, a bounded number at a time. Call it when the source has just answered: it is then worth asking, and
    not asked more often than others.
    """
    with store.read() as connection:
        unknown = [Known((key,), has_categories=False) for key in ratings.without_work(connection, UNKNOWN_AT_ONCE)]
    wanted = [known for known in unknown if source.wants(known)][: source.limit]
    if not wanted:
        return 0
    try:
        with turns.alone(store, f"asking {source.turn}", patience.total_seconds()):
            collected = source.collect(Errand(clock.now(), web, known=wanted))
    except Exception as fault:  # noqa: BLE001 - a parser that trips over one answer ends neither the run nor the day
        log.warning("papers that readers like were not looked up: %s", in_words(source, fault))
        return 0
    found = {id_: sighting.work for sighting in collected.parsed.sightings for id_ in sighting.ids}
    works = {key: found.get(key, NOT_THERE) for key in collected.asked}
    with store.write() as connection:
        ratings.keep_works(connection, works)
    return sum(work is not NOT_THERE for work in works.values())
