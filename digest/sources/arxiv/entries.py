"""What the three routes to arXiv have in common: names, categories, ids, dates, and where arXiv is asked."""

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from digest.papers.identity import doi, title_key
from digest.papers.model import Sighting
from digest.papers.text import MAX_AUTHORS, MAX_NAME, clean, shorten
from digest.sources.fields import Unusable
from digest.sources.links import links_of_id, safe_url
from digest.sources.web import Site, Web

TITLE = "arXiv"
TURN = "arxiv"
HOSTS = ("arxiv.org", "rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org")
GAP = 3.0
"""Seconds between two requests, over all routes and machines (https://info.arxiv.org/help/api/tou.html)."""
ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
MAX_CATEGORIES = 20
LONGEST_CATEGORY = 40

_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)?(?:\.[A-Za-z]+(?:-[a-z]+)?)?")
_PHYSICS = frozenset(
    "astro-ph cond-mat gr-qc hep-ex hep-lat hep-ph hep-th math-ph nlin nucl-ex nucl-th physics quant-ph".split()
)
"""Archives of the group `physics`; every other archive is a group of its own name."""
_ID = re.compile(r"arxiv:(?:(?P<new>(?P<yymm>\d{4})\.\d{4,5})|[a-z-]+/(?P<old>\d{4})\d{3})")
_FIRST_YEAR = 91
"""In ids with an archive in front."""
_VERSION = re.compile(r"v([0-9]{1,4})$")
_AND = re.compile(r",?\s+and\s+|\s+&\s+")
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")
_BETWEEN = re.compile(r"[,;:]")
_BETWEEN_OR_BRACE = re.compile(r"[,;:{}]")
_BLANKS = re.compile(r" {2,}")
_NOBODY = re.compile(r"et\s+al\.?|and|others", re.IGNORECASE)
# The DOI of a whole volume is that of no paper in it: two papers would be one.
_VOLUME = re.compile(r"doi:10\.[0-9]{4,9}/(?:978|979)-?[0-9-]{10,14}")


def site_at(web: Web, url: str, source: str, *, begun: float | None = None, share: float = 1.0) -> Site:
    """A server of arXiv's, asked at the pace that all of them share."""
    return web.at(url, source=source, hosts=HOSTS, pace=TURN, gap=GAP, begun=begun, share=share)


def authors_of(text: str) -> tuple[str, ...]:
    """The names in `A, B (Somewhere), and C`, in order, without affiliations. TeX stays as it stands."""
    names: list[str] = []
    # Cleaned as a whole: cleaning costs by the call.
    for part in _split(_without_parentheses(clean(text, 2 * MAX_AUTHORS * MAX_NAME))):
        name = shorten(part.strip(), MAX_NAME)
        if not name or _NOBODY.fullmatch(name):
            continue
        if names and _SUFFIX.fullmatch(name):
            names[-1] = f"{names[-1]} {name}"
            continue
        names.append(name)
    return tuple(names[:MAX_AUTHORS])


def _without_parentheses(text: str) -> str:
    """`text` without what stands in parentheses, which may be nested; one that never closes is a slip, and stays."""
    if "(" not in text:
        return text
    kept: list[str] = []
    opened: list[int] = []
    for char in text:
        if char == ")" and opened:
            del kept[opened.pop() :]
            continue
        if char == "(":
            opened.append(len(kept))
        kept.append(char)
    return _BLANKS.sub(" ", "".join(kept))


def _split(text: str) -> list[str]:
    """The parts of a list of names: a comma within braces is TeX's. After a collaboration's colon its members follow."""
    text = _AND.sub(", ", text)
    if "{" not in text:
        return _BETWEEN.split(text)
    parts: list[str] = []
    depth = start = 0
    for found in _BETWEEN_OR_BRACE.finditer(text):
        mark = found[0]
        if mark in "{}":
            depth = max(depth + (1 if mark == "{" else -1), 0)
        elif not depth:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def categories_of(terms: Iterable[str]) -> tuple[str, ...]:
    """The categories of arXiv among `terms`, in their order; classes of other schemes (MSC, ACM) stand there too."""
    stripped = (term.strip() for term in terms)
    known = (term for term in stripped if len(term) <= LONGEST_CATEGORY and _CATEGORY.fullmatch(term))
    return tuple(dict.fromkeys(known))[:MAX_CATEGORIES]


