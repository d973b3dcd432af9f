"""A source that does as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from digest.papers.model import Reading, Sighting, Work
from digest.sources.base import Brings, Collected, Errand, Known
from digest.sources.parsed import Parsed


@dataclass
class Invented:
    """A source that does as it is told, and remembers what it was sent out with."""

    does: Callable[[Errand], Collected] = lambda errand: brings(sighting(1, errand.now))
    name: str = "invented"
    turn: str = "invented"
    title: str = "Invented"
    brings: Brings = "papers"
    enabled: bool = True
    limit: int = 1000
    again_after: timedelta = timedelta(days=1)
    errands: list[Errand] = field(default_factory=list)

    def collect(self, errand: Errand) -> Collected:
        self.errands.append(errand)
        return self.does(errand)

    def wants(self, known: Known) -> bool:
        return known.ids[0].startswith("arxiv:")


def sighting(number: int, at: datetime, **more: Any) -> Sighting:
    id_ = f"arxiv:2603.{20000 + number}"
    readings = (Reading("invented", "votes", number, at),)
    return replace(Sighting("invented", at, Work(f"An invented paper, number {number}"), (id_,), readings), **more)


def brings(*sightings: Sighting, **more: Any) -> Collected:
    return Collected(Parsed(sightings), **{"verdict": "fresh", **more})


def raises(error: Exception) -> Callable[[Errand], Collected]:
    def fail(_errand: Errand) -> Collected:
        raise error

    return fail
