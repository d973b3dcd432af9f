"""arXiv's announcement feed (https://info.arxiv.org/help/rss.html), checked and completed by OAI-PMH.

One request gives the announcement of the last mailing day for all categories. What it announces is *new*, *cross* (listed in
another category), *replace* or *replace-cross*. It can stay behind although it is built anew each night, and forgets each day
the one before: `digest.sources.arxiv.freshness` decides when the second route is asked.
"""

from dataclasses import replace
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from digest.errors import BadInput, DigestError, ServerUnavailable
from digest.papers.model import Sighting
from digest.sources.arxiv.calendar import NO_MAILING
from digest.sources.arxiv.entries import TITLE, TURN, category, name_of, newest, site_at
from digest.sources.arxiv.feed import NAME, REFUSAL, NoSuchCategory, parse, read_feed
from digest.sources.arxiv.freshness import Feed, judge, what_is_due, why_ask, with_back_fill
from digest.sources.arxiv.oai import ArxivOaiSettings, Harvested, harvest
from digest.sources.base import Brings, Collected, Errand
from digest.sources.faults import not_before, nothing_had
from digest.sources.parsed import Parsed, Problem, joined
from digest.sources.slices import WebSlice
from digest.sources.web import HttpError, Site

__all__ = ["NAME", "ArxivRss", "ArxivRssSettings", "parse"]

Kind = Literal["new", "cross"]
SHARE = 0.5
"""Of a run's budget: a feed that keeps us waiting leaves the rest to the second route."""


class ArxivRssSettings(WebSlice):
    """`[sources.arxiv_rss]`"""

    url: str = "https://rss.arxiv.org"
    categories: tuple[str, ...] = Field((), description="such as cs.AI, or hep-th for a whole archive")
    kinds: tuple[Kind, ...] = Field(("new", "cross"), description="which of its announcements are news: new, cross")
    no_mailing: tuple[str, ...] = Field(NO_MAILING, description="days without an announcement, as arXiv tells them each year")

    @field_validator("categories")
    @classmethod
    def _are_categories(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(category(name) for name in categories))

    @field_validator("no_mailing")
    @classmethod
    def _are_dates(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for day in days:
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ValueError(f"{day!r} is no date; write it like 2026-12-25") from None
        return days

    @model_validator(mode="after")
    def _has_categories(self) -> "ArxivRssSettings":
        if self.enabled and not self.categories:
            raise ValueError("sources.arxiv_rss.categories is needed where sources.arxiv_rss.enabled is true")
        return self

    @property
    def days_without_mailing(self) -> frozenset[date]:
        return frozenset(map(date.fromisoformat, self.no_mailing))


class ArxivRss:
    """The source: the feed, and OAI-PMH where the feed is late, cut, or of another day than the one that is due."""

    name = NAME
    turn = TURN
    title = TITLE
    brings: Brings = "papers"

    def __init__(self, settings: ArxivRssSettings, second: ArxivOaiSettings) -> None:
        self.enabled = settings.enabled
        self._settings, self._second = settings, second

    def collect(self, errand: Errand) -> Collected:
        """What was announced since the last run that answered; from `errand.since` on, if it says so.

        Raises:
            BadInput: arXiv does not know one of the categories.
            ServerUnavailable: something is due, and neither route could be asked; or there is nothing to ask for.
        """
        if not self._settings.categories:
            raise ServerUnavailable("no categories are set to ask arXiv for", fix="set sources.arxiv_rss.categories")
        due = what_is_due(errand.past, errand.now, self._settings.days_without_mailing)
        errand.progress(0, None)
        begun = errand.web.elapsed()
        parsed, feed, fault = self._feed(errand)
        faults: list[Exception] = [fault] if fault else []
        harvested = None
        if days := [day for day in (errand.since, due.since if why_ask(due, feed) else None) if day]:
            harvested = self._harvest(errand, min(days), due.newest, begun)
            faults += harvested.faults
            if feed is None and not harvested.shown.had:
                raise nothing_had(faults)
        shown = harvested.shown if harvested else None
        judged = judge(due, feed, shown)
        if errand.since and harvested:
            judged = with_back_fill(judged, harvested.shown, harvested.new, errand.since)
        return Collected(
            _once(joined([parsed, harvested.parsed] if harvested else [parsed])),
            judged.verdict,
            newest=newest((errand.past.newest, feed.newest if feed else "", shown.newest if shown else "")),
            cursor=judged.cursor,
            evidence=f"{judged.evidence}; {fault}" if fault else judged.evidence,
            not_before=not_before(errand.now, faults),
        )

    def _feed(self, errand: Errand) -> tuple[Parsed, Feed | None, DigestError | None]:
        """The feed, or None and why it could not be had. Raises NoSuchCategory."""
        categories = "+".join(self._settings.categories)
        asked = f"{TITLE} was asked for the feed of {categories}"
        site = site_at(errand.web, self._settings.url, NAME, share=SHARE)
        try:
            raw = _get(site, f"/rss/{categories}", asked)
            return *read_feed(raw, seen_at=errand.now, kinds=self._settings.kinds), None
        except NoSuchCategory:
            raise
        except BadInput as error:
            fault: DigestError = BadInput(f"{asked}: {error}")
        except ServerUnavailable as error:
            fault = error
        return Parsed(problems=(Problem(None, str(fault)),)), None, fault

    def _harvest(self, errand: Errand, start: date, known: str, begun: float) -> Harvested:
        site = site_at(errand.web, self._second.url, NAME, begun=begun)
        cross = "cross" in self._settings.kinds
        categories = self._settings.categories
        return harvest(site, categories, start, errand.now, cross=cross, known=known, progress=errand.progress)


def _get(site: Site, path: str, asked: str) -> bytes:
    try:
        return site.get(path, kind="xml", asked=asked)
    except HttpError as error:
        # What is wrong with the categories is a feed with a status of 200, and has been one with 400.
        if REFUSAL in error.body.lower():
            return error.body
        raise


def _once(parsed: Parsed) -> Parsed:
    """A paper that both routes show counts as in the feed, which tells its day; but what announces it comes first."""
    papers: dict[str, Sighting] = {}
    for sighting in parsed.sightings:
        name = name_of(sighting)
        if name not in papers or (sighting.announces and not papers[name].announces):
            papers[name] = sighting
    return replace(parsed, sightings=tuple(papers.values()))
