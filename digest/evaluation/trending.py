"""How well trending orders papers by the votes that they will have: scores for other judges, and figures of our own.

Everything is scored by `digest.ranking.trending.rank` as editions are, without freshness, for a query asks for later votes and
not for news. Tasks: the papers of a day in its early hours, in the morning, and before any vote (`early`, `morning`, `cold`);
those of five lists or of a week, each known as of its own morning (`pool5`, `weekly`); and what an editor will choose of ten
days (`editor`), which is scored by his taste alone: the log-odds that he chooses a paper, in which votes count a little.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from digest.errors import BadInput
from digest.evaluation import fit, hf_folder, metrics
from digest.evaluation.hf_folder import Choice, Snapshot
from digest.evaluation.model import Line, Progress, Result, Score
from digest.papers.model import Metric, Paper, Work
from digest.ranking import prior, trending
from digest.ranking.model import Candidate
from digest.ranking.prior import Prior
from digest.ranking.settings import RankingWeights

WEIGHTS: Mapping[str, float] = {**RankingWeights().model_dump(), "freshness": 0.0}
FIRST_SIGHT = ("early", "cold")
"""Tasks that ask when the list has just begun, so that of two texts of a paper the earlier one is what was known."""
SMALLEST_DAY, SMALLEST_POOL = 8, 20
"""Queries with fewer papers are left out, as the independent judges do."""
_COUNTS: tuple[tuple[Metric, str], ...] = (("votes", "upvotes"), ("comments", "comments"), ("stars", "stars"))

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

Texts = Mapping[str, Sequence[hf_folder.Listed]]
"""What the lists said of each paper, by id."""


def score(folder: Path, lines: Iterable[Line], progress: Progress, model: Prior | None = None) -> Iterator[Score]:
    """A score for each line, in their order of tasks and queries, from that query's lines and from texts and metadata alone.

    Args:
        folder: with `hf_daily`; votes in it are not looked at. A paper that it does not have is scored by its line.
        lines: `{"task", "query", "now", "paper_id", "snapshot", "upvotes", "comments", "stars"}`; counts may be missing. One
            without task, query or paper is passed over, and one of an unknown task gets the general score.
        model: the fitted parameters; None takes those of the program.

    Raises:
        BadInput: the folder has no lists.
    """
    model = prior.fitted() if model is None else model
    texts = _texts(folder)
    queries: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        task, query, paper_id = (line.get(key) for key in ("task", "query", "paper_id"))
        if isinstance(task, str) and isinstance(query, str) and isinstance(paper_id, str):
            queries[task, query].append(line)
    for done, ((task, query), asked) in enumerate(queries.items()):
        progress(done, len(queries))
        for paper_id, worth in _scored(task, asked, texts, model):
            yield Score(task, query, paper_id, worth)
    progress(len(queries), len(queries))


def _texts(folder: Path) -> Texts:
    texts: dict[str, list[hf_folder.Listed]] = defaultdict(list)
    for one in hf_folder.lists(folder):
        texts[one.id].append(one)
    return texts


def _scored(task: str, lines: Sequence[Line], texts: Texts, model: Prior) -> list[tuple[str, float]]:
    """One score for each paper of a query, in order of the lines."""
    asked = {str(line["paper_id"]): line for line in lines}
    candidates = [_candidate(number, id_, line, task, texts) for number, (id_, line) in enumerate(asked.items())]
    if task == "editor":
        _, liking = model.expected([candidate.paper.work for candidate in candidates])
        votes = [trending.latest(candidate, "votes") or 0 for candidate in candidates]
        worths = (odds + model.editor_votes * math.log1p(count) for odds, count in zip(liking.tolist(), votes, strict=True))
        return list(zip(asked, worths, strict=True))
    now = max((at for one in candidates for readings in one.readings.values() for at, _ in readings), default=_EPOCH)
    ranked = trending.rank(candidates, now, now.date(), "weekly", model, WEIGHTS)
    worth = {one.paper.id: one.score for one in ranked}
    return [(id_, worth[number]) for number, id_ in enumerate(asked)]


def _candidate(number: int, id_: str, line: Line, task: str, texts: Texts) -> Candidate:
    """A paper in the state of its line: the day of its list is that of its own snapshot."""
    taken_at = _moment(line.get("snapshot")) or _moment(line.get("now")) or _EPOCH
    work = _text(texts.get(id_, ()), taken_at.date(), task) or Work(id_)
    work = Work(
        title=work.title,
        abstract=work.abstract,
        authors=work.authors,
        keywords=work.keywords,
        organization=work.organization,
        listed_on=taken_at.date(),
        links=work.links,
    )
    counts = ((metric, _count(line.get(key))) for metric, key in _COUNTS)
    # The queries have 0 where the server gave no stars; a code that nobody starred says as little.
    readings = {
        ("huggingface", metric): [(taken_at, value)] for metric, value in counts if value or (value == 0 and metric != "stars")
    }
    return Candidate(Paper(number, f"arxiv:{id_}", taken_at, work), readings)


def _text(found: Sequence[hf_folder.Listed], day: date, task: str) -> Work | None:
    """What was known of a paper: of its lists the latest that had begun, and of that the list of the hour asked for."""
    order = ("early", "morning", "nextday") if task in FIRST_SIGHT else ("morning", "early", "nextday")

    def fits(one: hf_folder.Listed) -> tuple[bool, int, int]:
        listed_on = one.work.listed_on or date.min
        return listed_on > day, abs((day - listed_on).days), order.index(one.kind)

    best = min(found, key=fits, default=None)
    return best.work if best else None


def _moment(value: object) -> datetime | None:
    try:
        return hf_folder.instant(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value)


@dataclass(frozen=True, slots=True)
class _Query:
    task: str
    name: str
    day: date
    """Its last one; the editor's week begins on it."""
    lines: tuple[Line, ...]
    gain: tuple[float, ...]


