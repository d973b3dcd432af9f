"""Trending: how many votes a paper will have earned a week after it was listed, as a sum of visible terms. Pure.

Votes so far, and what a prior still expects of a young list (the mean of a Gamma-Poisson posterior), grow by what lists of that
age grow by; what came between readings, comments, stars, an editor's taste and the standing within a small field add to it; age
takes away. Each term is in expected votes, times its weight. What nobody measured is not zero: it has no term.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from digest.papers.model import Metric
from digest.ranking.model import Candidate, Ranked, Term, Trajectory
from digest.ranking.prior import Prior
from digest.ranking.standing import LIST, TELLING, Place, lifts, places
from digest.subscribers.model import Cadence

SIGNALS = ("votes", "prior", "outlook", "growth", "comments", "stars", "editor", "standing", "freshness")
"""The terms of a score, by the names that their weights have too."""

HALF_LIFE_DAYS = 2.0
"""What is so much older counts half in a daily edition."""
GROWTH_WITHIN = timedelta(hours=48)
"""Growth is measured against the reading that is at least this recent, so that an old burst is not news."""
NEXT_DAY_HOURS = 26.0
"""The prior is fitted to the votes of this age."""
UNLISTED = 0.1
"""Of what is expected of a paper on a list, so much is expected of one that no list carries: being listed is most of it."""
READ_AT_MOST = 2000
"""Of so many papers that nobody voted on, the newest, the text is read; the others are beyond every edition."""
GOES_ON = 0.5
"""Of the votes that came faster than is usual at that age, so many come again."""
VOTES_A_COMMENT = 0.25
FROM_STARS = 0.05
"""Stars come with votes; where votes were counted, they add so much of what they stand for alone."""
EDITORS_CHOICE = 10.0
"""Votes that being an editor's certain choice is worth."""
NAMED = 5
"""The first of a day's list are told their places."""
TOOK_OFF_DAYS = 3
TOOK_OFF_VOTES = 10
_MOST = 10**7
"""No count is taken for more."""


@dataclass(frozen=True, slots=True)
class _Votes:
    count: int
    hours: float
    """From the beginning of the day of listing to the reading, at least 1."""


@dataclass(frozen=True, slots=True)
class _Gain:
    votes: int
    hours: float
    """Between the two readings."""
    usual: float
    """What a paper of that age and those votes would have gained."""


def rank(
    candidates: Sequence[Candidate],
    now: datetime,
    on: date,
    cadence: Cadence,
    model: Prior,
    weights: Mapping[str, float],
) -> list[Ranked]:
    """Order candidates, best first; ties go to the more recent, then to the canonical key, so that the order is total.

    Args:
        candidates: with readings until `now` and none later.
        now: when the edition is frozen; growth that ended long before is none.
        on: the date of the edition; ages are counted in whole days until it.
        cadence: a weekly edition asks for the best of the week, whatever the day.
        model: the fitted parameters.
        weights: by the names in `SIGNALS`; a signal without a weight is left out.
    """
    votes = [_votes(candidate, now) for candidate in candidates]
    mu, liking = _expected(candidates, votes, model)
    rows: list[list[Term]] = []
    for n, candidate in enumerate(candidates):
        terms = _projected(candidate, votes[n], mu[n], model)
        terms += _attention(candidate, votes[n], liking[n], model, now)
        rows.append([_weighed(term, weights) for term in terms if weights.get(term.signal, 0) > 0])
    _add_standing(candidates, votes, rows, on, weights.get("standing", 0.0))
    ranked = []
    for candidate, terms in zip(candidates, rows, strict=True):
        if cadence == "daily" and weights.get("freshness", 0) > 0:
            terms.append(_freshness(candidate, terms, now, on, weights["freshness"]))
        terms.sort(key=lambda term: (-term.score, SIGNALS.index(term.signal)))
        ranked.append((round(math.fsum(term.score for term in terms), 6), tuple(terms), candidate.paper))
    ranked.sort(key=lambda row: (not row[2].pinned, -row[0], -row[2].day.toordinal(), row[2].key))
    return [Ranked(paper, place, score, terms) for place, (score, terms, paper) in enumerate(ranked, 1)]


def numbers(candidate: Candidate) -> dict[str, int]:
    """The latest value of each count, for a reader's eyes."""
    found = {metric: latest(candidate, metric) for metric in ("votes", "comments", "stars", "citations")}
    return {metric: value for metric, value in found.items() if value is not None}


def latest(candidate: Candidate, metric: Metric) -> int | None:
    """The newest value of a metric; where several sources count it, the highest."""
    return max((readings[-1][1] for (_, of), readings in candidate.readings.items() if of == metric), default=None)


def listed_at(candidate: Candidate) -> datetime:
    """The beginning of the day that first carried the paper: the hour within it says nothing about the paper."""
    paper = candidate.paper
    return datetime.combine(paper.work.listed_on or paper.first_seen_at.date(), time(), UTC)


