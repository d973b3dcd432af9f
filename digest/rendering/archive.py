"""What the archive shows: the editions of a month, a line each, and the months that there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from digest.papers.text import MAX_TITLE, clean
from digest.rendering.tex import readable
from digest.rendering.words import month, on_weekday


@dataclass(frozen=True, slots=True)
class EditionLine:
    """An edition: its day, and the title that stands first in it."""

    date: str
    iso: str
    weekly: bool
    path: str
    first: str


@dataclass(frozen=True, slots=True)
class MonthView:
    """A month, `November 2026`. `lines` may be those of a part of it, or none where it is only led to."""

    name: str
    path: str
    lines: tuple[EditionLine, ...] = ()


@dataclass(frozen=True, slots=True)
class YearView:
    """The months of a year that have editions."""

    name: str
    months: tuple[MonthView, ...]


def edition_line(on: date, *, weekly: bool, path: str, first: str) -> EditionLine:
    """A line of the archive; `first` as a source wrote it."""
    return EditionLine(on_weekday(on), on.isoformat(), weekly, path, clean(readable(first), MAX_TITLE))


def month_views(editions: Iterable[tuple[date, EditionLine]], root: str) -> tuple[MonthView, ...]:
    """Editions by month, in the order in which they come. `root`: the path of the archive."""
    months = groupby(editions, key=lambda one: one[0].replace(day=1))
    return tuple(MonthView(month(first), month_path(first, root), tuple(line for _, line in some)) for first, some in months)


def year_views(dates: Sequence[date], root: str) -> tuple[YearView, ...]:
    """All months with editions, by year; the latest first, as `dates` are."""
    firsts = dict.fromkeys(day.replace(day=1) for day in dates)
    years = groupby(firsts, key=lambda first: first.year)
    return tuple(
        YearView(str(year), tuple(MonthView(month(first), month_path(first, root)) for first in some)) for year, some in years
    )


def month_path(first: date, root: str) -> str:
    """`/archive/2026-11`."""
    return f"{root}/{first.isoformat()[:7]}"
