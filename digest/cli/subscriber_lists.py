"""`digest subscribers list|import|export`: many readers at once."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from digest.cli.common import (
    AsJson,
    DryRun,
    Limit,
    Yes,
    application,
    counted,
    emit_json,
    moment,
    progress,
    table,
    talk,
    writing,
)

if TYPE_CHECKING:
    from digest.flows.importing import Tally
    from digest.store.subscribers import Reader
    from digest.subscribers.model import State

INTERRUPTED = 130
StateOf = Annotated[str | None, typer.Option("--state", help="Only those in this state.", metavar="STATE")]


def list_(
    context: typer.Context,
    state: StateOf = None,
    search: Annotated[str, typer.Option("--search", help="Only those with this in address or name.")] = "",
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Readers, in order of sign-up."""
    from digest.store import subscribers as store

    wanted = _state(state)
    with application(context) as app, app.store.read() as connection:
        found = list(store.listing(connection, app.clock.now(), state=wanted, search=search, limit=limit))
        counts = store.counts(connection)
    if as_json:
        emit_json({"subscribers": [subscriber_json(reader) for reader in found]})
        return
    rows = [subscriber_json(reader) for reader in found]
    table(
        ("email", "state", "when", "interests", "next due"),
        [(row["email"], row["state"], when(row), _interests(row), _short(row["next_due_at"])) for row in rows],
    )
    talk(f"{len(found)} shown; in all: {', '.join(f'{number} {name}' for name, number in sorted(counts.items())) or 'nobody'}")


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A CSV file with a header, or - for standard input.", metavar="FILE")],
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="They asked for it, I know: mail no confirmation and no welcome.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take in readers from CSV: email, and name, topics, keywords, authors, categories, mutes, likes, dislikes (all of them
    separated by ;), zone, hour, days, cadence, size, share, language.

    Who is a subscriber already stays as he is; who left, bounced, complained or is suppressed is not brought back. Bad rows
    are reported by line and passed over. Addresses behind which nobody reads, such as postmaster@, are taken in with a warning.
    An import that was stopped goes on when the same command is run again.
    """
    from digest.flows.importing import Import, Tally
    from digest.subscribers.csv import BadRow, Sheet

    tally = Tally()
    bad: list[BadRow] = []
    interrupted = False

    def report(row: BadRow) -> None:
        bad.append(row)
        if not as_json:
            talk(f"line {row.line}: {row.why}")

    with application(context) as app, ExitStack() as stack:
        now = moment(app)
        source, total = _opened(file, stack)
        sheet = Sheet(source)
        if sheet.unknown_columns:
            talk(f"columns passed over: {', '.join(sheet.unknown_columns)}")
        if not (confirmed or yes or dry_run) and sys.stdin.isatty():
            typer.confirm("Each new reader is mailed a confirmation. Go on?", default=False, err=True, abort=True)
        origin = "an import from standard input" if file == "-" else f"an import of {Path(file).name[:100]}"
        url = app.settings.site.public_url
        job = Import(app.store, now, confirmed, url, origin, dry_run)
        try:
            with progress("rows", total) as show:
                job.run(sheet, tally, report, lambda: show(tally.line))
        except KeyboardInterrupt:
            interrupted = True
    if as_json:
        rows = [{"line": row.line, "why": row.why} for row in bad]
        emit_json(_tally_json(tally) | {"bad": rows, "unknown_columns": sheet.unknown_columns, "interrupted": interrupted})
    talk(("Would import: " if dry_run else "Imported: ") + _in_words(tally))
    if tally.roles:
        named = ", ".join(map(str, tally.some_roles)) + (", …" if tally.roles > len(tally.some_roles) else "")
        talk(f"warning: behind {tally.roles:,} of those added there is a duty or a program rather than a reader: {named}")
    if interrupted:
        talk(f"Stopped after line {tally.line}; nothing is half in. Run the same command again to go on.")
        raise typer.Exit(INTERRUPTED)


def export(
    context: typer.Context,
    state: StateOf = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; else standard output.", metavar="FILE")] = None,
) -> None:
    """Write readers as CSV, as import reads it. No cell begins like a spreadsheet's formula."""
    from digest.store import subscribers as store
    from digest.subscribers.csv import written

    wanted = _state(state)
    with application(context) as app, app.store.read() as connection:
        found = store.listing(connection, app.clock.now(), state=wanted)
        lines = written((reader.subscriber, reader.interests) for reader in found)
        with writing(out) as target:
            count = -1  # the header is a line, and no reader
            for line in lines:
                target.write(line)
                count += 1
            target.flush()
    talk(f"{count} readers written{f' to {out}' if out else ''}")


