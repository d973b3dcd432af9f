"""OpenAlex: citations, topics, institutions and retractions of papers that are known from elsewhere.

An answer is one work, a list of works, or an object with the list in `results` and, in `meta`, how many there are in all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import Field, SecretStr

from digest.clock import Duration
from digest.errors import BadInput
from digest.papers.identity import arxiv_id, doi
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME
from digest.sources import markup
from digest.sources.base import Brings, Collected, Errand, Known
from digest.sources.fields import LONGEST_TITLE, Unusable, instant_at, object_at, read_answer, read_title, reading_at, text_at
from digest.sources.links import links_of_id
from digest.sources.lookup import batches_of, look_up
from digest.sources.parsed import Parsed, Problem
from digest.sources.slices import WebSlice
from digest.sources.web import HttpError, Site

NAME = "openalex"
TITLE = "OpenAlex"
BATCH = 50
PER_PAGE = 100
MAX_PAGES = 4
MAX_ENTRIES = 10_000
FIELDS = (
    "id,doi,ids,title,display_name,publication_date,type,is_retracted,cited_by_count,authorships,primary_topic,topics,keywords,"
    "abstract_inverted_index,best_oa_location,locations"
)
"""More than is read: the rest is for whoever looks at an answer that was kept."""
MAX_WORDS = MAX_ABSTRACT
"""Words that can matter: each is a letter at least, so that what lies behind them is cut anyway."""
MAX_WORD = 200
_ARXIV_DOI = "10.48550/arxiv."
_WORK_ID = re.compile(r"(?:https?://openalex\.org/(?:works/)?)?(W[0-9]{1,12})", re.IGNORECASE)
# In its filters a comma, a bar, a plus sign and an exclamation mark mean something; an address has an end, too.
_PLAIN_DOI = re.compile(r"10\.[0-9]{4,9}/[a-z0-9._;()/:-]{1,80}")
# The heading that publishers leave in an abstract; `Abstract interpretation` and `Abstract Meaning Representation` are none.
_HEADING = re.compile(
    r"(?i:abstract)(?:\s*[:.—–]|(?=\s+(?:An?|The|This|These|Here|We|Our|It|There|In|On|For|From|To|With|As|By|While|Despite"
    r"|Although|Background|Objectives?|Purpose|Aims?|Introduction|Motivation)\b))\s*"
)


class OpenAlexSettings(WebSlice):
    """`[sources.openalex]`"""

    url: str = "https://api.openalex.org"
    key: SecretStr | None = Field(None, description="the key to its API; without one, its patience for a day is soon spent")
    limit: int = Field(500, ge=1, le=10_000, description="how many papers one run looks up at most")
    again_after: Duration = Field(timedelta(days=3), description="how long what it said of a paper is good for")


class OpenAlex:
    """The source: looks up known papers by DOI, 50 a request."""

    name = turn = NAME
    title = TITLE
    brings: Brings = "attention"

    def __init__(self, settings: OpenAlexSettings) -> None:
        self.enabled, self.limit, self.again_after = settings.enabled, settings.limit, settings.again_after
        self._url, self._key = settings.url, settings.key

    def wants(self, known: Known) -> bool:
        """Whether the paper has a DOI that can be asked for, were it that of its arXiv id."""
        return asked_by(known) is not None

    def collect(self, errand: Errand) -> Collected:
        """What is known there of the papers of the errand; *failed* with what there was if a request was.

        Raises:
            ServerUnavailable: no request was answered.
        """
        secrets = {"api_key": self._key.get_secret_value()} if self._key else {}
        site = errand.web.at(self._url, source=NAME, secrets=secrets)
        wanted = [(number, known) for known in errand.known if (number := asked_by(known))][: self.limit]
        return look_up(errand, site, batches_of(wanted, BATCH), lambda numbers, _: _look_up(site, numbers, errand.now))


def asked_by(known: Known) -> str | None:
    """The DOI that a paper is asked for by: a publisher's if it has one, for then that of arXiv is no longer its main one."""
    for scheme, prefix in (("doi", ""), ("arxiv", _ARXIV_DOI)):
        for id_ in known.ids:
            value = id_.removeprefix(f"{scheme}:")
            if value != id_ and _PLAIN_DOI.fullmatch(prefix + value):
                return prefix + value
    return None


