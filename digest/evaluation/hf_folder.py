"""A folder of Hugging Face daily lists, as an evaluation or a fit reads it: what was said of papers, and how votes came in.

    hf_daily/{early,morning,nextday}/YYYY-MM-DD.json   answers of the server, read by the source's own parser
    hf_trajectories.csv                                date,paper_id,snapshot_time,lag_hours,upvotes,comments,stars,source
    editorial_picks.csv                                week_start,week_end,rank,arxiv_id,short_title

Each may be missing, and so may the votes within them. The order of a list is the order of its votes, so it is forgotten.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from digest.errors import BadInput
from digest.papers.identity import arxiv_id
from digest.papers.model import Work
from digest.sources.fields import EARLIEST
from digest.sources.huggingface import parse

KINDS = ("early", "morning", "nextday")
"""The lists of one day, at about 3, 8 and 26 hours after it began."""
LATEST = 2999
"""A year after it is no day's, and days could not be counted from it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper as the list of a day showed it; `work.listed_on` is that day."""

    id: str
    kind: str
    work: Work


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of a paper of the list of `day`, so many hours after that day began; None where nobody said."""

    day: date
    id: str
    taken_at: datetime
    hours: float
    votes: int | None
    comments: int | None
    stars: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What an editor chose in a week."""

    begins: date
    ends: date
    ids: frozenset[str]


def lists(folder: Path, kinds: Sequence[str] = KINDS) -> list[Listed]:
    """Every paper of every list, by day, kind and id. A file that is no such list is passed over.

    Raises:
        BadInput: there is not one list.
    """
    found: list[Listed] = []
    for kind in kinds:
        for path in sorted((folder / "hf_daily" / kind).glob("*.json")):
            try:
                day = _day(path.stem)
                parsed = parse(path.read_bytes(), seen_at=datetime.combine(day, time(), UTC) + timedelta(days=400))
            except (BadInput, OSError, ValueError):
                continue
            works = {one.ids[0]: replace(one.work, listed_on=day) for one in parsed.sightings}
            found += [Listed(id_.removeprefix("arxiv:"), kind, work) for id_, work in sorted(works.items())]
    if not found:
        raise BadInput(f"{folder} has no daily lists", fix="name a folder with hf_daily/morning/YYYY-MM-DD.json in it")
    return sorted(found, key=lambda one: (one.work.listed_on or date.min, one.kind, one.id))


def snapshots(folder: Path) -> list[Snapshot]:
    """Every usable row of the trajectories, in order of time; none if there is no such file. Raises BadInput."""
    found = [snapshot for row in _rows(folder / "hf_trajectories.csv") if (snapshot := _snapshot(row))]
    return sorted(found, key=lambda one: (one.taken_at, one.day, one.id, one.source))


def choices(folder: Path) -> list[Choice]:
    """The editor's weeks, oldest first; none if there is no such file. Raises BadInput."""
    weeks: dict[tuple[date, date], set[str]] = {}
    for row in _rows(folder / "editorial_picks.csv"):
        try:
            week = _day(row["week_start"]), _day(row["week_end"])
        except (KeyError, TypeError, ValueError):
            continue
        canonical = arxiv_id(row.get("arxiv_id") or "")
        chosen = weeks.setdefault(week, set())
        if canonical:
            chosen.add(canonical.removeprefix("arxiv:"))
    return [Choice(begins, ends, frozenset(ids)) for (begins, ends), ids in sorted(weeks.items())]


def instant(text: str) -> datetime:
    """A moment as the files write it, in UTC, whose days those of lists are; a day alone is its first moment.

    Raises:
        ValueError: it is neither.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"there is no such moment in UTC: {text}") from None


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    if not path.is_file():
        return
    try:
        # A spreadsheet's file may begin with a mark of its byte order.
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None


def _day(text: str) -> date:
    """A day that a list of papers can be of, which has days before and after it. Raises ValueError for all others."""
    day = date.fromisoformat(text)
    if not EARLIEST <= day.year <= LATEST:
        raise ValueError(f"no list is of {day}")
    return day


def _snapshot(row: Mapping[str, str]) -> Snapshot | None:
    try:
        hours = float(row["lag_hours"])
        taken_at = instant(row["snapshot_time"])
        day = _day(row["date"])
    except (KeyError, TypeError, ValueError):
        return None
    id_ = row.get("paper_id") or ""
    if not id_ or not math.isfinite(hours):
        return None
    votes, comments, stars = (_count(row.get(name)) for name in ("upvotes", "comments", "stars"))
    return Snapshot(day, id_, taken_at, hours, votes, comments, stars, row.get("source") or "")


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 12 else None