def _votes(candidate: Candidate, now: datetime) -> _Votes | None:
    """The votes where most were counted, and how old the list was then."""
    readings = _of(candidate, "votes")
    if readings is None:
        return None
    at, count = readings[-1]
    hours = (min(at, now) - listed_at(candidate)).total_seconds() / 3600
    return _Votes(_limited(count), max(1.0, hours))


def _of(candidate: Candidate, metric: Metric) -> Trajectory | None:
    """The trajectory of the source that counted most."""
    found = [readings for (_, of), readings in sorted(candidate.readings.items()) if of == metric and readings]
    return max(found, key=lambda readings: readings[-1][1], default=None)


def _expected(
    candidates: Sequence[Candidate], votes: Sequence[_Votes | None], model: Prior
) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """What the texts promise, where they are read: expected votes and an editor's log-odds."""
    unvoted = [n for n, known in enumerate(votes) if known is None]
    unvoted.sort(key=lambda n: (-candidates[n].paper.day.toordinal(), candidates[n].paper.key))
    read = [n for n, known in enumerate(votes) if known is not None] + unvoted[:READ_AT_MOST]
    mu: list[float | None] = [None] * len(candidates)
    liking: list[float | None] = [None] * len(candidates)
    answers = model.expected([candidates[n].paper.work for n in read])
    for n, more, odds in zip(read, *(answer.tolist() for answer in answers), strict=True):
        mu[n], liking[n] = more, odds
    return mu, liking


def _projected(candidate: Candidate, votes: _Votes | None, mu: float | None, model: Prior) -> list[Term]:
    """Votes so far, what the prior adds to them, and by how much both will grow."""
    growth = model.growth
    if votes is None:
        if mu is None:
            return []
        listed = candidate.paper.work.listed_on or any(metric == "rank" for _, metric in candidate.readings)
        expected = mu if listed else UNLISTED * mu
        factor = growth.factor(NEXT_DAY_HOURS)
        return [Term("prior", expected, expected), Term("outlook", factor, expected * (factor - 1))]
    more = growth.waiting / votes.hours * mu if mu else 0.0
    factor = growth.factor(votes.hours)
    so_far = counted(votes.count, "upvotes")
    tells = more >= 2 and more >= 0.2 * votes.count
    return [
        Term("votes", votes.count, float(votes.count), so_far if votes.count and not tells else ""),
        Term("prior", more, more, f"{so_far}, {round(more)} more expected" if tells else ""),
        Term("outlook", factor, (votes.count + more) * (factor - 1)),
    ]


def _attention(candidate: Candidate, votes: _Votes | None, liking: float | None, model: Prior, now: datetime) -> list[Term]:
    """What else shows attention, each as far as somebody measured it."""
    terms: list[Term] = []
    if gain := _gain(candidate, model, now):
        day = took_off(candidate, now)
        words = f"+{counted(gain.votes, 'votes')} in {round(gain.hours)} h" if gain.votes > 0 else ""
        words = f"took off on day {day}: {words}" if day else words
        terms.append(Term("growth", gain.votes * 24 / gain.hours, GOES_ON * max(0.0, gain.votes - gain.usual), words))
    if (comments := latest(candidate, "comments")) is not None:
        comments = _limited(comments)
        words = counted(comments, "comments") if comments >= 2 else ""
        terms.append(Term("comments", comments, VOTES_A_COMMENT * comments, words))
    if (stars := _of(candidate, "stars")) is not None:
        terms.append(_stars(stars, votes, model, now))
    if liking is not None:
        odds = liking + model.editor_votes * math.log1p(votes.count if votes else 0)
        chance = 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))
        terms.append(
            Term("editor", chance, EDITORS_CHOICE * chance, "of the kind that an editor chose" if chance >= 0.3 else "")
        )
    return terms


def _stars(readings: Trajectory, votes: _Votes | None, model: Prior, now: datetime) -> Term:
    """The votes that go with such stars; those that came within two days count twice, for they are today's attention."""
    count = _limited(readings[-1][1])
    recent = _recent(readings, now)
    came = max(0, count - _limited(recent[1])) if recent else 0
    start, slope = model.stars
    worth = math.expm1(min(15.0, start + slope * math.log1p(count + came))) - math.expm1(min(15.0, start))
    words = counted(count, "GitHub stars") if count >= 10 else ""
    if recent and came >= 10:
        words = f"+{came:,} GitHub stars in {round(recent[0])} h"
    return Term("stars", count, max(0.0, worth) * (1.0 if votes is None else FROM_STARS), words)


