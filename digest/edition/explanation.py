"""Why a reader did or did not get a paper: everything that decided it, ready to be told."""

from dataclasses import dataclass
from typing import Literal

from digest.edition.model import How, Pick
from digest.ranking.model import Term
from digest.subscribers.model import Interest

Outcome = Literal["picked", "seen", "muted", "hidden", "below the floor", "too alike", "not reached"]


@dataclass(frozen=True, slots=True)
class Word:
    """What one word of the paper added to a facet's score, in standard deviations."""

    term: str
    score: float


@dataclass(frozen=True, slots=True)
class FacetScore:
    """How near the paper is to one of the things that he is interested in.

    `score` counts standard deviations above an average paper, `strength` is what came of it, from 0 (no match) to 1; `words`
    are those that added most.
    """

    kind: Literal["topic", "liked"]
    label: str
    score: float
    strength: float
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the paper stood in one of the lists that his picks were taken from.

    `how` is "" for trending, the kind of a facet, or "keyword" for his keywords, authors and categories together. Places count
    from 1, among the papers that were open to him, before those too like a pick are put back.
    """

    how: How
    label: str
    place: int | None
    """None: the paper is not in this list."""
    last: int
    """The lowest place that was picked; 0: none was."""
    of: int
    """How many papers the list has."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One paper, one reader, one edition."""

    paper_id: int
    title: str
    rank: int
    entries: int
    """How many the edition has."""
    score: float
    terms: tuple[Term, ...]
    strength: float
    """Of its trending, from 0 to 1."""
    measured: bool
    """Whether anybody measured its attention; what nobody measured is judged by the floor only beside others of its
    science that were."""
    floor: float
    facets: tuple[FacetScore, ...]
    matches: tuple[Interest, ...]
    """His keywords, authors, categories, and topics word for word, that are in the paper."""
    mutes: tuple[Interest, ...]
    outcome: Outcome
    pick: Pick | None = None
    place: int = 0
    """Of the pick in his mail, counted from 1; 0: he does not get the paper."""
    slot: How = ""
    """The list that gave it the place, as in `Standing`, or "explore"."""
    slot_label: str = ""
    like: int = 0
    """The place of the pick that it resembles most, when it is too alike."""
    likeness: float = 0.0
    """Their cosine."""
    standings: tuple[Standing, ...] = ()
    picks: int = 0
    """How many papers he gets."""
