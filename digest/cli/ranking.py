"""`digest rank`: the order of an edition's papers with every term of their scores, or what one reader gets of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, Weekly, application, emit_json, table, talk

if TYPE_CHECKING:
    from digest.edition.model import Edition, Entry, Pick

Row = tuple["Entry", "Pick"]
TOP = 20
ROOM = 44
"""Columns that titles and reasons need beside a column for each term; where there are fewer, terms are told in words."""


def register(parent: typer.Typer) -> None:
    parent.command()(rank)


def rank(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="The day; today when left out.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="What this subscriber would get of it now.")] = None,
    weekly: Weekly = False,
    top: Annotated[int | None, typer.Option("--top", min=1, help="How many: 20, or as many as he gets.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the ranking of an edition, as it is frozen or else as it stands now, with every term. Freezes nothing."""
    from digest.cli.views import entry_json, parse_date
    from digest.edition.model import Pick
    from digest.flows import drafts
    from digest.store.papers import hidden_among

    with application(context) as app:
        now = app.clock.now()
        on = parse_date(date) or app.schedule.date_at(now)
        edition = drafts.standing(app.store, app.settings.ranking, now, on, "weekly" if weekly else "daily")
        if for_ is None:
            with app.store.read() as connection:
                hidden = hidden_among(connection, [entry.paper_id for entry in edition.entries])
            left = [entry for entry in edition.entries if entry.paper_id not in hidden]
            rows = [(entry, Pick(entry.paper_id, "card")) for entry in left[: top or TOP]]
        else:
            who, usual = drafts.reader(app.store, for_), app.usual
            if top is not None:
                who, usual = who._replace(size=None), replace(usual, cards=top, also=0)
            picks = drafts.for_reader(app.store, now, edition, usual, app.selection, who, app.model)
            entries = {entry.paper_id: entry for entry in edition.entries}
            rows = [(entries[pick.paper_id], pick) for pick in picks]
    if as_json:
        emit_json(
            {
                "edition": edition.name,
                "date": on.isoformat(),
                "cadence": edition.cadence,
                "frozen_at": edition.frozen_at if edition.number else None,
                "for": for_,
                "candidates": len(edition.entries),
                "papers": [entry_json(entry, pick, place) for place, (entry, pick) in enumerate(rows, 1)],
            }
        )
        return
    if rows:
        _show(rows, personal=for_ is not None)
    talk(_summary(edition, len(rows), for_))


def _show(rows: Sequence[Row], *, personal: bool) -> None:
    """A line for each paper; its terms stand in columns of their own, or below its title where there is no room."""
    from digest.cli.views import one_line

    signals = _signals(rows)
    ahead = ("", "rank", "section") if personal else ("",)
    beside = 2 + 2 * (len(ahead) + len(signals)) + 16 * personal + sum(max(7, len(signal)) for signal in signals)
    in_columns = _width() - beside >= ROOM
    heads = (*ahead, "score", *(signals if in_columns else ()), "paper, and why")
    lines = []
    for place, (entry, pick) in enumerate(rows, 1):
        terms = {term.signal: term.score for term in entry.terms}
        columns = [_votes(terms.get(signal)) for signal in signals] if in_columns else []
        told = "" if in_columns else "  ".join(f"{name}={_votes(terms[name])}" for name in signals if _votes(terms.get(name)))
        text = "\n".join(filter(None, [entry.work.title, told, one_line(entry, pick)]))
        mine = (place, entry.rank, pick.section) if personal else (entry.rank,)
        lines.append((*mine, f"{entry.score:.1f}", *columns, text))
    table(heads, lines, spaced=True)


def _signals(rows: Sequence[Row]) -> list[str]:
    """The signals that show in any of these papers' scores, the weightiest first."""
    weight: dict[str, float] = {}
    for entry, _ in rows:
        for term in entry.terms:
            if _votes(term.score):
                weight[term.signal] = weight.get(term.signal, 0.0) + abs(term.score)
    return sorted(weight, key=lambda signal: (-weight[signal], signal))


def _votes(score: float | None) -> str:
    """What a term adds; nothing where it rounds to nothing."""
    text = "" if score is None else f"{score:+.1f}"
    return "" if text in ("+0.0", "-0.0") else text


def _width() -> int:
    """As wide as the table will be."""
    import sys

    from rich.console import Console

    return Console().width if sys.stdout.isatty() else 120


def _summary(edition: "Edition", shown: int, reader: str | None) -> str:
    state = f"frozen at {edition.frozen_at:%Y-%m-%d %H:%M}Z" if edition.number else "not frozen; this is how it stands"
    whose = f" for {reader}" if reader else ""
    if not shown:
        return f"nothing{whose}: {edition.empty_because or 'nothing in it is new to him'} ({edition.name}, {state})"
    return f"{shown} of {len(edition.entries)} candidates{whose}; edition {edition.name}, {state}; scores in expected votes"