def category(text: str) -> str:
    """A category or whole archive as arXiv writes it, such as `cs.AI` or `hep-th`. Raises ValueError."""
    archive, dot, subject = text.strip().partition(".")
    spelled = archive.lower() + dot + (subject.upper() if len(subject) == 2 else subject.lower())
    if not _CATEGORY.fullmatch(spelled):
        raise ValueError(f"{text!r} is no category of arXiv; write it like cs.AI, or cs for all of them")
    return spelled


def set_of(name: str) -> str:
    """The OAI-PMH set of a category or whole archive: `cs:cs:AI`, `physics:hep-th`, `cs`."""
    archive, _, subject = name.partition(".")
    group = "physics" if archive in _PHYSICS else archive
    if not subject:
        return group if group == archive and archive != "physics" else f"{group}:{archive}"
    return f"{group}:{archive}:{subject}"


def belongs(categories: tuple[str, ...], wanted: Collection[str]) -> bool:
    """Whether the first of a paper's categories, its primary one, is among those wanted (all, if none is named)."""
    return not wanted or (bool(categories) and (categories[0] in wanted or categories[0].partition(".")[0] in wanted))


def version_of(id_: str) -> int:
    """The version at the end of an id as arXiv gives it; 1 where none stands there."""
    found = _VERSION.search(id_.strip())
    return int(found[1]) if found else 1


def month_of(id_: str) -> tuple[int, int]:
    """Year and month of a canonical arXiv id: those of its first announcement."""
    found = _ID.fullmatch(id_)
    if not found:
        raise ValueError(f"{id_} is no arXiv id")
    year, month = divmod(int(found["yymm"] or found["old"]), 100)
    return (1900 if year >= _FIRST_YEAR and found["old"] else 2000) + year, month


def months_before(id_: str, day: date) -> int:
    """How many months `day` lies after the month of an id; below zero if the id is of a later one."""
    year, month = month_of(id_)
    return 12 * (day.year - year) + day.month - month


def check_id(id_: str, seen_at: datetime) -> None:
    """Raises Unusable for an id of a month to come: it would be the newest for years."""
    if months_before(id_, (seen_at + timedelta(days=2)).date()) < 0:
        raise Unusable(f"{id_} lies in the future")


def name_of(sighting: Sighting) -> str:
    """What tells a paper apart from others in an answer."""
    return sighting.ids[0] if sighting.ids else title_key(sighting.work)


def newest(ids: Iterable[str]) -> str:
    """The newest of canonical arXiv ids; empty if there is none. Only those in use since 2007 can be compared."""
    return max((id_ for id_ in ids if (found := _ID.fullmatch(id_)) and found["new"]), default="")


def is_newer(id_: str, than: str) -> bool:
    """Whether `id_` is the newer of two ids; the empty one is older than all."""
    return bool(id_) and newest((id_, than)) == id_ != than


def doi_of(text: str) -> str | None:
    """The canonical id of the first DOI in a field, which may hold several; None if there is none of a paper."""
    for word in re.split(r"[\s,;]+", text[:1000]):
        if word and (id_ := doi(word)):
            return id_
    return None


def identified(id_: str | None, doi_text: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The ids of a paper, strongest first, and the links that they stand for."""
    own = (id_,) if id_ else ()
    links = links_of_id(id_) if id_ else {}
    other = doi_of(doi_text) if doi_text else None
    if other is None or other.startswith("arxiv:"):
        return own, links
    links |= links_of_id(other)
    return (own if _VOLUME.fullmatch(other) else (*own, other)), links


def page_of(text: str) -> dict[str, str]:
    """A link to a page, if it is an address that is fit to be one."""
    return {"page": url} if (url := safe_url(text)) else {}
