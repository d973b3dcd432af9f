"""`digest collect`: papers and the attention they get."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.common import AsJson, application, counted, emit, emit_json, talk

if TYPE_CHECKING:
    from digest.flows.intake import Brought

SHOWN = 20
"""Problems of one source that are shown to people."""


def register(parent: typer.Typer) -> None:
    parent.command()(collect)


def _names(incomplete: str) -> list[str]:
    """The sources whose names go on like this, for the shell."""
    from digest.errors import DigestError
    from digest.sources.registry import sources_of
    from digest.wiring import open_app

    try:
        return [name for name in sources_of(open_app().settings.sources) if name.startswith(incomplete)]
    except DigestError:
        return []  # this is no place to complain of the settings


def collect(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Sources to ask; all that are enabled and bring papers when none is named.", autocompletion=_names),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Read a file instead of asking sources.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="The format of that file; guessed from its name and content otherwise.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Ask for everything from this day on.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it, and store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Collect papers and the attention they get, from sources or a file."""
    from digest.cli.views import parse_date
    from digest.cli.watching import watching
    from digest.errors import Busy, ServerUnavailable, UsageError
    from digest.flows import collect as flow

    from_day = parse_date(since)
    if file is not None and (sources or from_day):
        raise UsageError("--file goes neither with sources nor with --since", fix="collect one after the other")
    with application(context) as app:
        # What was called at a time says that time, however long it took to begin.
        now = app.clock.began
        if from_day and from_day > now.date():
            raise UsageError(f"{from_day} is still to come", fix="name a day of the past")
        if file is not None:
            brought = [flow.collect_file(app.store, now, file, format_, dry_run=dry_run)]
        else:
            with watching() as watch:
                brought = flow.collect(
                    app.store,
                    app.clock,
                    app.forgetful_web if dry_run else app.web,
                    app.settings.sources,
                    sources or (),
                    at=now,
                    since=from_day,
                    window=app.settings.ranking.window,
                    dry_run=dry_run,
                    alarm=app.alarm,
                    watch=watch,
                )
    if as_json:
        emit_json({"dry_run": dry_run, "collected": [brought_json(one) for one in brought]})
    else:
        for one in brought:
            tell(one)
        if not brought:
            talk("No source is enabled: see digest config show, or pass --file.")
        elif dry_run:
            talk("Dry run: nothing was stored.")
    if brought and all(one.verdict == "busy" for one in brought):
        raise Busy(brought[0].error, fix="try again when it has ended")
    if brought and all(one.error for one in brought):
        raise ServerUnavailable("no source answered", fix="see above; try again later")


def tell(brought: "Brought") -> None:
    """A line for what a source brought, after one for each of the first problems."""
    for problem in brought.problems[:SHOWN]:
        talk(f"{brought.source}: {problem}")
    if brought.unusable > SHOWN:
        talk(f"{brought.source}: and {brought.unusable - SHOWN:,} more (--json lists them)")
    if brought.error:
        talk(f"{brought.source}: {brought.verdict}: {brought.error}")
    if brought.error and not (brought.new or brought.known):
        return
    numbers = [counted(brought.new, "new paper"), f"{brought.known:,} known", counted(brought.readings, "new reading")]
    numbers += [f"{brought.retracted:,} retracted"] if brought.retracted else []
    numbers += [f"{number:,} {reason} passed over" for reason, number in brought.passed_over.items()]
    numbers += [f"{counted(brought.unusable, 'problem')} (see above)"] if brought.unusable else []
    proof = ": ".join(filter(None, [brought.verdict, brought.evidence]))
    emit(f"{brought.source}: {', '.join(numbers)}" + ("" if proof == "fresh" or brought.error else f" ({proof})"))


def brought_json(brought: "Brought") -> dict[str, Any]:
    return {
        "source": brought.source,
        "verdict": brought.verdict,
        "evidence": brought.evidence,
        "new": brought.new,
        "known": brought.known,
        "readings": brought.readings,
        "retracted": brought.retracted,
        "passed_over": dict(brought.passed_over),
        "unusable": brought.unusable,
        "problems": [{"line": problem.line, "what": problem.what} for problem in brought.problems],
        "error": brought.error,
    }