def subscriber_json(reader: "Reader") -> dict[str, Any]:
    """A reader as JSON. `hour` null: with each edition; `size` null: as `ranking.size` says; `language` null: the site's."""
    from digest.subscribers.csv import RATED_IN, STATED_IN
    from digest.subscribers.model import WEEKDAYS

    one = reader.subscriber
    return {
        "email": one.address.text,
        "state": one.state,
        "name": one.name,
        **{
            column: [interest.value for interest in reader.interests if interest.kind == kind]
            for column, kind in (STATED_IN | RATED_IN).items()
        },
        "zone": one.preferences.zone,
        "hour": one.preferences.hour.strftime("%H:%M") if one.preferences.hour else None,
        "days": [WEEKDAYS[day] for day in sorted(one.preferences.days)],
        "cadence": one.preferences.cadence,
        "size": one.preferences.size,
        "share": one.preferences.share,
        "language": one.preferences.language or None,
        "created_at": one.created_at,
        "confirmed_at": one.confirmed_at,
        "paused_until": one.paused_until,
        "next_due_at": one.next_due_at,
    }


def when(row: dict[str, Any]) -> str:
    """A reader's hour and days in a few words."""
    days = "" if len(row["days"]) == 7 else f" {','.join(row['days'])}"
    hour = f"{row['hour']} {row['zone']}" if row["hour"] else "with the edition"
    return f"{row['cadence']} {hour}{days}"


def _interests(row: dict[str, Any]) -> str:
    """What he wants in a few words; papers are counted."""
    words = [word for column in ("topics", "keywords", "authors", "categories") for word in row[column]]
    words += [f"not {word}" for word in row["mutes"]]
    words += [counted(len(row[column]), one) for column, one in (("likes", "like"), ("dislikes", "dislike")) if row[column]]
    return ", ".join(words)


def _state(text: str | None) -> "State | None":
    from digest.errors import UsageError
    from digest.subscribers.model import STATES

    if text is None:
        return None
    for state in STATES:
        if state == text.strip().lower():
            return state
    raise UsageError(f"{text!r} is not a state", fix=f"one of {', '.join(STATES)}")


def _short(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z" if at else ""


def _opened(file: str, stack: ExitStack) -> tuple[BinaryIO, int | None]:
    """The file to import, and its number of lines if that can be told beforehand."""
    from digest.errors import UsageError

    if file == "-":
        return sys.stdin.buffer, None
    try:
        source = stack.enter_context(Path(file).open("rb"))  # noqa: SIM115 (the stack closes it)
        if not source.seekable():
            return source, None
        total = sum(block.count(b"\n") for block in iter(lambda: source.read(1 << 20), b""))
        source.seek(0)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    return source, total


def _tally_json(tally: "Tally") -> dict[str, Any]:
    return {
        "added": tally.added,
        "already": tally.already,
        "repeated": tally.repeated,
        "suppressed": tally.suppressed,
        "gone": dict(tally.gone),
        "roles": tally.roles,
        "last_line": tally.line,
    }


def _in_words(tally: "Tally") -> str:
    counts = [
        (tally.added, "added"),
        (tally.already, "already there"),
        (tally.repeated, "more than once in the file"),
        (tally.suppressed, "suppressed, not added"),
        *((number, f"{state}, not brought back") for state, number in sorted(tally.gone.items())),
        (tally.bad, "bad lines"),
    ]
    return "; ".join(f"{number:,} {words}" for number, words in counts if number or words == "added")
