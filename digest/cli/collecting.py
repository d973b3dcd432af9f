"""`digest collect` and `digest rank`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, Weekly, application, emit, emit_json, table, talk

if TYPE_CHECKING:
    from digest.flows.collect import Brought


def register(parent: typer.Typer) -> None:
    parent.command()(collect)
    parent.command()(rank)


def collect(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(help="Sources to ask; all that are enabled when none is named.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Read a file instead of asking sources.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="page, jsonl or hf; guessed from the file's name otherwise.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what a file holds, and store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Collect papers and the attention they get, from sources or a file."""
    from digest.errors import ServerUnavailable, UsageError
    from digest.flows import collect as flow
    from digest.sources.formats import guess_format

    if file is not None and sources:
        raise UsageError("sources and --file do not go together", fix="collect one after the other")
    if dry_run and file is None:
        raise UsageError("--dry-run needs --file", fix="digest collect --dry-run --file F")
    with application(context) as app:
        if file is not None and dry_run:
            parsed = flow.read_file(file, format_ or guess_format(file), app.clock.now())
            brought = [flow.Brought(str(file), "dry run", new=len(parsed.sightings), problems=parsed.problems)]
        elif file is not None:
            brought = [flow.collect_file(app.store, app.clock.now(), file, format_)]
        else:
            brought = flow.collect(app.store, app.clock, app.settings.sources, sources or ())
    if as_json:
        emit_json({"collected": [brought_json(one) for one in brought]})
    else:
        for one in brought:
            tell(one)
        if not brought:
            talk("No source is enabled: see digest config show, or pass --file.")
    if brought and all(one.verdict == "failed" for one in brought):
        raise ServerUnavailable("no source answered", fix="see above; try again later")


def tell(brought: "Brought") -> None:
    for problem in brought.problems:
        talk(f"{brought.source}: {problem}")
    if brought.verdict == "failed":
        talk(f"{brought.source}: failed: {brought.error}")
    else:
        skipped = f", {len(brought.problems)} not usable (see above)" if brought.problems else ""
        emit(f"{brought.source}: {brought.new} new papers, {brought.known} known, {brought.readings} new readings{skipped}")


def brought_json(brought: "Brought") -> dict[str, object]:
    return {
        "source": brought.source,
        "verdict": brought.verdict,
        "new": brought.new,
        "known": brought.known,
        "readings": brought.readings,
        "problems": [{"line": problem.line, "what": problem.what} for problem in brought.problems],
        "error": brought.error,
    }


def rank(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="The day to rank for; today when left out.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="For this subscriber, by his interests and memory.")] = None,
    weekly: Weekly = False,
    top: Annotated[int, typer.Option("--top", min=1, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the ranking as it stands now, with what made each score. Freezes nothing."""
    from digest.cli.views import entry_json, one_line, parse_date
    from digest.flows import choose

    with application(context) as app:
        on = parse_date(date) or app.schedule.date_at(app.clock.now())
        edition = choose.draft(app.store, app.settings.ranking, app.clock.now(), on, "weekly" if weekly else "daily")
        who = choose.reader(app.store, for_) if for_ else None
        chosen = choose.for_reader(
            app.store, app.clock.now(), edition, replace(app.usual, cards=top, also=0), who and replace(who, size=None)
        )
    entries = {entry.paper_id: entry for entry in edition.entries}
    rows = [(entries[pick.paper_id], pick) for pick in chosen]
    if as_json:
        papers = [entry_json(entry, pick, place) for place, (entry, pick) in enumerate(rows, 1)]
        emit_json({"date": on.isoformat(), "for": for_, "candidates": len(entries), "papers": papers})
        return
    table(
        ("", "score", "paper", "why"),
        [(place, f"{entry.score:.2f}", entry.work.title, one_line(entry, pick)) for place, (entry, pick) in enumerate(rows, 1)],
    )
    talk(f"{len(rows)} of {len(entries)} candidates for {on}")
