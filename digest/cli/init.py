"""`digest init`: from nothing to a working configuration."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, emit_json, me, talk

if TYPE_CHECKING:
    from digest.settings.initial import Question


def register(parent: typer.Typer) -> None:
    parent.command()(init)


def init(
    *,
    public_url: Annotated[str | None, typer.Option(help="Where readers reach the web part.", metavar="URL")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Whom mails come from: Name <address>.", metavar="MAILBOX")
    ] = None,
    smtp_url: Annotated[
        str | None, typer.Option(help="The mail server; a password in it goes into .env.", metavar="URL")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of the site, such as Europe/Berlin.", metavar="ZONE")] = None,
    publish_at: Annotated[str | None, typer.Option(help="When the day's edition is frozen.", metavar="HH:MM")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write the files anew if they are there; ask nothing.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write digest.toml and .env with a fresh secret, and create the database."""
    from digest.settings import home_directory, load
    from digest.settings.initial import initialise, open_questions, written_files
    from digest.store.migrate import upgrade

    home = home_directory()
    answers = {
        "site.public_url": public_url,
        "email.from": from_,
        "smtp.url": smtp_url,
        "schedule.timezone": timezone,
        "schedule.publish_at": publish_at,
    }
    talks = sys.stdin.isatty() and sys.stderr.isatty() and not (yes or no_input or as_json)
    if talks and not written_files(home):
        for question in open_questions(answers, load(home, overrides=answers), machine_zone(os.environ)):
            answers[question.key] = _answer(question, home)
    settings = initialise(home, answers, overwrite=yes)
    wrote = [str(path) for path in written_files(home)]
    if not as_json:
        talk(f"Wrote {' and '.join(wrote)}")
    upgrade(settings.database_url)
    missing = settings.missing("site.public_url", "email.from", "smtp.url")
    if as_json:
        emit_json({"home": str(home), "wrote": wrote, "not_set": missing})
        return
    talk("The database is ready.")
    if missing:
        talk(f"Still to set before mails can go out: {', '.join(missing)}")
    else:
        talk(f"Try the mail server:   {me()} doctor --smtp --send-to you@example.org")
    talk(f"Add a reader:          {me()} subscribers add you@example.org --confirmed")
    talk(f"Do what is due now:    {me()} run        (all day long: {me()} daemon)")


def machine_zone(environ: Mapping[str, str], localtime: Path = Path("/etc/localtime")) -> str:
    """The IANA name of the machine's time zone, UTC where it cannot be told."""
    from digest.errors import BadInput
    from digest.subscribers.model import parse_zone

    _, _, linked = str(localtime.resolve()).partition("zoneinfo/")
    for name in (environ.get("TZ", ""), linked):
        try:
            return parse_zone(name)
        except BadInput:
            continue
    return "UTC"


def _answer(question: "Question", home: Path) -> str:
    """Ask until the answer is right; an empty one leaves the setting as it is."""
    from digest.errors import ConfigurationError
    from digest.settings import load

    while True:
        answer: str = typer.prompt(question.text, default=question.suggestion, show_default=bool(question.suggestion), err=True)
        try:
            load(home, overrides={question.key: answer.strip() or None})
        except ConfigurationError as error:
            talk(f"{error}\n{error.fix}")
        else:
            return answer
