"""Semantic Scholar: citations, a summary in a sentence, and other ids of papers that are known from elsewhere.

An answer is one paper; or a list of papers in the order asked, with null for each that is not known there; or an object with
the list in `data` or `recommendedPapers`, where a paper may stand within `citedPaper` or `citingPaper`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import repeat

from pydantic import Field, SecretStr

from digest.clock import Duration
from digest.errors import BadInput
from digest.papers.identity import arxiv_id, doi, strongest_first
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean, shorten
from digest.sources.base import Brings, Collected, Errand, Known
from digest.sources.fields import MAX_SUMMARY, Unusable, instant_at, object_at, read_answer, read_title, reading_at, text_at
from digest.sources.links import links_of_id
from digest.sources.lookup import batches_of, look_up
from digest.sources.parsed import Parsed, Problem
from digest.sources.slices import WebSlice
from digest.sources.web import HttpError, Site

NAME = "semantic_scholar"
TITLE = "Semantic Scholar"
BATCH = 500
GAP = 1.0
MAX_ENTRIES = 10_000
UNKNOWN = "papers that it does not know"
FIELDS = (
    "externalIds,title,abstract,venue,year,publicationDate,authors,citationCount,influentialCitationCount,tldr,"
    "s2FieldsOfStudy,publicationTypes"
)
"""More than is read: the rest is for whoever looks at an answer that was kept."""
_NONE_KNOWN = b"No valid paper ids given"
_PAPER_ID = re.compile(r"[0-9a-f]{40}")
# An id that it cannot read costs all others of the request, so only what every DOI needs is asked for.
_PLAIN_DOI = re.compile(r"10\.[0-9]{4,9}/[a-z0-9._;()/:-]+")


class SemanticScholarSettings(WebSlice):
    """`[sources.semantic_scholar]`"""

    url: str = "https://api.semanticscholar.org/graph/v1"
    key: SecretStr | None = Field(None, description="the key to its API; without one, all the world shares its patience")
    limit: int = Field(1000, ge=1, le=10_000, description="how many papers one run looks up at most")
    again_after: Duration = Field(timedelta(hours=24), description="how long what it said of a paper is good for")


class SemanticScholar:
    """The source: looks up known papers, 500 a request, one request a second."""

    name = turn = NAME
    title = TITLE
    brings: Brings = "attention"

    def __init__(self, settings: SemanticScholarSettings) -> None:
        self.enabled, self.limit, self.again_after = settings.enabled, settings.limit, settings.again_after
        self._url, self._key = settings.url, settings.key

    def wants(self, known: Known) -> bool:
        """Whether the paper has an id that can be asked for."""
        return asked_by(known) is not None

    def collect(self, errand: Errand) -> Collected:
        """What is known there of the papers of the errand; *failed* with what there was if a request was.

        Raises:
            ServerUnavailable: no request was answered.
            ConfigurationError: the key is none that can be sent.
        """
        headers = {"x-api-key": self._key.get_secret_value()} if self._key else {}
        site = errand.web.at(self._url, source=NAME, pace=NAME, gap=GAP, headers=headers)
        wanted = [(id_, known) for known in errand.known if (id_ := asked_by(known))][: self.limit]
        return look_up(errand, site, batches_of(wanted, BATCH), lambda ids, _: _look_up(site, ids, errand.now))


def asked_by(known: Known) -> str | None:
    """The id that a paper is asked for by: arXiv's if it has one, else a DOI, else Semantic Scholar's own."""
    for scheme in ("arxiv", "doi", "s2"):
        for id_ in known.ids:
            value = id_.removeprefix(f"{scheme}:")
            if value != id_ and (scheme != "doi" or _PLAIN_DOI.fullmatch(value)):
                return id_
    return None


def _spelled(id_: str) -> str:
    """A canonical id as Semantic Scholar writes it."""
    scheme, _, value = id_.partition(":")
    return value if scheme == "s2" else f"{scheme.upper()}:{value}"


def _look_up(site: Site, ids: Sequence[str], seen_at: datetime) -> Parsed:
    """One request's answer. Raises ServerUnavailable."""
    asked = f"{TITLE} was asked for {len(ids)} papers"
    try:
        raw = site.post("/paper/batch", {"ids": [_spelled(id_) for id_ in ids]}, {"fields": FIELDS}, asked=asked)
    except HttpError as error:
        # So it says that it knows none of them, as of papers of the day.
        if error.status == 400 and _NONE_KNOWN in error.body:
            return Parsed(passed_over={UNKNOWN: len(ids)})
        raise
    try:
        return parse(raw, seen_at=seen_at, announces=False, asked=ids)
    except BadInput as error:
        raise HttpError(f"{asked}: {error}", fix="the next run asks again", status=200) from None


