"""Collect: sources and files become papers and readings. One source that fails never costs another."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from digest.clock import Clock
from digest.errors import BadInput, DigestError, NotPermitted, UsageError
from digest.papers.model import Sighting
from digest.sources.base import Sleep
from digest.sources.formats import FORMATS, guess_format
from digest.sources.parsed import Parsed, Problem
from digest.sources.registry import SOURCES
from digest.sources.settings import SourcesSettings
from digest.store import papers, runs
from digest.store.engine import Store

RETRY_AFTER = timedelta(minutes=10)
"""How soon a source that failed is asked again."""
AT_ONCE = 500
"""Sightings of one transaction."""
MAX_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Brought:
    """What one source or file brought: papers not known before and seen again, new readings, what could not be used."""

    source: str
    verdict: str
    new: int = 0
    known: int = 0
    readings: int = 0
    problems: tuple[Problem, ...] = field(default=())
    error: str = ""


def collect(
    store: Store,
    clock: Clock,
    settings: SourcesSettings,
    names: Sequence[str] = (),
    *,
    fresh_for: timedelta = timedelta(0),
    sleep: Sleep = time.sleep,
) -> list[Brought]:
    """Ask the named sources, or all that are enabled, and store what they show.

    One that answered less than `fresh_for` ago, or failed less than `RETRY_AFTER` ago and was to be fresh, is left alone.

    Raises:
        UsageError: there is no source of that name.
    """
    for name in names:
        if name not in SOURCES:
            raise UsageError(f"there is no source {name!r}", fix=f"the sources are {', '.join(SOURCES)}")
    wanted = [SOURCES[name] for name in names] or [source for source in SOURCES.values() if source.enabled(settings)]
    if fresh_for:
        with store.read() as connection:
            asked = {run.source: run for run in runs.last(connection, clock.now())}
        wanted = [source for source in wanted if not _is_fresh(asked.get(source.name), clock.now(), fresh_for)]
    brought = []
    for source in wanted:
        started = clock.now()
        try:
            collected = source.collect(settings, started, sleep=sleep)
        except DigestError as error:
            _note(store, source.name, started, clock.now(), verdict="failed", error=str(error))
            brought.append(Brought(source.name, "failed", error=str(error)))
            continue
        recorded = record(store, collected.parsed.sightings)
        result = Brought(
            source.name, collected.verdict, recorded.new, recorded.known, recorded.readings, collected.parsed.problems
        )
        _note(store, source.name, started, clock.now(), verdict=collected.verdict, brought=result, newest=collected.newest)
        brought.append(result)
    return brought


def _is_fresh(run: runs.SourceRun | None, now: datetime, fresh_for: timedelta) -> bool:
    if run is None:
        return False
    age: timedelta = now - run.started_at
    return age < (min(RETRY_AFTER, fresh_for) if run.verdict == "failed" else fresh_for)


def collect_file(store: Store, now: datetime, path: Path, format_: str | None) -> Brought:
    """Store what a file shows, as seen now.

    Raises:
        UsageError: the format is unknown and cannot be guessed.
        NotPermitted: the file cannot be read.
        BadInput: nothing in it can be used; nothing is stored.
    """
    format_ = format_ or guess_format(path)
    if format_ not in FORMATS:
        raise UsageError(f"there is no format {format_!r}", fix=f"the formats are {', '.join(FORMATS)}")
    parsed = read_file(path, format_, now)
    if not parsed.sightings:
        first = f": {parsed.problems[0]}" if parsed.problems else ""
        raise BadInput(f"no paper could be read from {path}{first}", fix=f"is it of the format {format_}?")
    recorded = record(store, parsed.sightings)
    source = parsed.sightings[0].source
    result = Brought(source, "fresh", recorded.new, recorded.known, recorded.readings, parsed.problems)
    _note(store, source, now, now, verdict="fresh", brought=result)
    return result


def read_file(path: Path, format_: str, now: datetime) -> Parsed:
    """Parse a file without storing anything. Raises as `collect_file`."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadInput(f"{path} is larger than {MAX_FILE // 2**20} MiB", fix="split it")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except OSError as error:
        raise NotPermitted(f"{path} cannot be read: {error.strerror}") from None
    try:
        return FORMATS[format_](raw, source="file", seen_at=now)
    except BadInput as error:
        raise BadInput(f"{path}: {error}", fix=error.fix) from None


def record(store: Store, sightings: Sequence[Sighting]) -> papers.Recorded:
    """Store sightings in short transactions; a repeat changes nothing, so one that was interrupted is just run again."""
    new = known = readings = 0
    for start in range(0, len(sightings), AT_ONCE):
        with store.write() as connection:
            one = papers.record(connection, sightings[start : start + AT_ONCE])
        new, known, readings = new + one.new, known + one.known, readings + one.readings
    return papers.Recorded(new, known, readings)


def _note(
    store: Store,
    source: str,
    started: datetime,
    finished: datetime,
    *,
    verdict: str,
    brought: Brought | None = None,
    newest: str = "",
    error: str = "",
) -> None:
    with store.write() as connection:
        runs.record(
            connection,
            source=source,
            started_at=started,
            finished_at=finished,
            sightings=brought.new + brought.known if brought else 0,
            problems=len(brought.problems) if brought else 0,
            newest=newest,
            verdict=verdict,
            error=error,
        )
