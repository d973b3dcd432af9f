"""What ranking takes and gives: candidates with their readings in, scores made of visible terms out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.papers.model import Metric, Paper

Trajectory = Sequence[tuple[datetime, int]]
"""Readings of one metric of one paper, oldest first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that could be in this edition, with every reading of it until now, by source and metric."""

    paper: Paper
    readings: Mapping[tuple[str, Metric], Trajectory]


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of a score: `value` as measured (None: nobody told us), `score` as it counted, `reason` in words."""

    signal: str
    value: float | None
    score: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place. `score` is the sum of the terms' scores."""

    paper: Paper
    rank: int
    score: float
    terms: tuple[Term, ...]
