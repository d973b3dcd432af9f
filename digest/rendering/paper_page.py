"""What the page of a paper shows of it: all that is known, for whoever opens it."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from digest.papers.model import Paper
from digest.papers.text import MAX_ABSTRACT, MAX_NAME, MAX_TITLE, clean
from digest.rendering.cards import link_views, title_of, written_by
from digest.rendering.model import LinkView
from digest.rendering.tex import readable
from digest.rendering.words import on

AUTHORS_SHOWN = 60
_HOMES = {"arxiv": ("arXiv", "https://arxiv.org/abs/"), "doi": ("DOI", "https://doi.org/")}
"""What ids are called, and where they lead."""


@dataclass(frozen=True, slots=True)
class FactView:
    """A thing that is known, and what it is called."""

    name: str
    value: str
    url: str = ""
    """Where it leads; empty for nowhere."""


@dataclass(frozen=True, slots=True)
class PaperPage:
    """A paper whole. Empty where nothing is known."""

    title: str
    authors: str
    organization: str
    summary: str
    summary_by: str
    abstract: str
    links: tuple[LinkView, ...]
    facts: tuple[FactView, ...]


@dataclass(frozen=True, slots=True)
class FoundView:
    """A paper in a list of those found."""

    path: str
    title: str
    byline: str


def paper_page(paper: Paper, aliases: Iterable[str]) -> PaperPage:
    """Args:
    paper: what is known about it.
    aliases: the canonical ids that it is known by.
    """
    work = paper.work
    return PaperPage(
        title=title_of(work),
        authors=_authors(work.authors, AUTHORS_SHOWN),
        organization=clean(readable(work.organization), MAX_NAME),
        summary=clean(readable(work.summary), MAX_ABSTRACT),
        summary_by=written_by(work),
        abstract=clean(readable(work.abstract), MAX_ABSTRACT),
        links=link_views(work),
        facts=tuple(fact for fact in (*_facts(paper), *_ids(aliases)) if fact.value),
    )


def found_view(paper: Paper, path: str) -> FoundView:
    """A paper that was found, whose page is at `path`."""
    return FoundView(path, title_of(paper.work), " · ".join(filter(None, (_authors(paper.work.authors, 3), on(paper.day)))))


def _authors(authors: tuple[str, ...], shown: int) -> str:
    names = [name for author in authors[:shown] if (name := clean(readable(author), MAX_NAME))]
    more = len(authors) - shown
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _facts(paper: Paper) -> Iterable[FactView]:
    work = paper.work
    yield FactView("Published", on(work.published_at.date()) if work.published_at else "")
    yield FactView("Listed", on(work.listed_on) if work.listed_on else "")
    yield FactView("First seen here", on(paper.first_seen_at.date()))
    yield FactView("Fields", clean(", ".join(work.categories), MAX_TITLE))
    yield FactView("Keywords", clean(", ".join(work.keywords), MAX_TITLE))


def _ids(aliases: Iterable[str]) -> Iterable[FactView]:
    for alias in aliases:
        scheme, _, value = alias.partition(":")
        if scheme in _HOMES:
            name, home = _HOMES[scheme]
            yield FactView(name, value, home + quote(value))
