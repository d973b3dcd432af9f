"""`digest evaluate`: how good is the ranking, on a folder of data and by the word of other judges. Needs no database."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.common import AsJson, counted, emit_json, progress, table, talk

if TYPE_CHECKING:
    from digest.evaluation.model import Interval, Line, Progress, Result, Score

evaluate = typer.Typer(help="Measure the ranking on a folder of data; needs no database and no settings.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="The folder with the data.", metavar="DIR")]
Queries = Annotated[Path | None, typer.Option("--queries", help="Score the papers of these queries, for another judge.")]
Scores = Annotated[Path | None, typer.Option("--scores", help="Where to write those scores.")]
Semantic = Annotated[Path | None, typer.Option("--semantic", help="With the sentence model in this folder, too.")]

EXPECTED = {
    "trending": ("hf_daily/*/*.json", "hf_trajectories.csv", "editorial_picks.csv"),
    "interests": ("curated_lists/*.jsonl*", "reviewer_expertise/users.jsonl*", "citeulike_t/users.jsonl*"),
}
"""What tells a folder of each kind; any of them will do."""


def register(parent: typer.Typer) -> None:
    parent.add_typer(evaluate, name="evaluate")


@evaluate.command()
def trending(folder: Folder, queries: Queries = None, scores: Scores = None, as_json: AsJson = False) -> None:
    """Order papers by the attention that they will have earned; beside plain baselines, or scores for queries."""
    _check(folder, "trending", queries, scores)
    from digest.evaluation import trending as task

    if queries is not None and scores is not None:
        _score(queries, scores, lambda lines, told: task.score(folder, lines, told), as_json=as_json)
    else:
        _measure(lambda told: task.results(folder, told), as_json=as_json)


@evaluate.command()
def interests(
    folder: Folder,
    queries: Queries = None,
    scores: Scores = None,
    semantic: Semantic = None,
    as_json: AsJson = False,
) -> None:
    """Order papers for a reader by what he likes; beside plain baselines, or scores for queries."""
    _check(folder, "interests", queries, scores)
    from digest.evaluation import interests as task

    encoder = None
    if semantic is not None:
        from digest.semantic import Encoder

        encoder = Encoder(semantic)
    if queries is not None and scores is not None:
        _score(queries, scores, lambda lines, told: task.score(folder, lines, told, encoder), as_json=as_json)
    else:
        _measure(lambda told: task.results(folder, told, encoder), as_json=as_json)


def _check(folder: Path, kind: str, queries: Path | None, scores: Path | None) -> None:
    from digest.errors import BadInput, UsageError

    if (queries is None) != (scores is None):
        raise UsageError("--queries and --scores go together", fix="digest evaluate ... --queries q.jsonl --scores s.jsonl")
    if scores is not None:
        from digest.evaluation.queries import check_target

        check_target(scores)
    patterns = EXPECTED[kind]
    if not any(next(folder.glob(pattern), None) for pattern in patterns):
        what = "there is no folder" if not folder.is_dir() else "there is nothing to evaluate in"
        raise BadInput(f"{what} {folder}", fix=f"name a folder with one of {', '.join(patterns)}")


def _score(
    queries: Path,
    scores: Path,
    score: Callable[[list["Line"], "Progress"], Iterator["Score"]],
    *,
    as_json: bool,
) -> None:
    """Write what is scored, and say of each task how much it was."""
    from digest.evaluation.queries import read, write

    began = monotonic()
    lines = read(queries)
    asked = Counter(task for task, _ in {(line["task"], line["query"]) for line in lines})
    lists = (line for line in lines if isinstance(line.get("candidates"), list))
    candidates = {(line["task"], line["query"], one) for line in lists for one in line["candidates"]}
    wanted = Counter(task for task, _, _ in candidates)
    given: Counter[str] = Counter()
    with progress("scoring") as bar:
        written = write(scores, _counting(score(lines, bar), given))
    if as_json:
        tasks = {task: {"queries": asked[task], "scores": given[task]} for task in asked}
        emit_json({"scores": str(scores), "written": written, "tasks": tasks})
    for task in asked:
        if not given[task]:
            talk(f"no score for the task {task}: not one that is known here, or its papers are not in the folder")
        elif (missing := wanted[task] - given[task]) > 0:
            talk(f"no score for {counted(missing, 'candidate')} of the task {task}: not in the folder as candidates")
    whole = sum(asked.values())
    queried = "1 query" if whole == 1 else f"{whole:,} queries"
    talk(f"{counted(written, 'score')} for {queried} of {counted(len(asked), 'task')} in {_since(began)}: {scores}")


def _counting(scores: Iterable["Score"], tasks: Counter[str]) -> Iterator["Score"]:
    for score in scores:
        tasks[score.task] += 1
        yield score


def _measure(measure: Callable[["Progress"], list["Result"]], *, as_json: bool) -> None:
    """Show how each method did at each task."""
    from digest.errors import BadInput

    began = monotonic()
    with progress("evaluating") as bar:
        results = measure(bar)
    if not results:
        raise BadInput(
            "nothing in the folder tells what is good", fix="votes, likes or ratings are wanted: docs/how-to/evaluate.md"
        )
    tasks = dict.fromkeys(result.task for result in results)
    if as_json:
        emit_json({"tasks": [_task_json(task, [one for one in results if one.task == task]) for task in tasks]})
    else:
        for task in tasks:
            _show(task, [one for one in results if one.task == task])
    talk(f"{counted(len(tasks), 'task')} in {_since(began)}; means over queries, with 95% bootstrap intervals")


def _show(task: str, results: Sequence["Result"]) -> None:
    names = list(dict.fromkeys(name for result in results for name in result.metrics))
    table(
        ("method", *names),
        [(one.method, *(_interval(one.metrics.get(name), one.method) for name in names)) for one in results],
        title=f"{task}: {max(one.queries for one in results):,} queries",
    )


def _interval(interval: "Interval | None", method: str) -> str:
    if interval is None or interval.mean != interval.mean:
        return ""
    sign = "+" if " - " in method else ""  # of a difference it matters on which side of zero it lies
    return f"{interval.mean:{sign}.3f} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _task_json(task: str, results: Sequence["Result"]) -> dict[str, Any]:
    methods = [
        {
            "method": one.method,
            "queries": one.queries,
            "metrics": {name: _interval_json(interval) for name, interval in one.metrics.items()},
        }
        for one in results
    ]
    return {"task": task, "methods": methods}


def _interval_json(interval: "Interval") -> dict[str, float] | None:
    if interval.mean != interval.mean:
        return None
    return {"mean": round(interval.mean, 4), "low": round(interval.low, 4), "high": round(interval.high, 4)}


def _since(began: float) -> str:
    return f"{monotonic() - began:.0f} s"
