"""Hugging Face daily papers: what its readers submitted on a day, with votes, comments and stars.

The answer of `/api/daily_papers` is a list of entries. What an entry says of a paper stands in its `paper`; the same keys
beside it can differ (dates are shifted there) and count only where `paper` has none.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from digest.errors import BadInput, ServerUnavailable
from digest.papers.identity import arxiv_id
from digest.papers.model import Metric, Reading, Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean, shorten
from digest.sources.base import Collected, Sleep, Verdict
from digest.sources.fields import MAX_SUMMARY, Unusable, read_count, read_instant, read_json, read_title
from digest.sources.http import get_json, open_client
from digest.sources.links import links_of_id, safe_url
from digest.sources.parsed import Parsed, Problem

if TYPE_CHECKING:
    import httpx2

    from digest.sources.settings import SourcesSettings

NAME = "huggingface"
TITLE = "Hugging Face"
LIST_LIMIT = 100
_COUNTS: tuple[tuple[Metric, str], ...] = (("votes", "upvotes"), ("comments", "numComments"), ("stars", "githubStars"))


class HuggingFace:
    """The source: today's list and yesterday's, which goes on growing."""

    name = NAME
    title = TITLE

    def enabled(self, settings: "SourcesSettings") -> bool:
        return settings.huggingface.enabled

    def collect(self, settings: "SourcesSettings", now: datetime, *, sleep: Sleep) -> Collected:
        """Both lists. Yesterday's alone is *failed*, with what it had.

        Raises:
            ServerUnavailable: neither could be had.
        """
        today = now.date()
        parsed: dict[date, Parsed] = {}
        faults: list[ServerUnavailable] = []
        with open_client() as client:
            for day in (today, today - timedelta(days=1)):
                try:
                    parsed[day] = parse(fetch(client, settings.huggingface.url, day, sleep=sleep), seen_at=now)
                except BadInput as error:
                    faults.append(ServerUnavailable(f"{_asked(day)}: {error}", fix=error.fix))
                except ServerUnavailable as error:
                    faults.append(error)
        if not parsed:
            raise faults[0]
        papers: dict[str, Sighting] = {}
        for sighting in (sighting for one in parsed.values() for sighting in one.sightings):
            papers.setdefault(sighting.ids[0], sighting)
        problems = tuple(problem for one in parsed.values() for problem in one.problems)
        verdict: Verdict = "failed" if today not in parsed else "fresh" if parsed[today].sightings else "quiet"
        return Collected(
            Parsed(tuple(papers.values()), problems + tuple(Problem(None, str(fault)) for fault in faults)),
            verdict,
            newest=max(papers, default=""),
        )


def fetch(
    client: "httpx2.Client",
    base_url: str,
    day: date,
    *,
    sleep: Sleep,
    jitter: Callable[[float, float], float] = random.uniform,
) -> bytes:
    """The answer for one day, as it came. Raises ServerUnavailable, naming the source and the cause."""
    params = {"date": day.isoformat(), "limit": str(LIST_LIMIT)}
    return get_json(client, f"{base_url}/api/daily_papers", params, asked=_asked(day), sleep=sleep, jitter=jitter)


def parse(raw: str | bytes, *, seen_at: datetime) -> Parsed:
    """The papers of an answer in its order, which is a reading too (`rank`). Problems count entries from 1.

    Raises:
        BadInput: this is no such answer.
    """
    sightings: dict[str, Sighting] = {}
    problems: list[Problem] = []
    for rank, entry in enumerate(_entries(raw), start=1):
        left_out: list[str] = []
        try:
            sighting = _sighting(entry, rank, seen_at, left_out)
        except Unusable as error:
            problems.append(Problem(rank, str(error)))
            continue
        if sighting.ids[0] in sightings:
            left_out = [f"{sighting.ids[0]} stands in the list before"]
        sightings.setdefault(sighting.ids[0], sighting)
        problems += [Problem(rank, what) for what in left_out]
    return Parsed(tuple(sightings.values()), tuple(problems))


def _asked(day: date) -> str:
    return f"{TITLE} was asked for the papers of {day}"


def _entries(raw: str | bytes) -> list[object]:
    fix = "save the answer of https://huggingface.co/api/daily_papers"
    try:
        answer = read_json(raw)
    except Unusable as error:
        page = raw.lstrip()[:1] in ("<", b"<")
        raise BadInput("this is a web page, not JSON" if page else str(error), fix=fix) from None
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        raise BadInput(f"{TITLE} says: {clean(answer['error'], 200)}")
    if not isinstance(answer, list):
        raise BadInput("this is JSON, but no list of papers", fix=fix)
    return answer


class _Entry:
    """One entry, each field looked up in `paper` and then beside it; a field of another type than it should be is absent."""

    def __init__(self, entry: Mapping[str, object]) -> None:
        paper = entry.get("paper")
        self.paper: Mapping[str, object] = paper if isinstance(paper, dict) else {}
        self._beside = entry

    def get(self, key: str) -> object:
        inner = self.paper.get(key)
        return self._beside.get(key) if inner is None or inner == "" else inner

    def text(self, key: str, limit: int) -> str:
        value = self.get(key)
        return clean(value, limit) if isinstance(value, str) else ""

    def items(self, key: str) -> list[object]:
        value = self.get(key)
        return value if isinstance(value, list) else []

    def url(self, key: str) -> str | None:
        value = self.get(key)
        return safe_url(value) if isinstance(value, str) else None


def _sighting(raw_entry: object, rank: int, seen_at: datetime, left_out: list[str]) -> Sighting:
    if not isinstance(raw_entry, dict):
        raise Unusable("this entry is not a JSON object")
    entry = _Entry(raw_entry)
    id_ = arxiv_id(entry.text("id", 100))
    if id_ is None:
        raise Unusable(f"this entry has no arXiv id: {entry.text('title', 60)!r}")
    summary = entry.text("ai_summary", MAX_SUMMARY)
    work = Work(
        title=read_title(entry.get("title")),
        abstract=entry.text("summary", MAX_ABSTRACT),
        authors=_authors(entry),
        keywords=_texts(entry, "ai_keywords", 80, 30),
        organization=_organization(entry),
        summary=summary,
        summary_by=TITLE if summary else "",
        published_at=_published_at(entry, seen_at, left_out),
        listed_on=_listed_on(entry, seen_at, left_out),
        links=_links(entry, id_, left_out),
    )
    readings = (*_counts(entry, seen_at, left_out), Reading(NAME, "rank", rank, seen_at))
    return Sighting(NAME, seen_at, work, (id_,), readings)


def _authors(entry: _Entry) -> tuple[str, ...]:
    """Names in order, without the authors that the list hides."""
    shown = (author for author in entry.items("authors") if isinstance(author, dict) and author.get("hidden") is not True)
    names = (author.get("name") for author in shown)
    cleaned = (clean(name, MAX_NAME) for name in names if isinstance(name, str))
    return tuple(name for name in cleaned if name)[:MAX_AUTHORS]


def _texts(entry: _Entry, key: str, limit: int, most: int) -> tuple[str, ...]:
    cleaned = (clean(item, limit) for item in entry.items(key) if isinstance(item, str))
    return tuple(dict.fromkeys(item for item in cleaned if item))[:most]


def _organization(entry: _Entry) -> str:
    organization = entry.get("organization")
    if not isinstance(organization, dict):
        return ""
    names = (organization.get("fullname"), organization.get("name"))
    return next((cleaned for name in names if isinstance(name, str) and (cleaned := clean(name, MAX_NAME))), "")


def _published_at(entry: _Entry, seen_at: datetime, left_out: list[str]) -> datetime | None:
    # Only the paper's own: the one beside it is shifted by the server's zone.
    return _instant("publishedAt", entry.paper.get("publishedAt"), seen_at, left_out)


def _listed_on(entry: _Entry, seen_at: datetime, left_out: list[str]) -> date | None:
    listed_at = _instant("submittedOnDailyAt", entry.get("submittedOnDailyAt"), seen_at, left_out)
    return listed_at.date() if listed_at else None


def _instant(key: str, value: object, seen_at: datetime, left_out: list[str]) -> datetime | None:
    if value is None:
        return None
    try:
        return read_instant(key, value, not_after=seen_at + timedelta(days=1))
    except Unusable as error:
        left_out.append(f"{error}; left out")
        return None


def _links(entry: _Entry, id_: str, left_out: list[str]) -> dict[str, str]:
    links = {"page": f"https://huggingface.co/papers/{id_.removeprefix('arxiv:')}", **links_of_id(id_)}
    for kind, key in (("code", "githubRepo"), ("project", "projectPage")):
        given = entry.text(key, 2000)
        if url := entry.url(key):
            links[kind] = url
        elif given:
            left_out.append(f"`{key}` is no address to link to: {shorten(given, 60)!r}; left out")
    return links


def _counts(entry: _Entry, seen_at: datetime, left_out: list[str]) -> Iterator[Reading]:
    """The counts that are there: one that is missing is not zero."""
    for metric, key in _COUNTS:
        value = entry.get(key)
        if value is None:
            continue
        try:
            yield Reading(NAME, metric, read_count(metric, value), seen_at)
        except Unusable as error:
            left_out.append(f"{error}; left out")
