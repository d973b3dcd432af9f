"""The form by which somebody says what he wants: read from what a browser sent, or filled in with what he chose before.

Nothing that is typed makes an error: what is wrong is told beside its field, and what was typed is kept.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from digest.errors import BadInput
from digest.papers.text import clean
from digest.subscribers.csv import STATED_IN
from digest.subscribers.language import parse_language
from digest.subscribers.library import Like, Unread, find_ids, read
from digest.subscribers.model import (
    CADENCES,
    MAX_KEY,
    PARSERS,
    Interest,
    InterestKind,
    Preferences,
    limited,
    parse_interests,
    parse_share,
)
from digest.subscribers.wishes import Wishes

LISTS: Mapping[str, InterestKind] = STATED_IN
"""Fields of many lines, an interest in each."""
WORDS = ("zone", "hour", "cadence", "size", "share", "language")
"""Fields of one word."""
PAPERS = "papers"
MAX_LINES = 200
MAX_LINE = 160
MAX_IDS = 4000
"""Characters in which a visitor names papers; a reader may paste as much BibTeX as a request holds."""
_CONTROLS = re.compile(r"[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Form:
    """A form that is filled in."""

    typed: Mapping[str, str]
    """Text by field; those that are not there are empty."""
    days: frozenset[int] = frozenset()
    """Ticked; none means every day."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with a field, by its name."""
    wishes: Wishes = field(default_factory=Wishes)
    """What it amounts to, if nothing is wrong."""
    likes: tuple[Like, ...] = ()
    """Papers that he likes besides those that he rated before."""
    unread: tuple[Unread, ...] = ()
    """What was among his papers and names none."""
    forgotten: frozenset[str] = frozenset()
    """Ids of papers that he rated, of which he takes his word back."""

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As a browser would send it again."""
        texts = [(name, text) for name, text in self.typed.items() if text]
        return [*texts, *(("day", str(day)) for day in sorted(self.days)), *(("forget", key) for key in sorted(self.forgotten))]


def filled(wishes: Wishes) -> Form:
    """The form with what somebody chose before."""
    chosen = wishes.preferences
    typed = {
        name: "\n".join(interest.value for interest in wishes.interests if interest.kind == kind)
        for name, kind in LISTS.items()
    }
    typed |= {
        "zone": chosen.zone,
        "hour": chosen.hour.strftime("%H:%M") if chosen.hour else "",
        "cadence": chosen.cadence,
        "size": str(chosen.size or ""),
        "share": "" if chosen.share is None else f"{100 * chosen.share:g}",
        "language": chosen.language,
    }
    return Form(typed, chosen.days, wishes=wishes)


def sent(fields: Iterable[tuple[str, str]], *, bibtex: bool = False) -> Form:
    """The form as a browser sent it: pairs of name and text, whatever they hold.

    Args:
        fields: those that are unknown are passed over.
        bibtex: whether papers may come as BibTeX, which takes long to read; ids are found either way.
    """
    given: dict[str, list[str]] = {}
    for name, text in fields:
        given.setdefault(name, []).append(text)
    typed = {name: _lines([*given.get(name, []), *(given.get("topic", []) if name == "topics" else [])]) for name in LISTS}
    typed |= {name: clean(given.get(name, [""])[0], MAX_LINE) for name in WORDS}
    papers = _CONTROLS.sub(" ", "\n".join(given.get(PAPERS, [])).replace("\r\n", "\n").replace("\r", "\n")).strip()
    typed[PAPERS] = papers if bibtex else papers[:MAX_IDS]

    wrong: dict[str, str] = {}
    interests = [one for name, kind in LISTS.items() for one in _interests(kind, name, typed[name], wrong)]
    likes, unread = _papers(typed[PAPERS], bibtex, wrong)
    days = frozenset(int(day) for day in given.get("day", []) if day in {"0", "1", "2", "3", "4", "5", "6"})
    preferences = Preferences(
        zone=_one(PARSERS["zone"], "zone", typed, wrong) or "UTC",
        hour=_one(PARSERS["hour"], "hour", typed, wrong),
        days=days or frozenset(range(7)),
        cadence=_one(PARSERS["cadence"], "cadence", typed, wrong) or CADENCES[0],
        size=_one(PARSERS["size"], "size", typed, wrong),
        share=_one(_share, "share", typed, wrong),
        language=_one(parse_language, "language", typed, wrong) or "",
    )
    try:
        wanted = limited(interests)
    except BadInput as error:
        wrong.setdefault("topics", _told(error))
        wanted = ()
    forgotten = frozenset(key for key in given.get("forget", []) if key.isprintable() and len(key) <= MAX_KEY)
    return Form(typed, days, wrong, Wishes(preferences, wanted), likes, unread, forgotten)


def with_likes(form: Form) -> Wishes:
    """What the form amounts to with its papers among the interests, for one who has rated none before."""
    liked = tuple(Interest("liked", like.ids[0]) for like in form.likes)
    return Wishes(form.wishes.preferences, (*form.wishes.interests, *liked))


def _lines(texts: list[str]) -> str:
    """Each line clean, none empty, none twice."""
    lines = (clean(line, MAX_LINE) for text in texts for line in re.split(r"[\r\n;]+", text)[:MAX_LINES])
    return "\n".join(dict.fromkeys(line for line in lines if line))


def _interests(kind: InterestKind, name: str, text: str, wrong: dict[str, str]) -> list[Interest]:
    found: list[Interest] = []
    for line in text.split("\n") if text else ():
        try:
            found += parse_interests(kind, line)
        except BadInput as error:
            wrong.setdefault(name, _told(error))
    return found


def _papers(text: str, bibtex: bool, wrong: dict[str, str]) -> tuple[tuple[Like, ...], tuple[Unread, ...]]:
    if not text:
        return (), ()
    if bibtex:
        library = read(text)
        likes, unread = library.likes, library.unread
    else:
        likes, unread = tuple(Like((key,)) for key in find_ids(text)), ()
    if not likes:
        wrong[PAPERS] = "No paper is named in this: write arXiv ids or DOIs."
    return likes, unread


def _one(parse: Callable[[str], Any], name: str, typed: Mapping[str, str], wrong: dict[str, str]) -> Any:
    """What a field of one word says; None where it is empty or wrong."""
    if not typed[name]:
        return None
    try:
        return parse(typed[name])
    except BadInput as error:
        wrong[name] = _told(error)
        return None


def _share(text: str) -> float:
    return parse_share(f"{text.removesuffix('%')}%")


def _told(error: BadInput) -> str:
    """What is wrong and what would be right, as a sentence."""
    said = f"{error}: {error.fix}" if error.fix else str(error)
    return said[:1].upper() + said[1:] + ("" if said.endswith("?") else ".")
