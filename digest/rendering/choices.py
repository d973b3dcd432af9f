"""The form of choices as its template sees it: each field with what was typed and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from digest.papers.model import Work
from digest.papers.text import MAX_TITLE, clean
from digest.rendering.tex import readable
from digest.subscribers.form import LISTS, PAPERS, WORDS, Form
from digest.subscribers.language import LANGUAGES
from digest.subscribers.model import CADENCES, WEEKDAY_NAMES, zone_names

SHARES = (
    ("0", "Only what trends"),
    ("25", "Mostly what trends"),
    ("50", "Half and half"),
    ("75", "Mostly what I want"),
    ("100", "Only what I want"),
)
RATED_SHOWN = 100
_LABELS = {
    "topics": "Topics",
    "keywords": "Keywords",
    "authors": "Authors",
    "categories": "Categories",
    "mutes": "Keep away",
    PAPERS: "Papers",
    "share": "Share",
    "size": "Papers in a mail",
    "cadence": "How often",
    "hour": "Time",
    "zone": "Time zone",
    "language": "Language of your mails",
}


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field: its text, and what is wrong with it, if anything."""

    name: str
    label: str
    value: str
    wrong: str


@dataclass(frozen=True, slots=True)
class OptionView:
    """Something to choose: what is sent, what is read, and whether it is chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RatedView:
    """A paper that somebody rated."""

    key: str
    title: str
    liked: bool
    forgotten: bool


@dataclass(frozen=True, slots=True)
class ChoicesView:
    """All that the form shows."""

    fields: Mapping[str, FieldView]
    wrong: tuple[FieldView, ...]
    """Those with which something is wrong, in the order of the form."""
    suggestions: tuple[str, ...]
    days: tuple[OptionView, ...]
    cadences: tuple[OptionView, ...]
    shares: tuple[OptionView, ...]
    languages: tuple[OptionView, ...]
    """Each by its own name."""
    zones: tuple[str, ...]
    rated: tuple[RatedView, ...]
    rated_more: int
    bibtex: bool
    """Whether papers may come as BibTeX."""
    again: tuple[tuple[str, str], ...]
    """The form as a browser would send it, for a page that hands it on."""


def choices_view(
    form: Form,
    suggestions: Sequence[str],
    usual_share: float,
    usual_language: str,
    *,
    rated: Sequence[tuple[str, bool, Work | None]] = (),
    bibtex: bool = False,
) -> ChoicesView:
    """Args:
    form: as it is filled in.
    suggestions: topics to offer.
    usual_share: how much the interests of somebody decide who chose nothing, from 0 to 1.
    usual_language: in words, that of the mails of somebody who chose none.
    rated: id of each paper that he rated, whether he liked it, and what it is if that is known; the latest first.
    bibtex: whether papers may come as BibTeX.
    """
    names = (*LISTS, PAPERS, *WORDS)
    fields = {name: FieldView(name, _LABELS[name], form.typed.get(name, ""), form.wrong.get(name, "")) for name in names}
    has = {line.casefold() for line in fields["topics"].value.split("\n")}
    shares = [("", f"As usual here ({100 * usual_share:.0f}% what I want)"), *SHARES]
    share = fields["share"].value.removesuffix("%").strip()
    if share not in dict(shares):
        shares.append((share, f"As it is: {share}% what I want"))
    cadence = fields["cadence"].value or CADENCES[0]
    language = fields["language"].value
    return ChoicesView(
        fields=fields,
        wrong=tuple(fields[name] for name in _LABELS if fields[name].wrong),
        suggestions=tuple(one for one in suggestions if one.casefold() not in has),
        days=tuple(OptionView(str(day), name.capitalize(), day in form.days) for day, name in enumerate(WEEKDAY_NAMES)),
        cadences=tuple(OptionView(one, one.capitalize(), one == cadence) for one in CADENCES),
        shares=tuple(OptionView(value, label, value == share) for value, label in shares),
        languages=tuple(OptionView(code, name, code == language) for code, name in (("", usual_language), *LANGUAGES.items())),
        zones=_zones(),
        rated=tuple(
            RatedView(key, _title(key, work), liked, key in form.forgotten) for key, liked, work in rated[:RATED_SHOWN]
        ),
        rated_more=max(0, len(rated) - RATED_SHOWN),
        bibtex=bibtex,
        again=tuple(form.fields),
    )


def _title(key: str, work: Work | None) -> str:
    return (work and clean(readable(work.title), MAX_TITLE)) or key


@cache
def _zones() -> tuple[str, ...]:
    """Names by place, as people know them."""
    places = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ("UTC", *sorted(zone for zone in zone_names() if zone.startswith(places)))
