"""arXiv's query API (https://info.arxiv.org/help/api/user-manual.html), for what is not known of known papers.

A paper that came from elsewhere, by its arXiv id, has no categories; they, the whole list of authors, the DOI and the date of
the first version are looked up here, a hundred ids in one request.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from pydantic import Field

from digest.clock import Duration
from digest.errors import BadInput, ServerUnavailable
from digest.papers.identity import arxiv_id
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean
from digest.sources.arxiv.entries import (
    ARXIV,
    ATOM,
    TITLE,
    TURN,
    categories_of,
    check_id,
    identified,
    site_at,
)
from digest.sources.base import Brings, Collected, Errand, Known, Verdict
from digest.sources.faults import not_before, nothing_had
from digest.sources.feed_entries import read_date
from digest.sources.fields import Unusable, read_title
from digest.sources.parsed import Parsed, Problem, joined
from digest.sources.slices import WebSlice
from digest.sources.web import HttpError, Site
from digest.sources.xml import Document, text_of

NAME = "arxiv_api"
AT_ONCE = 100
"""Ids in one request."""

_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
_BAD_ID = "incorrect id format for "


class ArxivApiSettings(WebSlice):
    """`[sources.arxiv_api]`"""

    url: str = "https://export.arxiv.org/api/query"
    limit: int = Field(200, ge=1, le=2000, description="how many papers one run looks up at most")
    again_after: Duration = Field(timedelta(days=30), description="how long what it said of a paper is good for")


class ApiError(BadInput):
    """The answer is an error; `about` is the id that it names, if it names one."""

    def __init__(self, words: str) -> None:
        super().__init__(f"{TITLE} says: {words}")
        self.about = words.partition(_BAD_ID)[2]


class ArxivApi:
    """The source."""

    name = NAME
    turn = TURN
    title = TITLE
    brings: Brings = "attention"

    def __init__(self, settings: ArxivApiSettings) -> None:
        self.enabled = settings.enabled
        self.limit = settings.limit
        self.again_after: timedelta = settings.again_after
        self._url = settings.url

    def wants(self, known: Known) -> bool:
        """Papers of arXiv whose categories nobody told."""
        return not known.has_categories and _arxiv_id(known) is not None

    def collect(self, errand: Errand) -> Collected:
        """What arXiv says of these papers; without all of them, *failed*, with what there was.

        Raises:
            ServerUnavailable: it answered nothing.
        """
        wanted = {id_: known.ids[0] for known in errand.known if (id_ := _arxiv_id(known))}
        if not wanted:
            return Collected(Parsed(), "quiet", evidence="every paper of arXiv has its categories")
        site = site_at(errand.web, self._url, NAME)
        parts: list[Parsed] = []
        asked: list[str] = []
        faults: list[Exception] = []
        for chunk in _chunks(list(wanted)[: self.limit]):
            errand.progress(len(asked), len(wanted))
            try:
                parsed, answered = _look_up(site, chunk, errand.now)
            except (BadInput, ServerUnavailable) as error:
                faults.append(error)
                break
            parts.append(parsed)
            asked += answered
        if faults and not asked:
            raise nothing_had(faults)
        errand.progress(len(asked), len(wanted))
        whole = joined([*parts, Parsed(problems=tuple(Problem(None, str(fault)) for fault in faults))])
        verdict: Verdict = "failed" if faults else "fresh"
        evidence = f"{len(whole.sightings)} of {len(asked)} papers were found"
        return Collected(
            whole,
            verdict,
            evidence="; ".join([evidence, *map(str, faults)]),
            asked=tuple(wanted[id_] for id_ in asked),
            not_before=not_before(errand.now, faults),
        )


def parse(raw: bytes, *, seen_at: datetime, announces: bool = True) -> Parsed:
    """The papers of an answer in its order; unless it `announces` them, they add to those known. Problems count entries from 1.

    Raises:
        ApiError: the answer is an error.
        BadInput: this is no answer of this API.
    """
    return _read(raw, seen_at, announces=announces).parsed


def _arxiv_id(known: Known) -> str | None:
    return next((id_ for id_ in known.ids if id_.startswith("arxiv:")), None)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _look_up(site: Site, ids: Sequence[str], seen_at: datetime) -> tuple[Parsed, Sequence[str]]:
    """The papers with these ids, and for which of them the answer counts.

    Raises:
        BadInput: it is no answer to the question.
        ServerUnavailable: there is none.
    """
    asked = f"{TITLE} was asked for {len(ids)} papers by their ids"
    left, refused = list(ids), list[Problem]()
    doubtful = False
    while left:
        try:
            answer = _read(_get(site, left, asked, fresh=doubtful), seen_at, announces=False)
        except ApiError as error:
            # One id that it does not like costs the whole request: it is asked again without.
            bad = arxiv_id(error.about)
            if bad not in left:
                raise BadInput(f"{asked}: {error}") from None
            refused.append(Problem(None, str(error)))
            left.remove(bad)
            continue
        except BadInput as error:
            raise BadInput(f"{asked}: {error}", fix=error.fix) from None
        parsed = joined([answer.parsed, Parsed(problems=tuple(refused))])
        if answer.is_whole:
            return parsed, ids
        if doubtful:
            found = {sighting.ids[0] for sighting in parsed.sightings}
            if not found:
                raise BadInput(f"{asked}: it speaks of {answer.total} results, and shows none")
            return parsed, [id_ for id_ in ids if id_ in found]
        # Now and then a page is empty that should not be.
        doubtful = True
    return Parsed(problems=tuple(refused)), ids


def _get(site: Site, ids: Sequence[str], asked: str, *, fresh: bool) -> bytes:
    params = {"id_list": ",".join(id_.removeprefix("arxiv:") for id_ in ids), "max_results": str(len(ids))}
    try:
        return site.get("", params, kind="xml", asked=asked, fresh=fresh)
    except HttpError as error:
        # Its errors are answers, too: their status is now 200 and now 400.
        if error.status == 400 and error.body:
            return error.body
        raise


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an answer has, how many entries there were, and how many results it speaks of (None: it does not say)."""

    parsed: Parsed
    entries: int
    total: int | None
    broken: str

    @property
    def is_whole(self) -> bool:
        return not self.broken and self.total == self.entries


