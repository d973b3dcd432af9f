"""bioRxiv and medRxiv: the preprints of the last days, from the one API that serves both.

An answer of `/details/SERVER/FROM/TO/CURSOR/json` has what was found in `collection`, and how many there are in all in
`messages`. A page holds 100 entries, or 30: the next one begins after as many as came. Each version of a preprint is an entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote

from pydantic import Field

from digest.errors import BadInput, ServerUnavailable
from digest.papers.identity import doi
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, clean
from digest.sources import markup
from digest.sources.base import Brings, Collected, Errand, Verdict
from digest.sources.fields import Unusable, read_answer, read_day, read_title
from digest.sources.links import links_of_id, safe_url
from digest.sources.names import split_names
from digest.sources.parsed import Parsed, Problem
from digest.sources.slices import WebSlice
from digest.sources.web import Site

TITLES = {"biorxiv": "bioRxiv", "medrxiv": "medRxiv"}
HOSTS = ("api.biorxiv.org", "api.medrxiv.org")
GAP = 1.0
"""Seconds between two requests; no limit is published."""
OVERLAP = timedelta(days=2)
"""How far before the last answer is asked again: entries appear late under their day."""
LONGEST = timedelta(days=14)
"""How far back is asked unless somebody wants more: what is older is no news."""
WEEKEND = timedelta(days=3)
MAX_ENTRIES = 20_000
OLDER = "older versions"
OTHER = "other categories"
WITHDRAWN = "withdrawn"


class BiorxivSettings(WebSlice):
    """`[sources.biorxiv]` and `[sources.medrxiv]`"""

    url: str = "https://api.biorxiv.org"
    categories: tuple[str, ...] = Field((), description="only papers of these, such as neuroscience; none: of all")


@dataclass(frozen=True, slots=True)
class _Post:
    """One version of a preprint."""

    version: int
    day: date | None
    category: str
    withdrawn: bool
    sighting: Sighting

    @property
    def id(self) -> str:
        return self.sighting.ids[0]


@dataclass(frozen=True, slots=True)
class _Page:
    """An answer: its entries, and how many there are in all, where it says so."""

    posts: tuple[_Post, ...]
    problems: tuple[Problem, ...]
    received: int
    total: int | None

    @property
    def newest(self) -> date | None:
        return max((post.day for post in self.posts if post.day), default=None)


class Biorxiv:
    """The source: one of the two servers."""

    brings: Brings = "papers"

    def __init__(self, name: str, settings: BiorxivSettings) -> None:
        self.name = self.turn = name
        self.title = TITLES[name]
        self.enabled = settings.enabled
        self._url, self._categories = settings.url, settings.categories

    def collect(self, errand: Errand) -> Collected:
        """The versions that appeared since shortly before the last answer; *failed*, with what there was, if it breaks off.

        Raises:
            ServerUnavailable, BadInput: nothing could be had.
        """
        today = errand.now.date()
        since = window(today, errand.past.answered_at, errand.since)
        site = errand.web.at(self._url, source=self.name, hosts=HOSTS, pace=self.name, gap=GAP)
        pages: list[_Page] = []
        fault = ""
        try:
            self._read(site, since, errand, pages)
        except (BadInput, ServerUnavailable) as error:
            if not pages:
                raise
            fault = str(error)
        known = _day(errand.past.newest)
        newest = max((page.newest for page in pages if page.newest), default=None)
        verdict, evidence = judge(newest, known, today)
        if fault:
            verdict, evidence = "failed", f"it breaks off after {sum(page.received for page in pages)} entries: {fault}"
        latest = max(filter(None, (newest, known)), default=None)
        parsed = _latest(pages, self._categories)
        if fault:
            parsed = replace(parsed, problems=(*parsed.problems, Problem(None, fault)))
        return Collected(parsed, verdict, newest=latest.isoformat() if latest else "", evidence=evidence)

    def _read(self, site: Site, since: date, errand: Errand, pages: list[_Page]) -> None:
        """Append page after page to `pages`."""
        asked = f"{self.title} was asked for the papers since {since}"
        seen: set[tuple[str, int]] = set()
        cursor = 0
        while cursor < MAX_ENTRIES:
            raw = site.get(f"/details/{self.name}/{since}/{errand.now.date()}/{cursor}/json", asked=asked)
            try:
                page = _page(raw, errand.now, before=cursor, server=self.name)
            except BadInput as error:
                raise BadInput(f"{asked}: {error}", fix=error.fix) from None
            here = {(post.id, post.version) for post in page.posts}
            if here and here <= seen:
                raise BadInput(f"{asked}: it gives the same page again")
            seen |= here
            pages.append(page)
            cursor += page.received
            errand.progress(cursor, page.total)
            if not page.received or (page.total is not None and cursor >= page.total):
                return
        raise BadInput(f"{asked}: there are more than {MAX_ENTRIES:,}", fix="ask for fewer days")


def window(today: date, answered_at: datetime | None, since: date | None) -> date:
    """From which day on papers are asked for."""
    if since:
        return min(since, today)
    last = answered_at.date() if answered_at else today
    return max(min(last, today) - OVERLAP, today - LONGEST)


def judge(newest: date | None, known: date | None, today: date) -> tuple[Verdict, str]:
    """What the newest day of an answer proves, given the newest one known before, and in which words."""
    latest = max(filter(None, (newest, known)), default=None)
    if latest is None:
        return "stale", "it has no paper of these days"
    if newest and (newest >= today - timedelta(days=1) or known is None or newest > known):
        return "fresh", f"its newest paper is of {newest}"
    if today - latest <= WEEKEND:
        return "quiet", f"nothing new since {latest}"
    return "stale", f"nothing new since {latest}, {(today - latest).days} days ago"


def parse(raw: str | bytes, *, seen_at: datetime, categories: tuple[str, ...] = ()) -> Parsed:
    """The papers of an answer, each in its highest version; only those of `categories`, if there are any.

    A revision does not announce its paper, unless the first version is there too. Problems count entries from 1.

    Raises:
        BadInput: this is no such answer.
    """
    return _latest([_page(raw, seen_at)], categories)


def _page(raw: str | bytes, seen_at: datetime, *, before: int = 0, server: str = "") -> _Page:
    """An answer as it stands, after the `before` entries of earlier ones. `server` is whose it must be; empty: it says so."""
    entries, total = _entries(raw)
    posts: list[_Post] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries[:MAX_ENTRIES], start=before + 1):
        left_out: list[str] = []
        try:
            posts.append(_post(entry, server, seen_at, left_out))
        except Unusable as error:
            left_out = [str(error)]
        problems += [Problem(number, what) for what in left_out]
    if len(entries) > MAX_ENTRIES:
        problems.append(Problem(before + MAX_ENTRIES + 1, f"more than {MAX_ENTRIES:,} entries; the rest is left out"))
    return _Page(tuple(posts), tuple(problems), len(entries), total)


def _entries(raw: str | bytes) -> tuple[list[object], int | None]:
    fix = "save the answer of https://api.biorxiv.org/details"
    answer = read_answer(raw, fix=fix)
    if not isinstance(answer, dict):
        raise BadInput("this is JSON, but no answer of bioRxiv's", fix=fix)
    message = _message(answer)
    entries = answer.get("collection")
    status = message.get("status")
    status = clean(status, 200) if isinstance(status, str) else ""
    if not entries and "error" in status.lower():
        raise BadInput(f"it says: {status}")
    if not isinstance(entries, list):
        raise BadInput("this is JSON, but has no `collection` of papers", fix=fix)
    return entries, _whole(message.get("total"))


def _message(answer: Mapping[str, object]) -> Mapping[str, object]:
    messages = answer.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else messages
    return first if isinstance(first, dict) else {}


def _whole(value: object) -> int | None:
    """A whole number, which may be written as a text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _post(entry: object, server: str, seen_at: datetime, left_out: list[str]) -> _Post:
    if not isinstance(entry, dict):
        raise Unusable("this entry is not a JSON object")
    texts = {key: value for key, value in entry.items() if isinstance(value, str)}
    id_ = doi(clean(texts.get("doi", ""), 300))
    given = markup.text(texts.get("title", ""), 2000)
    if id_ is None or not id_.startswith("doi:"):
        raise Unusable(f"this entry has no DOI: {clean(given, 60)!r}")
    server = server or next((name for name in TITLES if name == texts.get("server", "").strip().lower()), "biorxiv")
    version = _whole(entry.get("version"))
    if not version:
        left_out.append("its `version` is none; taken as the first")
        version = 1
    day = _day_of(entry, seen_at, left_out)
    category = clean(texts.get("category", ""), 40)
    address = f"https://www.{server}.org/content/{quote(id_.removeprefix('doi:'), safe='/.-_()')}v{version}"
    page = safe_url(address)
    work = Work(
        title=read_title(given or None),
        abstract=markup.text(texts.get("abstract", ""), MAX_ABSTRACT),
        authors=split_names(texts.get("authors", "")),
        categories=(category,) if category else (),
        # The day of a revision is not that of the paper.
        published_at=datetime.combine(day, time(), UTC) if day and version == 1 else None,
        links=({server: page} if page else {}) | links_of_id(id_),
    )
    sighting = Sighting(server, seen_at, work, (id_, *_journal_id(texts, id_, left_out)), announces=version == 1)
    return _Post(version, day, category, _is_withdrawn(work.title, texts), sighting)


