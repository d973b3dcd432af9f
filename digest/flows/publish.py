"""Publish: candidates and their readings become an edition, frozen once for everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.edition import compose
from digest.edition.calendar import WEEK, Schedule
from digest.edition.model import Edition
from digest.flows import learning
from digest.ranking import prior, trending
from digest.ranking.model import Candidate, Ranked
from digest.ranking.settings import RankingSettings
from digest.sources.registry import sources_of
from digest.sources.settings import SourcesSettings
from digest.store import editions, papers, runs, vocabularies
from digest.store.engine import Store
from digest.subscribers.model import Cadence


@dataclass(frozen=True, slots=True)
class Published:
    """An edition that is frozen, and whether this call froze it; or one that waits, for it would be empty because its
    sources could not be read, and a broken day is not a quiet one."""

    edition: Edition
    new: bool
    waits: bool = False


def publish(
    store: Store,
    schedule: Schedule,
    ranking: RankingSettings,
    sources: SourcesSettings,
    now: datetime,
    on: date | None = None,
    stop: Callable[[], bool] = learning.never,
) -> list[Published]:
    """Freeze every edition that is due now, or (with `on`) the editions of that date whatever the hour.

    Publishing twice changes nothing: the first edition of a date and cadence stands. One that is stopped while it waits for
    the first vocabulary freezes nothing.
    """
    due = schedule.due_editions(now, on)
    try:
        return [_freeze(store, ranking, sources, now, day, cadence, stop) for day, cadence in due]
    except learning.Stopped:
        return []


def rank(
    store: Store, ranking: RankingSettings, now: datetime, on: date, cadence: Cadence
) -> tuple[list[Ranked], dict[int, Candidate]]:
    """The ranking as it stands now, and the candidates by paper."""
    window = WEEK if cadence == "weekly" else ranking.window
    with store.read() as connection:
        candidates = papers.candidates(connection, now - window, now)
    weights: dict[str, float] = ranking.weights.model_dump()
    ranked = trending.rank(candidates, now, on, cadence, prior.fitted(), weights)
    return ranked, {candidate.paper.id: candidate for candidate in candidates}


def _freeze(
    store: Store,
    ranking: RankingSettings,
    sources: SourcesSettings,
    now: datetime,
    on: date,
    cadence: Cadence,
    stop: Callable[[], bool],
) -> Published:
    with store.read() as connection:
        standing = editions.find(connection, on, cadence)
    if standing is not None:
        return Published(standing, new=False)
    ranked, candidates = rank(store, ranking, now, on, cadence)
    entries = compose.entries(ranked, candidates)
    missing = _missing(store, sources, now)
    empty_because = "" if entries else why_empty(cadence, ranking.window)
    if empty_because and missing:
        waiting = f"{empty_because}, and {', '.join(missing)} could not be read"
        return Published(Edition(0, on, cadence, now, (), tuple(missing), waiting), new=False, waits=True)
    version = learning.ready(store, now, stop)
    with store.read() as connection:
        vocabulary = None if version is None else vocabularies.load(connection, version)
    # Counted once here, and not by each process that mails the edition.
    rows = None if vocabulary is None else vocabulary.rows(entry.work for entry in entries)
    with store.write() as connection:
        edition, new = editions.freeze(
            connection,
            on=on,
            cadence=cadence,
            frozen_at=now,
            entries=entries,
            missing_sources=missing,
            empty_because=empty_because,
            vocabulary=version,
            rows=rows,
        )
    return Published(edition, new)


def _missing(store: Store, sources: SourcesSettings, now: datetime) -> list[str]:
    """The titles under which nothing could be read: where two routes lead to one server, either will do."""
    routes = {one.name: one.title for one in sources_of(sources).values() if one.enabled and one.brings == "papers"}
    with store.read() as connection:
        lacking = set(runs.missing(connection, now, routes))
    answered = {title for name, title in routes.items() if name not in lacking}
    return [title for title in dict.fromkeys(routes.values()) if title not in answered]


def why_empty(cadence: Cadence, window: timedelta) -> str:
    """What to tell an operator about an edition without papers."""
    days = (WEEK if cadence == "weekly" else window).days
    return f"no paper was seen in the last {days} days"
