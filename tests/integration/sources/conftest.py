"""A real HTTP server on loopback that answers as it is told, and clients that ask it without waiting."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.website import Website

from digest.sources.web import Limits, Web
from digest.sources.web.answers import Answers


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as one:
        yield one


class Hourglass:
    """A clock on which only waiting takes time. `waits` are the seconds that were waited, in order."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.shown = 1000.0

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.shown += seconds

    def elapsed(self) -> float:
        return self.shown


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def open_web(hourglass: Hourglass) -> Iterator[Callable[..., Web]]:
    """Opens clients that wait by the hourglass, with jitter of a second."""
    with ExitStack() as stack:

        def make(answers: Answers | None = None, **more: Any) -> Web:
            given = {"limits": Limits(2, 2, 4), "sleep": hourglass.sleep, "elapsed": hourglass.elapsed, "jitter": max, **more}
            return stack.enter_context(Web(answers, **given))

        yield make
