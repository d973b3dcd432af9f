"""Asking: a source is sent out in its turn, what it brings is taken in, and its run is noted with what it proves."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from time import sleep
from typing import Protocol, cast

from digest.clock import Clock
from digest.errors import Busy, DigestError
from digest.flows.attention import wanted
from digest.flows.intake import Brought, Intake
from digest.flows.outages import NO_ALARM, Alarm, News, Outage, news_of
from digest.flows.resting import rests
from digest.papers.model import Sighting
from digest.papers.text import clean
from digest.sources.base import AttentionSource, Collected, Errand, Known, Past, Source
from digest.sources.parsed import Parsed
from digest.sources.web import Abandoned, HttpError, Web
from digest.store import lookups, notices, runs, turns
from digest.store.engine import Store
from digest.subscribers.address import EmailAddress

LONGEST_REST = timedelta(hours=24)
"""A server may ask to be left alone; not for ever."""

log = logging.getLogger("digest")


class Watch(Protocol):
    """Looks on while sources are asked; called from several threads."""

    def step(self, source: str, done: int, total: int | None) -> None:
        """So many of so many steps (None: nobody knows) are done."""

    def ended(self, brought: Brought) -> None:
        """One source has been asked."""


class _Nobody:
    """Nobody looks on."""

    def step(self, source: str, done: int, total: int | None) -> None: ...

    def ended(self, brought: Brought) -> None: ...


NOBODY: Watch = _Nobody()


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks sources, on the same terms all of them. Safe to use from several threads.

    Args:
        fresh_for: for how long an answer is good, so that its source is left alone; 0 asks whatever was before.
        patience: how long to wait for a turn that another process has.
        at: the start that every run is noted with: for a command, the moment of its call; None: when its turn came.
        since: asks for everything from that day on; None: for what is new.
        window: how old a paper may be that a source of attention is to look up.
        rehearsal: asks, and leaves no trace.
    """

    store: Store
    clock: Clock
    web: Web
    intake: Intake
    fresh_for: timedelta = timedelta(0)
    patience: timedelta = timedelta(0)
    at: datetime | None = None
    since: date | None = None
    window: timedelta = timedelta(days=14)
    rehearsal: bool = False
    alarm: Alarm = NO_ALARM
    watch: Watch = NOBODY

    def ask_all(self, sources: Iterable[Source]) -> list[Brought]:
        """Ask one source after the other."""
        return [brought for source in sources if (brought := self.ask(source)) is not None]

    def ask(self, source: Source) -> Brought | None:
        """Ask one source in its turn; None: it is left alone, for it was asked lately."""
        if self._rests(source):
            return None
        try:
            with turns.alone(self.store, f"asking {source.turn}", self.patience.total_seconds(), sleep=self._wait):
                # Whoever had the turn before may have asked it.
                brought = None if self._rests(source) else self._ask(source)
        except Busy:
            brought = Brought(source.name, "busy", error=f"another process is asking {source.title}")
        except Abandoned:
            brought = Brought(source.name, "stopped", error="it was told to stop")
        if brought is not None:
            self.watch.ended(brought)
        return brought

    def _wait(self, seconds: float) -> None:
        if self.web.over:
            raise Abandoned("it was told to stop")
        sleep(seconds)

    def _rests(self, source: Source) -> bool:
        if not self.fresh_for:
            return False
        now = self.clock.now()
        with self.store.read() as connection:
            return rests(runs.last_of(connection, source.name, now), now, self.fresh_for)

    def _ask(self, source: Source) -> Brought:
        """Raises Abandoned, and what the database cannot do."""
        started = self.at or self.clock.now().replace(microsecond=0)
        errand = self._errand(source, started)
        if source.brings == "attention" and not errand.known:
            nothing = "no paper waits to be looked up"
            collected, error = Collected(Parsed(), "quiet", errand.past.newest, errand.past.cursor, nothing), ""
        else:
            collected, error = _send_out(source, errand)
        try:
            parsed = in_their_days(collected.parsed) if self.since else collected.parsed
            brought = self.intake.take(source.name, collected.verdict, parsed, started, collected.evidence, error)
        except Exception as fault:  # noqa: BLE001 - whatever a source brings that cannot be stored, the other sources live
            collected = replace(collected, verdict="failed", asked=())
            brought = Brought(source.name, "failed", evidence=collected.evidence, error=in_words(source, fault))
        if not self.rehearsal:
            self._note(source, started, collected, brought)
        return brought

    def _errand(self, source: Source, now: datetime) -> Errand:
        with self.store.read() as connection:
            run = runs.last_answer(connection, source.name, now)
        past = Past() if run is None else Past(run.started_at, run.newest, run.cursor)
        known: Sequence[Known] = ()
        if source.brings == "attention":
            seen_since = datetime.combine(self.since, time(), UTC) if self.since else now - self.window
            known = wanted(self.store, cast("AttentionSource", source), now, seen_since)
        return Errand(now, self.web, past, self.since, known, partial(self.watch.step, source.name))

    def _note(self, source: Source, started: datetime, collected: Collected, brought: Brought) -> None:
        now = self.clock.now()
        news = self._news(source, started, collected, brought) if self.alarm.operator else None
        with self.store.write() as connection:
            if news:
                recipient = EmailAddress.parse(self.alarm.operator)
                notices.enqueue(connection, kind="operator", recipient=recipient, key=news.key, content=news.content, now=now)
            runs.record(
                connection,
                source=source.name,
                started_at=started,
                finished_at=max(now, started),
                sightings=brought.new + brought.known,
                problems=brought.unusable,
                newest=collected.newest,
                verdict=collected.verdict,
                error=brought.error,
                evidence=brought.evidence,
                cursor=dict(collected.cursor),
                not_before=collected.not_before and min(collected.not_before, now + LONGEST_REST),
            )
            if collected.asked:
                lookups.note(connection, source.name, collected.asked, started)

    def _news(self, source: Source, started: datetime, collected: Collected, brought: Brought) -> News | None:
        """What this run, which is not noted yet, is worth telling the operator."""
        with self.store.read() as connection:
            since = runs.missing_since(connection, source.name, started)
            last = runs.last_of(connection, source.name, started)
            answer = runs.last_answer(connection, source.name, started)
        outage = Outage(since, last.started_at, answer and answer.finished_at) if since and last else None
        kept = self.alarm.answers and self.alarm.answers / source.name.replace(":", "-")
        alarm = replace(self.alarm, answers=kept if kept and kept.is_dir() else None)
        return news_of(source, collected.verdict, brought.error or brought.evidence, started, outage, alarm)


