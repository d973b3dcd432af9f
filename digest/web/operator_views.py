"""What the operator's pages show, as words and numbers: pure functions of what the store tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from digest.edition.model import edition_name
from digest.flows.settling import ENDED
from digest.papers.text import clean
from digest.rendering.bars import Chart, chart
from digest.rendering.words import figure
from digest.store.overview import Course, Failure
from digest.subscribers.address import EmailAddress

CHARTED = 7
"""Editions in a chart: so many numbers can be read side by side on a phone."""
BOUNCED = ("rejected", "expired", "parked")
IN_DOUBT = ("in_doubt", "held")
MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class CourseView:
    """An edition in the table. Counts are as they are written; `took` is empty where nobody got it at once."""

    name: str
    empty_because: str
    papers: str
    mails: str
    submitted: str
    waiting: str
    deferred: str
    bounced: str
    in_doubt: str
    left: str
    took: str


@dataclass(frozen=True, slots=True)
class FailureView:
    """A mail that failed. `retry` is the path that queues it again, empty where it needs more than that."""

    number: str
    what: str
    address: str
    state: str
    attempts: int
    at: str
    reply: str
    retry: str


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
        bounced=f"{_sum(one, BOUNCED):,}",
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
        counted("bounced", "Bounced", [_sum(one, BOUNCED) for one in shown]),
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


def failure_view(one: Failure, retry: str) -> FailureView:
    """One failure, in words; `retry` is where it can be queued again."""
    return FailureView(
        number=f"{one.table} {one.number}",
        what=one.what,
        address=EmailAddress(one.address).masked,
        state="deferred" if one.state == "queued" else one.state.replace("_", " "),
        attempts=one.attempts,
        at=moment(one.at),
        reply=clean(one.reply, MAX_WORDS),
        retry=retry if one.state in ENDED else "",
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
