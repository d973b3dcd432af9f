"""The words around the cards of a digest that differ from reader to reader: subject, preheader, counts, reasons, thanks.

They are made for every mail, so what readers have in common is remembered.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from digest.edition.model import Edition, How
from digest.papers.text import MAX_NAME, clean
from digest.rendering.cards import CREDITED
from digest.rendering.model import PaperView, Reader
from digest.rendering.reasons import method
from digest.rendering.subject import cut, preheader, subject_line
from digest.rendering.words import listing, minutes, on, on_weekday

MAX_ADDRESS = 254
_REMEMBERED = 4096


class Wording:
    """The words of one edition's mails."""

    def __init__(self, edition: Edition, site_name: str) -> None:
        self._candidates = len(edition.entries)
        self._site_name = site_name
        self._cadence = "every day" if edition.cadence == "daily" else "every week"
        self._date = on_weekday(edition.date)
        remember = lru_cache(maxsize=None)  # as many as there are papers in the edition at most
        self._subject = remember(subject_line)
        self._cut = lru_cache(maxsize=_REMEMBERED)(cut)
        self._count = remember(self._counted)
        self._method = remember(method)
        self._credit = remember(_credit)
        self._on = remember(on)

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
        few = f"{shown} of {self._candidates}" if self._candidates > shown else f"{shown}"
        return f"{few} {'paper' if few == '1' else 'papers'}, {read} min read"

    def _reason(self, name: str, address: str, confirmed_on: date | None) -> str:
        """`Ann, you get this every day because you confirmed ann@example.org on 3 November 2026.`"""
        name, address = clean(name, MAX_NAME) if name else "", clean(address, MAX_ADDRESS)
        you = f"{name}, you get" if name else "You get"
        because = f"you confirmed {address} on {self._on(confirmed_on)}" if confirmed_on else f"{address} is subscribed"
        return f"{you} {self._site_name} {self._cadence} because {because}."


def notes(missing: Sequence[str]) -> tuple[str, ...]:
    """Which sources could not be read, by their titles."""
    names = list(dict.fromkeys(clean(title, MAX_NAME) for title in missing))
    if not names:
        return ()
    return (f"{listing(names)} could not be read today; {'its' if len(names) == 1 else 'their'} papers follow.",)


def _credit(sources: Iterable[frozenset[str]]) -> str:
    """Names the sources that the links lead to; arXiv asks for its sentence (info.arxiv.org/help/api/tou)."""
    found = frozenset().union(*sources)
    if not found:
        return ""
    line = f"Metadata from {listing([name for name in CREDITED.values() if name in found])}."
    return line + (" Thank you to arXiv for use of its open access interoperability." if "arXiv" in found else "")
