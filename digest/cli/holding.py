"""`digest hold` and `digest release`: whether digests go out at all. Single mails, such as confirmations, always do."""

import typer

from digest.cli.common import application, moment, talk, told

BY = "the operator's command line"


def register(parent: typer.Typer) -> None:
    parent.command()(hold)
    parent.command()(release)


def hold(context: typer.Context) -> None:
    """Hold all digests back, on every machine of this database, until: digest release."""
    from digest.store import holding

    with application(context) as app, app.store.write() as connection:
        now = moment(app)
        held = holding.pause(connection, now, BY)
        since = holding.since(connection) or now
        late = f"{app.schedule.catch_up.total_seconds() / 3600:g} hours"
    talk(f"Digests are held back{'' if held else ' already'}, since {told(since)}. What is on the wire is finished.")
    talk(f"To let them go: digest release. A digest that is more than {late} late by then is left out.")


def release(context: typer.Context) -> None:
    """Let digests go out again that were held back."""
    from digest.store import holding

    with application(context) as app, app.store.write() as connection:
        since = holding.since(connection)
        holding.resume(connection, moment(app), BY)
    talk(f"Digests go out again; they were held back since {told(since)}." if since else "Digests go out; none was held back.")