def parse(raw: str | bytes, *, seen_at: datetime, announces: bool = True, asked: Sequence[str] = ()) -> Parsed:
    """The papers of an answer, in its order. Problems count entries from 1, or name the paper that was asked for.

    Args:
        announces: whether its papers are news. Those of a look-up are not, nor are their dates: of two dates the earlier one
            counts, and a look-up may date another version.
        asked: the canonical ids that the answer is to, in order. An entry is of that paper whether it says so or not.

    Raises:
        BadInput: this is no such answer, or not one to `asked`.
    """
    entries = _entries(raw)
    if asked and len(entries) != len(asked):
        raise BadInput(f"it answered {len(entries)} entries to {len(asked)} ids")
    sightings: list[Sighting] = []
    problems: list[Problem] = []
    told: set[str] = set()
    unknown = 0
    for place, (entry, id_) in enumerate(zip(entries[:MAX_ENTRIES], asked or repeat(""), strict=False), start=1):
        if entry is None:
            unknown += 1
            continue
        left_out: list[str] = []
        try:
            sighting = _sighting(entry, id_, seen_at, announces, left_out)
            # One that names a further id than before is no repetition: it says that two papers are one.
            if sighting.ids and told.issuperset(sighting.ids):
                left_out = [f"{sighting.ids[0]} stands in the list before"]
            else:
                sightings.append(sighting)
                told.update(sighting.ids)
        except Unusable as error:
            left_out = [str(error)]
        problems += (Problem(None, f"{id_}: {what}") if id_ else Problem(place, what) for what in left_out)
    if len(entries) > MAX_ENTRIES:
        problems.append(Problem(MAX_ENTRIES + 1, f"more than {MAX_ENTRIES:,} entries; the rest is left out"))
    return Parsed(tuple(sightings), tuple(problems), {UNKNOWN: unknown} if unknown else {})


def _entries(raw: str | bytes) -> list[object]:
    fix = f"save an answer of {TITLE}"
    answer = read_answer(raw, fix=fix)
    if isinstance(answer, list):
        return answer
    if isinstance(answer, dict):
        for key in ("error", "message"):
            if isinstance(says := answer.get(key), str):
                raise BadInput(f"{TITLE} says: {clean(says, 200)}")
        for key in ("data", "recommendedPapers"):
            if isinstance(found := answer.get(key), list):
                return found
        if "paperId" in answer or "title" in answer:
            return [answer]
        # A search that finds nothing has no list.
        if "offset" in answer and answer.get("data") is None:
            return []
    raise BadInput(f"this is JSON, but no answer of {TITLE}", fix=fix)


def _sighting(raw_entry: object, asked: str, seen_at: datetime, announces: bool, left_out: list[str]) -> Sighting:
    if not isinstance(raw_entry, dict):
        raise Unusable("this entry is not a JSON object")
    within = raw_entry.get("citedPaper") or raw_entry.get("citingPaper")
    entry: Mapping[str, object] = within if isinstance(within, dict) else raw_entry
    ids = tuple(_ids(entry, left_out))
    other = next((id_ for id_ in ids if id_.startswith("arxiv:") and id_ != asked), None)
    if asked.startswith("arxiv:") and other:
        raise Unusable(f"the answer is about {other}")
    ids = strongest_first({*ids, asked} - {""})
    summary = text_at(object_at(entry, "tldr"), "text", MAX_SUMMARY)
    links: dict[str, str] = {}
    for id_ in ids:
        links = links_of_id(id_) | links
    work = Work(
        title=read_title(entry.get("title")),
        abstract=text_at(entry, "abstract", MAX_ABSTRACT),
        authors=tuple(_each(entry, "authors", "name", MAX_NAME))[:MAX_AUTHORS],
        keywords=tuple(dict.fromkeys(_each(entry, "s2FieldsOfStudy", "category", 80)))[:30],
        summary=summary,
        summary_by=TITLE if summary else "",
        published_at=instant_at(entry, "publicationDate", seen_at, left_out) if announces else None,
        links=links,
    )
    citations = reading_at(entry, "citationCount", NAME, "citations", seen_at, left_out)
    return Sighting(NAME, seen_at, work, ids, citations, announces)


def _ids(entry: Mapping[str, object], left_out: list[str]) -> Iterator[str]:
    """What can be read of the entry's ids; at most one of arXiv, for two of them are two papers."""
    external = object_at(entry, "externalIds")
    on_arxiv: set[str] = set()
    for key, read in (("ArXiv", arxiv_id), ("DOI", doi)):
        if (value := external.get(key)) is None:
            continue
        id_ = read(value[:300]) if isinstance(value, str) else None
        if id_ is None or (on_arxiv and id_.startswith("arxiv:") and id_ not in on_arxiv):
            shown = repr(shorten(clean(value, 200), 60)) if isinstance(value, str) else "not a text"
            left_out.append(f"`{key}` is no id of this paper: {shown}; left out")
            continue
        on_arxiv |= {id_} if id_.startswith("arxiv:") else set()
        yield id_
    paper_id = entry.get("paperId")
    if isinstance(paper_id, str) and _PAPER_ID.fullmatch(paper_id.lower()):
        yield f"s2:{paper_id.lower()}"
    elif paper_id is not None:
        left_out.append("`paperId` is none; left out")


def _each(entry: Mapping[str, object], key: str, inner: str, limit: int) -> Iterator[str]:
    """A text of each object of a list, where there is one."""
    items = entry.get(key)
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and (text := text_at(item, inner, limit)):
            yield text
