"""Hugging Face daily papers: what its readers submitted on a day, with votes, comments and stars.

The answer of `/api/daily_papers` is a list of entries. What an entry says of a paper stands in its `paper`; the same keys
beside it can differ (dates are shifted there) and count only where `paper` has none.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from pydantic import Field

from digest.errors import BadInput, ServerUnavailable
from digest.papers.identity import arxiv_id
from digest.papers.model import Metric, Reading, Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean, shorten
from digest.sources.base import Brings, Collected, Errand, Verdict
from digest.sources.faults import not_before, nothing_had, wait_of
from digest.sources.fields import MAX_SUMMARY, Unusable, instant_at, object_at, read_answer, read_title, reading_at, text_at
from digest.sources.links import links_of_id, safe_url
from digest.sources.parsed import Parsed, Problem, joined
from digest.sources.slices import WebSlice
from digest.sources.web import Site

NAME = "huggingface"
TITLE = "Hugging Face"
LIST_LIMIT = 100
FULL_PAGE = 50
"""A page of so many entries may not be the last: this is what the server gives to who asks for no other number."""
MAX_PAGES = 10
MAX_ENTRIES = 10_000
"""Of an answer that somebody saved."""
LONGEST_LIST = MAX_PAGES * LIST_LIMIT
"""Entries: who answers with more than that to who asked for a hundred is not believed, and memory stays bounded."""
ENOUGH_FAULTS = 3
"""So many lists that could not be had end a run: a dead server need not be asked for every day."""
DUE_AT = time(12, tzinfo=UTC)
"""On a weekday, a list that is still empty at this hour is late: all known ones had begun by eight."""
_AGAIN_AFTER = (
    (timedelta(days=2), timedelta(0)),
    (timedelta(days=4), timedelta(hours=6)),
    (timedelta(days=8), timedelta(hours=12)),
    (timedelta(days=365), timedelta(hours=24)),
)
"""A list that is younger than the first is read again after the second: votes come in for weeks, but most on the first days."""
_COUNTS: tuple[tuple[Metric, str], ...] = (("votes", "upvotes"), ("comments", "numComments"), ("stars", "githubStars"))


class HuggingFaceSettings(WebSlice):
    """`[sources.huggingface]`"""

    enabled: bool = True
    url: str = "https://huggingface.co"
    days: int = Field(14, ge=1, le=60, description="how many days back lists are read again, ever less often")


class HuggingFace:
    """The source: today's list, and again those of the days before, whose votes go on growing."""

    name = turn = NAME
    title = TITLE
    brings: Brings = "papers"

    def __init__(self, settings: HuggingFaceSettings) -> None:
        self.enabled = settings.enabled
        self._url, self._days = settings.url, settings.days

    def collect(self, errand: Errand) -> Collected:
        """The lists that are due to be read. Without today's or yesterday's *failed*, with what there was.

        An older list that could not be had costs readings and no papers: it is a problem, and is asked for again.

        Raises:
            ServerUnavailable: none could be had; as `HttpError` if the server wants to be left alone.
        """
        read_at = _read_at(errand.past.cursor)
        days = lists_due(errand.now, read_at, self._days, errand.since)
        site = errand.web.at(self._url, source=NAME, hosts=("huggingface.co",))
        lists: dict[date, Parsed] = {}
        faults: dict[date, Exception] = {}
        for done, day in enumerate(days):
            errand.progress(done, len(days))
            try:
                lists[day] = _list(site, day, errand.now)
            except (BadInput, ServerUnavailable) as error:
                faults[day] = error
                if wait_of(error) or len(faults) == ENOUGH_FAULTS or site.remaining() <= 0:
                    break
        errand.progress(len(days), len(days))
        said = [str(fault) for fault in faults.values()]
        if not lists:
            raise nothing_had(tuple(faults.values()))
        yesterday = errand.now.date() - timedelta(days=1)
        verdict, evidence = judge(
            {day: _ids(parsed) for day, parsed in lists.items()}, errand.now, failed=any(day >= yesterday for day in faults)
        )
        oldest = errand.now.date() - timedelta(days=self._days)
        cursor = {day: at for day, at in (read_at | dict.fromkeys(lists, errand.now)).items() if day >= oldest}
        parsed = joined(list(lists.values()))
        return Collected(
            Parsed(_once(parsed.sightings), parsed.problems + tuple(Problem(None, fault) for fault in said)),
            verdict,
            newest=max((id_ for found in lists.values() for id_ in _ids(found)), default=errand.past.newest),
            cursor={day.isoformat(): at.isoformat() for day, at in sorted(cursor.items())},
            evidence="; ".join([evidence, *said[:1]]),
            not_before=not_before(errand.now, faults.values()),
        )


