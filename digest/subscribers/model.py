"""A subscriber, what he chose, and the states that he may pass through."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from functools import cache
from typing import Any, Literal, get_args
from zoneinfo import available_timezones

from digest.errors import BadInput
from digest.subscribers.address import EmailAddress
from digest.subscribers.language import parse_language

State = Literal["pending", "active", "paused", "unsubscribed", "bounced", "complained"]
Cadence = Literal["daily", "weekly"]
CADENCES: tuple[Cadence, ...] = get_args(Cadence)
STATES: tuple[State, ...] = get_args(State)
WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_SIZE = 25

TRANSITIONS: dict[State, frozenset[State]] = {
    "pending": frozenset({"active", "unsubscribed", "bounced", "complained"}),
    "active": frozenset({"paused", "unsubscribed", "bounced", "complained"}),
    "paused": frozenset({"active", "unsubscribed", "bounced", "complained"}),
    # Coming back is an act of the reader, confirmed anew; a complaint ends it for good.
    "unsubscribed": frozenset({"pending", "active", "complained"}),
    "bounced": frozenset({"pending", "active", "unsubscribed", "complained"}),
    "complained": frozenset(),
}

InterestKind = Literal["topic", "keyword", "author", "category", "mute", "liked", "disliked"]
INTEREST_KINDS: tuple[InterestKind, ...] = get_args(InterestKind)
STATED: tuple[InterestKind, ...] = ("topic", "keyword", "author", "category", "mute")
"""Kinds that a reader puts into words."""
RATED: tuple[InterestKind, ...] = ("liked", "disliked")
"""Kinds that name a paper by its canonical id."""
MAX_INTEREST = 120
MAX_INTERESTS = 50
"""Of the stated kinds together."""
MAX_RATED = 1000
"""Papers liked and disliked together."""
MAX_KEY = 500
_GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv"})
_ARXIV_CATEGORY = re.compile(r"(?:[A-Za-z]{2,8}|[A-Za-z]{1,6}-[A-Za-z]{1,4})(?:\.[A-Za-z]{2}(?:[A-Za-z-]{0,10}))?", re.ASCII)
_CATEGORY = re.compile(r"[^\W_][\w &,./()'-]{1,60}")
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Interest:
    """Something a reader wants, or does not.

    A topic is a phrase that says what about; a keyword must stand in the paper; an author or a category is the paper's own.
    What is muted (a keyword, an author or a category) keeps a paper away from him. What he liked or disliked is a paper's
    canonical id.
    """

    kind: InterestKind
    value: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a reader chose. `hour` None: with each edition, as soon as it is frozen."""

    zone: str = "UTC"
    hour: time | None = None
    days: frozenset[int] = frozenset(range(7))
    """Weekdays on which he reads, Monday being 0."""
    cadence: Cadence = "daily"
    size: int | None = None
    """Cards in a mail; None: as many as `ranking.size` says."""
    share: float | None = None
    """How much of the ranking his interests decide, from 0 (trending alone) to 1; None: as much as `ranking.share` says."""
    language: str = ""
    """Of his mails, a code of `LANGUAGES`; empty: the site's."""


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody signs up with."""

    address: EmailAddress
    name: str = ""
    preferences: Preferences = field(default_factory=Preferences)
    interests: tuple[Interest, ...] = ()

    @property
    def chooses(self) -> bool:
        """Whether it says anything of what he wants; the language may be his browser's."""
        return bool(self.interests) or replace(self.preferences, language="") != Preferences()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reader."""

    id: int
    address: EmailAddress
    state: State
    token: str
    """His random 128-bit id: names him in addresses (URLs), tells nothing about him."""
    name: str = ""
    preferences: Preferences = field(default_factory=Preferences)
    created_at: datetime | None = None
    confirmed_at: datetime | None = None
    paused_until: datetime | None = None
    next_due_at: datetime | None = None
    consent: Mapping[str, Any] = field(default_factory=dict)
    """Where and when he asked for this, and who confirmed it when: `source`, `asked_at`, `confirmed_by`, `confirmed_at`."""


def may_become(state: State, new: State) -> bool:
    """Whether this transition is legal; staying is."""
    return state == new or new in TRANSITIONS[state]


@cache
def zone_names() -> frozenset[str]:
    """The names of all time zones. Listing them means reading a folder, hence once."""
    return frozenset(available_timezones())


def parse_zone(text: str) -> str:
    """An IANA zone name. Raises BadInput for any other."""
    name = text.strip()
    if name in zone_names():
        return name
    from difflib import get_close_matches

    by_lower = {zone.lower(): zone for zone in zone_names()}
    near = get_close_matches(name[:60].lower().replace(" ", "_"), by_lower, n=1)
    fix = f"did you mean {by_lower[near[0]]}?" if near else "write it like Europe/Berlin"
    raise BadInput(f"{name[:60]!r} is not a time zone", fix=fix)


def parse_hour(text: str) -> time:
    """An hour (`8`) or a time of day (`07:30`). Raises BadInput."""
    match = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?", text.strip())
    if match and int(match[1]) < 24 and int(match[2] or 0) < 60:
        return time(int(match[1]), int(match[2] or 0))
    raise BadInput(f"{text[:20]!r} is not an hour", fix="write it like 8 or 07:30")


def parse_days(text: str) -> frozenset[int]:
    """Weekdays, `mon,tue` or `mon-fri` or `daily` or `weekdays`. Raises BadInput."""
    chosen: set[int] = set()
    for part in text.lower().replace(";", ",").split(","):
        word = part.strip()
        first, dash, last = (piece.strip() for piece in word.partition("-"))
        start, end = _weekday(first), _weekday(last if dash else first)
        if word in ("daily", "all"):
            chosen.update(range(7))
        elif word == "weekdays":
            chosen.update(range(5))
        elif start is not None and end is not None:
            chosen.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
        else:
            raise BadInput(f"{word[:20]!r} is not a weekday", fix="write them like mon,tue or mon-fri")
    return frozenset(chosen)


def _weekday(word: str) -> int | None:
    """The number of a weekday written whole or cut to three letters or more."""
    if len(word) < 3:
        return None
    return next((number for number, name in enumerate(WEEKDAY_NAMES) if name.startswith(word)), None)


def days_text(days: frozenset[int]) -> str:
    """Weekdays as `parse_days` reads them: `mon,tue`, and `daily` for all."""
    return "daily" if len(days) == 7 else ",".join(WEEKDAYS[day] for day in sorted(days))


def parse_cadence(text: str) -> Cadence:
    """`daily` or `weekly`. Raises BadInput."""
    for cadence in CADENCES:
        if text.strip().lower() == cadence:
            return cadence
    raise BadInput(f"{text[:20]!r} is not a cadence", fix="daily or weekly")


def parse_size(text: str) -> int:
    """How many cards a mail has, 1 to 25. Raises BadInput."""
    if re.fullmatch(r"[0-9]{1,2}", text.strip()) and 1 <= int(text) <= MAX_SIZE:
        return int(text)
    raise BadInput(f"{text[:20]!r} is not a size", fix=f"a number from 1 to {MAX_SIZE}")


def parse_share(text: str) -> float:
    """How much his interests decide, 0 to 1 or a percentage. Raises BadInput."""
    try:
        number = float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        number = -1
    if not 0 <= number <= 1:
        raise BadInput(f"{text[:20]!r} is not a share", fix="a number from 0 (trending alone) to 1 (interests alone)")
    return number


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "zone": parse_zone,
    "hour": parse_hour,
    "days": parse_days,
    "cadence": parse_cadence,
    "size": parse_size,
    "share": parse_share,
    "language": parse_language,
}
"""What reads each field of `Preferences` that somebody can choose, whichever way it comes in."""


def parse_interests(kind: InterestKind, text: str) -> tuple[Interest, ...]:
    """What a text names of this kind, whichever way it comes in: a comma parts topics, keywords and categories of arXiv.

    Names of people have commas of their own, and so have the categories of other servers.

    Raises:
        BadInput: one of them is none of this kind, or the text names none.
    """
    parts = [part.strip() for part in re.split("[,;]", text) if part.strip()]
    several = kind in ("topic", "keyword") or (kind == "category" and all(map(_ARXIV_CATEGORY.fullmatch, parts)))
    return tuple(parse_interest(kind, part) for part in (parts if several and parts else [text]))


def parse_interest(kind: InterestKind, text: str) -> Interest:
    """One interest of this kind, cleaned. Raises BadInput when nothing is left of it, or it is none of this kind."""
    if kind in RATED:
        return Interest(kind, _paper_key(text))
    from digest.papers.text import clean

    # What stands between two interests in a list is part of none.
    value = clean(text.replace(";", ","), MAX_INTEREST).strip(" ,")
    if kind == "author":
        value = _author(value)
    if kind == "category":
        value = _category(value)
    if not any(c.isalnum() for c in value):
        raise BadInput(f"{text[:40]!r} is not {'an' if kind == 'author' else 'a'} {kind}")
    return Interest(kind, value)


def limited(interests: Sequence[Interest]) -> tuple[Interest, ...]:
    """These interests, each once. Raises BadInput for more than a reader may have."""
    once = tuple(dict.fromkeys(interests))
    rated = sum(one.kind in RATED for one in once)
    if len(once) - rated > MAX_INTERESTS:
        raise BadInput(f"more than {MAX_INTERESTS} interests", fix="leave out those that matter least")
    if rated > MAX_RATED:
        raise BadInput(f"more than {MAX_RATED} rated papers", fix="leave out the oldest")
    return once


def _author(name: str) -> str:
    """A name as papers have it: `Doe, Jane` is Jane Doe."""
    if sum(c.isalpha() for c in name) < 2 or any(c in "@/" for c in name):
        raise BadInput(f"{name[:40]!r} is not an author", fix="write the name as papers have it, such as Jane Doe")
    family, _, given = (part.strip() for part in name.partition(","))
    turned = name.count(",") == 1 and given.lower().rstrip(".") not in _GENERATIONS
    return f"{given} {family}" if turned else name


def _category(name: str) -> str:
    """A category of arXiv as arXiv writes it (`cs.CL`, or `cs` for all of them); of other servers as it stands."""
    if _ARXIV_CATEGORY.fullmatch(name):
        archive, dot, subject = name.partition(".")
        return archive.lower() + dot + (subject.upper() if len(subject) == 2 else subject.lower())
    if not _CATEGORY.fullmatch(name):
        raise BadInput(f"{name[:40]!r} is not a category", fix="write it like cs.CL, cs or q-bio.NC")
    return name


def _paper_key(text: str) -> str:
    """A paper's canonical id, from any spelling of an arXiv id or DOI, or as an export wrote it."""
    from digest.papers.identity import SCHEMES, arxiv_id, doi

    written = text.strip()
    key = arxiv_id(written) or doi(written)
    if key is None and written.partition(":")[0] in SCHEMES and written.isprintable():
        key = written
    if key is None or len(key) > MAX_KEY or not key.partition(":")[2]:
        raise BadInput(f"{text[:60]!r} names no paper", fix="give an arXiv id or a DOI")
    return key
