"""The ledger thread: one writer a process, whose group commits size themselves.

Connections hand over the outcome of one message together with the mark of the next; whatever has gathered while the last
group was written is written in one transaction, and only then does content go out. So at any instant a connection has at
most one durable mark without a durable outcome.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from digest.clock import Clock
from digest.errors import ServerUnavailable, TemporaryFailure
from digest.store import workers
from digest.store.engine import Store
from digest.store.groups import Groups, Mark
from digest.store.ledger import LedgerTable, Outcome

PATIENCE = 40.0
"""Seconds that a lost server, or room on the disk, is waited for: others must not give this worker up for dead
(`store.workers.SILENT_AFTER`)."""
LOOK_AGAIN = 1.0
LOCKED_TRIES = 20
"""How often a commit waits for a locked database (`store.engine.BUSY_TIMEOUT` each time) before delivery gives up."""

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


async def when_back(ask: Callable[[], Awaitable[Answer]], over: Callable[[], bool] = lambda: False) -> Answer:
    """What the database answers; a server that restarts is waited for and asked again, unless it is `over`."""
    until, waiting = time.monotonic() + PATIENCE, False
    while True:
        try:
            return await ask()
        except ServerUnavailable as error:
            if time.monotonic() > until or over():
                raise
            if not waiting:
                log.warning("%s; waiting for it", error)
            waiting = True
            await asyncio.sleep(LOOK_AGAIN)


@dataclass(frozen=True, slots=True)
class _Item:
    """What one connection hands over at once, and who waits for it to be durable."""

    ended: Outcome | None = None
    mark: Mark | None = None
    answer: "asyncio.Future[bool] | None" = None


@dataclass(slots=True)
class _Group:
    outcomes: list[Outcome] = field(default_factory=list)
    waiting: list[tuple["asyncio.Future[bool]", Mark | None]] = field(default_factory=list)

    def add(self, item: _Item) -> None:
        if item.ended is not None:
            self.outcomes.append(item.ended)
        if item.answer is not None:
            self.waiting.append((item.answer, item.mark))


class GroupCommit:
    """Writes marks and outcomes for one worker. `mark` and `finish` are for the event loop it was started on."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        worker_id: int,
        *,
        disowned: Callable[[], None] = lambda: None,
        died: Callable[[], None] = lambda: None,
    ) -> None:
        """`disowned` is called (on the loop) when this worker was given up for dead and others have its rows; `died` when
        nothing more can be written, so that nothing more may go out."""
        self._store, self._clock, self._worker = store, clock, worker_id
        self._disowned, self._died = disowned, died
        self._loop = asyncio.get_running_loop()
        self._inbox: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self.error: BaseException | None = None
        self._thread.start()

    def mark(self, table: LedgerTable, row: int, ended: Outcome | None = None) -> "asyncio.Future[bool]":
        """Commit that content of this row goes out now, and in the same transaction how the message before it ended.

        The answer, once it is durable: False if the row is no longer this worker's. Raises what stopped the ledger.
        """
        return self._hand_over(_Item(ended, (table, row), self._loop.create_future()))

    def finish(self, outcome: Outcome) -> None:
        """Have an outcome written with the next group."""
        self._inbox.put(_Item(outcome))

    async def flush(self) -> None:
        """Return when all that was finished before is durable."""
        await self._hand_over(_Item(answer=self._loop.create_future()))

    def _hand_over(self, item: _Item) -> "asyncio.Future[bool]":
        assert item.answer is not None
        self._inbox.put(item)
        if self.error is not None:
            # Nobody reads the inbox any more.
            _release([(item.answer, self.error)])
        return item.answer

    async def close(self) -> None:
        """Write what is left and end. Raises what stopped the ledger before."""
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        group = _Group()
        try:
            with closing(_Writer(self._store, self._worker)) as writer:
                last, beat_at = False, time.monotonic()
                while not last:
                    every = workers.BEAT_EVERY.total_seconds()
                    group = _Group()
                    last = self._gather(group, beat_at + every - time.monotonic())
                    if group.outcomes or group.waiting:
                        held = self._write(writer, group)
                        self._tell([(answer, mark is None or mark in held) for answer, mark in group.waiting])
                    if time.monotonic() - beat_at >= every:
                        beat_at = time.monotonic()
                        self._beat()
        except BaseException as error:  # noqa: BLE001 - whatever it is, connections that wait for a mark must hear of it
            self.error = error
            while True:
                self._tell([(answer, error) for answer, _ in group.waiting])
                group = _Group()
                if self._inbox.empty():
                    break
                self._gather(group, 0)
            self._loop.call_soon_threadsafe(self._died)

    def _beat(self) -> None:
        try:
            with self._store.write() as connection:
                lives = workers.beat(connection, self._worker, self._clock.now())
            if not lives:
                self._loop.call_soon_threadsafe(self._disowned)
        except (TemporaryFailure, ServerUnavailable) as error:
            # The next beat is near, and whoever is given up for dead learns it from his marks.
            log.warning("%s; this worker could not say that it lives", error)

    def _gather(self, group: _Group, patience: float) -> bool:
        """Wait for something, and take all that is there; returns whether it was the last."""
        try:
            item = self._inbox.get(timeout=max(0.0, patience))
            while item is not None:
                group.add(item)
                item = self._inbox.get_nowait()
        except queue.Empty:
            return False
        return True

    def _write(self, writer: "_Writer", group: _Group) -> set[Mark]:
        marks = [mark for _, mark in group.waiting if mark is not None]
        tries, until, said = 0, time.monotonic() + PATIENCE, ""
        while True:
            try:
                return writer.write(group.outcomes, marks, self._clock.now())
            except TemporaryFailure as error:
                tries += 1
                locked = "locked" in str(error)
                given_up = tries >= LOCKED_TRIES if locked else time.monotonic() > until
                if given_up:
                    raise
                if locked or str(error) != said:
                    said = str(error)
                    log.warning("%s; waiting for it", error)
                if not locked:
                    # A disk is often full for a moment only, as while a backup is tried; and each outcome that is not written
                    # down is a mail in doubt.
                    time.sleep(LOOK_AGAIN)

    def _tell(self, answers: list[tuple["asyncio.Future[bool]", bool | BaseException]]) -> None:
        """All of a group at once: waking the loop costs more than what it then does."""
        if answers:
            self._loop.call_soon_threadsafe(_release, answers)


class _Writer:
    """Writes groups over one session after the other: a server that restarts is waited for."""

    def __init__(self, store: Store, worker_id: int) -> None:
        self._store, self._worker = store, worker_id
        self._groups = Groups(store, worker_id)

    def write(self, outcomes: list[Outcome], marks: list[Mark], now: datetime) -> set[Mark]:
        try:
            return self._groups.write(outcomes, marks, now)
        except ServerUnavailable as error:
            return self._when_back(lambda: self._groups.write_again(outcomes, marks, now), error)

    def close(self) -> None:
        self._groups.close()

    def _when_back(self, write: Callable[[], set[Mark]], error: ServerUnavailable) -> set[Mark]:
        until = time.monotonic() + PATIENCE
        log.warning("%s; waiting for it", error)
        while True:
            time.sleep(LOOK_AGAIN)
            try:
                self._groups.close()
                self._groups = Groups(self._store, self._worker)
                return write()
            except ServerUnavailable:
                if time.monotonic() > until:
                    raise


def _release(answers: list[tuple["asyncio.Future[bool]", bool | BaseException]]) -> None:
    for answer, value in answers:
        if answer.done():
            continue
        if isinstance(value, BaseException):
            answer.set_exception(value)
        else:
            answer.set_result(value)
