"""Trending: how much attention a paper earns, as a sum of visible terms. Pure and deterministic.

Each signal is brought to the range 0 to 1 and weighted. What nobody measured is not zero: a paper without a reading gets
the median of those that have one, and says nothing about it; a signal that nobody measured counts for nobody.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from statistics import median

from digest.papers.model import Metric
from digest.ranking.model import Candidate, Ranked, Term, Trajectory

RECENCY_HALF_LIFE_DAYS = 2.0
GROWTH_WITHIN = timedelta(hours=48)
"""Growth is measured against the reading that is at least this recent, so that an old burst is not news."""


def rank(candidates: Sequence[Candidate], today: date, weights: Mapping[str, float]) -> list[Ranked]:
    """Order candidates, best first; ties go to the more recent, then to the canonical key, so that the order is total.

    Args:
        candidates: with readings until now and none later.
        today: the date of the edition; ages are counted in whole days.
        weights: by the names in `SIGNALS`; a signal without a weight is left out.
    """
    measured = {name: measure(candidates, today) for name, measure in SIGNALS.items() if weights.get(name)}
    neutral = {name: median(known) for name, values in measured.items() if (known := [v.score for v in values if v])}
    ranked = []
    for n, candidate in enumerate(candidates):
        terms = []
        for name, unmeasured in neutral.items():
            value = measured[name][n]
            score = weights[name] * (value.score if value else unmeasured)
            terms.append(Term(name, value.value if value else None, round(score, 6), value.reason if value else ""))
        terms.sort(key=lambda term: (-term.score, term.signal))
        ranked.append((round(sum(term.score for term in terms), 6), tuple(terms), candidate.paper))
    ranked.sort(key=lambda row: (not row[2].pinned, -row[0], -row[2].day.toordinal(), row[2].key))
    return [Ranked(paper, place, score, terms) for place, (score, terms, paper) in enumerate(ranked, 1)]


class Measured:
    """A signal of one candidate: its raw value, its score from 0 to 1, and the words that a reader is given."""

    __slots__ = ("reason", "score", "value")

    def __init__(self, value: float, score: float, reason: str = "") -> None:
        self.value, self.score, self.reason = value, score, reason


Measure = Callable[[Sequence[Candidate], date], list[Measured | None]]


def _votes(candidates: Sequence[Candidate], _today: date) -> list[Measured | None]:
    """Votes on a log scale against the best of the day's cohort: a busy day must not drown a quiet one."""
    return _within_cohort(candidates, "votes", 20, "upvotes")


def _comments(candidates: Sequence[Candidate], _today: date) -> list[Measured | None]:
    return _within_cohort(candidates, "comments", 10, "comments")


def _within_cohort(candidates: Sequence[Candidate], metric: Metric, floor: int, word: str) -> list[Measured | None]:
    latest = [_latest(candidate, metric) for candidate in candidates]
    best: dict[date, int] = defaultdict(lambda: floor)
    for candidate, value in zip(candidates, latest, strict=True):
        best[candidate.paper.day] = max(best[candidate.paper.day], value or 0)
    return [
        None
        if value is None
        else Measured(value, _log_share(value, best[candidate.paper.day]), _counted(value, word) if value else "")
        for candidate, value in zip(candidates, latest, strict=True)
    ]


def _stars(candidates: Sequence[Candidate], _today: date) -> list[Measured | None]:
    """Stars of the code, on a log scale up to 10,000."""
    latest = [_latest(candidate, "stars") for candidate in candidates]
    return [
        None
        if stars is None
        else Measured(stars, _log_share(stars, 10_000), _counted(stars, "GitHub stars") if stars >= 10 else "")
        for stars in latest
    ]


def _growth(candidates: Sequence[Candidate], today: date) -> list[Measured | None]:
    """Votes a day between the latest reading and the oldest one of the 48 hours before it, on a log scale up to 100 a day;
    unmeasured where the latest one is older than that itself."""
    measured: list[Measured | None] = []
    for candidate in candidates:
        gains = [
            gain
            for (_, metric), readings in candidate.readings.items()
            if metric == "votes" and today - readings[-1][0].date() <= GROWTH_WITHIN and (gain := _gain(readings))
        ]
        if not gains:
            measured.append(None)
            continue
        votes, hours = max(gains, key=lambda gain: (gain[0] / gain[1], gain))
        reason = f"+{_counted(votes, 'votes')} in {round(hours)} h" if votes > 0 else ""
        measured.append(Measured(votes * 24 / hours, _log_share(max(0.0, votes * 24 / hours), 100), reason))
    return measured


def _gain(readings: Trajectory) -> tuple[int, float] | None:
    """How many votes came in how many hours (at least one, lest two readings in a row make a sensation of one vote)."""
    latest_at, latest = readings[-1]
    recent = [(at, value) for at, value in readings[:-1] if latest_at - at <= GROWTH_WITHIN]
    if not recent:
        return None
    at, value = recent[0]
    hours = (latest_at - at).total_seconds() / 3600
    return (latest - value, hours) if hours >= 1 else None


def _rank(candidates: Sequence[Candidate], _today: date) -> list[Measured | None]:
    """The place in a source's list: the first counts 1, and each doubling of the place takes the same away."""
    measured: list[Measured | None] = []
    for candidate in candidates:
        places = [readings[-1][1] for (_, metric), readings in candidate.readings.items() if metric == "rank"]
        place = min(places, default=None)
        measured.append(
            None if place is None else Measured(place, 1 / (1 + math.log2(max(1, place))), f"no. {place} of its list")
        )
    return measured


def _recency(candidates: Sequence[Candidate], today: date) -> list[Measured | None]:
    """Newer is better, by whole days: the hour at which a source lists a paper says nothing about the paper."""
    measured: list[Measured | None] = []
    for candidate in candidates:
        age = max(0, (today - candidate.paper.day).days)
        dated = candidate.paper.work.listed_on or candidate.paper.work.published_at
        day = "today" if age == 0 else "yesterday" if age == 1 else ""
        reason = day and f"{'new' if dated else 'first seen'} {day}"
        measured.append(Measured(age, 0.5 ** (age / RECENCY_HALF_LIFE_DAYS), reason))
    return measured


SIGNALS: dict[str, Measure] = {
    "votes": _votes,
    "growth": _growth,
    "stars": _stars,
    "comments": _comments,
    "rank": _rank,
    "recency": _recency,
}


def numbers(candidate: Candidate) -> dict[str, int]:
    """The latest value of each count, for a reader's eyes."""
    found = {metric: _latest(candidate, metric) for metric in ("votes", "comments", "stars", "citations")}
    return {metric: value for metric, value in found.items() if value is not None}


def _latest(candidate: Candidate, metric: Metric) -> int | None:
    """The newest value of a metric; where several sources count it, the highest."""
    return max((readings[-1][1] for (_, of), readings in candidate.readings.items() if of == metric), default=None)


def _log_share(value: float, best: float) -> float:
    return min(1.0, math.log1p(value) / math.log1p(best)) if best > 0 else 0.0


def _counted(number: int, plural: str) -> str:
    return f"{number:,} {plural[:-1] if number == 1 else plural}"
