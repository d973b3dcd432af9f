"""`digest publish` and `digest preview`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from digest.cli.common import AsJson, Weekly, application, emit, emit_json, talk, writing


def register(parent: typer.Typer) -> None:
    parent.command()(publish)
    parent.command()(preview)


def publish(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="Freeze the editions of this date now, whatever the hour.")] = None,
    as_json: AsJson = False,
) -> None:
    """Freeze the editions that are due. What is frozen stays as it is."""
    from digest.cli.views import freezing_date
    from digest.flows import publish as flow

    with application(context) as app:
        now = app.clock.now()
        on = freezing_date(date, app.schedule, now)
        published = flow.publish(app.store, app.schedule, app.settings.ranking, app.settings.sources, now, on)
        following = app.schedule.next_freezing(now)
    if as_json:
        emit_json({"editions": [edition_json(one) for one in published]})
        return
    for one in published:
        emit(published_line(one))
    if not published:
        talk(f"No edition is due; the next is frozen at {following:%Y-%m-%d %H:%M}Z.")


def edition_json(published: Any) -> dict[str, Any]:
    edition = published.edition
    return {
        "edition": edition.name,
        "date": edition.date.isoformat(),
        "cadence": edition.cadence,
        "new": published.new,
        "frozen_at": None if published.waits else edition.frozen_at,
        "papers": len(edition.entries),
        "empty_because": edition.empty_because or None,
        "missing_sources": list(edition.missing_sources),
    }


def published_line(published: Any) -> str:
    """One edition in a line."""
    edition = published.edition
    what = f"empty: {edition.empty_because}" if edition.empty_because else f"{len(edition.entries)} candidates"
    if published.waits:
        return f"edition {edition.name}: not frozen yet: {edition.empty_because}"
    when = "frozen now" if published.new else f"frozen already, at {edition.frozen_at:%Y-%m-%d %H:%M}Z"
    return f"edition {edition.name}: {what}; {when}"


def preview(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="The day; today when left out.")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="As this subscriber would get it.")] = None,
    weekly: Weekly = False,
    format_: Annotated[Literal["html", "text", "eml"], typer.Option("--format", help="Which part.")] = "html",
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Show a digest as it would be mailed: the frozen edition, or today's as it stands. Nothing is queued or remembered."""
    from digest.cli.views import parse_date
    from digest.errors import BadInput
    from digest.flows import drafts, messages

    with application(context) as app:
        now = app.clock.now()
        on = parse_date(date) or app.schedule.date_at(now)
        who = drafts.reader(app.store, for_) if for_ else None
        edition = drafts.standing(app.store, app.settings.ranking, now, on, "weekly" if weekly else "daily")
        picks = drafts.for_reader(app.store, now, edition, app.usual, app.selection, who, app.model)
        if not picks:
            raise BadInput(
                f"there is nothing to show: {edition.empty_because or 'he has got every paper of it'}", fix="digest collect"
            )
        if format_ == "eml":
            content = messages.preview_message(app.imprint, edition, picks, who)
        else:
            rendered = messages.preview(app.settings.site, app.environments, edition, picks, who)
            content = (rendered.html if format_ == "html" else rendered.text).encode()
        if open_ and out is None:
            suffix = {"html": "html", "text": "txt", "eml": "eml"}[format_]
            out = app.settings.home / f"preview-{edition.name}.{suffix}"
    if out is None:
        emit(content.decode().replace("\r\n", "\n").rstrip("\n"))
        return
    with writing(out) as target:
        target.write(content.decode())
    talk(f"Wrote {out}")
    if open_:
        typer.launch(str(out.resolve()))