def in_their_days(parsed: Parsed) -> Parsed:
    """What a back-fill brings, as if it had been seen on the days that it tells: it completes the past, and is no news."""
    return replace(parsed, sightings=tuple(map(_in_its_day, parsed.sightings)))


def _in_its_day(sighting: Sighting) -> Sighting:
    work = sighting.work
    day = work.listed_on or (work.published_at.date() if work.published_at else None)
    if day is None:
        return sighting
    return replace(sighting, seen_at=min(sighting.seen_at, datetime.combine(day, time.max, UTC)))


def _send_out(source: Source, errand: Errand) -> tuple[Collected, str]:
    """What a source brings, and what it failed of. Raises Abandoned."""
    try:
        collected = source.collect(errand)
    except Abandoned:
        raise
    except Exception as fault:  # noqa: BLE001 - a parser that trips over hostile input is no reason to lose the others
        wait = fault.wait if isinstance(fault, HttpError) else None
        not_before = None if wait is None else errand.now + timedelta(seconds=wait)
        return Collected(Parsed(), "failed", not_before=not_before), in_words(source, fault)
    if collected.verdict != "failed":
        return collected, ""
    return collected, collected.evidence or next((str(one) for one in collected.parsed.problems), "it broke off")


def in_words(source: Source, fault: Exception) -> str:
    """Why a source brought nothing; a fault of the program's own, such as a parser's, is logged."""
    if isinstance(fault, DigestError):
        return str(fault)
    said = clean(repr(fault), 300)
    log.error("%s: internal error: %s; please report it", source.name, said)
    log.debug("%s", source.name, exc_info=fault)
    return f"internal error: {said}"