def _look_up(site: Site, numbers: Sequence[str], seen_at: datetime) -> Parsed:
    """The works of some DOIs, page by page. Raises ServerUnavailable."""
    asked = f"{TITLE} was asked for {len(numbers)} papers"
    params = {"filter": f"doi:{'|'.join(numbers)}", "per_page": str(PER_PAGE), "select": FIELDS}
    works: list[object] = []
    for page in range(1, MAX_PAGES + 1):
        raw = site.get("/works", params | ({"page": str(page)} if page > 1 else {}), asked=asked)
        try:
            found, in_all = _works(raw)
        except BadInput as error:
            raise HttpError(f"{asked}: {error}", fix="the next run asks again", status=200) from None
        works += found
        if not found or len(works) >= in_all:
            break
    return _parsed(works, seen_at, announces=False)


def parse(raw: str | bytes, *, seen_at: datetime, announces: bool = True) -> Parsed:
    """The papers of an answer, in its order, and which of them were retracted. Problems count entries from 1.

    Args:
        announces: whether its papers are news. Those of a look-up are not, nor are their dates: of two dates the earlier one
            counts, and a look-up may date another version.

    Raises:
        BadInput: this is no such answer.
    """
    return _parsed(_works(raw)[0], seen_at, announces)


def _works(raw: str | bytes) -> tuple[list[object], int]:
    """An answer's works, and how many there are in all."""
    fix = f"save an answer of {TITLE}"
    answer = read_answer(raw, fix=fix)
    if isinstance(answer, list):
        return answer, len(answer)
    if isinstance(answer, dict):
        if isinstance(found := answer.get("results"), list):
            count = object_at(answer, "meta").get("count")
            return found, count if isinstance(count, int) else len(found)
        if says := text_at(answer, "message", 200) or text_at(answer, "error", 200):
            raise BadInput(f"{TITLE} says: {says}")
        if "title" in answer or "display_name" in answer:
            return [answer], 1
    raise BadInput(f"this is JSON, but no answer of {TITLE}", fix=fix)


def _parsed(works: Sequence[object], seen_at: datetime, announces: bool) -> Parsed:
    sightings: list[Sighting] = []
    problems: list[Problem] = []
    retracted: list[str] = []
    told: set[str] = set()
    for place, work in enumerate(works[:MAX_ENTRIES], start=1):
        if not isinstance(work, dict):
            problems.append(Problem(place if announces else None, "this entry is not a JSON object"))
            continue
        left_out: list[str] = []
        ids: tuple[str, ...] = ()
        try:
            ids = tuple(dict.fromkeys(_ids(work, left_out)))
            if work.get("is_retracted") is True:
                retracted += ids
            sighting = _sighting(work, ids, seen_at, announces, left_out)
            # Now and then it has two records of one paper. Of their counts the first is taken; a further id is news.
            of_paper = {id_ for id_ in ids if not id_.startswith("openalex:")} or set(ids)
            if of_paper and told >= of_paper:
                left_out = ["it stands in the list before"]
            else:
                sightings.append(replace(sighting, readings=()) if told & of_paper else sighting)
                told |= of_paper
        except Unusable as error:
            left_out = [str(error)]
        of_which = f"{ids[0]}: " if ids else ""
        problems += (Problem(place if announces else None, of_which + what) for what in left_out)
    if len(works) > MAX_ENTRIES:
        problems.append(Problem(MAX_ENTRIES + 1, f"more than {MAX_ENTRIES:,} entries; the rest is left out"))
    return Parsed(tuple(sightings), tuple(problems), retracted=tuple(dict.fromkeys(retracted)))


