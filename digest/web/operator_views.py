"""What the operator's pages show, as words and numbers: pure functions of what the store tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from digest.edition.model import edition_name
from digest.flows.settling import RETRIABLE
from digest.papers.text import clean
from digest.rendering.bars import Chart, chart
from digest.rendering.words import figure
from digest.store.overview import Course, Failure
from digest.subscribers.address import EmailAddress

CHARTED = 7
"""Editions in a chart: so many numbers can be read side by side on a phone."""
GIVEN_UP = ("expired", "parked")
IN_DOUBT = ("in_doubt", "held")
MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class CourseView:
    """An edition in the table: from `submitted` to `in_doubt` each of its `mails` is counted once.

    Counts are as they are written; `took` is empty where nobody got it at once.
    """

    name: str
    empty_because: str
    papers: str
    mails: str
    submitted: str
    waiting: str
    deferred: str
    refused: str
    given_up: str
    skipped: str
    in_doubt: str
    left: str
    took: str


@dataclass(frozen=True, slots=True)
class FailureView:
    """A mail that failed."""

    name: str
    """By which it is queued again: `delivery 12`."""
    what: str
    address: str
    attempts: int
    at: str
    again_at: str
    """When it is tried again by itself; empty where it is not."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Mails of which the same was said."""

    state: str
    reply: str
    mails: tuple[FailureView, ...]
    ended: bool
    """Whether they can be tried again without asking: none reached its reader."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source in the table."""

    name: str
    verdict: str
    at: str
    papers: str
    said: str
    answered: str


def course_view(one: Course) -> CourseView:
    """One edition, in words."""
    queued = one.states.get("queued", 0)
    return CourseView(
        name=edition_name(one.date, one.cadence),
        empty_because=clean(one.empty_because, MAX_WORDS),
        papers=f"{one.papers:,}",
        mails=f"{sum(one.states.values()):,}",
        submitted=f"{one.states.get('submitted', 0):,}",
        waiting=f"{queued - one.deferred + one.states.get('claimed', 0) + one.states.get('submitting', 0):,}",
        deferred=f"{one.deferred:,}",
        refused=f"{one.states.get('rejected', 0):,}",
        given_up=f"{_sum(one, GIVEN_UP):,}",
        skipped=f"{one.states.get('skipped', 0):,}",
        in_doubt=f"{_sum(one, IN_DOUBT):,}",
        left=f"{one.left:,}",
        took=span(_took(one)),
    )


def charts(courses: Sequence[Course]) -> list[Chart]:
    """The last daily editions, oldest first; of a site without them, the weekly ones."""
    daily = [one for one in courses if one.cadence == "daily"]
    shown = list(reversed((daily or list(courses))[:CHARTED]))
    if not shown:
        return []

    def counted(name: str, title: str, numbers: Sequence[int]) -> Chart:
        return chart(name, title, [(_day(one), number, figure(number)) for one, number in zip(shown, numbers, strict=True)])

    took = [_took(one) for one in shown]
    return [
        counted("submitted", "Submitted", [one.states.get("submitted", 0) for one in shown]),
        counted("deferred", "Deferred", [one.deferred for one in shown]),
        counted("failed", "Refused or given up", [_sum(one, ("rejected", *GIVEN_UP)) for one in shown]),
        counted("left", "Unsubscribed", [one.left for one in shown]),
        chart(
            "took",
            "From freezing to the last mail",
            [
                (_day(one), None if at is None else at.total_seconds(), span(at) or "–")
                for one, at in zip(shown, took, strict=True)
            ],
        ),
        counted("papers", "Papers to choose from", [one.papers for one in shown]),
    ]


def failure_groups(failures: Sequence[Failure]) -> list[FailureGroup]:
    """Failures in words, those of which the same was said side by side; the rest of their order stays."""
    alike: dict[tuple[str, str], list[Failure]] = {}
    for one in failures:
        alike.setdefault((one.state, clean(one.reply, MAX_WORDS)), []).append(one)
    return [
        FailureGroup(
            state="deferred" if state == "queued" else state.replace("_", " "),
            reply=reply,
            mails=tuple(_failure_view(one) for one in mails),
            ended=state in RETRIABLE,
        )
        for (state, reply), mails in alike.items()
    ]


def _failure_view(one: Failure) -> FailureView:
    return FailureView(
        name=f"{one.table} {one.number}",
        what=one.what,
        address=EmailAddress(one.address).masked,
        attempts=one.attempts,
        at=moment(one.at),
        again_at=moment(one.again_at) if one.again_at else "",
    )


def source_view(one: dict[str, Any]) -> SourceView:
    """One source of `flows.status`, in words."""
    return SourceView(
        name=one["source"],
        verdict=one["verdict"] or "never asked",
        at=moment(one["at"]) if one["at"] else "",
        papers=f"{one['sightings']:,}" if one["sightings"] is not None else "",
        said=clean(one["error"] or one["evidence"] or "", MAX_WORDS),
        answered=moment(one["answered_at"]) if one["answered_at"] else "never",
    )


def counted(numbers: dict[str, int], none: str) -> str:
    """`3 queued, 1 held`."""
    return ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in numbers.items()) or none


def moment(at: datetime) -> str:
    """`Sun 2026-11-22 06:00Z`, as commands write it."""
    return f"{at:%a %Y-%m-%d %H:%M}Z"


def next_mail(at: datetime | None, now: datetime, *, held: bool) -> str:
    """When the next mail goes. `held`: whether digests are held back, so that only single mails go."""
    if at is None:
        return "with the next edition"
    if at > now:
        return moment(at)
    return "when you let digests go out" if held else "now"


def span(took: timedelta | None) -> str:
    """`40s`, `12m`, `3.5h`; empty where it is not known."""
    if took is None:
        return ""
    seconds = took.total_seconds()
    if seconds < 100:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 100 * 60 else f"{seconds / 3600:.3g}h"


def _took(one: Course) -> timedelta | None:
    return None if one.last_at is None else max(one.last_at - one.frozen_at, timedelta(0))


def _sum(one: Course, states: Sequence[str]) -> int:
    return sum(one.states.get(state, 0) for state in states)


def _day(one: Course) -> str:
    return f"{one.date.day} {one.date:%b}"
