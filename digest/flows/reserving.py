"""Times for messages, reserved for all limits at once: in the database where workers share one, else in memory."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from digest.errors import TemporaryFailure
from digest.flows.commit import when_back
from digest.flows.mails import Job
from digest.outbox import pacing
from digest.outbox.pacing import AHEAD, Ask, Grant, Window
from digest.smtp.pace import Course
from digest.store import pacing as shared
from digest.store.engine import Store

ASK_AGAIN = 0.1
"""Seconds at least from one question about a limit to the next."""

log = logging.getLogger(__name__)

Road: TypeAlias = Course[Job]


class Reserving:
    """Asks for times when courses want them. For the event loop that it is first wanted on.

    Args:
        store: where workers share their limits; None: nobody shares ours.
        waiting: tells how many jobs wait for a course.
        granted: called when a course has new times or another rate.
        failed: called with what ended it.
        monotonic: seconds of this machine.
    """

    def __init__(
        self,
        store: Store | None,
        waiting: Callable[[Road], int],
        granted: Callable[[Road], None],
        failed: Callable[[BaseException], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._waiting, self._granted, self._failed = store, waiting, granted, failed
        self._monotonic = monotonic
        self._alone: dict[str, Window] = {}
        self._wanted: list[Road] = []
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def learned(self) -> dict[str, float]:
        """The rates that workers learned before, by domain or relay."""
        if self._store is None:
            return {}
        return await when_back(partial(asyncio.to_thread, self._learned, self._store))

    def want(self, course: Road, now: float) -> None:
        """Have more times reserved, unless there are enough; not before `ask_at`, so look again then."""
        if course.asking or course.ask_at > now:
            return
        left = course.times.left()
        if course.refused_at is None and left and (left * _gap(course) > AHEAD / 2 or left >= self._waiting(course)):
            return
        course.asking = True
        self._wanted.append(course)
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        self._due.set()

    def end(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                courses, self._wanted = self._wanted, []
                await self._ask(courses)
        except Exception as error:  # noqa: BLE001 - whatever it is, jobs wait for times, and whoever waits must hear of it
            self._failed(error)

    async def _ask(self, courses: Sequence[Road]) -> None:
        asks = [_ask(course, self._waiting(course)) for course in courses]
        for course in courses:
            course.refused_at, course.went_well = None, False
        try:
            grants: Iterable[Grant | None] = await when_back(partial(asyncio.to_thread, self._reserve, asks))
        except TemporaryFailure as error:
            log.warning("%s; mails with a limit wait for it", error)
            grants = [None] * len(asks)
        now = self._monotonic()
        for course, ask, grant in zip(courses, asks, grants, strict=True):
            course.asking = False
            course.ask_at = now + ASK_AGAIN
            if grant is None:
                course.refused_at = course.refused_at or ask.refused_at
            elif course.refused_at is None:
                course.rate = course.known = grant.rate
                if grant.rate is None:
                    course.times.forget()
                elif grant.number:
                    course.times.add(grant)
                else:
                    course.ask_at = max(course.ask_at, grant.start - AHEAD)
            self._granted(course)

    def _reserve(self, asks: Sequence[Ask]) -> list[Grant]:
        if self._store is None:
            return [self._reserve_alone(ask) for ask in asks]
        with self._store.write() as connection:
            return shared.reserve(connection, asks, self._monotonic)

    def _reserve_alone(self, ask: Ask) -> Grant:
        self._alone[ask.key], grant = pacing.reserve(self._alone.get(ask.key, Window()), ask, self._monotonic())
        return grant

    @staticmethod
    def _learned(store: Store) -> dict[str, float]:
        with store.read() as connection:
            return shared.learned(connection)


def _ask(course: Road, waiting: int) -> Ask:
    wanted = max(1, waiting - course.times.left())
    return Ask(course.key, wanted, course.ceiling, course.known, course.refused_at, course.went_well)


def _gap(course: Road) -> float:
    return 1 / course.rate if course.rate else 0.0
