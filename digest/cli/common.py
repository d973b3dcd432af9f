"""What commands share: the application, data on stdout, talk on stderr, and questions to people only."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from digest.errors import TemporaryFailure, UsageError, unwritable

if TYPE_CHECKING:
    from digest.wiring import App

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")]
Weekly = Annotated[bool, typer.Option("--weekly", help="The weekly edition instead of the daily one.")]
Resolver = Annotated[str, typer.Option("--resolver", help="Ask this name server, such as 192.0.2.53, not this machine's.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")]

_ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Call:
    """How the program was called: `now` is where the clock starts (`--now`), None for the present."""

    now: datetime | None = None


@contextmanager
def application(context: typer.Context) -> Iterator["App"]:
    """The application for one command."""
    from digest.wiring import open_app

    call = context.find_object(Call) or Call()
    app = open_app(now=call.now)
    try:
        yield app
    finally:
        app.close()


def moment(app: "App") -> datetime:
    """The time of an act, to the second: a command that is told the same `--now` comes no earlier than this one."""
    return app.clock.now().replace(microsecond=0)


def told(at: datetime) -> str:
    """A moment as people are told it: `Mon 2026-03-02 06:00Z`."""
    return f"{at:%a %Y-%m-%d %H:%M}Z"


def emit(text: str) -> None:
    """A line of data. Text from outside may hold no escape codes for the terminal."""
    _write(safe(text) + "\n")


def emit_json(value: object) -> None:
    """The one JSON object of a command."""
    _write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")


@contextmanager
def writing(file: Path | None = None) -> Iterator[TextIO]:
    """Where data goes: standard output, or a file.

    Raises:
        BrokenPipeError: whoever reads it has seen enough.
        TemporaryFailure: there is no room for it.
        NotPermitted: the file cannot be written.
    """
    try:
        if file is None:
            yield sys.stdout
        else:
            with file.open("w", encoding="utf-8", newline="") as target:
                yield target
    except OSError as error:
        if file is not None and not isinstance(error, BrokenPipeError):
            raise unwritable(file, error, fix="check owner and mode of the folder, or choose another file") from None
        # What is left would fail once more at the interpreter's end, with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise TemporaryFailure(f"cannot write standard output: {error.strerror}", fix="make room for it") from None


def _write(text: str) -> None:
    with writing():
        print(text, end="")  # noqa: T201 (there may be no stdout to write to)


def talk(text: str) -> None:
    """A line for the person at the terminal, who may have closed it."""
    with suppress(OSError):
        sys.stderr.write(safe(text) + "\n")


def safe(text: str) -> str:
    """Text without control characters but tab and line feed."""
    return _ESCAPES.sub("", text)


def near(path: Path) -> str:
    """A path as somebody in this folder would type it."""
    try:
        return safe(str(path.relative_to(Path.cwd())))
    except ValueError:
        return safe(str(path))


def me() -> str:
    """How this program is called from here, for the commands that we tell people to type."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{near(Path(sys.executable))} -m digest"
    return "digest" if shutil.which("digest") else near(called)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", spaced: bool = False) -> None:
    """A table for people, as wide as the terminal; not for programs, which ask for `--json`. `spaced`: a line between rows."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, leading=int(spaced))
    for header in headers:
        drawn.add_column(header, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(safe("" if cell is None else str(cell))) for cell in row))
    sheet = StringIO()  # rich's own writing ends the program where a pipe is broken
    # A pipe has no width; this much a log or a mail from cron still shows on a line.
    people = sys.stdout.isatty()
    Console(file=sheet, force_terminal=people, width=None if people else 120).print(drawn)
    _write(sheet.getvalue())


def confirm(question: str, *, yes: bool) -> None:
    """Make sure that this is meant.

    Raises:
        UsageError: nobody is there to be asked, and `--yes` was not given; or the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this cannot be undone, and nobody is there to be asked", fix="pass --yes")
    if not typer.confirm(question, default=False, err=True):
        raise UsageError("nothing was done")


def counted(number: int, noun: str) -> str:
    """`1 paper`, `1,200 papers`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on stderr while the block runs, for people alone; call what it gives with how much is done, and of how
    much when that was not known before."""
    if not sys.stderr.isatty():
        yield lambda _done, _total=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, total=None: bar.update(task, completed=done, total=total)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
