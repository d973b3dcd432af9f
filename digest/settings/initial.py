"""A fresh installation's settings: what must be asked, and what is written."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from digest.errors import UsageError
from digest.settings.layers import dotenv_variables, from_toml
from digest.settings.load import load
from digest.settings.missing import variable
from digest.settings.model import Settings
from digest.settings.write import dotenv_text, toml_text, write_private
from digest.smtp.url import parse_smtp_url

SECRET_BYTES = 48


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only the operator can know."""

    key: str
    text: str
    suggestion: str = ""


QUESTIONS = (
    Question("site.public_url", "Address of the web part, such as https://papers.example.org"),
    Question("email.from", "Mails come from, such as Papers <papers@example.org>"),
    Question("smtp.url", "Mail server, such as smtp+starttls://user:password@mail.example.org:587"),
    Question("schedule.timezone", "Time zone"),
)


def open_questions(given: Mapping[str, str | None], settings: Settings, zone: str) -> list[Question]:
    """What to ask a person at a terminal: nothing that was given, and the zone, which has a default, only if nothing was."""
    nothing_given = not any(given.values())
    asked = [q for q in QUESTIONS if not given.get(q.key) and (nothing_given or q.key != "schedule.timezone")]
    known = {key: settings.value(key) for key in ("site.public_url", "email.from")}
    server = settings.smtp.server
    known["smtp.url"] = str(server) if server else ""
    known["schedule.timezone"] = settings.schedule.timezone if settings.place("schedule.timezone") != "default" else zone
    return [Question(q.key, q.text, str(known[q.key] or "")) for q in asked]


def written_files(home: Path) -> list[Path]:
    """The files of an installation that are there already."""
    return [path for path in (home / "digest.toml", home / ".env") if path.exists()]


def initialise(
    home: Path, answers: Mapping[str, str | None], *, environ: Mapping[str, str] = os.environ, overwrite: bool = False
) -> Settings:
    """Write `digest.toml` and `.env` in `home`, and return the settings that then hold.

    What stood there before and was not answered anew stays, the secret above all; `.bak` keeps the old files whole.

    Raises:
        UsageError: there are files, and they are not to be overwritten.
        ConfigurationError: an answer is wrong; then nothing was written.
    """
    if (there := written_files(home)) and not overwrite:
        raise UsageError(
            f"{' and '.join(map(str, there))} {'is' if len(there) == 1 else 'are'} there already",
            fix="edit by hand, or let `digest init --yes` write anew: secrets and other settings stay, the old file as .bak",
        )
    answered = {key: answer.strip() for key, answer in answers.items() if answer and answer.strip()}
    before = load(home, environ, answered)
    values = from_toml(home / "digest.toml").values | answered
    variables, _ = dotenv_variables(home / ".env")
    for key in answered:
        # An older answer in .env would hide the new one in digest.toml.
        variables.pop(variable(key), None)
        variables.pop(variable(key) + "_FILE", None)
    if "site.public_url" in answered:
        values["site.public_url"] = before.site.public_url
    if url := answered.get("smtp.url"):
        server = parse_smtp_url(url)
        values["smtp.url"] = str(server)
        if server.password is not None:
            values.pop("smtp.password", None)
            variables.pop(variable("smtp.password") + "_FILE", None)
            variables[variable("smtp.password")] = server.password
    if before.site.secret_key is None:
        variables[variable("site.secret_key")] = secrets.token_urlsafe(SECRET_BYTES)
    write_private(home / ".env", dotenv_text(variables))
    write_private(home / "digest.toml", toml_text(values))
    return load(home, environ)
