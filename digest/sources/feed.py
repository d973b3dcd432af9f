"""Any feed, RSS or Atom, that the operator names: each is a source of its own."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from digest.clock import Duration
from digest.errors import BadInput
from digest.papers.identity import title_key
from digest.papers.model import Sighting
from digest.sources.base import Brings, Collected, Errand, Verdict
from digest.sources.feed_entries import ENTRIES, sighting_of
from digest.sources.fields import Unusable
from digest.sources.parsed import Parsed, Problem
from digest.sources.slices import Slice, address
from digest.sources.xml import Document, name_of

MAX_SLUG = 30
LONGEST_NAME = 40
REMEMBERED = 200
"""So many of a feed's newest entries are remembered, to tell a new one."""
STILL_NEWS = timedelta(days=30)
OLD = "older than 30 days"
REPEATED = "listed twice"


class FeedSettings(Slice):
    """`[sources.feed]`"""

    enabled: bool = True
    urls: Mapping[str, str] = Field({}, description="the addresses of RSS or Atom feeds, by the name that readers see")
    quiet_for: Duration = Field(timedelta(days=7), description="a feed without anything new for longer is stale")

    @field_validator("urls")
    @classmethod
    def _are_addresses_by_name(cls, urls: Mapping[str, str]) -> Mapping[str, str]:
        names: dict[str, str] = {}
        for title, url in urls.items():
            if not title.strip() or len(title) > LONGEST_NAME or not title.isprintable():
                raise ValueError(f"{title[:60]!r} is no name for a feed; it has 1 to {LONGEST_NAME} characters")
            try:
                address(url)
            except ValueError:
                raise ValueError(f"{title}: write its address like https://blog.example.org/feed.xml") from None
            if (other := names.setdefault(slug(title), title)) != title:
                raise ValueError(f"{other!r} and {title!r} are too much alike; give one of them another name")
        return {title.strip(): url for title, url in urls.items()}


class Feed:
    """The source: one feed."""

    brings: Brings = "papers"

    def __init__(self, title: str, url: str, settings: FeedSettings) -> None:
        self.name = self.turn = f"feed:{slug(title)}"
        self.title = title
        self.enabled = settings.enabled
        self._url, self._quiet_for = url, settings.quiet_for

    def collect(self, errand: Errand) -> Collected:
        """Its entries. Those of an archive do not announce: see `announcing`.

        Raises:
            ServerUnavailable, BadInput: it could not be had, or is no feed.
        """
        asked = f"{self.title} was asked for its feed"
        site = errand.web.at(self._url, source=self.name, hosts=_hosts(self._url))
        try:
            answer = _read(site.get("", kind="xml", asked=asked), self.name, errand.now, self._url)
        except BadInput as error:
            raise BadInput(f"{asked}: {error}", fix="correct its address in sources.feed.urls") from None
        errand.progress(1, 1)
        newest = _newest_first(answer.parsed.sightings)[:REMEMBERED]
        remembered = errand.past.cursor.get("seen", "").split()
        arrived = frozenset(map(_mark, newest)).difference(remembered)
        news_at = errand.now if arrived else _instant(errand.past.cursor.get("news_at")) or errand.now
        verdict, evidence = judge(len(arrived), len(answer.parsed.sightings), news_at, errand.now, self._quiet_for)
        if answer.broken:
            verdict, evidence = "failed", answer.broken
        oldest = datetime.combine(errand.since, time(), UTC) if errand.since else errand.now - STILL_NEWS
        return Collected(
            announcing(answer.parsed, arrived if errand.past.answered_at else (), oldest),
            verdict,
            newest=_name(newest[0]) if newest else errand.past.newest,
            cursor={"seen": " ".join(map(_mark, newest)), "news_at": news_at.isoformat()},
            evidence=evidence,
        )


def feeds_of(settings: FeedSettings) -> tuple[Feed, ...]:
    """A source for each feed, in the order of the settings."""
    return tuple(Feed(title, url, settings) for title, url in settings.urls.items())


