"""`digest db`: the database's schema, and copies of it."""

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.common import AsJson, Yes, application, confirm, counted, emit, emit_json, progress, talk

db = typer.Typer(help="Create, upgrade, back up, restore and move the database.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    parent.add_typer(db, name="db")


@db.command()
def upgrade(context: typer.Context) -> None:
    """Create the database, or bring it to the schema of this program."""
    from digest.scheduling import jobs
    from digest.store.engine import shown
    from digest.store.migrate import upgrade as migrate

    with application(context) as app:
        url = app.settings.database_url
        schema = migrate(url)
        emit(f"{shown(url)}: schema {schema}" + (", with tables for workers" if jobs.upgrade(url) else ""))


@db.command()
def current(context: typer.Context, as_json: AsJson = False) -> None:
    """Which schema the database has, and which this program needs."""
    from digest.store import schema
    from digest.store.engine import Store, shown

    with application(context) as app:
        url = app.settings.database_url
        found = Store.schema_of(url)
    if as_json:
        emit_json({"database": shown(url), "schema": found, "needed": schema.HEAD})
    else:
        emit(f"{shown(url)}: schema {found or 'none'}, this program needs {schema.HEAD}")


@db.command()
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="Where to; must not exist.")]) -> None:
    """Copy an SQLite database while it is in use, whole and consistent."""
    from digest.errors import UsageError
    from digest.store import backup as copies
    from digest.store.engine import Store, shown

    with application(context) as app:
        url = app.settings.database_url
        if Store.schema_of(url) is None:  # others would make an empty one, and its copy is taken for a backup for years
            raise UsageError(f"there is no database at {shown(url)}", fix="say in DIGEST_HOME where it lies")
        copies.backup(app.store, file)
    talk(f"Wrote {file}")


@db.command()
def restore(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="A file that digest db backup wrote.")], yes: Yes = False
) -> None:
    """Put a backup in the place of the SQLite database. Mails that went out after it was made may go out again."""
    from digest.store import backup as copies

    with application(context) as app:
        url = app.settings.database_url
        copies.check(file)
        confirm(f"Replace the database by {file}? What happened since then is forgotten, mails included.", yes=yes)
        kept = copies.restore(url, file)
    talk(f"Restored {file}." + (f" The former database is {kept}." if kept else ""))


@db.command()
def move(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where to, as in database.url; new or empty.", metavar="URL")],
    as_json: AsJson = False,
) -> None:
    """Copy everything into another database, such as PostgreSQL; stop everything else first. The former one stays as it is."""
    from digest.errors import UsageError
    from digest.scheduling import jobs
    from digest.store.engine import Store, shown
    from digest.store.migrate import upgrade as migrate
    from digest.store.moving import move as flow

    with application(context) as app:
        origin = app.settings.database_url
        if Store.schema_of(origin) is None:
            raise UsageError(f"there is no database at {shown(origin)}", fix="say in DIGEST_HOME where it lies")
        target = app.settings.whole_url(url)
        migrate(target)
        jobs.upgrade(target)
        with progress("rows") as show:
            moved = flow(origin, target, show)
    if as_json:
        emit_json({"from": shown(origin), "to": shown(target), "rows": moved})
    else:
        emit(f"{counted(sum(moved.values()), 'row')} moved to {shown(target)}")
    talk(
        "Set database.url to it before anything mails again: from the former database, readers would get the same mails twice."
    )
