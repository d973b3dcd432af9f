"""Collect: sources and files become papers and readings. One source that fails never costs another."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from digest.clock import Clock
from digest.errors import BadInput, NotPermitted, UsageError
from digest.flows.asking import NOBODY, Asker, Watch
from digest.flows.intake import Brought, Intake
from digest.flows.outages import NO_ALARM, Alarm
from digest.sources.base import Brings, Source
from digest.sources.formats import FORMATS, HEAD, guess_format
from digest.sources.registry import sources_of
from digest.sources.settings import SourcesSettings
from digest.sources.web import Web
from digest.store import runs
from digest.store.engine import Store

MAX_FILE = 64 * 1024 * 1024
AT_ONCE = 16
"""Sources that are asked at the same time: each holds a connection to the database now and then."""
FILE = "file"
"""Under which name the reading of a file is noted: whatever it holds, no source has answered."""


def collect(
    store: Store,
    clock: Clock,
    web: Web,
    settings: SourcesSettings,
    names: Sequence[str] = (),
    *,
    brings: Brings = "papers",
    fresh_for: timedelta = timedelta(0),
    patience: timedelta | None = None,
    at: datetime | None = None,
    since: date | None = None,
    window: timedelta = timedelta(days=14),
    dry_run: bool = False,
    alarm: Alarm = NO_ALARM,
    watch: Watch = NOBODY,
) -> list[Brought]:
    """Ask the named sources, or all that are enabled and bring papers (or attention), and store what they show.

    Sources are asked side by side, those of one turn one after the other. What the arguments mean is said in `Asker`;
    `patience` None waits for a turn as long as one run of a source may take.

    Raises:
        UsageError: there is no source of that name.
    """
    asker = Asker(
        store,
        clock,
        web,
        Intake(store, rehearsal=dry_run),
        fresh_for=fresh_for,
        patience=settings.budget if patience is None else patience,
        at=at,
        since=since,
        window=window,
        rehearsal=dry_run,
        alarm=alarm,
        watch=watch,
    )
    turns: dict[str, list[Source]] = {}
    for source in _wanted(settings, names, brings):
        turns.setdefault(source.turn, []).append(source)
    if not turns:
        return []
    with ThreadPoolExecutor(min(len(turns), AT_ONCE), thread_name_prefix="source") as pool:
        try:
            found = list(pool.map(asker.ask_all, turns.values()))
        except (KeyboardInterrupt, SystemExit):
            web.abandon()  # else the threads would be waited for
            raise
    return [brought for some in found for brought in some]


def _wanted(settings: SourcesSettings, names: Sequence[str], brings: Brings) -> Iterable[Source]:
    sources = sources_of(settings)
    for name in names:
        if name not in sources:
            near = get_close_matches(name, sources, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"there is no source {name!r}", fix=f"{meant}The sources are {', '.join(sources)}")
    if names:
        return [sources[name] for name in dict.fromkeys(names)]
    return [source for source in sources.values() if source.enabled and source.brings == brings]


def collect_file(store: Store, now: datetime, path: Path, format_: str | None, *, dry_run: bool = False) -> Brought:
    """Store what a file shows, as seen now.

    Raises:
        UsageError: the format is unknown and cannot be guessed.
        NotPermitted: the file cannot be read.
        BadInput: nothing in it can be used; nothing is stored.
    """
    if format_ is not None and format_ not in FORMATS:
        raise UsageError(f"there is no format {format_!r}", fix=f"the formats are {', '.join(FORMATS)}")
    raw = _read(path)
    format_ = format_ or guess_format(path, raw[:HEAD])
    try:
        parsed = FORMATS[format_](raw, source=FILE, seen_at=now)
    except BadInput as error:
        raise BadInput(f"{path}: {error}", fix=error.fix) from None
    useful = parsed.sightings or parsed.retracted or parsed.passed_over
    # The answer of a source may be empty; what people write down is not.
    if not useful and (parsed.problems or format_ in ("page", "jsonl")):
        first = f": {parsed.problems[0]}" if parsed.problems else ""
        raise BadInput(f"no paper could be read from {path}{first}", fix=f"is it of the format {format_}?")
    source = parsed.sightings[0].source if parsed.sightings else FILE
    brought = Intake(store, rehearsal=dry_run).take(source, "fresh" if useful else "quiet", parsed, now)
    if not dry_run:
        with store.write() as connection:
            runs.record(
                connection,
                source=FILE,
                started_at=now,
                finished_at=now,
                sightings=len(parsed.sightings),
                problems=brought.unusable,
                newest=path.name,
                verdict=brought.verdict,
            )
    return brought


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadInput(f"{path} is larger than {MAX_FILE // 2**20} MiB", fix="split it")
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except OSError as error:
        raise NotPermitted(f"{path} cannot be read: {error.strerror}") from None
