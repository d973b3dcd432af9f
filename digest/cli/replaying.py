"""`digest replay`: a mail as it was submitted, once more."""

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.common import AsJson, application, emit_json, talk, writing


def register(parent: typer.Typer) -> None:
    parent.command()(replay)


def replay(
    context: typer.Context,
    date: Annotated[str, typer.Argument(help="The edition's day, such as 2026-11-22.", metavar="DATE")],
    address: Annotated[str, typer.Argument(help="The reader's email address.", metavar="ADDRESS")],
    weekly: Annotated[
        bool, typer.Option("--weekly", help="The weekly edition, where he got the daily one of that day too.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write to a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a mail once more as it was submitted, byte for byte; say when templates have changed since."""
    from digest.cli.views import delivery_json, parse_date
    from digest.flows.replaying import replay as flow
    from digest.subscribers.address import EmailAddress

    on = parse_date(date)
    assert on is not None
    with application(context) as app:
        again = flow(app.store, app.imprint, app.keys, EmailAddress.parse(address), on, "weekly" if weekly else None)
    content = again.content.decode()
    if out is not None:
        with writing(out) as target:
            target.write(content)
        talk(f"Wrote {out}")
    if as_json:
        changed = None if again.changed is None else list(again.changed)
        emit_json({**delivery_json(again.row), "changed": changed, "bytes": len(again.content), "message": content})
    elif out is None:
        with writing() as target:
            target.write(content)
    if again.changed is None:
        talk("With what it was made then is not known: templates may have changed since.")
    elif again.changed:
        talk(f"Changed since it was submitted: {', '.join(again.changed)}. So this may not be what he got, to the byte.")
