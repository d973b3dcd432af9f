"""arXiv by OAI-PMH: every record that changed since a day, page by page. The fall-back and the back-fill of the feed.

What was announced in the evening is there from about 22:30 US Eastern time on. Asked as a source of its own, it is asked only
when something has become due since, for its pages are large.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pydantic import Field, field_validator

from digest.errors import BadInput, ServerUnavailable
from digest.papers.model import Sighting
from digest.sources.arxiv.calendar import NO_MAILING
from digest.sources.arxiv.entries import (
    TITLE,
    TURN,
    belongs,
    category,
    is_newer,
    name_of,
    newest,
    set_of,
    site_at,
)
from digest.sources.arxiv.freshness import Harvest, judge_harvest, what_is_due, with_back_fill
from digest.sources.arxiv.records import NAME, OaiError, Page, parse, read_page
from digest.sources.base import Brings, Collected, Errand, Progress
from digest.sources.faults import not_before, nothing_had
from digest.sources.parsed import Parsed, Problem, joined
from digest.sources.slices import WebSlice
from digest.sources.web import HttpError, Site

__all__ = ["NAME", "ArxivOai", "ArxivOaiSettings", "Harvested", "harvest", "parse"]

MAX_PAGES = 30
"""Of one harvest, kept in memory: a page has up to 2,000 records, which is about a day of all of arXiv."""
QUEUED = timedelta(days=4)
"""From submission to announcement, over a weekend."""


class ArxivOaiSettings(WebSlice):
    """`[sources.arxiv_oai]`"""

    url: str = "https://oaipmh.arxiv.org/oai"
    categories: tuple[str, ...] = Field((), description="such as cs.AI, or hep-th for a whole archive; none: all")

    @field_validator("categories")
    @classmethod
    def _are_categories(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(category(name) for name in categories))


class ArxivOai:
    """The source."""

    name = NAME
    turn = TURN
    title = TITLE
    brings: Brings = "papers"

    def __init__(self, settings: ArxivOaiSettings, no_mailing: Collection[date] | None = None) -> None:
        self.enabled = settings.enabled
        self._url, self._categories = settings.url, settings.categories
        self._no_mailing = frozenset(map(date.fromisoformat, NO_MAILING) if no_mailing is None else no_mailing)

    def collect(self, errand: Errand) -> Collected:
        """What changed since the last announcement that was taken; nothing is asked while none is due.

        Raises:
            ServerUnavailable: nothing could be had.
        """
        due = what_is_due(errand.past, errand.now, self._no_mailing)
        if not (errand.since or due.last):
            judged = judge_harvest(due, None)
            return Collected(Parsed(), judged.verdict, errand.past.newest, judged.cursor, judged.evidence)
        site = site_at(errand.web, self._url, NAME)
        start = min(day for day in (errand.since, due.since if due.last else None) if day)
        harvested = harvest(site, self._categories, start, errand.now, known=due.newest, progress=errand.progress)
        if not harvested.shown.had:
            raise nothing_had(harvested.faults)
        judged = judge_harvest(due, harvested.shown)
        if errand.since:
            judged = with_back_fill(judged, harvested.shown, harvested.new, errand.since)
        return Collected(
            harvested.parsed,
            judged.verdict,
            newest=newest((errand.past.newest, harvested.shown.newest)),
            cursor=judged.cursor,
            evidence=judged.evidence,
            not_before=not_before(errand.now, harvested.faults),
        )


@dataclass(frozen=True, slots=True)
class Harvested:
    """What the pages had, how many new papers those are, what that proves, and what went wrong."""

    parsed: Parsed
    new: int
    shown: Harvest
    faults: tuple[Exception, ...]


def harvest(
    site: Site,
    categories: Sequence[str],
    start: date,
    seen_at: datetime,
    *,
    cross: bool = True,
    known: str = "",
    progress: Progress | None = None,
) -> Harvested:
    """All records of these categories (of all, if none is named) that changed from `start` on.

    What is shown counts new papers that are newer than the newest `known`. With `cross` false, papers whose primary category is
    another are no news. What breaks off is told in `shown.fault`, and what was had until then is kept.
    """
    walk = _Walk(site, start, seen_at, progress)
    faults: list[Exception] = []
    for name in categories or ("",):
        try:
            walk.through(name)
        except OaiError as error:
            # It answers, only not to this: other sets may do better.
            faults.append(BadInput(f"{walk.asked(name)}: {error}"))
        except (BadInput, ServerUnavailable) as error:
            faults.append(error)
            break
    whole = joined(walk.pages)
    sightings = {name_of(sighting): sighting for sighting in whole.sightings}
    kept = tuple(sightings.values() if cross else (_without_cross(sighting, categories) for sighting in sightings.values()))
    said = [str(fault) for fault in faults]
    problems = whole.problems + tuple(Problem(None, what) for what in said)
    new = [sighting for sighting in kept if sighting.announces]
    newer = [sighting for sighting in new if is_newer(newest(sighting.ids), known)]
    submitted = max((at for sighting in newer if (at := sighting.work.published_at)), default=None)
    newest_id = newest(id_ for sighting in new for id_ in sighting.ids)
    shown = Harvest(newest_id, len(newer), submitted, "; ".join(said), had=bool(walk.pages))
    return Harvested(replace(whole, sightings=kept, problems=problems), len(new), shown, tuple(faults))


class _Walk:
    """Goes through the pages of one set after another."""

    def __init__(self, site: Site, start: date, seen_at: datetime, progress: Progress | None) -> None:
        self._site, self._start, self._seen_at, self._progress = site, start, seen_at, progress
        self.pages: list[Parsed] = []

    def asked(self, name: str) -> str:
        return f"{TITLE} (OAI-PMH) was asked for the records of {name or 'all categories'} since {self._start}"

    def through(self, name: str) -> None:
        """One set, to its end. Raises OaiError, BadInput, ServerUnavailable."""
        first = {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": self._start.isoformat()}
        first |= {"set": set_of(name)} if name else {}
        params, tokens, may_begin_anew = first, set[str](), True
        while True:
            try:
                page = self._page(params, self.asked(name))
            except OaiError as error:
                if error.code == "noRecordsMatch":
                    self.pages.append(Parsed())
                    return
                if error.code != "badResumptionToken" or params is first or not may_begin_anew:
                    raise
                # Tokens die when the list changes under them, which it does once a day.
                params, tokens, may_begin_anew = first, set[str](), False
                continue
            self.pages.append(page.parsed)
            if self._progress:
                self._progress(len(self.pages), None)
            if fault := self._fault(page, tokens):
                raise BadInput(f"{self.asked(name)}: {fault}")
            if not page.token:
                return
            tokens.add(page.token)
            params = {"verb": "ListRecords", "resumptionToken": page.token}

    def _fault(self, page: Page, tokens: Collection[str]) -> str:
        if page.broken:
            return page.broken
        if page.token in tokens:
            return "its pages go round in a circle"
        if page.token and len(self.pages) >= MAX_PAGES:
            return f"more than {MAX_PAGES} pages; what changed after {page.until} is left out"
        return ""

    def _page(self, params: Mapping[str, str], asked: str) -> Page:
        try:
            raw = self._site.get("", params, kind="xml", asked=asked)
        except HttpError as error:
            # A server may say with a status of HTTP, too, what the protocol says in XML.
            raise _refusal(error.body, self._seen_at) or error from None
        try:
            return read_page(raw, seen_at=self._seen_at, new_since=self._start - QUEUED)
        except OaiError:
            raise
        except BadInput as error:
            raise BadInput(f"{asked}: {error}", fix=error.fix) from None


def _refusal(body: bytes, seen_at: datetime) -> OaiError | None:
    try:
        read_page(body, seen_at=seen_at)
    except OaiError as error:
        return error
    except BadInput:
        pass
    return None


def _without_cross(sighting: Sighting, categories: Collection[str]) -> Sighting:
    return sighting if belongs(sighting.work.categories, categories) else replace(sighting, announces=False)
