"""Reads the announcement feed of rss.arxiv.org, as RSS 2.0 or as Atom.

The date of an announcement stands in an entry's `pubDate` (RSS) or `published` (Atom), in arXiv's own zone; Atom's `updated` is
when the feed was built.
"""

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime
from xml.etree.ElementTree import Element

from digest.errors import BadInput
from digest.papers.identity import arxiv_id
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, clean
from digest.sources.arxiv.calendar import end_of_today, today
from digest.sources.arxiv.entries import (
    ARXIV,
    ATOM,
    DC,
    TITLE,
    authors_of,
    categories_of,
    check_id,
    identified,
    months_before,
    newest,
    version_of,
)
from digest.sources.arxiv.freshness import Feed
from digest.sources.feed_entries import read_date
from digest.sources.fields import Unusable, read_title
from digest.sources.parsed import Parsed, Problem
from digest.sources.xml import Document, text_of

NAME = "arxiv_rss"
FEED_LIMIT = 2000
"""Entries of a feed, beyond which arXiv leaves out the rest."""
KINDS = ("new", "cross")
REFUSAL = b"feed error for query"
"""How the title of a feed begins that there is not, in lower case."""

_PREFIX = re.compile(r"\s*arXiv:(?P<id>\S+)\s+Announce Type:\s*(?P<kind>[a-z-]+)\s+(?:Abstract:)?")
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"


class NoSuchCategory(BadInput):
    """The feed's title says that the categories asked for are wrong."""


def parse(raw: bytes, *, seen_at: datetime, kinds: Collection[str] = KINDS) -> Parsed:
    """The papers of a feed. See `read_feed`."""
    return read_feed(raw, seen_at=seen_at, kinds=kinds)[0]


def read_feed(raw: bytes, *, seen_at: datetime, kinds: Collection[str] = KINDS) -> tuple[Parsed, Feed]:
    """The papers of a feed in its order, and what the feed shows of itself.

    Those of the `kinds` wanted are announced; a cross-list only if the paper's own month is that of the announcement or the one
    before, for an old paper is no news in another category. All others (replacements) add to papers known. Problems count
    entries from 1.

    Raises:
        NoSuchCategory: arXiv says that there is no such feed.
        BadInput: this is no feed of arXiv.
    """
    document = Document(raw, ("item", ATOM + "entry"), what="a feed of arXiv")
    if document.root.tag not in ("rss", ATOM + "feed"):
        raise BadInput("this is XML, but no feed of arXiv")
    sightings: dict[str, Sighting] = {}
    problems: list[Problem] = []
    passed_over: dict[str, int] = {}
    days: list[date] = []
    number = 0
    for number, element in enumerate(document, start=1):
        left_out: list[str] = []
        try:
            entry = _Entry(element, seen_at, left_out)
            sighting = entry.sighting(kinds)
        except Unusable as error:
            problems.append(Problem(number, str(error)))
            continue
        problems += [Problem(number, what) for what in left_out]
        days += [today(entry.announced)] if entry.announced else []
        before = sightings.get(sighting.ids[0])
        if before:
            passed_over["repeated entries"] = passed_over.get("repeated entries", 0) + 1
        if before is None or (sighting.announces and not before.announces):
            sightings[sighting.ids[0]] = sighting
    head = _Head(document.root)
    if head.title.lower().encode().startswith(REFUSAL):
        raise NoSuchCategory(f"{TITLE} says: {head.error}", fix="correct sources.arxiv_rss.categories")
    if head.is_query:
        raise BadInput("this is an answer of arXiv's query API, no feed of announcements", fix="read it as arxiv_api")
    if document.broken:
        problems.append(Problem(None, document.broken))
    new = [sighting.ids[0] for sighting in sightings.values() if sighting.announces]
    full = f"the feed is full ({number:,} entries)" if number >= FEED_LIMIT else ""
    cut = "the feed breaks off" if document.broken else full
    built = head.built(seen_at)
    day = max(days, default=built if sightings else None)
    feed = Feed(day, newest(new), len(new), built, cut)
    return Parsed(tuple(sightings.values()), tuple(problems), passed_over), feed