def lists_due(now: datetime, read_at: Mapping[date, datetime], days: int, since: date | None = None) -> list[date]:
    """The days whose lists are to be read now, the newest first: all back to `since`, or those not read for long enough."""
    today = now.date()
    back = (today - since).days if since else days
    return [
        day
        for day in (today - timedelta(days=age) for age in range(max(back, 0) + 1))
        if since or day not in read_at or now - read_at[day] >= _again_after(timedelta(days=(today - day).days))
    ]


def _again_after(age: timedelta) -> timedelta:
    return next(again for younger, again in _AGAIN_AFTER if age < younger)


def judge(lists: Mapping[date, frozenset[str]], now: datetime, *, failed: bool) -> tuple[Verdict, str]:
    """What the lists that were had, as ids by day, prove, and in which words."""
    today = now.date()
    found = lists.get(today, frozenset())
    if failed:
        return "failed", f"{len(lists)} lists were had, and not all of the last two days"
    if found and not found <= lists.get(today - timedelta(days=1), frozenset()):
        return "fresh", f"the list of {today} has {len(found)} papers"
    what = "has only papers of the day before" if found else "is empty"
    if today.weekday() >= 5:
        return "quiet", f"the list of {today}, a weekend, {what}"
    if now.timetz() < DUE_AT:
        return "quiet", f"the list of {today} {what} so far"
    return "stale", f"the list of {today} {what} at {now:%H:%M}Z"


def _list(site: Site, day: date, seen_at: datetime) -> Parsed:
    """A day's list, page by page."""
    asked = f"{TITLE} was asked for the papers of {day}"
    pages: list[Parsed] = []
    seen: set[str] = set()
    entries = 0
    for page in range(MAX_PAGES):
        params = {"date": day.isoformat(), "limit": str(LIST_LIMIT)} | ({"p": str(page)} if page else {})
        raw = site.get("/api/daily_papers", params, asked=asked)
        try:
            found = len(_entries(raw))
            pages.append(_listed(parse(raw, seen_at=seen_at, before=entries, most=LONGEST_LIST), day))
        except BadInput as error:
            raise BadInput(f"{asked}: {error}", fix=error.fix) from None
        ids = _ids(pages[-1])
        # A server that knows no pages would show its only one for ever.
        entries += found
        if found < FULL_PAGE or ids <= seen or entries >= LONGEST_LIST:
            break
        seen |= ids
    return joined(pages)


def _listed(parsed: Parsed, day: date) -> Parsed:
    """The papers of the list of `day`, whether they tell that day or not."""
    sightings = (one if one.work.listed_on else replace(one, work=replace(one.work, listed_on=day)) for one in parsed.sightings)
    return replace(parsed, sightings=tuple(sightings))


def _read_at(cursor: Mapping[str, str]) -> dict[date, datetime]:
    return {date.fromisoformat(day): datetime.fromisoformat(at) for day, at in cursor.items()}


def _ids(parsed: Parsed) -> frozenset[str]:
    return frozenset(sighting.ids[0] for sighting in parsed.sightings)


