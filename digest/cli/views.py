"""How commands show entries, papers and deliveries, as JSON and in one line; and how they read dates."""

from datetime import date, datetime, timedelta
from typing import Any

from digest.edition.calendar import Schedule
from digest.edition.model import Entry, Pick, edition_name
from digest.errors import UsageError
from digest.papers.model import Paper
from digest.rendering.reasons import personal


def parse_date(text: str | None) -> date | None:
    """A date as people type it. Raises UsageError."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date", fix="write it like 2026-11-22") from None


def freezing_date(text: str | None, schedule: Schedule, now: datetime) -> date | None:
    """The same of editions that are to be frozen: readers cannot be told that a wrong year was not meant.

    Raises:
        UsageError: it is no date, or a day that is nowhere on earth yet.
    """
    on, today = parse_date(text), schedule.date_at(now)
    if on and on > today + timedelta(days=1):
        raise UsageError(f"the day of edition {on} is still to come", fix=f"today is {today}")
    return on


def entry_json(entry: Entry, pick: Pick, place: int) -> dict[str, Any]:
    """One ranked paper: `score` is the sum of its terms' scores; `value` null means that nobody measured it."""
    return {
        "place": place,
        "id": entry.paper_id,
        "title": entry.work.title,
        "rank": entry.rank,
        "score": entry.score,
        "terms": [
            {"signal": term.signal, "value": term.value, "score": term.score, "reason": term.reason} for term in entry.terms
        ],
        "section": pick.section,
        "how": pick.how or None,
        "matched": pick.matched or None,
        "why": one_line(entry, pick),
        "numbers": dict(entry.numbers),
        "links": dict(entry.work.links),
    }


def one_line(entry: Entry, pick: Pick) -> str:
    """Why a paper was picked: what is his own, then the terms that made its score."""
    return "; ".join(filter(None, [personal(pick.how, pick.matched), *(term.reason for term in entry.terms)]))


def paper_json(paper: Paper, aliases: list[str]) -> dict[str, Any]:
    work = paper.work
    of_scheme = {alias.partition(":")[0]: alias.partition(":")[2] for alias in aliases}
    return {
        "id": paper.id,
        "key": paper.key,
        "arxiv_id": of_scheme.get("arxiv"),
        "doi": of_scheme.get("doi"),
        "title": work.title,
        "authors": list(work.authors),
        "abstract": work.abstract,
        "categories": list(work.categories),
        "organization": work.organization,
        "published_at": work.published_at,
        "listed_on": work.listed_on,
        "first_seen_at": paper.first_seen_at,
        "links": dict(work.links),
        "hidden": paper.hidden,
        "pinned": paper.pinned,
        "retracted": paper.retracted,
    }


def delivery_json(row: Any) -> dict[str, Any]:
    """One row of the delivery table."""
    return {
        "id": row.id,
        "email": row.email,
        "edition": edition_name(row.edition_date, row.edition_cadence),
        "state": row.state,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "next_try_at": row.next_try_at,
        "message_id": row.message_id,
        "in_doubt_at": row.in_doubt_at,
        "reply": row.reply,
        "updated_at": row.updated_at,
    }
