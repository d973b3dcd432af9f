"""Between rows and values: how a work, a term and a pick lie in a column."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, get_args

from digest.edition.model import SECTIONS, How, Pick
from digest.papers.model import Work
from digest.ranking.model import Term


def work_to_json(work: Work) -> dict[str, Any]:
    """A work as JSON, without what it does not have."""
    dates = {
        "published_at": work.published_at and work.published_at.isoformat(),
        "listed_on": work.listed_on and work.listed_on.isoformat(),
    }
    return {name: value for name, value in (work_to_row(work) | dates).items() if value}


def work_from_json(fields: Mapping[str, Any]) -> Work:
    published, listed = fields.get("published_at"), fields.get("listed_on")
    return Work(
        title=fields["title"],
        abstract=fields.get("abstract") or "",  # null: forgotten
        authors=tuple(fields.get("authors", ())),
        categories=tuple(fields.get("categories", ())),
        keywords=tuple(fields.get("keywords", ())),
        organization=fields.get("organization", ""),
        summary=fields.get("summary", ""),
        summary_by=fields.get("summary_by", ""),
        published_at=datetime.fromisoformat(published) if published else None,
        listed_on=date.fromisoformat(listed) if listed else None,
        links=fields.get("links", {}),
    )


def work_to_row(work: Work) -> dict[str, Any]:
    """A work as the columns of `paper`."""
    return {
        "title": work.title,
        "abstract": work.abstract,
        "authors": list(work.authors),
        "categories": list(work.categories),
        "keywords": list(work.keywords),
        "organization": work.organization,
        "summary": work.summary,
        "summary_by": work.summary_by,
        "links": dict(work.links),
        "published_at": work.published_at,
        "listed_on": work.listed_on,
    }


def work_from_row(row: Any) -> Work:
    return Work(
        title=row.title,
        abstract=row.abstract,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        keywords=tuple(row.keywords),
        organization=row.organization,
        summary=row.summary,
        summary_by=row.summary_by,
        published_at=row.published_at,
        listed_on=row.listed_on,
        links=row.links,
    )


def terms_to_json(terms: tuple[Term, ...]) -> list[list[Any]]:
    return [[term.signal, term.value, term.score, term.reason] for term in terms]


def terms_from_json(rows: list[list[Any]]) -> tuple[Term, ...]:
    return tuple(Term(signal, value, score, reason) for signal, value, score, reason in rows)


_HOWS: tuple[How, ...] = get_args(How)


def picks_to_json(picks: tuple[Pick, ...]) -> str:
    """As short as it can be, for there is one for every mail: `[paper, section]` or `[paper, section, how, matched]`.

    Written here and not by the encoder, which takes three times as long; words that many readers share are encoded once.
    """
    written = [
        f'[{pick.paper_id},{SECTIONS.index(pick.section)},"{pick.how}",{_text(pick.matched)}]'
        if pick.how
        else f"[{pick.paper_id},{SECTIONS.index(pick.section)}]"
        for pick in picks
    ]
    return f"[{','.join(written)}]"


_text = lru_cache(maxsize=4096)(json.dumps)


def picks_from_json(rows: list[list[Any]] | None) -> tuple[Pick, ...]:
    """Picks as they were stored; `[paper, section, matched]` was written while every interest was looked for as a topic."""
    return tuple(_pick(*row) for row in rows or ())


def _pick(paper_id: int, section: int, how: str = "", matched: str | None = None) -> Pick:
    if matched is None:
        return Pick(paper_id, SECTIONS[section], "topic" if how else "", how)
    return Pick(paper_id, SECTIONS[section], how if how in _HOWS else "", matched)
