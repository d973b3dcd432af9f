"""One entry of a feed becomes a sighting, whichever of the formats it is in: RSS 0.9 to 2.0, RSS 1.0 (RDF), Atom 0.3 and 1.0.

The formats say the same things under different names, and mix: Dublin Core, PRISM and Atom's own elements stand in RSS. So an
entry is a set of named fields, and each property of a paper is looked for under all names that it goes by.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urljoin
from xml.etree.ElementTree import Element

from digest.papers.identity import arxiv_id, doi, normalised_title, of_one_paper
from digest.papers.model import Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean
from digest.sources import markup
from digest.sources.fields import EARLIEST, LONGEST_TITLE, Unusable, read_instant, read_title
from digest.sources.links import links_of_id, safe_url
from digest.sources.names import given_first, split_names
from digest.sources.xml import name_of, text_of

_RSS = (
    "",
    "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://channel.netscape.com/rdf/simple/0.9/",
    "http://backend.userland.com/rss2",
    "http://blogs.law.harvard.edu/tech/rss",
)
_ATOM = ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#")
_PREFIXES = dict.fromkeys((*_RSS, *_ATOM), "") | {
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://arxiv.org/schemas/atom": "arxiv:",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner:",
}
_PRISM = ("http://prismstandard.org/namespaces/", "http://purl.org/prism/")
_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
ENTRIES = tuple(f"{{{space}}}{name}" if space else name for space in (*_RSS, *_ATOM) for name in ("item", "entry"))

_PROSE = ("content:encoded", "content", "description", "summary", "dc:description", "dcterms:abstract")
_DATES = (
    "pubdate published issued dc:date dcterms:issued dcterms:created created prism:publicationdate updated modified".split()
)
_IDS = ("prism:doi", "arxiv:doi", "dc:identifier")
# Only where an address is known to have a DOI in it, and where that ends: a wrong one would part papers, or join them.
_DOI_IN_PATH = re.compile(
    r"/(?:doi|content|doi/(?:abs|full|pdf|epdf|epub|reader))/(10\.[0-9]{4,9}/[^\s?#]+?)"
    r"(?:v[0-9]{1,3})?(?:\.(?:full|abstract|short|full-text|full\.pdf|supplementary-material))?/?(?:[?#]|$)"
)
_ARXIV_ERROR = "arxiv.org/api/errors"
_ANNOUNCED = re.compile(r"\AarXiv:\S{1,40} Announce Type: \S{1,20}\s+Abstract:\s*")
_OF_A_MAILBOX = re.compile(r"[^()]*@[^()]*\(([^()]+)\)")
_BEFORE_OUR_TIME = re.compile(r"(?<![0-9+-])0[0-9]{3}(?![0-9:])")
_LONGEST_DATE = 60


def sighting_of(element: Element, source: str, seen_at: datetime, left_out: list[str], base: str = "") -> Sighting:
    """The paper of an entry, whose relative addresses begin at `base`. What it can do without is named in `left_out`.

    Raises:
        Unusable: it has no title, or is no entry but an error.
    """
    entry = _Entry(element)
    if _ARXIV_ERROR in entry.text("id"):
        raise Unusable(f"arXiv says: {next(entry.proses(('summary', 'title'), 200), '')}")
    title = read_title(next(filter(None, entry.proses(("title", "dc:title"), 2 * LONGEST_TITLE)), None))
    page = _page(entry, base, left_out)
    ids = _ids(entry, page, title, source, left_out)
    links = {"page": page} if page else {}
    for id_ in ids:
        links |= links_of_id(id_)
    work = Work(
        title=title,
        abstract=_ANNOUNCED.sub("", max(entry.proses(_PROSE, MAX_ABSTRACT), key=len, default="")),
        authors=_authors(entry),
        categories=_categories(entry),
        published_at=_published_at(entry, seen_at, left_out),
        links=links,
    )
    # arXiv's feeds repeat a paper with each of its revisions.
    revised = entry.text("arxiv:announce_type").startswith("replace")
    return Sighting(source, seen_at, work, ids, announces=not revised)


class _Entry:
    """The children of an entry by name, such as `title` and `dc:creator`; those of other vocabularies are not looked at."""

    def __init__(self, element: Element) -> None:
        self.about = element.get(_RDF_ABOUT, "")
        self._fields: dict[str, list[Element]] = {}
        for child in element:
            space = str(child.tag).rpartition("}")[0].removeprefix("{")
            prefix = "prism:" if space.startswith(_PRISM) else _PREFIXES.get(space)
            if prefix is not None:
                self._fields.setdefault(prefix + name_of(child), []).append(child)

    def all(self, name: str) -> list[Element]:
        return self._fields.get(name, [])

    def text(self, name: str) -> str:
        """The first text of that name that is not empty, as it stands."""
        return next((text for element in self.all(name) if (text := text_of(element).strip())), "")

    def proses(self, names: tuple[str, ...], limit: int) -> Iterator[str]:
        """The texts of those names, without markup."""
        return (_prose(element, limit) for name in names for element in self.all(name))


def _prose(element: Element, limit: int) -> str:
    """Text for people. In Atom its `type` says what it is (RFC 4287 3.1), in RSS it is HTML; and so much for the rules."""
    if len(element):
        return markup.text_of_tree(element, limit)
    text = text_of(element)
    is_atom = str(element.tag).startswith(tuple(f"{{{space}}}" for space in _ATOM))
    is_plain = is_atom and element.get("type", "text").lower() in ("text", "text/plain")
    if is_plain and not markup.looks_like_html(text):
        return clean(text, limit)
    return markup.text(text, limit)


def _page(entry: _Entry, base: str, left_out: list[str]) -> str | None:
    """The address of the entry's own page."""
    given = [text for text in _addresses(entry) if text]
    usable = (safe_url(_absolute(text, base)) for text in given)
    page = next((url for url in usable if url), None)
    if given and not page:
        left_out.append(f"it has no address to link to: {clean(given[0], 60)!r}; left out")
    return page


