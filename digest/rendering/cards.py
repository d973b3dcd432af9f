"""What is shown of an entry: made once for an edition, for all of its readers."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from urllib.parse import quote_plus

from digest.edition.model import Entry
from digest.papers.model import Work
from digest.papers.text import MAX_ABSTRACT, MAX_NAME, MAX_TITLE, clean
from digest.rendering.model import LinkView, PaperView
from digest.rendering.reasons import ranked
from digest.rendering.summary import first_sentences, two_sentences
from digest.rendering.tex import readable
from digest.rendering.tongue import ENGLISH, Tongue, messages
from digest.rendering.words import numbers

CREDITED = {"huggingface.co": "Hugging Face", "arxiv.org": "arXiv"}
"""Sources that are thanked where links lead to them."""
MACHINES = frozenset({"Hugging Face", "Semantic Scholar"})
"""Sources whose summaries a model writes; how others came by theirs nobody knows."""
AUTHORS_SHOWN = 3
REASONS_KEPT = 3
_SHOWN = frozenset({"votes", "comments", "stars"})
"""The line of numbers says the same; how much came lately it does not say."""
MAX_URL = 2000
MAX_SOURCE = 40
# Printable ASCII without blanks, quotes and brackets; the group is the host.
_WEB = re.compile(
    r"https?://(?:[!$-.0-;=_a-z~]*@)?([\w.-]+|\[[\da-f:.]+\])(?::\d*)?(?:[/?#][!#-;=?-\[\]_a-z~]*)?", re.ASCII | re.IGNORECASE
)

_PAPER, _CODE, _PROJECT = messages("Paper", "Code", "Project")
_LABELS = {
    "page": _PAPER,
    "huggingface": "Hugging Face",
    "arxiv": "arXiv",
    "doi": "DOI",
    "pdf": "PDF",
    "code": _CODE,
    "project": _PROJECT,
}
"""The kinds of links in order of their worth as the page of a paper, which is also the order in which they are shown."""
_SEARCH = {
    "arXiv": "https://arxiv.org/search/?searchtype=title&query={}",
    "Google Scholar": "https://scholar.google.com/scholar?q={}",
}
"""Where a paper that came without any address can be looked for by its title."""
MAX_QUERY = 120


def paper_view(entry: Entry, day: date, tongue: Tongue = ENGLISH) -> PaperView:
    """The entry as it is shown in the edition of `day`: our words in this language, the paper's as they are."""
    work = entry.work
    summary, summary_by = _summary(work, tongue)
    counts = numbers(entry.numbers, tongue)
    links = shown_links(work.links)
    days = (day - (work.listed_on or entry.first_seen_on)).days
    is_new = days <= 0 and bool(work.published_at or work.listed_on)  # what tells no date of its own is not called new
    age = tongue.say("day %(day)s", day=days + 1) if days > 0 else tongue.say("new") if is_new else ""
    reasons, otherwise = _reasons(entry, tongue, is_aged=bool(age))
    title = title_of(work, tongue)
    return PaperView(
        title=title,
        url=next(iter(links), ""),
        byline=_byline(work),
        category=clean(work.categories[0], 40) if work.categories else "",
        age=age,
        is_new=is_new,
        numbers=counts,
        count=", ".join(f"{number.figure} {number.word}" for number in counts),
        summary=summary,
        summary_by=summary_by,
        reasons=reasons,
        otherwise=otherwise,
        links=link_views(work, tongue),
        sources=_sources(links),
        words=len(title.split()) + len(summary.split()),
    )


def title_of(work: Work, tongue: Tongue = ENGLISH) -> str:
    """A paper's title as it is shown everywhere."""
    return clean(readable(work.title), MAX_TITLE) or tongue.say("Untitled paper")


def _byline(work: Work) -> str:
    names = [name for author in work.authors[:AUTHORS_SHOWN] if (name := clean(readable(author), MAX_NAME))]
    more = len(work.authors) - AUTHORS_SHOWN
    authors = ", ".join(names) + (f" +{more}" if more > 0 else "")
    return " · ".join(filter(None, (authors, clean(readable(work.organization), MAX_NAME))))


def _summary(work: Work, tongue: Tongue) -> tuple[str, str]:
    """The summary, and where it comes from: one that somebody wrote, or else the abstract's own sentences."""
    if written := first_sentences(clean(readable(work.summary), MAX_ABSTRACT)):
        return written, written_by(work, tongue)
    found = two_sentences(clean(readable(work.abstract), MAX_ABSTRACT))
    return found, tongue.say("from the abstract") if found else ""


def written_by(work: Work, tongue: Tongue = ENGLISH) -> str:
    """What is said of a summary that somebody wrote."""
    author = clean(work.summary_by, MAX_SOURCE)
    if author in MACHINES:
        return tongue.say("AI summary by %(author)s", author=author)
    return tongue.say("summary by %(author)s", author=author) if author else tongue.say("summary")


def _reasons(entry: Entry, tongue: Tongue, *, is_aged: bool) -> tuple[tuple[str, ...], str]:
    """The reasons that counted most and that the card does not show beside them; and what is said where nothing else is.

    A card that tells an age says it once: the ranking counts it from the day of publication, which may be an earlier one.
    """
    counted = sorted((term for term in entry.terms if term.reason and term.score >= 0), key=lambda term: term.score)
    told = {
        ranked(clean(readable(term.reason), MAX_TITLE), tongue): term.signal in _SHOWN and not term.reason.startswith("+")
        for term in counted
        if not (is_aged and term.signal == "freshness")
    }
    best_first = [reason for reason in reversed(told) if reason]
    telling = tuple(reason for reason in best_first if not told[reason])
    otherwise = tongue.say("no. %(rank)s of all papers of this edition", rank=tongue.number(f"{entry.rank:,}"))
    return telling[:REASONS_KEPT], "; ".join(best_first[:REASONS_KEPT]) or otherwise


def safe_links(links: Mapping[str, str]) -> dict[str, str]:
    """Those of a paper's addresses that can be shown, by kind, the best first."""
    return {kind: url for kind in _LABELS if _is_web(url := links.get(kind, "").strip())}


def shown_links(links: Mapping[str, str]) -> dict[str, str]:
    """The label of each address that can be shown; the best stands first and is called Paper."""
    shown: dict[str, str] = {}
    for kind, url in safe_links(links).items():
        shown.setdefault(url, _LABELS[kind])
    best = next(iter(shown), "")
    if shown.get(best) in ("Hugging Face", "DOI"):
        shown[best] = "Paper"
    return shown


def link_views(work: Work, tongue: Tongue = ENGLISH) -> tuple[LinkView, ...]:
    """What leads from a paper to the web; where nothing does, to where its title is looked for."""
    if shown := shown_links(work.links):
        return tuple(LinkView(tongue.say(label), url) for url, label in shown.items())
    title = clean(readable(work.title), MAX_QUERY).removesuffix("…")
    return tuple(
        LinkView(tongue.say("Search %(site)s", site=site), url.format(quote_plus(title)))
        for site, url in _SEARCH.items()
        if title
    )


def _is_web(url: str) -> bool:
    """An http or https address without blanks, quotes or controls, which would end it early in a text or a tag."""
    return len(url) <= MAX_URL and _WEB.fullmatch(url) is not None


def _sources(urls: Iterable[str]) -> frozenset[str]:
    hosts = {found[1].lower().removeprefix("www.") for url in urls if (found := _WEB.fullmatch(url))}
    return frozenset(name for host, name in CREDITED.items() if host in hosts)