def slug(title: str) -> str:
    """A feed's title as it stands in commands.

    >>> slug("Café Science: the Blog")
    'cafe-science-the-blog'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    spelled = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].rstrip("-")
    return spelled or hashlib.sha256(title.strip().encode("utf-8", "replace")).hexdigest()[:8]


def judge(arrived: int, entries: int, news_at: datetime, now: datetime, quiet_for: timedelta) -> tuple[Verdict, str]:
    """What a feed proves of whose entries so many are new, the last new ones having come at `news_at`."""
    if arrived:
        return "fresh", f"{arrived} of its {entries} entries are new"
    since = f"none of its {entries} entries is new since {news_at:%Y-%m-%d}"
    return ("stale", f"{since}, {(now - news_at).days} days ago") if now - news_at > quiet_for else ("quiet", since)


def announcing(parsed: Parsed, arrived: Collection[str], oldest: datetime) -> Parsed:
    """A feed's papers, of which those that are older than `oldest` announce only if they have arrived since the last look.

    At the first look nothing has: else the archive that many feeds carry would fill an edition.
    """
    sightings = []
    old = 0
    for sighting in parsed.sightings:
        published_at = sighting.work.published_at
        if published_at and published_at < oldest and _mark(sighting) not in arrived:
            sighting = replace(sighting, announces=False)
            old += 1
        sightings.append(sighting)
    passed_over = dict(parsed.passed_over) | ({OLD: old} if old else {})
    return replace(parsed, sightings=tuple(sightings), passed_over=passed_over)


def parse(raw: bytes, *, source: str, seen_at: datetime) -> Parsed:
    """The papers of a feed in its order. Problems count entries from 1.

    Raises:
        BadInput: this is no feed.
    """
    return _read(raw, source, seen_at).parsed


@dataclass(frozen=True, slots=True)
class _Answer:
    """A feed as it was read; `broken` says what ended it early."""

    parsed: Parsed
    entries: int
    broken: str


def _read(raw: bytes, source: str, seen_at: datetime, base: str = "") -> _Answer:
    document = Document(raw, ENTRIES, what="an RSS or Atom feed")
    if name_of(document.root) not in ("rss", "rdf", "feed"):
        raise BadInput(f"this is XML, but not an RSS or Atom feed: it begins with <{name_of(document.root)[:40]}>")
    sightings: dict[str, Sighting] = {}
    problems: list[Problem] = []
    entries = repeated = 0
    for entries, element in enumerate(document, start=1):
        left_out: list[str] = []
        try:
            sighting = sighting_of(element, source, seen_at, left_out, base)
            repeated += _name(sighting) in sightings
            sightings.setdefault(_name(sighting), sighting)
        except Unusable as error:
            left_out = [str(error)]
        problems += [Problem(entries, what) for what in left_out]
    if document.broken:
        problems.append(Problem(None, document.broken))
    parsed = Parsed(tuple(sightings.values()), tuple(problems), {REPEATED: repeated} if repeated else {})
    return _Answer(parsed, entries, "" if document.full else document.broken)


def _name(sighting: Sighting) -> str:
    return sighting.ids[0] if sighting.ids else title_key(sighting.work)


def _mark(sighting: Sighting) -> str:
    """A sighting's name, short enough to be remembered many times."""
    return hashlib.sha256(_name(sighting).encode("utf-8", "replace")).hexdigest()[:8]


def _newest_first(sightings: tuple[Sighting, ...]) -> list[Sighting]:
    """Those without a date come first, for they may be new."""
    latest = datetime.max.replace(tzinfo=UTC)
    return sorted(sightings, key=lambda sighting: sighting.work.published_at or latest, reverse=True)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _hosts(url: str) -> tuple[str, ...]:
    """Whereto a feed may have moved: its own host, with or without `www.`"""
    host = urlsplit(url).hostname or ""
    return (host, host.removeprefix("www.") if host.startswith("www.") else f"www.{host}")
