"""What a parser hands back: the papers it could use, and what it could not, with the place."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from digest.papers.model import Sighting


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the input that could not be used. `line` counts lines, or the entries of a list, from 1."""

    line: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.line is None else f"line {self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The usable part of an input, in its order, and the rest. A bad entry never costs its neighbours."""

    sightings: tuple[Sighting, ...] = ()
    problems: tuple[Problem, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Entries that are right, and not for us, by reason: `older versions`, `deleted records`."""
    retracted: tuple[str, ...] = ()
    """Canonical ids of papers that the source says were retracted or taken back."""


def joined(parts: "list[Parsed]") -> Parsed:
    """Several answers as one."""
    passed_over: dict[str, int] = {}
    for part in parts:
        for reason, number in part.passed_over.items():
            passed_over[reason] = passed_over.get(reason, 0) + number
    return Parsed(
        tuple(sighting for part in parts for sighting in part.sightings),
        tuple(problem for part in parts for problem in part.problems),
        passed_over,
        tuple(dict.fromkeys(id_ for part in parts for id_ in part.retracted)),
    )
