"""`digest units`: what systemd or cron must be told, for this installation."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.common import AsJson, emit, emit_json, talk, writing

DAEMON = "digest.service"
_FOUND = "/usr/bin/env digest"
_HOW_FOUND = re.compile("# env finds the command .*\n")
units = typer.Typer(help="Units for systemd and a line for cron, with the paths of this installation.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    parent.add_typer(units, name="units")


@units.command()
def systemd(
    names: Annotated[list[str] | None, typer.Argument(metavar="UNIT", help="Which; the daemon's when left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all of them into this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the daemon's unit, or others by name; with --out write them all."""
    from digest.errors import UsageError
    from digest.resources import resource

    command = _command()
    known = {path.name: path.read_text() for path in sorted(resource("config/systemd").iterdir())}
    if command is not None:
        called = _for_systemd(command)
        known = {name: _HOW_FOUND.sub("", text).replace(_FOUND, called) for name, text in known.items()}
    wanted = names or ([*known] if out or as_json else [DAEMON])
    for name in wanted:
        if name not in known:
            raise UsageError(f"there is no unit {name!r}", fix=f"the units are {', '.join(known)}")
    if out is not None:
        for name in wanted:
            with writing(out / name) as target:
                target.write(known[name])
        talk(f"Wrote {', '.join(wanted)} to {out}")
    if as_json:
        emit_json({"units": {name: known[name] for name in wanted}})
    elif out is None:
        emit("\n".join(known[name] for name in wanted).rstrip("\n"))
        talk(
            f"There are {', '.join(known)}; to install one: digest units systemd {wanted[0]} > /etc/systemd/system/{wanted[0]}"
        )
    if command is None:
        talk("The units call the command `digest`, which is not installed here: docs/how-to/install.md")


@units.command()
def cron(as_json: AsJson = False) -> None:
    """Print the line for a crontab."""
    from digest.resources import checkout, resource

    text = resource("config/cron/digest.cron").read_text()
    remarks, _, line = text.rstrip("\n").rpartition("\n")
    when = line.partition("/usr/local/bin/digest")[0]
    top, command = checkout(), _command()
    called = shlex.quote(str(command)) if command else f"cd {shlex.quote(str(top))} && {shlex.quote(sys.executable)} -m digest"
    home = os.environ.get("DIGEST_HOME")
    where = f"export DIGEST_HOME={shlex.quote(home)}; " if home else ""
    # To cron a per cent sign is the end of the command (crontab(5)).
    line = when + f"{where}{called} run --quiet".replace("%", r"\%")
    if as_json:
        emit_json({"cron": line})
        return
    emit(f"{remarks}\n{line}")
    talk("Put the last line into your crontab: crontab -e")


def _command() -> Path | None:
    """The whole path of the installed command; None in a checkout, which has none."""
    called = Path(sys.argv[0])
    found = shutil.which("digest") if called.name == "__main__.py" else str(called)
    return Path(found).absolute() if found and Path(found).name == "digest" else None


def _for_systemd(command: Path) -> str:
    r"""A path as ExecStart= reads it: `%` begins a specifier (systemd.unit(5)), and blanks stand in quotes."""
    text = str(command).replace("%", "%%")
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"' if " " in text or '"' in text else text
