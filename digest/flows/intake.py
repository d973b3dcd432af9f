"""Intake: what was parsed goes into the database, in transactions so short that mails are not kept waiting."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from digest.papers.model import Sighting
from digest.sources.parsed import Parsed, Problem
from digest.store import papers
from digest.store.engine import Store

AT_ONCE = 500
"""Sightings of one transaction."""
BREATH = 0.12
"""Seconds of rest between two transactions on SQLite, which has no queue: whoever asks first has the lock, and a process that
waits for it asks again each 0.1 s. Without the rest, only we would ever get it."""
MAX_PROBLEMS = 1000
"""How many of what could not be used are handed on one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What one source or file brought: papers not known before and seen again, new readings, what could not be used.

    `verdict` is that of the run, or *busy* (another process is at it) or *stopped* (this one was told to end).
    """

    source: str
    verdict: str
    new: int = 0
    known: int = 0
    readings: int = 0
    problems: tuple[Problem, ...] = field(default=())
    """The first `MAX_PROBLEMS` of `unusable`."""
    unusable: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Entries that are right, and not for us, by reason."""
    retracted: int = 0
    evidence: str = ""
    error: str = ""


class Intake:
    """Takes in what one or several threads bring, one at a time; a rehearsal counts, and leaves everything as it was."""

    def __init__(self, store: Store, *, rehearsal: bool = False, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store, self._rehearsal, self._sleep = store, rehearsal, sleep
        self._lock = Lock()
        self._begun = False

    def take(self, source: str, verdict: str, parsed: Parsed, at: datetime, evidence: str = "", error: str = "") -> Brought:
        """Store it; a repeat changes nothing, so one that was interrupted is just run again."""
        new = known = readings = retracted = unannounced = 0
        with self._lock:
            for start in range(0, len(parsed.sightings), AT_ONCE):
                if self._begun and self._store.is_sqlite:
                    self._sleep(BREATH)
                self._begun = True
                one = self._record(parsed.sightings[start : start + AT_ONCE])
                new, known, readings = new + one.new, known + one.known, readings + one.readings
                unannounced += one.passed_over
            if parsed.retracted:
                retracted = self._retract(parsed.retracted, at)
        passed_over = dict(parsed.passed_over) | ({"of papers not known here": unannounced} if unannounced else {})
        return Brought(
            source,
            verdict,
            new,
            known,
            readings,
            parsed.problems[:MAX_PROBLEMS],
            len(parsed.problems),
            passed_over,
            retracted,
            evidence,
            error,
        )

    def _record(self, sightings: Sequence[Sighting]) -> papers.Recorded:
        with self._store.write() as connection:
            recorded = papers.record(connection, sightings)
            if self._rehearsal:
                connection.rollback()
        return recorded

    def _retract(self, ids: Sequence[str], at: datetime) -> int:
        with self._store.write() as connection:
            number = papers.retract(connection, ids, at)
            if self._rehearsal:
                connection.rollback()
        return number