def results(folder: Path, progress: Progress, model: Prior | None = None) -> list[Result]:
    """Our own figures beside plain baselines, on every query that the folder has a truth for.

    Nothing is judged on what it was fitted to: for each week the parameters are fitted anew without it and the one before it,
    whose papers stand in the pools of its first days. They are fitted to this folder, unless `model` is given or the folder has
    too little to fit to; the method is named after what was done. A method named
    `… - raw votes` is the paired difference to these.

    Raises:
        BadInput: there are no lists, or none with later votes.
    """
    data = fit.read(folder)
    texts = _texts(folder)
    queries = _queries(data)
    if not queries:
        raise BadInput(
            f"{folder} has no lists with later votes", fix="name a folder with hf_trajectories.csv, or use --queries"
        )
    weeks = {fit.week(query.day): fit.week(query.day - timedelta(days=7)) for query in queries}
    models, name = _models(data, weeks, progress, model)
    values: dict[tuple[str, str], list[Mapping[str, float]]] = defaultdict(list)
    for number, query in enumerate(queries):
        ours = dict(_scored(query.task, query.lines, texts, models[fit.week(query.day)]))
        values[query.task, name].append(_judged(query, [ours[line["paper_id"]] for line in query.lines]))
        for method, baseline in _baselines(query, number).items():
            values[query.task, method].append(_judged(query, baseline))
    found = [_result(task, method, rows) for (task, method), rows in values.items()]
    for (task, method), rows in values.items():
        raw = values.get((task, "raw votes"))
        if method == name and raw:
            gains = [{key: row[key] - other[key] for key in row} for row, other in zip(rows, raw, strict=True)]
            found.append(_result(task, f"{name} - raw votes", gains))
    return sorted(
        found, key=lambda one: (TASKS.index(one.task), one.method != name, not one.method.startswith(name), one.method)
    )


TASKS = ("early", "morning", "pool5", "weekly", "cold", "editor")


def _models(
    data: fit.Data, weeks: Mapping[str, str], progress: Progress, given: Prior | None
) -> tuple[Mapping[str, Prior], str]:
    """The parameters to judge each week by, which stands here with the one before it, and what they are called."""
    if given is not None:
        return dict.fromkeys(weeks, given), "trending"
    models: dict[str, Prior] = {}
    for done, one in enumerate(sorted(weeks)):
        progress(done, len(weeks))
        try:
            models[one] = fit.fit(data, without_weeks=(one, weeks[one]))
        except BadInput:
            return dict.fromkeys(weeks, prior.fitted()), "trending, as fitted elsewhere"
    progress(len(weeks), len(weeks))
    return models, "trending, refitted without the week"


def _queries(data: fit.Data) -> list[_Query]:
    """The tasks that a folder allows, each with what came out later."""
    counted = [one for one in data.snapshots if one.votes is not None and one.id in data.works]
    truth = fit.truth(counted)
    first: dict[str, dict[date, dict[str, Snapshot]]] = {"early": defaultdict(dict), "morning": defaultdict(dict)}
    for one in counted:
        if one.hours < fit.LATER:
            first["early" if one.hours < fit.MORNING else "morning"][one.day].setdefault(one.id, one)
    found = []
    for task, days in first.items():
        for day, shown in sorted(days.items()):
            found.append(
                _query(task, day.isoformat(), day, [one for id_, one in sorted(shown.items()) if (id_, day) in truth], truth)
            )
    by_day: dict[date, list[Snapshot]] = defaultdict(list)
    for id_, day in sorted(truth):
        at = datetime.combine(day, time(), UTC)
        by_day[day].append(Snapshot(day=day, id=id_, taken_at=at, hours=0.0, votes=0, comments=0, stars=None, source=""))
    found += [_query("cold", day.isoformat(), day, shown, truth) for day, shown in sorted(by_day.items())]
    found += _pools({day: list(shown.values()) for day, shown in sorted(first["morning"].items())}, truth)
    found += [_editor(choice, first["morning"]) for choice in data.choices]
    return [query for query in found if query]