class _Head:
    """What the feed says of itself."""

    def __init__(self, root: Element) -> None:
        channel = root.find("channel")
        self.is_query = root.find(_OPENSEARCH) is not None
        if channel is None:
            self.title, words = text_of(root.find(ATOM + "title")), text_of(root.find(ATOM + "subtitle"))
            self._built = text_of(root.find(ATOM + "updated"))
        else:
            self.title, words = text_of(channel.find("title")), text_of(channel.find("description"))
            self._built = text_of(channel.find("pubDate")) or text_of(channel.find("lastBuildDate"))
        self.title = clean(self.title, 300)
        # The title repeats the address, the description has the reason, and then every name there is.
        self.error = clean(words, 200) or self.title

    def built(self, seen_at: datetime) -> date | None:
        """The day at arXiv on which the feed was built, where it says so."""
        try:
            return today(read_date("built", self._built, end_of_today(seen_at)))
        except Unusable:
            return None


class _Entry:
    """One entry of a feed."""

    def __init__(self, element: Element, seen_at: datetime, left_out: list[str]) -> None:
        self._element, self._seen_at = element, seen_at
        atom = element.tag == ATOM + "entry"
        self._own = ATOM if atom else ""
        description = self._told(("summary", "content") if atom else ("description",))
        prefix = _PREFIX.match(description)
        self._abstract = description[prefix.end() :] if prefix else description
        spelled = [self._told(("id",) if atom else ("guid",)), self._link(), prefix["id"] if prefix else ""]
        spelled_id = next((text for text in spelled if arxiv_id(text)), "")
        id_ = arxiv_id(spelled_id)
        if id_ is None:
            raise Unusable(f"this entry has no arXiv id: {clean(spelled[0] or self._told(('title',)), 60)!r}")
        check_id(id_, seen_at)
        self.id = id_
        told = clean(text_of(element.find(ARXIV + "announce_type")), 40).lower() or (prefix["kind"] if prefix else "")
        self.kind = told or ("new" if version_of(spelled_id) == 1 else "replace")
        self.announced = self._date("published" if atom else "pubDate", left_out)

    def sighting(self, kinds: Collection[str]) -> Sighting:
        """Raises Unusable."""
        element = self._element
        announces = self._is_news(kinds)
        ids, links = identified(self.id, text_of(element.find(ARXIV + "DOI")) or text_of(element.find(ARXIV + "doi")))
        announced = self.announced if announces else None
        work = Work(
            title=read_title(self._told(("title",)) or None),
            abstract=clean(self._abstract, MAX_ABSTRACT),
            authors=authors_of(", ".join(self._authors())),
            categories=categories_of(term for text in self._categories() for term in text.split()),
            published_at=announced if announced and self.kind == "new" else None,
            listed_on=today(announced) if announced else None,
            links=links,
        )
        return Sighting(NAME, self._seen_at, work, ids, announces=announces)

    def _is_news(self, kinds: Collection[str]) -> bool:
        if self.kind not in kinds:
            return False
        day = today(self.announced or self._seen_at)
        return self.kind == "new" or months_before(self.id, day) <= 1

    def _date(self, key: str, left_out: list[str]) -> datetime | None:
        text = self._told((key,))
        if not text:
            return None
        try:
            # A date after today, at arXiv, would count as the newest until that day.
            return read_date(key, text, end_of_today(self._seen_at))
        except Unusable as error:
            left_out.append(f"{error}; left out")
            return None

    def _told(self, names: Iterable[str]) -> str:
        texts = (text_of(self._element.find(self._own + name)).strip() for name in names)
        return next((text for text in texts if text), "")

    def _link(self) -> str:
        if not self._own:
            return self._told(("link",))
        links = self._element.findall(ATOM + "link")
        return next((link.get("href", "") for link in links if link.get("rel", "alternate") == "alternate"), "")

    def _authors(self) -> list[str]:
        names = [text_of(creator) for creator in self._element.findall(DC + "creator")]
        return names or [text_of(author.find(ATOM + "name")) for author in self._element.findall(ATOM + "author")]

    def _categories(self) -> list[str]:
        elements = self._element.findall(self._own + "category")
        return [element.get("term", "") if self._own else text_of(element) for element in elements]