def _read(raw: bytes, seen_at: datetime, *, announces: bool) -> _Answer:
    document = Document(raw, (ATOM + "entry",), what="an answer of arXiv's query API")
    sightings: dict[str, Sighting] = {}
    problems: list[Problem] = []
    number = 0
    for number, entry in enumerate(document, start=1):
        if _is_error(entry):
            raise ApiError(clean(text_of(entry.find(ATOM + "summary")), 200) or "an error, and not which")
        left_out: list[str] = []
        try:
            sighting = _sighting(entry, seen_at, left_out, announces=announces)
        except Unusable as error:
            left_out = [str(error)]
        else:
            sightings.setdefault(sighting.ids[0], sighting)
        problems += [Problem(number, what) for what in left_out]
    total = clean(text_of(document.root.find(_TOTAL)), 20)
    if document.root.tag != ATOM + "feed" or not (total or number or document.broken):
        raise BadInput("this is XML, but no answer of arXiv's query API")
    if document.broken:
        problems.append(Problem(None, document.broken))
    known = int(total) if total.isascii() and total.isdigit() else None
    return _Answer(Parsed(tuple(sightings.values()), tuple(problems)), number, known, document.broken)


def _is_error(entry: Element) -> bool:
    return "/api/errors" in text_of(entry.find(ATOM + "id"))


def _sighting(entry: Element, seen_at: datetime, left_out: list[str], *, announces: bool) -> Sighting:
    """Raises Unusable."""
    spelled = text_of(entry.find(ATOM + "id"))
    id_ = arxiv_id(spelled)
    if id_ is None:
        raise Unusable(f"this entry has no arXiv id: {clean(spelled, 60)!r}")
    check_id(id_, seen_at)
    ids, links = identified(id_, text_of(entry.find(ARXIV + "doi")))
    primary = entry.find(ARXIV + "primary_category")
    elements = ([] if primary is None else [primary]) + entry.findall(ATOM + "category")
    names = (clean(text_of(author.find(ATOM + "name")), MAX_NAME) for author in entry.findall(ATOM + "author"))
    work = Work(
        title=read_title(text_of(entry.find(ATOM + "title")) or None),
        abstract=clean(text_of(entry.find(ATOM + "summary")), MAX_ABSTRACT),
        authors=tuple(name for name in names if name)[:MAX_AUTHORS],
        categories=categories_of(element.get("term", "") for element in elements),
        published_at=_published_at(entry, seen_at, left_out),
        links=links,
    )
    return Sighting(NAME, seen_at, work, ids, announces=announces)


def _published_at(entry: Element, seen_at: datetime, left_out: list[str]) -> datetime | None:
    text = text_of(entry.find(ATOM + "published")).strip()
    if not text:
        return None
    try:
        return read_date("published", text, seen_at + timedelta(days=1))
    except Unusable as error:
        left_out.append(f"{error}; left out")
        return None
