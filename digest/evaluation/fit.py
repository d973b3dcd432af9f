"""Fit what trending ranks with: `python -m digest.evaluation.fit DIR --out digest/ranking/trending.json`.

DIR is a folder of daily lists (`digest.evaluation.hf_folder`). The same folder gives the same file, up to rounding.

* votes: ridge regression of log1p(later votes), on an absolute scale, on words and flags of papers as they were first shown;
* the editor: logistic regression on the same, positives what he picked, negatives what stood on the lists of his weeks;
* how votes come in: for lists of about 3 and 8 hours, least squares of later votes on votes and on what the ridge expects gives
  the factor of growth (`digest.ranking.prior.Growth`).

Words are pruned to those that decide most, and the rest is fitted again without the others.
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from digest.errors import BadInput, DigestError
from digest.evaluation import hf_folder
from digest.evaluation.hf_folder import Choice, Snapshot
from digest.papers.model import Work
from digest.ranking.prior import Growth, Prior, flags, words

KEPT_WORDS = 3500
RARE = 2
"""A word that stands in fewer papers is left out."""
RIDGE = 12.0
EDITOR_C = 10.0
"""The inverse of the penalty, in the words of the libraries for it."""
FLAG_SCALE = 0.25
"""Flags count for so much of their spread, against words whose row has the length 1; a penalty on them, in effect."""
LATER = 20.0
"""Hours from which on a count is the truth of a day, where there is no later one."""
MORNING = 5.0
"""Hours from which on a list is no early one."""
LATE = 168.0
"""Hours from which on it is the truth for good."""
WAITING = 1.25
"""Hours that the prior counts for. Least squares says 1.8, for lists of the morning outweigh those of the early hours, where it
matters; between 0.8 and 1.5 the order of these is about equally good."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """A folder, read: papers by id as they were first shown, their counts, and the editor's choices."""

    works: Mapping[str, Work]
    words: Mapping[str, Counter[str]]
    flags: Mapping[str, Mapping[str, float]]
    snapshots: Sequence[Snapshot]
    choices: Sequence[Choice]


def read(folder: Path) -> Data:
    """Raises BadInput where there is not one list."""
    order = ("morning", "early", "nextday")
    works: dict[str, Work] = {}
    for one in sorted(hf_folder.lists(folder), key=lambda one: order.index(one.kind)):
        works.setdefault(one.id, one.work)
    return Data(
        works,
        {id_: words(work) for id_, work in works.items()},
        {id_: flags(work) for id_, work in works.items()},
        hf_folder.snapshots(folder),
        hf_folder.choices(folder),
    )


