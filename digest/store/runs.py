"""Runs of sources: when, how many, what came of it, and by what evidence."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, func, insert, select

from digest.store.schema import source_run

SourceRun: TypeAlias = Row[Any]
"""One run: source, started_at, finished_at, sightings, problems, newest, verdict, error, evidence, cursor, not_before."""
ANSWERS = ("fresh", "quiet")
"""Verdicts after which nothing is missing."""
NEWS_FOR = timedelta(hours=24)
"""A source that was last asked before this is not missing but no longer asked."""
ANSWER_HOLDS = timedelta(hours=6)
"""An edition made within this time of a source's answer does not lack it, whatever came after."""
_NEWEST_FIRST = (source_run.c.started_at.desc(), source_run.c.id.desc())


def record(
    connection: Connection,
    *,
    source: str,
    started_at: datetime,
    finished_at: datetime,
    sightings: int = 0,
    problems: int = 0,
    newest: str = "",
    verdict: str,
    error: str = "",
    evidence: str = "",
    cursor: Mapping[str, str] | None = None,
    not_before: datetime | None = None,
) -> None:
    """Note a run; `not_before` is until when the server asked to be left alone."""
    row = {
        "source": source,
        "started_at": started_at,
        "finished_at": finished_at,
        "sightings": sightings,
        "problems": problems,
        "newest": newest[:520],
        "verdict": verdict,
        "error": error[:2000],
        "evidence": evidence[:2000],
        "cursor": dict(cursor or {}),
        "not_before": not_before,
    }
    connection.execute(insert(source_run), row)


def last(connection: Connection, now: datetime) -> list[SourceRun]:
    """The last run of each source until now, by name."""
    place = func.row_number().over(partition_by=source_run.c.source, order_by=_NEWEST_FIRST)
    runs = select(source_run.c.id, place.label("place")).where(source_run.c.started_at <= now).subquery()
    newest = select(runs.c.id).where(runs.c.place == 1)
    return list(connection.execute(select(source_run).where(source_run.c.id.in_(newest)).order_by(source_run.c.source)))


def last_of(connection: Connection, source: str, now: datetime) -> SourceRun | None:
    """The last run of a source until now."""
    return connection.execute(_until(source, now).order_by(*_NEWEST_FIRST).limit(1)).first()


def last_answer(connection: Connection, source: str, now: datetime) -> SourceRun | None:
    """The last run of a source until now that was fresh or quiet."""
    answers = _until(source, now).where(source_run.c.verdict.in_(ANSWERS))
    return connection.execute(answers.order_by(*_NEWEST_FIRST).limit(1)).first()


def missing(connection: Connection, now: datetime, sources: Collection[str]) -> list[str]:
    """Those of these sources that an edition made now lacks, by name: failed or stale lately, and no answer for hours."""
    bad = [
        run.source
        for run in last(connection, now)
        if run.source in sources and run.verdict not in ANSWERS and now - run.started_at <= NEWS_FOR
    ]
    answers = {source: last_answer(connection, source, now) for source in bad}
    return [source for source, answer in answers.items() if answer is None or now - answer.started_at > ANSWER_HOLDS]


def missing_since(connection: Connection, source: str, now: datetime) -> datetime | None:
    """When the first run began that failed or was stale since the source's last answer; None if its last run was an answer."""
    answer = last_answer(connection, source, now)
    runs = _until(source, now)
    if answer is not None:
        later = (source_run.c.started_at > answer.started_at) | (
            (source_run.c.started_at == answer.started_at) & (source_run.c.id > answer.id)
        )
        runs = runs.where(later)
    first = connection.execute(runs.order_by(source_run.c.started_at, source_run.c.id).limit(1)).first()
    return None if first is None else first.started_at


def _until(source: str, now: datetime) -> Select[Any]:
    return select(source_run).where(source_run.c.source == source, source_run.c.started_at <= now)
