"""What programs are told: papers, entries and issues as plain data, in the words and with the links that pages show.

`digest/web/openapi.py` describes it; whoever changes one changes the other.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from digest.edition.model import Entry
from digest.papers.model import Work
from digest.papers.text import MAX_ABSTRACT, MAX_NAME, MAX_TITLE, clean
from digest.ranking.model import Term
from digest.rendering.cards import safe_links, title_of
from digest.rendering.feed import timestamp
from digest.rendering.tex import readable
from digest.subscribers.model import Cadence

Data = dict[str, Any]


def paper_data(key: str, work: Work, url: str) -> Data:
    """A paper; `url` is the address of our page about it."""
    return {
        "key": key,
        "url": url,
        "title": title_of(work),
        "authors": _names(work.authors),
        "abstract": clean(readable(work.abstract), MAX_ABSTRACT),
        "categories": _names(work.categories),
        "keywords": _names(work.keywords),
        "organization": clean(readable(work.organization), MAX_NAME),
        "summary": clean(readable(work.summary), MAX_ABSTRACT),
        "summary_by": clean(work.summary_by, MAX_NAME),
        "published_at": work.published_at and timestamp(work.published_at),
        "listed_on": work.listed_on and work.listed_on.isoformat(),
        "links": safe_links(work.links),
    }


def entry_data(entry: Entry) -> Data:
    """How a paper stood in an edition, and why."""
    return {
        "rank": entry.rank,
        "score": entry.score,
        "terms": [_term(one) for one in entry.terms],
        "numbers": dict(entry.numbers),
        "first_seen_on": entry.first_seen_on.isoformat(),
    }


def edition_data(on: date, cadence: Cadence, frozen_at: datetime, url: str, api_url: str) -> Data:
    """Which edition it is, and where: its page, and its papers as data."""
    return {
        "date": on.isoformat(),
        "cadence": cadence,
        "frozen_at": timestamp(frozen_at),
        "url": url,
        "api_url": api_url,
    }


def readings_data(readings: Iterable[tuple[str, str, datetime, int]]) -> list[Data]:
    """The last reading of each day, of each metric of each source: (source, metric, when, value), oldest first."""
    last = {(source, metric, at.date()): (at, value) for source, metric, at, value in readings}
    return [
        {"source": source, "metric": metric, "at": timestamp(at), "value": value}
        for (source, metric, _), (at, value) in last.items()
    ]


def _term(term: Term) -> Mapping[str, Any]:
    reason = clean(readable(term.reason), MAX_TITLE)
    return {"signal": term.signal, "value": term.value, "score": term.score, "reason": reason}


def _names(names: Iterable[str]) -> list[str]:
    return [shown for name in names if (shown := clean(readable(name), MAX_NAME))]