def _gain(candidate: Candidate, model: Prior, now: datetime) -> _Gain | None:
    """What came between the latest reading of votes and the oldest of the 48 hours before it."""
    readings = _of(candidate, "votes")
    recent = _recent(readings, now) if readings else None
    if readings is None or recent is None:
        return None
    hours, before = recent
    age = (min(readings[-1][0], now) - listed_at(candidate)).total_seconds() / 3600
    usual = _limited(before) * (model.growth.factor(age - hours) / model.growth.factor(age) - 1)
    return _Gain(_limited(readings[-1][1]) - _limited(before), hours, max(0.0, usual))


def _recent(readings: Trajectory, now: datetime) -> tuple[float, int] | None:
    """How many hours before the latest reading the oldest one of 48 hours was taken, and what it said. None where there is no
    such one, where the latest is too old itself, or where less than an hour lies between, lest one vote make a sensation."""
    at = readings[-1][0]
    if now - at > GROWTH_WITHIN:
        return None
    found = None
    for before, value in reversed(readings[:-1]):
        if at - before > GROWTH_WITHIN:
            break
        found = before, value
    if found is None:
        return None
    hours = (at - found[0]).total_seconds() / 3600
    return (hours, found[1]) if hours >= 1 else None


def took_off(candidate: Candidate, now: datetime) -> int | None:
    """On which day a late bloomer took off, its first being day 1; None for all others.

    It is three days old or more, and gained at least half of its votes, and ten, within the last 48 hours.
    """
    readings = _of(candidate, "votes")
    recent = _recent(readings, now) if readings else None
    if readings is None or recent is None:
        return None
    at, count = readings[-1]
    gained = count - recent[1]
    age = (at.date() - candidate.paper.day).days
    return age + 1 if age >= TOOK_OFF_DAYS and gained >= TOOK_OFF_VOTES and 2 * gained >= count else None


def _add_standing(
    candidates: Sequence[Candidate], votes: Sequence[_Votes | None], rows: Sequence[list[Term]], on: date, weight: float
) -> None:
    """A term for each paper whose field lifts it, or for which its place in its field is worth saying."""
    if not weight > 0:
        return
    base = [math.fsum(term.score for term in terms) for terms in rows]
    fields = [candidate.paper.work.categories[:1] for candidate in candidates]
    names = [field[0] if field else _source(candidate) for field, candidate in zip(fields, candidates, strict=True)]
    voted = [n for n, known in enumerate(votes) if known is not None]
    lifted = dict(zip(voted, lifts([names[n] for n in voted], [base[n] for n in voted]), strict=True))
    days = [candidate.paper.day for candidate in candidates]
    in_field = places([(field[0], day) if field else None for field, day in zip(fields, days, strict=True)], base, TELLING)
    in_list = places(
        [(_source(one), day) if votes[n] else None for n, (one, day) in enumerate(zip(candidates, days, strict=True))],
        base,
        LIST,
    )
    for n, (place, listed) in enumerate(zip(in_field, in_list, strict=True)):
        today, known, reason = days[n] == on, votes[n], ""
        # Nobody stands anywhere for what is merely expected of him.
        if known is not None and known.count:
            reason = (_standing(place, fields[n][0], today) if place else "") or (_in_list(listed, today) if listed else "")
        if reason or lifted.get(n):
            share = place.share if place else None
            rows[n].append(Term("standing", share, round(weight * lifted.get(n, 0.0), 6), reason))


def _source(candidate: Candidate) -> str:
    """Where votes were counted: the cohort of a paper without a field."""
    return min((f"source {source}" for source, metric in candidate.readings if metric == "votes"), default="")


def _standing(place: Place, field: str, today: bool) -> str:
    share = math.ceil(100 * place.share)
    return f"top {share}% of {field} {'today' if today else 'of its day'}" if share <= 10 else ""


def _in_list(place: Place, today: bool) -> str:
    return f"no. {place.number} of {place.of} listed {'today' if today else 'that day'}" if place.number <= NAMED else ""


def _freshness(candidate: Candidate, terms: Sequence[Term], now: datetime, on: date, weight: float) -> Term:
    """What age takes away, by whole days; nothing from a late bloomer, for it is news today."""
    paper = candidate.paper
    age = max(0, (on - paper.day).days)
    left = 1.0 if took_off(candidate, now) else 0.5 ** (weight * age / HALF_LIFE_DAYS)
    day = "today" if age == 0 else "yesterday" if age == 1 else ""
    dated = paper.work.listed_on or paper.work.published_at
    reason = day and f"{'new' if dated else 'first seen'} {day}"
    return Term("freshness", age, round(-(1 - left) * math.fsum(term.score for term in terms), 6) or 0.0, reason)


def _weighed(term: Term, weights: Mapping[str, float]) -> Term:
    return Term(term.signal, term.value, round(weights[term.signal] * term.score, 6), term.reason)


def _limited(count: int) -> int:
    return max(0, min(count, _MOST))


def counted(number: int, plural: str) -> str:
    return f"{number:,} {plural[:-1] if number == 1 else plural}"