def _once(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    """A paper that stands on two lists counts as on the newer one, which comes first."""
    papers: dict[str, Sighting] = {}
    for sighting in sightings:
        papers.setdefault(sighting.ids[0], sighting)
    return tuple(papers.values())


def parse(raw: str | bytes, *, seen_at: datetime, before: int = 0, most: int = MAX_ENTRIES) -> Parsed:
    """The papers of an answer in its order, which is a reading too (`rank`), after the `before` entries of earlier pages.

    Problems count entries from 1; those beyond the `most` that there may be are left out.

    Raises:
        BadInput: this is no such answer.
    """
    sightings: dict[str, Sighting] = {}
    problems: list[Problem] = []
    entries = _entries(raw)
    for rank, entry in enumerate(entries[:most], start=before + 1):
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
    if len(entries) > most:
        problems.append(Problem(before + most + 1, f"more than {most:,} entries; the rest is left out"))
    return Parsed(tuple(sightings.values()), tuple(problems))


def _entries(raw: str | bytes) -> list[object]:
    fix = "save the answer of https://huggingface.co/api/daily_papers"
    answer = read_answer(raw, fix=fix)
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        raise BadInput(f"{TITLE} says: {clean(answer['error'], 200)}")
    if not isinstance(answer, list):
        raise BadInput("this is JSON, but no list of papers", fix=fix)
    return answer


def _sighting(raw_entry: object, rank: int, seen_at: datetime, left_out: list[str]) -> Sighting:
    if not isinstance(raw_entry, dict):
        raise Unusable("this entry is not a JSON object")
    paper = object_at(raw_entry, "paper")
    # What the paper does not say of itself stands beside it.
    entry = {**raw_entry, **{key: value for key, value in paper.items() if value is not None and value != ""}}
    id_ = arxiv_id(text_at(entry, "id", 100))
    if id_ is None:
        raise Unusable(f"this entry has no arXiv id: {text_at(entry, 'title', 60)!r}")
    summary = text_at(entry, "ai_summary", MAX_SUMMARY)
    listed_at = instant_at(entry, "submittedOnDailyAt", seen_at, left_out)
    work = Work(
        title=read_title(entry.get("title")),
        abstract=text_at(entry, "summary", MAX_ABSTRACT),
        authors=_authors(entry),
        keywords=_texts(entry, "ai_keywords", 80, 30),
        organization=_organization(entry),
        summary=summary,
        summary_by=TITLE if summary else "",
        # Only the paper's own: the one beside it is shifted by the server's zone.
        published_at=instant_at(paper, "publishedAt", seen_at, left_out),
        listed_on=listed_at.date() if listed_at else None,
        links=_links(entry, id_, left_out),
    )
    counts = (one for metric, key in _COUNTS for one in reading_at(entry, key, NAME, metric, seen_at, left_out))
    return Sighting(NAME, seen_at, work, (id_,), (*counts, Reading(NAME, "rank", rank, seen_at)))


def _authors(entry: Mapping[str, object]) -> tuple[str, ...]:
    """Names in order, without the authors that the list hides."""
    shown = (author for author in _items(entry, "authors") if isinstance(author, dict) and author.get("hidden") is not True)
    names = (author.get("name") for author in shown)
    cleaned = (clean(name, MAX_NAME) for name in names if isinstance(name, str))
    return tuple(name for name in cleaned if name)[:MAX_AUTHORS]


def _texts(entry: Mapping[str, object], key: str, limit: int, most: int) -> tuple[str, ...]:
    cleaned = (clean(item, limit) for item in _items(entry, key) if isinstance(item, str))
    return tuple(dict.fromkeys(item for item in cleaned if item))[:most]


def _items(entry: Mapping[str, object], key: str) -> list[object]:
    value = entry.get(key)
    return value if isinstance(value, list) else []


def _organization(entry: Mapping[str, object]) -> str:
    organization = object_at(entry, "organization")
    return text_at(organization, "fullname", MAX_NAME) or text_at(organization, "name", MAX_NAME)


def _links(entry: Mapping[str, object], id_: str, left_out: list[str]) -> dict[str, str]:
    links = {"huggingface": f"https://huggingface.co/papers/{id_.removeprefix('arxiv:')}", **links_of_id(id_)}
    for kind, key in (("code", "githubRepo"), ("project", "projectPage")):
        value = entry.get(key)
        if isinstance(value, str) and (url := safe_url(value)):
            links[kind] = url
        elif given := text_at(entry, key, 2000):
            left_out.append(f"`{key}` is no address to link to: {shorten(given, 60)!r}; left out")
    return links
