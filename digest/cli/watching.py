"""Progress of sources that are asked side by side: a line for each, for people alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from digest.cli.common import counted
from digest.flows.asking import NOBODY, Watch

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from digest.flows.intake import Brought


@contextmanager
def watching() -> Iterator[Watch]:
    """Somebody who draws on stderr, while the block runs, how far each source is; nobody where that is no terminal."""
    if not sys.stderr.isatty():
        yield NOBODY
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[said]}", markup=False))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        yield _Bars(progress)


class _Bars:
    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._lock = Lock()

    def step(self, source: str, done: int, total: int | None) -> None:
        self._draw(source, done, total, f"{done}" if total is None else f"{done} of {total}")

    def ended(self, brought: "Brought") -> None:
        found = f"{brought.verdict}, {counted(brought.new + brought.known, 'paper')}"
        self._draw(brought.source, 1, 1, brought.verdict if brought.error else found)

    def _draw(self, source: str, done: int, total: int | None, said: str) -> None:
        with self._lock:
            if source not in self._tasks:
                self._tasks[source] = self._progress.add_task(source, total=total, said=said)
        self._progress.update(self._tasks[source], completed=done, total=total, said=said)