def week(day: date) -> str:
    """An ISO week, as `2025-W49`."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


def fit(data: Data, *, until: date | None = None, without_weeks: Collection[str] = ()) -> Prior:
    """The parameters that these data give, without what came on `until` or later, and without the papers of some weeks.

    Raises:
        BadInput: there are not ten papers with a later count.
    """
    left_out = {one.id for one in data.snapshots if week(one.day) in without_weeks}
    counted = [one for one in data.snapshots if one.votes is not None and one.id in data.works and one.id not in left_out]
    if until is not None:
        counted = [one for one in counted if one.day < until and one.taken_at.date() <= until + timedelta(days=1)]
    later = truth(counted)
    listed = sorted({(one.id, one.day) for one in counted} & later.keys())
    if len(listed) < 10:
        raise BadInput("there are too few papers with later counts to fit to", fix="name a folder with hf_trajectories.csv")
    choices = [one for one in data.choices if week(one.begins) not in without_weeks and (until is None or one.ends < until)]
    editor_ids, picked = _picks(counted, choices, left_out)
    ids = sorted({id_ for id_, _ in listed} | set(editor_ids))
    places = {id_: place for place, id_ in enumerate(ids)}
    rows = np.array([places[id_] for id_, _ in listed])
    votes = np.log1p(np.array([later[one] for one in listed], dtype=float))
    names = sorted(next(iter(data.flags.values())))
    plain = np.array([[data.flags[id_][name] for name in names] for id_ in ids])
    shown = _first_votes(counted)
    editor_rows = np.array([places[id_] for id_ in editor_ids], dtype=int)
    editor_votes = np.log1p(np.array([shown.get(id_, 0) for id_ in editor_ids], dtype=float))

    kept = _vocabulary([data.words[id_] for id_ in ids], RARE)
    for final in (False, True):
        idf, table = _table([data.words[id_] for id_ in ids], kept)
        for_votes = _ridge(table[rows], FLAG_SCALE * plain[rows], votes)
        for_editor = _logistic(table[editor_rows], FLAG_SCALE * plain[editor_rows], editor_votes, picked)
        if not final:
            kept = _deciding(kept, table, for_votes.words, for_editor.words)
    return Prior(
        words={
            word: (round(float(idf[n]), 3), round(float(for_votes.words[n]), 3), round(float(for_editor.words[n]), 3))
            for n, word in enumerate(kept)
        },
        flags={
            name: (round(FLAG_SCALE * float(for_votes.flags[n]), 4), round(FLAG_SCALE * float(for_editor.flags[n]), 4))
            for n, name in enumerate(names)
        },
        bias=(round(for_votes.bias, 4), round(for_editor.bias, 4)),
        editor_votes=round(for_editor.votes, 4),
        stars=_stars(counted, later),
        growth=_growth(counted, later, _crossed(table[rows], FLAG_SCALE * plain[rows], votes, listed)),
        about={
            "papers": len(listed),
            "picks": int(picked.sum()),
            "from": min(day for _, day in listed).isoformat(),
            "to": max(day for _, day in listed).isoformat(),
            "without": " ".join(sorted(without_weeks)),
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    words: Floats
    flags: Floats
    bias: float
    votes: float = 0.0


def truth(counted: Sequence[Snapshot]) -> dict[tuple[str, date], int]:
    """The votes of each paper of a day: the most that were counted later within its first days, for those of weeks later are on
    another scale; or these, where there are no others."""
    found: dict[tuple[str, date], int] = {}
    late: dict[tuple[str, date], int] = {}
    for one in counted:
        into = late if one.hours >= LATE else found
        if one.hours >= LATER:
            into[one.id, one.day] = max(one.votes or 0, into.get((one.id, one.day), 0))
    return found or late


def _first_votes(counted: Sequence[Snapshot]) -> dict[str, int]:
    """Votes as of the morning, as far as one was seen."""
    found: dict[str, int] = {}
    for one in counted:
        if MORNING <= one.hours < LATER:
            found.setdefault(one.id, one.votes or 0)
    return found


def _picks(counted: Sequence[Snapshot], choices: Sequence[Choice], left_out: Collection[str]) -> tuple[list[str], Floats]:
    """The papers of the lists that the editor could choose from, and 1 for those that he chose."""
    pool: set[str] = set()
    chosen: set[str] = set()
    for choice in choices:
        pool |= {one.id for one in counted if choice.begins - timedelta(days=4) <= one.day <= choice.ends}
        chosen |= choice.ids
    ids = sorted(pool - set(left_out))
    return ids, np.array([float(id_ in chosen) for id_ in ids])


def _vocabulary(papers: Sequence[Counter[str]], rare: int) -> list[str]:
    found = Counter(word for paper in papers for word in paper)
    return sorted(word for word, times in found.items() if times >= rare)


def _table(papers: Sequence[Counter[str]], kept: Sequence[str]) -> tuple[Floats, Any]:
    """IDF of the kept words, and the papers as rows of length 1, as `Prior` computes them."""
    columns = {word: place for place, word in enumerate(kept)}
    rows, places, values = [], [], []
    for row, paper in enumerate(papers):
        for word in sorted(paper):
            if word in columns:
                rows.append(row)
                places.append(columns[word])
                values.append(1 + math.log(paper[word]))
    table = sp.csr_array((values, (rows, places)), shape=(len(papers), len(kept)))
    documents = np.bincount(places, minlength=len(kept))
    idf = np.log((1 + len(papers)) / (1 + documents)) + 1
    table = sp.csr_array(table.multiply(idf[None, :]))
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    return idf, sp.csr_array(table.multiply((1 / np.where(lengths > 0, lengths, 1))[:, None]))


def _kernel(table: Any, plain: Floats) -> Floats:
    """How like each other papers are: there are fewer of them than words."""
    about_mean = plain - plain.mean(axis=0)
    likeness: Floats = (table @ table.T).toarray() + about_mean @ about_mean.T
    return likeness


def _ridge(table: Any, plain: Floats, target: Floats) -> _Linear:
    """Flags and target count about their means, so that the bias is not penalised."""
    centre, mean = plain.mean(axis=0), float(target.mean())
    dual = np.linalg.solve(_kernel(table, plain) + RIDGE * np.eye(len(target)), target - mean)
    of_flags = (plain - centre).T @ dual
    return _Linear(np.asarray(table.T @ dual).ravel(), of_flags, mean - float(centre @ of_flags))


def _logistic(table: Any, plain: Floats, votes: Floats, picked: Floats) -> _Linear:
    """Classes weigh as they are, so that the odds are those of being picked."""
    width = table.shape[1]
    if picked.sum() < 5 or picked.sum() == len(picked):
        return _Linear(np.zeros(width), np.zeros(plain.shape[1]), -20.0)
    dense = np.hstack([plain, FLAG_SCALE * votes[:, None]])
    centre = dense.mean(axis=0)
    both = sp.csr_array(sp.hstack([table, sp.csr_array(dense - centre)]))

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = both @ weights[:-1] + weights[-1]
        error = 1 / (1 + np.exp(-margin)) - picked
        value = float(np.logaddexp(0, margin).sum() - picked @ margin + 0.5 / EDITOR_C * weights[:-1] @ weights[:-1])
        return value, np.append(both.T @ error + weights[:-1] / EDITOR_C, error.sum())

    start = np.zeros(both.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    of_dense = found[width:-1]
    bias = float(found[-1] - centre @ of_dense)
    return _Linear(found[:width], of_dense[:-1], bias, FLAG_SCALE * float(of_dense[-1]))


def _deciding(kept: Sequence[str], table: Any, *weights: Floats) -> list[str]:
    """The words whose presence moves scores most over all papers, for any of the purposes."""
    spread = np.sqrt(np.asarray(table.multiply(table).sum(axis=0)).ravel())
    importance = np.zeros(len(kept))
    for weight in weights:
        moved = np.abs(weight) * spread
        importance = np.maximum(importance, moved / (moved.max() or 1.0))
    best = np.lexsort((np.arange(len(kept)), -np.round(importance, 9)))[:KEPT_WORDS]
    return sorted(kept[place] for place in best)


def _crossed(table: Any, plain: Floats, votes: Floats, listed: Sequence[tuple[str, date]]) -> dict[tuple[str, date], float]:
    """What is expected of each listed paper by a ridge that did not see its week; of all, where all are of few weeks."""
    fold = np.array([day.isocalendar().week % 5 for _, day in listed])
    kernel = _kernel(table, plain)
    expected: dict[tuple[str, date], float] = {}
    for one in sorted(set(fold.tolist())):
        seen = np.flatnonzero(fold != one) if len(set(fold.tolist())) > 1 else np.arange(len(fold))
        mean = float(votes[seen].mean())
        dual = np.linalg.solve(kernel[np.ix_(seen, seen)] + RIDGE * np.eye(len(seen)), votes[seen] - mean)
        for place in np.flatnonzero(fold == one).tolist():
            expected[listed[place]] = math.expm1(max(0.0, mean + float(kernel[place, seen] @ dual)))
    return expected


def _growth(
    counted: Sequence[Snapshot], later: Mapping[tuple[str, date], int], expected: Mapping[tuple[str, date], float]
) -> Growth:
    """Factors for lists of the early hours, of the morning and of the next day, each against what came later."""
    late: dict[tuple[str, date], int] = {}
    for one in counted:
        if one.hours >= LATE:
            late[one.id, one.day] = max(one.votes or 0, late.get((one.id, one.day), 0))
    hours, factors = [], []
    finally_ = 1.0
    next_day = [key for key in late if key in later]
    before, after = sum(later[key] for key in next_day), sum(late[key] for key in next_day)
    if len(next_day) >= 10 and before > 0:
        finally_ = max(1.0, after / before)
    for begins, ends in ((0.0, MORNING), (MORNING, LATER)):
        early: dict[tuple[str, date], Snapshot] = {}
        for one in counted:
            if begins <= one.hours < ends and (one.id, one.day) in expected:
                early.setdefault((one.id, one.day), one)
        if len(early) < 10:
            continue
        given = np.array([[one.votes or 0, expected[key] / max(1.0, one.hours)] for key, one in early.items()])
        then = np.array([later[key] for key in early], dtype=float)
        weight = 1 / np.sqrt(1 + given.sum(axis=1))
        (factor, _), *_ = np.linalg.lstsq(given * weight[:, None], then * weight, rcond=None)
        hours.append(float(np.mean([one.hours for one in early.values()])))
        factors.append(max(1.0, float(factor)) * finally_)
    hours += [26.0, LATE]
    factors += [finally_, 1.0]
    factors = [max(factors[place:]) for place in range(len(factors))]
    return Growth(WAITING, tuple(round(one, 1) for one in hours), tuple(round(one, 3) for one in factors))


def _stars(counted: Sequence[Snapshot], later: Mapping[tuple[str, date], int]) -> tuple[float, float]:
    keys = {(one.id, one.day): one.stars for one in counted if one.stars}
    pairs = {key: (stars, later[key]) for key, stars in keys.items() if key in later}
    if len(pairs) < 10:
        return 0.0, 0.0
    stars, votes = np.log1p(np.array(list(pairs.values()), dtype=float)).T
    slope, start = np.polyfit(stars, votes, 1)
    return round(float(start), 4), round(max(0.0, float(slope)), 4)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m digest.evaluation.fit", description="Fit what trending ranks with.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the file to write, digest/ranking/trending.json")
    parser.add_argument("--until", type=date.fromisoformat, default=None, help="leave out lists of this day and later")
    parser.add_argument(
        "--without-week", dest="without_weeks", action="append", default=[], metavar="2025-W49", help="leave out its papers"
    )
    given = parser.parse_args(arguments)
    try:
        prior = fit(read(given.folder), until=given.until, without_weeks=given.without_weeks)
    except DigestError as error:
        print(f"{error}\n{error.fix or ''}".rstrip(), file=sys.stderr)  # noqa: T201
        return 1
    given.out.write_text(prior.to_json(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
