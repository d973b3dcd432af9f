"""What an evaluation takes and gives: scores for other judges, and results of our own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]
"""A line of a file of queries, as it stands there."""

Progress = Callable[[int, int], None]
"""Told (done, of how many)."""


@dataclass(frozen=True, slots=True)
class Score:
    """How much a paper is worth for a query of a task; only the order within one query means something."""

    task: str
    query: str
    paper_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries with the bounds of its 95% bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Result:
    """How one method did at one task, over so many queries; `metrics` by name, `ndcg@5` say."""

    task: str
    method: str
    queries: int
    metrics: Mapping[str, Interval]
