"""The nouns of the collecting half: a sighting becomes a paper, and a reading is a signal's value at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_args

Metric = Literal["votes", "comments", "stars", "citations", "rank"]
METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal's value at a time. `rank` is the place in a source's list, 1 being the first; all others are counts."""

    source: str
    metric: Metric
    value: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """What is known about a paper whoever tells it; text is already cleaned (`digest.papers.text`)."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    organization: str = ""
    summary: str = ""
    summary_by: str = ""
    """Who wrote `summary`, as a reader should see it named, such as `Hugging Face`."""
    published_at: datetime | None = None
    listed_on: date | None = None
    """The day of the list that first carried the paper, where the source tells one."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Addresses by kind: `page`, `arxiv`, `pdf`, `code`, `project`, `doi`, `huggingface`, `biorxiv`, `medrxiv`."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A paper as one source showed it at one time.

    `ids` are canonical (`digest.papers.identity`), strongest first, and empty where the source tells none. A sighting that does
    not announce (a revision, a look-up) adds to a paper that is known, and makes none.
    """

    source: str
    seen_at: datetime
    work: Work
    ids: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    announces: bool = True


@dataclass(frozen=True, slots=True)
class Paper:
    """A work with one identity, merged from all sightings of it."""

    id: int
    key: str
    """The strongest canonical id: `arxiv:…`, `doi:…`, another alias, or `title:…`."""
    first_seen_at: datetime
    work: Work
    former_ids: frozenset[int] = frozenset()
    """Ids that this paper had before merges; a reader who got one of them got this paper."""
    hidden: bool = False
    pinned: bool = False
    retracted: bool = False
    """A source said that it was retracted or taken back: no edition has it any more."""

    @property
    def day(self) -> date:
        """The day that a paper's age counts from; an undated paper counts from its first sighting."""
        return self.work.listed_on or (self.work.published_at or self.first_seen_at).date()
