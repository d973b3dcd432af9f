"""Where the CPU time of a process goes: by thread, and by stage within a thread.

It belongs into a process that does nothing but be measured: threads and functions are wrapped from outside, so that what is
measured has no hooks. A look at a thread's clock takes a fraction of a microsecond.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from typing import Any, Self

MAIN = "main"


class Stages(ExitStack):
    """Collects CPU seconds while the block runs; threads count when they have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.within: defaultdict[tuple[int, str], float] = defaultdict(float)
        """By thread and stage; a stage within another is counted in both."""
        self.threads: dict[int, tuple[str, float]] = {}
        """Name and CPU seconds of each thread that has ended, and of the main one."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._begun = time.thread_time()
        self._here = threading.local()
        self._numbers = count()
        self._number()
        self._replace(threading.Thread, "run", self._leaving)
        return self

    def __exit__(self, *error: object) -> bool | None:
        self.threads[self._number()] = MAIN, time.thread_time() - self._begun
        return super().__exit__(*error)  # type: ignore[arg-type]

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Count what a function of a class or module spends as a stage, while the block runs."""
        self._replace(owner, name, lambda act: self.timed(stage, act))

    def timed(self, stage: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, counted as a stage."""
        clock, thread, within = time.thread_time, self._number, self.within

        def timing(*arguments: Any, **named: Any) -> Any:
            begun = clock()
            try:
                return act(*arguments, **named)
            finally:
                within[thread(), stage] += clock() - begun

        return timing

    def of(self, stage: str, thread: str = "") -> float:
        """CPU seconds of a stage, in all threads or in those whose name begins so."""
        named = {number for number, (name, _) in self.threads.items() if name.startswith(thread)}
        return sum(spent for (number, what), spent in self.within.items() if what == stage and number in named)

    def total(self, thread: str = "") -> float:
        """CPU seconds of all threads, or of those whose name begins so."""
        return sum(spent for name, spent in self.threads.values() if name.startswith(thread))

    def _leaving(self, run: Callable[..., None]) -> Callable[..., None]:
        def leaving(thread: threading.Thread) -> None:
            try:
                run(thread)
            finally:
                self.threads[self._number()] = thread.name, time.thread_time()

        return leaving

    def _number(self) -> int:
        """Of this thread; the system gives the numbers of threads that have ended to others."""
        try:
            number: int = self._here.number
        except AttributeError:
            number = self._here.number = next(self._numbers)
        return number

    def _replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        before = getattr(owner, name)
        setattr(owner, name, make(before))
        self.callback(setattr, owner, name, before)