def _pools(mornings: Mapping[date, Sequence[Snapshot]], truth: Mapping[tuple[str, date], int]) -> list[_Query | None]:
    """The lists of five days in a row, and those of a week, each paper once and as of the first morning that had it."""
    days = [day for day, shown in mornings.items() if any((one.id, day) in truth for one in shown)]
    fives = [days[end - 5 : end] for end in range(5, len(days) + 1)]
    pools = [("pool5", five[-1].isoformat(), five) for five in fives if five[-1] - five[0] <= timedelta(days=9)]
    weeks: dict[str, list[date]] = defaultdict(list)
    for day in days:
        weeks[fit.week(day)].append(day)
    pools += [("weekly", name, of) for name, of in weeks.items() if len(of) >= 4]
    found = []
    for task, name, of in pools:
        shown: dict[str, Snapshot] = {}
        for day in of:
            for one in mornings[day]:
                if (one.id, day) in truth:
                    shown.setdefault(one.id, one)
        found.append(_query(task, name, of[-1], list(shown.values()), truth, SMALLEST_POOL))
    return found


def _editor(choice: Choice, mornings: Mapping[date, Mapping[str, Snapshot]]) -> _Query | None:
    shown: dict[str, Snapshot] = {}
    for back in range(10, -1, -1):
        for id_, one in mornings.get(choice.ends - timedelta(days=back), {}).items():
            shown.setdefault(id_, one)
    gain = tuple(float(id_ in choice.ids) for id_ in shown)
    if sum(gain) < 2:
        return None
    lines = tuple(_line("editor", choice.begins.isoformat(), one) for one in shown.values())
    return _Query("editor", choice.begins.isoformat(), choice.begins, lines, gain)


def _query(
    task: str,
    name: str,
    day: date,
    shown: Sequence[Snapshot],
    truth: Mapping[tuple[str, date], int],
    smallest: int = SMALLEST_DAY,
) -> _Query | None:
    if len(shown) < smallest:
        return None
    gain = tuple(float(truth[one.id, one.day]) for one in shown)
    return _Query(task, name, day, tuple(_line(task, name, one) for one in shown), gain)


def _line(task: str, name: str, one: Snapshot) -> dict[str, Any]:
    return {
        "task": task,
        "query": name,
        "paper_id": one.id,
        "snapshot": one.taken_at.isoformat(),
        "upvotes": one.votes,
        "comments": one.comments,
        "stars": one.stars,
        "hours": one.hours,
    }


def _baselines(query: _Query, seed: int) -> dict[str, list[float]]:
    """What is plain to do: hours count from the beginning of the day of a list, for Hacker News' gravity too."""
    random = np.random.default_rng(seed).random(len(query.lines)).tolist()
    if query.task == "cold":
        return {"random": random}
    end = datetime.combine(query.day + timedelta(days=1), time(), UTC)
    ages = [(end - hf_folder.instant(line["snapshot"])).total_seconds() / 3600 for line in query.lines]
    return {
        "raw votes": [float(line["upvotes"]) for line in query.lines],
        "newest": [-age for age in ages],
        "gravity": [(line["upvotes"] - 1) / (max(0.0, age) + 2) ** 1.8 for line, age in zip(query.lines, ages, strict=True)],
        "comments": [float(line["comments"] or 0) for line in query.lines],
        "random": random,
    }


def _judged(query: _Query, scores: Sequence[float]) -> dict[str, float]:
    if query.task == "editor":
        return {
            "recall@20": metrics.recall_at(query.gain, scores, 20),
            "recall@10": metrics.recall_at(query.gain, scores, 10),
            "AP": metrics.average_precision(query.gain, scores),
            "AUC": metrics.auc(query.gain, scores),
        }
    return {
        "nDCG@5": metrics.ndcg(query.gain, scores, 5),
        "nDCG@10": metrics.ndcg(query.gain, scores, 10),
        "pairwise": metrics.pairwise_accuracy(query.gain, scores),
    }


def _result(task: str, method: str, rows: Sequence[Mapping[str, float]]) -> Result:
    return Result(task, method, len(rows), {key: metrics.interval([row[key] for row in rows]) for key in rows[0]})
