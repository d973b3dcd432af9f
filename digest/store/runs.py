"""Runs of sources: when, how many, and what came of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, func, insert, select

from digest.store.schema import source_run

SourceRun: TypeAlias = Row[Any]
"""One run: source, started_at, finished_at, sightings, problems, newest, verdict, error."""
NEWS_FOR = timedelta(hours=24)
"""A source that failed within this time, and has not answered since, is missing from an edition."""


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
) -> None:
    row = {
        "source": source,
        "started_at": started_at,
        "finished_at": finished_at,
        "sightings": sightings,
        "problems": problems,
        "newest": newest[:520],
        "verdict": verdict,
        "error": error[:2000],
    }
    connection.execute(insert(source_run), row)


def last(connection: Connection, now: datetime) -> list[SourceRun]:
    """The last run of each source until now, by name."""
    ids = select(func.max(source_run.c.id)).where(source_run.c.started_at <= now).group_by(source_run.c.source)
    return list(connection.execute(select(source_run).where(source_run.c.id.in_(ids)).order_by(source_run.c.source)))


def missing(connection: Connection, now: datetime) -> Sequence[str]:
    """The sources whose last run failed, and lately: an edition made now lacks them."""
    return [row.source for row in last(connection, now) if row.verdict == "failed" and now - row.started_at <= NEWS_FOR]
