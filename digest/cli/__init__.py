"""The command line: one module a group of commands, each importing what it needs only when it is called."""

import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import datetime
from functools import cache
from io import StringIO
from typing import Annotated

import typer
from typer._click.core import Command


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code (ARCHITECTURE.md, 6)."""
    os.umask(0o077)  # what this program writes holds addresses
    code, written = _ended(lambda: _run(list(arguments))), _ended(_flush)
    return code or written


def _ended(work: Callable[[], int]) -> int:
    from digest.errors import DigestError

    try:
        return work()
    except DigestError as error:
        _say(f"error: {error}")
        if error.fix:
            _say(f"  fix: {error.fix}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough


def _flush() -> int:
    from digest.cli.common import writing

    with writing():
        print(end="", flush=True)  # noqa: T201 (there may be no stdout to flush)
    return 0


def _run(arguments: list[str]) -> int:
    rest, now = _take_now(arguments)
    if "--help" not in rest:
        return _call(rest, now)
    from digest.cli.common import emit

    # Typer prints it by itself, as if there was always room.
    with redirect_stdout(StringIO()) as sheet:
        code = _call(rest, now)
    if text := sheet.getvalue():
        emit(text.removesuffix("\n"))
    return code


def _call(rest: list[str], now: datetime | None) -> int:
    from typer._click.exceptions import ClickException

    from digest.cli.common import Call

    command = _command()
    if "_DIGEST_COMPLETE" in os.environ:
        command.main(rest, prog_name="digest")
    try:
        # Not by `main`: that would keep interrupts and broken pipes to itself.
        with command.make_context("digest", rest, obj=Call(now)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except ClickException as error:
        error.show()
        return error.exit_code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return 0


@cache
def _command() -> Command:
    """What `build` makes, ready for arguments: whoever runs many commands in one process waits for it once."""
    from typer.main import get_command

    return get_command(build())


def _version(wanted: bool) -> None:
    if wanted:
        from digest import __version__
        from digest.cli.common import emit

        emit(f"digest {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """The whole command line."""
    from digest.cli import (
        bench,
        collecting,
        config,
        daemon,
        database,
        deliveries,
        delivering,
        demo,
        dkim,
        doctor,
        evaluating,
        explaining,
        holding,
        init,
        keys,
        papers,
        publishing,
        ranking,
        replaying,
        status,
        subscribers,
        suppressions,
        templates,
        units,
        worker,
    )

    app = typer.Typer(
        name="digest",
        help="Trending papers in your email inbox, once a day.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_digest)
    for module in (
        demo,
        init,
        doctor,
        delivering,
        daemon,
        worker,
        collecting,
        ranking,
        publishing,
        explaining,
        replaying,
        papers,
        subscribers,
        suppressions,
        deliveries,
        holding,
        status,
        evaluating,
        bench,
        config,
        dkim,
        keys,
        templates,
        database,
        units,
    ):
        module.register(app)
    return app


def _digest(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)] = False,
) -> None:
    """Trending papers in your email inbox, once a day."""


def _take_now(arguments: list[str]) -> tuple[list[str], datetime | None]:
    """`--now T` may stand anywhere, before and after the command's name."""
    from digest.clock import parse_instant
    from digest.errors import UsageError

    rest: list[str] = []
    now = None
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--now" or word.startswith("--now="):
            value = word.partition("=")[2] if "=" in word else next(words, "")
            if not value:
                raise UsageError("--now needs a time", fix="write it like --now 2026-11-22T21:00:00Z")
            now = parse_instant(value)
            # At the ends of the calendar there is no room for a window back, or for what is due next.
            if not 1900 <= now.year <= 3000:
                raise UsageError(f"{value!r} is too far away", fix="name a time between the years 1900 and 3000")
        else:
            rest.append(word)
    return rest, now


def _say(text: str) -> None:
    from digest.cli.common import talk

    talk(text)
