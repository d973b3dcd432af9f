"""What rendering gives, and the plain values that templates see: no template ever reaches a paper, a row or a method."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from digest.rendering.slots import Printed, Slot

Values = Mapping[str, object]
"""What a template is given, by the names that it uses."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One mail's words: a subject of one line, a text part of 72 columns and an HTML part."""

    subject: str
    text: str
    html: str


class Site(Protocol):
    """What mails and pages say about the site; `SiteSettings` is one."""

    @property
    def name(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def postal_address(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Pages:
    """Where those links of a mail lead that are its reader's own, without his token behind it: the way out, the pages that take
    his word about a paper, which end in `/p{paper}/{more|less}`, and the way to his preferences."""

    leave: str
    rate: str
    preferences: str


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a digest is rendered.

    `token` names him in the addresses of the way out and of the way to his preferences, `rating` this mail in those by which he
    rates; where one is empty, there is no such link. Both are of letters, digits, `-` and `_`.
    """

    address: str
    name: str = ""
    confirmed_on: date | None = None
    token: str = ""
    rating: str = ""


@dataclass(frozen=True, slots=True)
class SiteView:
    """The site, as every template gets it."""

    name: str
    language: str
    """Of the mail or page that it stands in."""
    postal_address: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """An address with the word that it is shown as."""

    label: str
    url: Printed


@dataclass(frozen=True, slots=True)
class NumberView:
    """A count in words: `figure` is `1.2k`, `word` is `stars`."""

    figure: str
    word: str


@dataclass(frozen=True, slots=True)
class PaperView:
    """What is shown of a paper whoever reads it; made once for each entry of an edition. Empty where nothing is known."""

    title: str
    url: str
    """The paper's page; the title of a paper without one is no link."""
    byline: str
    """The first three authors and how many more, then the organisation."""
    category: str
    age: str
    """`new`, or `day 2` since it was first seen."""
    is_new: bool
    numbers: tuple[NumberView, ...]
    count: str
    """The numbers as one line: `128 upvotes, 14 comments, 1.2k stars`."""
    summary: str
    summary_by: str
    """Where the summary comes from, in words."""
    reasons: tuple[str, ...]
    """What the ranking says for it, the most important first, without what the card shows anyhow."""
    otherwise: str
    """What is said where there is no other reason."""
    links: tuple[LinkView, ...]
    sources: frozenset[str]
    """Whose pages the links lead to, of those that ask to be named."""
    words: int
    """How many there are to read."""


@dataclass(frozen=True, slots=True)
class CardView:
    """A paper shown in full, and why it is there for this reader. What may be a slot, a template can only print."""

    place: int | Slot
    """Where it stands in the mail."""
    lead: bool
    """Whether that is the first place."""
    paper: PaperView
    label: str
    """`Why`, or `Something else` where the paper is none of his interests and stands here for that."""
    personal: Printed
    """What his interests say for it: `close to your topic “diffusion”`; empty where they say nothing."""
    why: str
    """What the ranking says for it: `+90 upvotes in 12 h; top 3% of cs.CL today`; may be empty where `personal` is not."""
    links: tuple[LinkView, ...]
    rate: tuple[LinkView, ...]
    """Where he says whether he wants more or less like this; empty where there is no page for it."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A paper in one line of "also trending"; `count` is the number that says most about it."""

    place: int | Slot
    title: str
    url: str
    count: str


@dataclass(frozen=True, slots=True)
class DigestView:
    """All that the digest's templates get besides the site and the subject. What may be a slot, a template can only print."""

    preheader: Printed
    date: str
    """`Saturday, 22 November 2026`."""
    count: Printed
    """`10 of 148 papers, 4 min read`."""
    cards: Printed
    """What `card.html` or `card.txt` make of each card, in order."""
    also: Printed
    """What `line.html` or `line.txt` make of each line of "also trending", in order."""
    notes: tuple[str, ...]
    """What a reader should know about this edition, one sentence each."""
    method: Printed
    """How many of the cards are there for which reason; empty where all are for the same."""
    reason: Printed
    """Why he gets this mail."""
    credit: Printed
    unsubscribe_url: Printed
    preferences_url: Printed
    """The page that mails him the link to his preferences, or pauses his mails; there where `unsubscribe_url` is."""