def _sighting(
    work: Mapping[str, object], ids: tuple[str, ...], seen_at: datetime, announces: bool, left_out: list[str]
) -> Sighting:
    links: dict[str, str] = {}
    for id_ in ids:
        links = links_of_id(id_) | links
    authorships = _objects(work, "authorships")
    seen = Work(
        title=_title(work.get("title") or work.get("display_name")),
        abstract=abstract(work.get("abstract_inverted_index")),
        authors=tuple(_authors(authorships))[:MAX_AUTHORS],
        keywords=_topics(work),
        organization=_organization(authorships),
        published_at=_published_at(work, seen_at, left_out) if announces else None,
        links=links,
    )
    citations = reading_at(work, "cited_by_count", NAME, "citations", seen_at, left_out)
    return Sighting(NAME, seen_at, seen, ids, citations, announces)


def _ids(work: Mapping[str, object], left_out: list[str]) -> Iterator[str]:
    """What can be read of the work's ids, strongest first; at most one of arXiv, for two of them are two papers."""
    given = work.get("doi") or object_at(work, "ids").get("doi")
    number = doi(given[:300]) if isinstance(given, str) else None
    if given and number is None:
        left_out.append("its `doi` is none; left out")
    if number is None or number.startswith("doi:"):
        locations = (object_at(work, "best_oa_location"), *_objects(work, "locations"))
        addresses = (text_at(place, key, 300) for place in locations for key in ("landing_page_url", "pdf_url"))
        on_arxiv = {id_ for address in addresses if (id_ := arxiv_id(address) or _arxiv_doi(address))}
        if len(on_arxiv) == 1:
            yield on_arxiv.pop()
        elif on_arxiv:
            left_out.append("it stands at several places of arXiv; left out")
    if number:
        yield number
    if match := _WORK_ID.fullmatch(text_at(work, "id", 100)):
        yield f"openalex:{match[1].upper()}"


def _arxiv_doi(address: str) -> str | None:
    id_ = doi(address)
    return id_ if id_ and id_.startswith("arxiv:") else None


def abstract(index: object) -> str:
    """The text of an inverted index (each word with its positions), rebuilt; empty where there is none.

    Two words at one position: the first counts. Positions that no abstract has are left out, as are gaps.
    """
    words: dict[int, str] = {}
    for word, positions in index.items() if isinstance(index, dict) else ():
        for position in positions[:MAX_WORDS] if isinstance(positions, list) else ():
            if type(position) is int and 0 <= position < MAX_WORDS:
                words.setdefault(position, word[:MAX_WORD])
    text = markup.text(" ".join(word for _, word in sorted(words.items())), MAX_ABSTRACT)
    return text[heading.end() :] if (heading := _HEADING.match(text)) else text


def _title(value: object) -> str:
    """A title without the marks that publishers write into it."""
    if isinstance(value, str) and len(value) <= LONGEST_TITLE:
        value = markup.text(value, LONGEST_TITLE)
    return read_title(value)


def _authors(authorships: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for authorship in authorships:
        if name := text_at(object_at(authorship, "author"), "display_name", MAX_NAME) or text_at(
            authorship, "raw_author_name", MAX_NAME
        ):
            yield name


def _organization(authorships: Sequence[Mapping[str, object]]) -> str:
    """The first author's institution; where several are told, none is the one."""
    names = {text_at(at, "display_name", MAX_NAME) for at in _objects(authorships[0], "institutions")} if authorships else set()
    names.discard("")
    return names.pop() if len(names) == 1 else ""


def _topics(work: Mapping[str, object]) -> tuple[str, ...]:
    topics = (object_at(work, "primary_topic"), *_objects(work, "topics"))
    names = (text_at(topic, "display_name", 80) for topic in topics)
    return tuple(dict.fromkeys(name for name in names if name))[:30]


def _published_at(work: Mapping[str, object], seen_at: datetime, left_out: list[str]) -> datetime | None:
    published_at = instant_at(work, "publication_date", seen_at, left_out)
    # The first of January is how it writes a date of which it knows the year alone.
    return None if published_at and (published_at.month, published_at.day) == (1, 1) else published_at


def _objects(entry: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    value = entry.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
