"""Times for messages, reserved for all limits at once: in the database where workers share one, else in memory."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from digest.errors import TemporaryFailure
from digest.flows.commit import when_back
from digest.flows.mails import Job
from digest.outbox import pacing
from digest.outbox.pacing import AHEAD, Ask, Grant, Window
from digest.smtp.pace import Road
from digest.store import pacing as shared
from digest.store.engine import Store

ASK_AGAIN = 0.1
"""Seconds at least from one question about a limit to the next."""

log = logging.getLogger(__name__)


class Reserving:
    """Asks for times when roads want them. For the event loop that it is first wanted on.

    Args:
        store: where workers share their limits; None: nobody shares ours.
        waiting: tells how many jobs wait for a road.
        granted: called when a road has new times or another rate.
        failed: called with what ended it.
        monotonic: seconds of this machine.
    """

    def __init__(
        self,
        store: Store | None,
        waiting: Callable[[Road[Job]], int],
        granted: Callable[[Road[Job]], None],
        failed: Callable[[BaseException], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._waiting, self._granted, self._failed = store, waiting, granted, failed
        self._monotonic = monotonic
        self._alone: dict[str, Window] = {}
        self._wanted: list[Road[Job]] = []
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def learned(self) -> dict[str, float]:
        """The rates that workers learned before, by domain or relay."""
        if self._store is None:
            return {}
        return await when_back(partial(asyncio.to_thread, self._learned, self._store))

    def want(self, road: Road[Job], now: float) -> None:
        """Have more times reserved, unless there are enough; not before `ask_at`, so look again then."""
        if road.asking or road.ask_at > now:
            return
        left = road.times.left()
        if road.refused_at is None and left and (left * _gap(road) > AHEAD / 2 or left >= self._waiting(road)):
            return
        road.asking = True
        self._wanted.append(road)
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
                roads, self._wanted = self._wanted, []
                await self._ask(roads)
        except Exception as error:  # noqa: BLE001 - whatever it is, jobs wait for times, and whoever waits must hear of it
            self._failed(error)

    async def _ask(self, roads: Sequence[Road[Job]]) -> None:
        asks = [_ask(road, self._waiting(road)) for road in roads]
        for road in roads:
            road.refused_at, road.went_well = None, False
        try:
            grants: Iterable[Grant | None] = await when_back(partial(asyncio.to_thread, self._reserve, asks))
        except TemporaryFailure as error:
            log.warning("%s; mails with a limit wait for it", error)
            grants = [None] * len(asks)
        now = self._monotonic()
        for road, ask, grant in zip(roads, asks, grants, strict=True):
            road.asking = False
            road.ask_at = now + ASK_AGAIN
            if grant is None:
                road.refused_at = road.refused_at or ask.refused_at
            elif road.refused_at is None:
                road.rate = road.known = grant.rate
                if grant.rate is None:
                    road.times.forget()
                elif grant.number:
                    road.times.add(grant)
                else:
                    road.ask_at = max(road.ask_at, grant.start - AHEAD)
            self._granted(road)

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


def _ask(road: Road[Job], waiting: int) -> Ask:
    wanted = max(1, waiting - road.times.left())
    return Ask(road.key, wanted, road.ceiling, road.known, road.refused_at, road.went_well)


def _gap(road: Road[Job]) -> float:
    return 1 / road.rate if road.rate else 0.0
