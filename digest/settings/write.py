"""Writes the files of an installation: `digest.toml` for settings, `.env` for secrets, keys; all for their owner only."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from digest.errors import UsageError, unwritable
from digest.settings.missing import EXAMPLES
from digest.settings.shown import toml_value

OFFERED = ("site.public_url", "email.from", "smtp.url", "schedule.timezone", "schedule.publish_at")
"""Settings that a fresh `digest.toml` shows, set or not."""

_TOML_HEAD = """\
# Settings of this installation. What is not written here has its default; every setting, what it means and its default:
# docs/reference/settings.md, or `digest config show`. Secrets belong into .env beside this file.
"""
_DOTENV_HEAD = "# Secrets of this installation: readable by its owner only, and never to be shared.\n"


def toml_text(values: Mapping[str, object]) -> str:
    """`digest.toml` with these values by dotted key; what is offered and not among them stands as a comment."""
    sections: dict[str, list[str]] = {}
    for key in dict.fromkeys([*OFFERED, *values]):
        section, _, name = key.rpartition(".")
        line = f"{name} = {toml_value(values[key])}" if key in values else f"#{name} = {toml_value(EXAMPLES[key])}"
        sections.setdefault(section, []).append(line)
    return _TOML_HEAD + "".join(f"\n[{section}]\n" + "\n".join(lines) + "\n" for section, lines in sections.items())


def dotenv_text(variables: Mapping[str, str]) -> str:
    """`.env` with these variables, quoted so that they are read back as they are."""
    return _DOTENV_HEAD + "".join(f"{name}={dotenv_value(value)}\n" for name, value in variables.items())


def dotenv_value(value: str) -> str:
    """A value as `.env` has it, in quotes."""
    escaped = re.sub(r"([\\'])", r"\\\1", value)
    return f"'{escaped}'"


def write_private(path: Path, text: str) -> Path | None:
    """Write a file that only its owner can read, whole or not at all; returns where beside it lies what was there before.

    Raises:
        NotPermitted: the folder or file cannot be written.
        TemporaryFailure: the disk is full.
    """
    with _refusals(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = path.with_name(path.name + ".bak") if path.exists() else None
        if before:
            _put(before, path.read_bytes(), Path.replace)
        _put(path, text.encode(), Path.replace)
    return before


def write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, where there is none.

    Raises:
        UsageError: there is one; it stays as it is.
        NotPermitted: the folder or file cannot be written.
        TemporaryFailure: the disk is full.
    """
    with _refusals(path):
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True)
            if os.geteuid() == 0:
                owner = path.parent.parent.stat()
                os.chown(path.parent, owner.st_uid, owner.st_gid)
        try:
            _put(path, content, os.link)
        except FileExistsError:
            raise UsageError(f"{path} is there already, and is not overwritten", fix="choose another name") from None


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What the system refuses, in our errors."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error, fix="check owner and mode of the folder, or choose another with DIGEST_HOME") from None


def _put(path: Path, content: bytes, place: Callable[[Path, Path], object]) -> None:
    """Write all of it beside, then put it in its place."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if os.geteuid() == 0:
                # What root writes for the service belongs to whom the former file, or the folder, belongs to.
                owner = (path if path.exists() else path.parent).stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        place(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
