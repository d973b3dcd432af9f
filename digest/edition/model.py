"""An edition, its entries, and the picks that a reader gets from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, get_args

from digest.papers.model import Work
from digest.ranking.model import Term
from digest.subscribers.model import Cadence

Section = Literal["card", "also"]
SECTIONS: tuple[Section, ...] = get_args(Section)
How = Literal["", "topic", "keyword", "author", "category", "liked", "explore"]
"""What speaks for a pick besides its trending: an interest, papers that he liked, or just that it is none of his interests."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate as it was frozen: where it stood, why, and what a reader is shown of it, whatever happens later."""

    paper_id: int
    former_ids: frozenset[int]
    rank: int
    score: float
    terms: tuple[Term, ...]
    work: Work
    first_seen_on: date
    numbers: Mapping[str, int]
    """The latest value of each metric when the edition was frozen: `votes`, `comments`, `stars`, …"""


@dataclass(frozen=True, slots=True)
class Edition:
    """One frozen issue. `number` is its row; entries are in order of rank; an empty one says why in `empty_because`.

    `vocabulary` is the version of the words that were current when it was frozen; None: there were none yet.
    """

    number: int
    date: date
    cadence: Cadence
    frozen_at: datetime
    entries: tuple[Entry, ...]
    missing_sources: tuple[str, ...] = ()
    empty_because: str = ""
    vocabulary: int | None = None

    @property
    def name(self) -> str:
        """How operators write it: `2026-11-22`, and `2026-11-23-weekly` for the weekly one."""
        return edition_name(self.date, self.cadence)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A paper's place in one edition, as it was frozen."""

    date: date
    cadence: Cadence
    frozen_at: datetime
    of: int
    """How many papers were ranked."""
    entry: Entry


class Pick(NamedTuple):
    """A paper chosen for a reader, in this place of his mail.

    `matched` names the interest that spoke for it in his own words, and for `liked` in those of the papers that he liked.
    A tuple, for there are fifteen in every mail, and making one of these takes a third of the time.
    """

    paper_id: int
    section: Section
    how: How = ""
    matched: str = ""


def edition_name(on: date, cadence: Cadence) -> str:
    return on.isoformat() if cadence == "daily" else f"{on.isoformat()}-{cadence}"
