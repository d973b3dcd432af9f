"""The words around the cards of a digest that differ from reader to reader: subject, preheader, counts, reasons, thanks.

They are made for every mail, so what readers have in common is remembered.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache, partial

from digest.edition.model import Edition, How
from digest.papers.text import MAX_NAME, clean
from digest.rendering.cards import CREDITED
from digest.rendering.model import PaperView, Reader
from digest.rendering.reasons import method
from digest.rendering.subject import cut, preheader, subject_line
from digest.rendering.tongue import ENGLISH, Tongue, messages
from digest.rendering.words import listing, minutes, on, on_weekday

MAX_ADDRESS = 254
THANKS = "Thank you to arXiv for use of its open access interoperability."
"""In arXiv's own words, whatever the language (info.arxiv.org/help/api/tou)."""
_DAILY, _WEEKLY = messages("every day", "every week")
OFTEN = {"daily": _DAILY, "weekly": _WEEKLY}
_REMEMBERED = 4096


class Wording:
    """The words of one edition's mails in one language."""

    def __init__(self, edition: Edition, site_name: str, tongue: Tongue = ENGLISH) -> None:
        self._candidates = len(edition.entries)
        self._site_name, self._often = site_name, tongue.say(OFTEN[edition.cadence])
        self._tongue = tongue
        self._date = on_weekday(edition.date, tongue)
        remember = lru_cache(maxsize=None)  # as many as there are papers in the edition at most
        self._subject = remember(partial(subject_line, tongue=tongue))
        self._cut = lru_cache(maxsize=_REMEMBERED)(cut)
        self._count = remember(self._counted)
        self._method = remember(partial(method, tongue=tongue))
        self._credit = remember(partial(_credit, tongue=tongue))
        self._on = remember(partial(on, tongue=tongue))

    def around(
        self,
        first: Sequence[PaperView],
        shown: int,
        words: int,
        sources: Iterable[frozenset[str]],
        hows: Sequence[How],
        reader: Reader,
    ) -> dict[str, str]:
        """Each of `subject`, `preheader`, `count`, `method`, `reason` and `credit`; empty where there is nothing to say.

        Args:
            first: the first four of the papers that are shown as cards, or else of the lines.
            shown: how many those are.
            words: how many they have.
            sources: whose pages the mail's links lead to.
            hows: what speaks for each card.
            reader: who gets it.
        """
        outside, trending = hows.count("explore"), hows.count("")
        return {
            "subject": self._subject(first[0].title, shown - 1),
            "preheader": preheader([paper.title for paper in first[1:]], first[0].summary or self._date, self._cut),
            "count": self._count(shown, minutes(words)),
            "method": self._method(len(hows) - trending - outside, trending, outside),
            "reason": self._reason(reader.name, reader.address, reader.confirmed_on),
            "credit": self._credit(frozenset(sources)),
        }

    def _counted(self, shown: int, read: int) -> str:
        """How many papers are shown out of how many, and how long they take."""
        values = {"shown": shown, "all": self._tongue.number(f"{self._candidates:,}"), "minutes": read}
        if self._candidates > shown:
            return self._tongue.say("%(shown)s of %(all)s papers, %(minutes)s min read", **values)
        return self._tongue.count(
            "%(shown)s paper, %(minutes)s min read", "%(shown)s papers, %(minutes)s min read", shown, **values
        )

    def _reason(self, name: str, address: str, confirmed_on: date | None) -> str:
        """`Ann, you get this every day because you confirmed ann@example.org on 3 November 2026.`"""
        name, address = clean(name, MAX_NAME) if name else "", clean(address, MAX_ADDRESS)
        say = self._tongue.say
        if confirmed_on:
            because = say("you confirmed %(address)s on %(date)s", address=address, date=self._on(confirmed_on))
        else:
            because = say("%(address)s is subscribed", address=address)
        values = {"name": name, "site": self._site_name, "often": self._often, "because": because}
        if name:
            return say("%(name)s, you get %(site)s %(often)s because %(because)s.", **values)
        return say("You get %(site)s %(often)s because %(because)s.", **values)


def notes(missing: Sequence[str], tongue: Tongue = ENGLISH) -> tuple[str, ...]:
    """Which sources could not be read, by their titles."""
    names = list(dict.fromkeys(clean(title, MAX_NAME) for title in missing))
    if not names:
        return ()
    said = tongue.count(
        "%(names)s could not be read today; its papers follow.",
        "%(names)s could not be read today; their papers follow.",
        len(names),
        names=listing(names, tongue),
    )
    return (said,)


def _credit(sources: Iterable[frozenset[str]], tongue: Tongue) -> str:
    """Names the sources that the links lead to; arXiv asks for its sentence."""
    found = frozenset().union(*sources)
    if not found:
        return ""
    names = listing([name for name in CREDITED.values() if name in found], tongue)
    line = tongue.say("Metadata from %(sources)s.", sources=names)
    return line + (f" {THANKS}" if "arXiv" in found else "")