def _addresses(entry: _Entry) -> Iterator[str]:
    yield entry.text("feedburner:origlink")
    links = entry.all("link")
    alternate = [link for link in links if link.get("href") and link.get("rel", "alternate").lower() == "alternate"]
    alternate.sort(key=lambda link: "html" not in link.get("type", "html"))
    yield from (link.get("href", "") for link in alternate)
    yield from (text_of(link) for link in links if not link.get("href"))
    # An id that is no address is no mistake.
    for element in entry.all("guid") + entry.all("id"):
        if element.get("isPermaLink", "true").lower() != "false" and (text := text_of(element).strip()).startswith("http"):
            yield text
    yield entry.about if entry.about.startswith("http") else ""


def _absolute(address: str, base: str) -> str:
    """An address as a whole one, and one with letters beyond ASCII (RFC 3987) as one without; empty if that is impossible."""
    try:
        whole = urljoin(base, address.strip()[:4000])
    except ValueError:
        return ""
    return re.sub(r"[^\x00-\x7f]+", lambda found: quote(found[0], errors="replace"), whole)


def _ids(entry: _Entry, page: str | None, title: str, source: str, left_out: list[str]) -> tuple[str, ...]:
    """First arXiv ids, then DOIs. Where there is neither, the entry's own id, which holds among feeds alone."""
    own = (entry.text("guid") or entry.text("id") or entry.about).strip()
    told = [text_of(element) for name in _IDS for element in entry.all(name)]
    places = [text[:2000] for text in (own, page or "", entry.about, *told)]
    found = [id_ for text in places for id_ in (arxiv_id(text), doi(text)) if id_]
    if not any(id_.startswith("doi:") for id_ in found):
        in_paths = (_DOI_IN_PATH.search(unquote(text)) for text in places if text.startswith("http"))
        found += [id_ for match in in_paths if match and (id_ := doi(match[1]))]
    if found:
        ids = of_one_paper(found)
        left_out += [f"it names {other}, too; left out" for other in sorted({*found} - {*ids})]
        return tuple(sorted(ids))
    if own:
        # The plain numbers that some feeds use mean something else in the next one.
        return (_weak(own if ":" in own else f"{source}\n{own}"),)
    # Entries without an id may all lead to the same page.
    return (_weak(f"{page}\n{normalised_title(title)}"),) if page else ()


def _weak(name: str) -> str:
    return f"feed:{hashlib.sha256(name.lower().encode('utf-8', 'replace')).hexdigest()[:16]}"


def _authors(entry: _Entry) -> tuple[str, ...]:
    for field in ("author", "dc:creator", "dc:contributor"):
        told = [_name(element) for element in entry.all(field)[:MAX_AUTHORS]]
        names = [name for name in told if name]
        if len(names) == 1:
            return split_names(names[0])
        if names:
            cleaned = (clean(given_first(name), MAX_NAME) for name in names)
            return tuple(dict.fromkeys(name for name in cleaned if name))
    return ()


def _name(element: Element) -> str:
    """A person's name: the `name` of an Atom author, or the text, which in RSS is a mailbox. No address is shown to anybody."""
    within = next((child for child in element if name_of(child) == "name"), element)
    text = _prose(within, MAX_AUTHORS * MAX_NAME)
    if "@" not in text:
        return text
    mailbox = _OF_A_MAILBOX.fullmatch(text)
    return mailbox[1] if mailbox and "@" not in mailbox[1] else ""


def _categories(entry: _Entry) -> tuple[str, ...]:
    elements = (entry.all("category") + entry.all("dc:subject"))[:80]
    cleaned = (clean(element.get("term") or text_of(element) or element.get("label") or "", 40) for element in elements)
    return tuple(dict.fromkeys(name for name in cleaned if name))[:20]


def _published_at(entry: _Entry, seen_at: datetime, left_out: list[str]) -> datetime | None:
    """The first date that can be one."""
    faults: list[str] = []
    for name in _DATES:
        if given := entry.text(name):
            try:
                # Many a date has no zone, or a wrong one.
                return read_date(name, given, seen_at + timedelta(days=1))
            except Unusable as error:
                faults.append(str(error))
    left_out += [f"{fault}; left out" for fault in faults[:1]]
    return None


def read_date(key: str, text: str, not_after: datetime) -> datetime:
    """A date as feeds write it: RFC 822 with all its zones, unknown ones being UTC (RFC 5322 4.3), or ISO 8601.

    Raises:
        Unusable: it is none, lies in the future, or before any paper.
    """
    text = text.strip()[:_LONGEST_DATE]
    try:
        return _known(key, read_instant(key, text, not_after))
    except Unusable:
        if re.match(r"[0-9]{4}-", text):
            raise
    try:
        # A two-digit year is of our time, but so would be the year 0.
        given = None if _BEFORE_OUR_TIME.search(text) else parsedate_to_datetime(text if ":" in text else f"{text} 00:00")
        instant = given if given is None or given.tzinfo else given.replace(tzinfo=UTC)
        instant = instant and instant.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        instant = None
    if instant is None or instant.year < EARLIEST:
        raise Unusable(f"`{key}` is not a date: {clean(text, 40)!r}")
    if instant > not_after:
        raise Unusable(f"`{key}` lies in the future")
    return _known(key, instant)


def _known(key: str, instant: datetime) -> datetime:
    """A date that somebody gave: zero, in the count of Unix, is how some programs write none."""
    if instant.timestamp() == 0:
        raise Unusable(f"`{key}` is the zero of a clock")
    return instant