def _day_of(entry: Mapping[str, object], seen_at: datetime, left_out: list[str]) -> date | None:
    if entry.get("date") is None:
        return None
    try:
        return read_day("date", entry["date"], not_after=(seen_at + timedelta(days=1)).date())
    except Unusable as error:
        left_out.append(f"{error}; left out")
        return None


def _journal_id(texts: Mapping[str, str], id_: str, left_out: list[str]) -> tuple[str, ...]:
    """The DOI under which a journal published the preprint."""
    given = clean(texts.get("published", ""), 300)
    if given.upper() in ("", "NA", "N/A"):
        return ()
    journal = doi(given)
    if journal is None:
        left_out.append(f"`published` is no DOI: {clean(given, 60)!r}; left out")
    return (journal,) if journal and journal != id_ else ()


def _is_withdrawn(title: str, texts: Mapping[str, str]) -> bool:
    return title.upper().startswith(("WITHDRAWN", "[WITHDRAWN")) or texts.get("type", "").strip().lower() == "withdrawn"


def _latest(pages: list[_Page], categories: tuple[str, ...]) -> Parsed:
    """Of each preprint the highest version; whether it announces it is said by the first one, if that came along."""
    versions: dict[str, list[_Post]] = {}
    for post in (post for page in pages for post in page.posts):
        versions.setdefault(post.id, []).append(post)
    wanted = frozenset(_spelled(category) for category in categories if category.strip())
    passed_over = dict.fromkeys((OLDER, OTHER, WITHDRAWN), 0)
    sightings: list[Sighting] = []
    retracted: list[str] = []
    for posts in versions.values():
        # The same version again, on the next page because a list grew meanwhile, is no older one.
        passed_over[OLDER] += len({post.version for post in posts}) - 1
        last = max(posts, key=lambda post: post.version)
        if last.withdrawn:
            passed_over[WITHDRAWN] += 1
            retracted.append(last.id)
        elif wanted and _spelled(last.category) not in wanted:
            passed_over[OTHER] += 1
        else:
            first = min(posts, key=lambda post: post.version).sighting
            work = replace(last.sighting.work, published_at=first.work.published_at)
            sightings.append(replace(last.sighting, work=work, announces=first.announces))
    return Parsed(
        tuple(sightings),
        tuple(problem for page in pages for problem in page.problems),
        {reason: number for reason, number in passed_over.items() if number},
        tuple(retracted),
    )


def _spelled(category: str) -> str:
    """A category as it is compared: the API writes `cell biology`, and its addresses `cell_biology`."""
    return category.strip().casefold().replace("_", " ")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
