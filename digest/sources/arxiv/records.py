"""Reads the records of an OAI-PMH answer (https://www.openarchives.org/OAI/openarchivesprotocol.html).

Metadata may be `arXivRaw` (with every version), `arXiv`, or `oai_dc`, and the answer one of ListRecords or GetRecord. A
record's datestamp is that of its last change: whether the paper is new is told by its versions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from xml.etree.ElementTree import Element

from digest.errors import BadInput
from digest.papers.identity import arxiv_id
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean
from digest.sources.arxiv.entries import (
    DC,
    TITLE,
    authors_of,
    categories_of,
    check_id,
    doi_of,
    identified,
    page_of,
)
from digest.sources.feed_entries import read_date
from digest.sources.fields import Unusable, read_title
from digest.sources.parsed import Parsed, Problem
from digest.sources.xml import Document, text_of

NAME = "arxiv_oai"
IN_QUEUE = timedelta(days=7)
"""Longer than from a paper's submission to its announcement, a weekend with holidays included."""

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_ARXIV = "{http://arxiv.org/OAI/arXiv/}"
_DUBLIN_CORE = "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
_WITHDRAWN = (
    "withdrawn",
    "this paper has been withdrawn",
    "this article has been withdrawn",
    "this submission has been withdrawn",
)


class OaiError(BadInput):
    """The server answered that it cannot answer; `code` says why (OAI-PMH 3.6)."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{TITLE} says {code}{': ' + words if words else ''}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its records, where it goes on (empty: nowhere), why it ended early (empty: it did not), and the day of the
    latest change in it."""

    parsed: Parsed
    token: str = ""
    broken: str = ""
    until: date | None = None


def parse(raw: bytes, *, seen_at: datetime, new_since: date | None = None, announces: bool = True) -> Parsed:
    """The papers of an answer that was saved. See `read_page`; that no record matches is an answer without papers.

    With `announces`, every paper is wanted, for somebody hands them over; else only those that are new.
    """
    try:
        parsed = read_page(raw, seen_at=seen_at, new_since=new_since).parsed
    except OaiError as error:
        if error.code == "noRecordsMatch":
            return Parsed()
        raise
    if not announces:
        return parsed
    return replace(parsed, sightings=tuple(replace(sighting, announces=True) for sighting in parsed.sightings))


def read_page(raw: bytes, *, seen_at: datetime, new_since: date | None = None) -> Page:
    """One answer of the protocol.

    A paper that has one version, submitted in the week before the record's date, is announced; so is one first submitted from
    `new_since` on, however often it was revised. Other papers add to those known. Problems count records from 1.

    Raises:
        OaiError: the answer is an error.
        BadInput: this is no answer of OAI-PMH, or one that lists no records.
    """
    document = Document(raw, (_OAI + "record", _OAI + "header"), what="an answer of OAI-PMH")
    if document.root.tag != _OAI + "OAI-PMH":
        raise BadInput("this is XML, but no answer of OAI-PMH")
    reader = _Reader(seen_at, new_since)
    for number, element in enumerate(document, start=1):
        try:
            reader.read(element, number)
        except Unusable as error:
            reader.problems.append(Problem(number, str(error)))
    refusal = document.root.find(_OAI + "error")
    if refusal is not None:
        raise OaiError(clean(refusal.get("code", ""), 60) or "error", clean(text_of(refusal), 200))
    if document.broken:
        reader.problems.append(Problem(None, document.broken))
    elif not any(document.root.find(_OAI + verb) is not None for verb in ("ListRecords", "GetRecord", "ListIdentifiers")):
        raise BadInput("this answer of OAI-PMH lists no records")
    token = document.root.find(f"*/{_OAI}resumptionToken")
    return Page(reader.parsed(), clean(text_of(token), 4000), document.broken, reader.until)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a record says, whatever its format; `submitted` is the date of the first version, as it is written."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...] = ()
    doi: str = ""
    submitted: str = ""
    revised: bool = False
    withdrawn: bool = False
    links: Mapping[str, str] = field(default_factory=dict)


