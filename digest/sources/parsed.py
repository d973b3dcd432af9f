"""What a parser hands back: the papers it could use, and what it could not, with the place."""

from dataclasses import dataclass

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
