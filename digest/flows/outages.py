"""What the operator is told of a source that is missing: when it has been so for long, each week again, and when it is back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from digest.sources.base import Source, Verdict

REMINDED_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whom to tell, and after how long; nobody where `operator` is empty."""

    operator: str = ""
    after: timedelta = timedelta(hours=24)
    answers: Path | None = None
    """Where the last answers of the sources are kept."""


NO_ALARM = Alarm()


@dataclass(frozen=True, slots=True)
class Outage:
    """A source has been asked in vain: first and last since it answered, which is None if it never did."""

    since: datetime
    until: datetime
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A mail to the operator; what has the same key says the same, and goes out once."""

    key: str
    content: Mapping[str, object]


def news_of(source: Source, verdict: Verdict, said: str, at: datetime, outage: Outage | None, alarm: Alarm) -> News | None:
    """What a run of `source` at `at` is worth telling, `outage` being what it was in before.

    Nothing, if it is a source of attention alone: nobody waits for its papers.
    """
    if source.brings != "papers":
        return None
    if verdict in ("failed", "stale"):
        outage = Outage(outage.since, at, outage.answered_at) if outage else Outage(at, at)
        return _missing(source, f"{verdict}: {said}", outage, alarm)
    if outage is None or outage.until - outage.since < alarm.after:
        return None  # nobody was told that it was away
    return _back(source, at, outage, alarm)


def _missing(source: Source, said: str, outage: Outage, alarm: Alarm) -> News | None:
    lasted = outage.until - outage.since
    if lasted < alarm.after:
        return None
    reminder = (lasted - alarm.after) // REMINDED_AFTER
    return News(
        f"{_key(source, outage)}-{reminder}",
        {
            "subject": f"{_name(source)} is missing since {_at(outage.since)}",
            "lines": ["Digests go out without its papers, and say so. They follow when it is back, and you are told."],
            "facts": [
                *_facts(source, outage, alarm),
                ["last attempt", f"{_at(outage.until)}, {said}"],
            ],
            "advice": f"digest collect {source.name}",
        },
    )


def _back(source: Source, at: datetime, outage: Outage, alarm: Alarm) -> News:
    return News(
        f"{_key(source, outage)}-back",
        {
            "subject": f"{_name(source)} is back",
            "lines": [f"It answered at {_at(at)}. What it still shows of the days before goes into the next edition."],
            "facts": _facts(source, outage, alarm),
            "advice": "digest status",
        },
    )


def _facts(source: Source, outage: Outage, alarm: Alarm) -> list[list[str]]:
    facts = [
        ["source", source.name],
        ["missing since", _at(outage.since)],
        ["last good answer", _at(outage.answered_at) if outage.answered_at else "never"],
    ]
    return facts + ([["answers kept in", str(alarm.answers)]] if alarm.answers else [])


def _key(source: Source, outage: Outage) -> str:
    return f"source-{source.name}-{outage.since:%Y-%m-%dT%H:%M}"


def _name(source: Source) -> str:
    return source.title if source.title.casefold().replace(" ", "") == source.name else f"{source.title} ({source.name})"


def _at(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M}Z"
