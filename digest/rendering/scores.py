"""A score in words: what each of its terms counts, how much of that was measured, and what it added."""

from collections.abc import Mapping
from dataclasses import dataclass

from digest.edition.model import Appearance
from digest.papers.text import MAX_TITLE, clean
from digest.ranking.model import Term
from digest.rendering.tex import readable
from digest.rendering.words import on_weekday

NAMES = {
    "votes": "Upvotes",
    "prior": "Promise",
    "outlook": "Outlook",
    "growth": "Growth",
    "comments": "Comments",
    "stars": "GitHub stars",
    "editor": "Editor's taste",
    "standing": "Field",
    "freshness": "Age",
}
"""Every signal, as a reader sees it named."""
MEANINGS = {
    "votes": "Those counted so far, where most were counted.",
    "prior": "What title, abstract and facts such as published code make one expect. It fades as votes come in.",
    "outlook": "How much votes of that age still grow, so that young papers compare with older ones.",
    "growth": "Half of the votes that came faster than is usual within the last 48 hours.",
    "comments": "A quarter of a vote each.",
    "stars": "The votes that go with so many stars of its code, those of the last two days twice; "
    "a twentieth of that where votes were counted.",
    "editor": "Up to ten votes, the more the likelier an editor would have chosen it, going by choices of the past.",
    "standing": "What lifts the best of a small field towards the best of the largest one.",
    "freshness": "What age takes away in a daily edition: half of the rest for every two days; "
    "nothing from a paper that takes off late.",
}


@dataclass(frozen=True, slots=True)
class SignalView:
    """A signal as it is explained: `weight` is what its terms are multiplied by."""

    name: str
    meaning: str
    weight: str


@dataclass(frozen=True, slots=True)
class TermView:
    """One addend of a score."""

    name: str
    measured: str
    """Empty where nobody measured it."""
    score: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppearanceView:
    """Where a paper stood in one edition, and why."""

    date: str
    weekly: bool
    path: str
    place: str
    """`no. 3 of 148`."""
    score: str
    terms: tuple[TermView, ...]


def signal_views(weights: Mapping[str, float]) -> tuple[SignalView, ...]:
    """The signals that count, by their weights."""
    return tuple(SignalView(NAMES[one], MEANINGS[one], f"{weights[one]:g}") for one in NAMES if weights.get(one, 0) > 0)


def appearance_view(appearance: Appearance, path: str) -> AppearanceView:
    """A place in an edition, whose page is at `path`."""
    return AppearanceView(
        date=on_weekday(appearance.date),
        weekly=appearance.cadence == "weekly",
        path=path,
        place=f"no. {appearance.entry.rank:,} of {appearance.of:,}",
        score=f"{appearance.entry.score:,.1f}",
        terms=tuple(_term_view(term) for term in appearance.entry.terms),
    )


def _term_view(term: Term) -> TermView:
    reason = clean(readable(term.reason), MAX_TITLE)
    return TermView(NAMES.get(term.signal, term.signal), measured(term), signed(term.score), reason)


def measured(term: Term) -> str:
    """What was measured, in the signal's own unit.

    >>> measured(Term("outlook", 1.75, 9.0)), measured(Term("standing", 0.021, 0.0)), measured(Term("freshness", 1, -4.0))
    ('× 1.8', 'top 3%', '1 day')
    """
    value = term.value
    if value is None:
        return ""
    match term.signal:
        case "prior":
            return f"{value:,.1f}"
        case "outlook":
            return f"× {value:.1f}"
        case "growth":
            return f"{value:,.0f} a day"
        case "editor":
            return f"{100 * value:.0f}%"
        case "standing":
            return f"top {-(-100 * value // 1):.0f}%"
        case "freshness":
            return f"{value:.0f} day{'s' * (value != 1)}"
    return f"{value:,.0f}"


def signed(score: float) -> str:
    """An addend with its sign, to a tenth.

    >>> signed(12.34), signed(-0.25), signed(0.01)
    ('+12.3', '−0.2', '0')
    """
    text = f"{score:+,.1f}"
    return "0" if text in ("+0.0", "-0.0") else text.replace("-", "−")