class _Reader:
    """Takes in records one by one, and has what came of them."""

    def __init__(self, seen_at: datetime, new_since: date | None) -> None:
        self._seen_at, self._new_since = seen_at, new_since
        self._sightings: list[Sighting] = []
        self._passed_over: dict[str, int] = {}
        self._retracted: dict[str, None] = {}
        self.problems: list[Problem] = []
        self.until: date | None = None

    def parsed(self) -> Parsed:
        return Parsed(tuple(self._sightings), tuple(self.problems), dict(self._passed_over), tuple(self._retracted))

    def read(self, element: Element, number: int) -> None:
        """One record, or the header of one. Raises Unusable."""
        header = element if element.tag == _OAI + "header" else element.find(_OAI + "header")
        named = arxiv_id(text_of(header.find(_OAI + "identifier"))) if header is not None else None
        if header is not None and header.get("status") == "deleted":
            self._take_back(named, "deleted records")
            return
        if header is element:
            self._pass_over("headers without a record")
            return
        metadata = element.find(_OAI + "metadata")
        if metadata is None or not len(metadata):
            raise Unusable("this record has no metadata")
        facts = _facts(metadata[0])
        id_ = arxiv_id(facts.id) or named
        if facts.withdrawn and id_:
            self._take_back(id_, "withdrawn papers")
            return
        stamp = text_of(header.find(_OAI + "datestamp")) if header is not None else ""
        self._sightings.append(self._sighting(facts, id_, stamp, number))

    def _sighting(self, facts: _Facts, id_: str | None, stamp: str, number: int) -> Sighting:
        title = read_title(facts.title or None)
        if id_:
            check_id(id_, self._seen_at)
        ids, links = identified(id_, facts.doi)
        submitted = self._date("date", facts.submitted, number)
        changed = self._date("datestamp", stamp, number)
        self.until = max(self.until or date.min, changed.date()) if changed else self.until
        work = Work(
            title=title,
            abstract=clean(facts.abstract, MAX_ABSTRACT),
            authors=facts.authors,
            categories=facts.categories,
            published_at=submitted,
            links={**facts.links, **links},
        )
        return Sighting(NAME, self._seen_at, work, ids, announces=self._is_new(facts, submitted, changed))

    def _is_new(self, facts: _Facts, submitted: datetime | None, changed: datetime | None) -> bool:
        if submitted is None:
            return False
        day = submitted.date()
        if self._new_since and day >= self._new_since:
            return True
        return not facts.revised and changed is not None and day + IN_QUEUE >= changed.date()

    def _date(self, key: str, text: str, number: int) -> datetime | None:
        if not text.strip():
            return None
        try:
            return read_date(key, text, self._seen_at + timedelta(days=2))
        except Unusable as error:
            self.problems.append(Problem(number, f"{error}; left out"))
            return None

    def _take_back(self, id_: str | None, reason: str) -> None:
        self._pass_over(reason)
        if id_:
            self._retracted[id_] = None

    def _pass_over(self, reason: str) -> None:
        self._passed_over[reason] = self._passed_over.get(reason, 0) + 1


def _facts(record: Element) -> _Facts:
    if record.tag == _RAW + "arXivRaw":
        return _raw(record)
    if record.tag == _ARXIV + "arXiv":
        return _arxiv(record)
    if record.tag == _DUBLIN_CORE:
        return _dublin_core(record)
    raise Unusable(f"this record is of an unknown format: {clean(record.tag, 80)}")


def _raw(record: Element) -> _Facts:
    def told(name: str) -> str:
        return text_of(record.find(_RAW + name))

    versions = record.findall(_RAW + "version")
    first = next((version for version in versions if version.get("version") == "v1"), None)
    return _Facts(
        id=told("id"),
        title=told("title"),
        abstract=told("abstract"),
        authors=authors_of(told("authors")),
        categories=categories_of(told("categories").split()),
        doi=told("doi"),
        submitted=text_of(first.find(_RAW + "date")) if first is not None else "",
        revised=len(versions) != 1,
        withdrawn=bool(versions) and _is_withdrawn(versions[-1], told("comments")),
    )


def _is_withdrawn(version: Element, comments: str) -> bool:
    """A version without content: its type is `I`, or its comments begin by saying so. An empty size alone may be rounded."""
    if text_of(version.find(_RAW + "size")).strip().lower() != "0kb":
        return False
    return "I" in text_of(version.find(_RAW + "source_type")) or clean(comments, 200).lower().startswith(_WITHDRAWN)


def _arxiv(record: Element) -> _Facts:
    def told(name: str) -> str:
        return text_of(record.find(_ARXIV + name))

    names = (
        " ".join(text_of(author.find(_ARXIV + part)) for part in ("forenames", "keyname", "suffix"))
        for author in record.iterfind(f"{_ARXIV}authors/{_ARXIV}author")
    )
    return _Facts(
        id=told("id"),
        title=told("title"),
        abstract=told("abstract"),
        authors=_names(names),
        categories=categories_of(told("categories").split()),
        doi=told("doi"),
        submitted=told("created"),
        revised=record.find(_ARXIV + "updated") is not None,
    )


def _dublin_core(record: Element) -> _Facts:
    """Identifiers are addresses, DOIs and journals; the first description is the abstract, and a second date a revision."""

    def told(name: str) -> list[str]:
        return [text for element in record.findall(DC + name) if (text := text_of(element).strip())]

    identifiers = told("identifier")
    dates = told("date")
    pages = [page for text in identifiers if (page := page_of(text))]
    return _Facts(
        id=next((text for text in identifiers if arxiv_id(text)), ""),
        title=next(iter(told("title")), ""),
        abstract=next(iter(told("description")), ""),
        authors=_names(" ".join(reversed(name.split(", ", 1))) for name in told("creator")),
        doi=next((text for text in identifiers if doi_of(text)), ""),
        submitted=dates[0] if dates and len(dates[0]) > len("2026") else "",
        revised=len(dates) != 1,
        links=pages[0] if pages and not any(arxiv_id(text) for text in identifiers) else {},
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    cleaned = (clean(name, MAX_NAME) for name in names)
    return tuple(name for name in cleaned if name)[:MAX_AUTHORS]
