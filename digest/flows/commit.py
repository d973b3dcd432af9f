"""The ledger thread: one writer a process, whose group commits size themselves.

Connections hand over outcomes and ask for marks; whatever has gathered is written in one transaction, outcomes first, and
only then does content go out. So at any instant a connection has at most one durable mark without a durable outcome.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from digest.clock import Clock
from digest.errors import TemporaryFailure
from digest.store import ledger, workers
from digest.store.engine import Store

LINGER = 0.050
"""Seconds that a group waits for more: nothing to a mail, and fewer commits for the disk."""
LOCKED_TRIES = 20
"""How often a commit waits for a locked database (`store.engine.BUSY_TIMEOUT` each time) before delivery gives up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Mark:
    table: ledger.LedgerTable
    row: int
    answer: "asyncio.Future[bool]"


_Item: TypeAlias = "_Mark | ledger.Outcome | asyncio.Future[bool] | None"


@dataclass(slots=True)
class _Group:
    marks: list[_Mark] = field(default_factory=list)
    outcomes: list[ledger.Outcome] = field(default_factory=list)
    flushes: list["asyncio.Future[bool]"] = field(default_factory=list)
    last: bool = False

    def __bool__(self) -> bool:
        return bool(self.marks or self.outcomes or self.flushes)


class GroupCommit:
    """Writes marks and outcomes for one worker. `mark` and `finish` are for the event loop it was started on."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        worker_id: int,
        busy: Callable[[], int] = lambda: 1,
        disowned: Callable[[], None] = lambda: None,
    ) -> None:
        """`busy` tells how many connections are at work: a group need not wait for more marks than they can ask for.
        `disowned` is called (on the loop) when this worker was given up for dead and others have its rows."""
        self._store, self._clock, self._worker = store, clock, worker_id
        self._busy, self._disowned = busy, disowned
        self._loop = asyncio.get_running_loop()
        self._inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self.error: BaseException | None = None
        self._thread.start()

    async def mark(self, table: ledger.LedgerTable, row: int) -> bool:
        """Commit that content of this row goes out now; False if the row is no longer this worker's. Raises what stopped
        the ledger."""
        if self.error is not None:
            raise self.error
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._inbox.put(_Mark(table, row, answer))
        return await self._answered(answer)

    def finish(self, outcome: ledger.Outcome) -> None:
        """Have an outcome written with the next group."""
        self._inbox.put(outcome)

    async def flush(self) -> None:
        """Return when all that was finished before is durable."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._inbox.put(answer)
        await self._answered(answer)

    async def _answered(self, answer: "asyncio.Future[bool]") -> bool:
        if self.error is not None and not answer.done():
            # It may have stopped between two looks, and nobody reads the inbox any more.
            answer.set_exception(self.error)
        return await answer

    async def close(self) -> None:
        """Write what is left and end. Raises what stopped the ledger before."""
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        group = _Group()
        try:
            beat_at = time.monotonic()
            while not group.last:
                group = self._gather(until=beat_at + workers.BEAT_EVERY.total_seconds())
                if group:
                    held = self._write(group)
                    for mark in group.marks:
                        self._tell(mark.answer, (mark.table.name, mark.row) in held)
                    for flush in group.flushes:
                        self._tell(flush, True)
                if time.monotonic() - beat_at >= workers.BEAT_EVERY.total_seconds():
                    beat_at = time.monotonic()
                    self._beat()
        except BaseException as error:  # noqa: BLE001 - whatever it is, connections that wait for a mark must hear of it
            self.error = error
            self._refuse(group, error)

    def _beat(self) -> None:
        try:
            with self._store.write() as connection:
                lives = workers.beat(connection, self._worker, self._clock.now())
            if not lives:
                self._loop.call_soon_threadsafe(self._disowned)
        except TemporaryFailure as error:
            # The next beat is near, and whoever is given up for dead learns it from his marks.
            log.warning("%s; this worker could not say that it lives", error)

    def _gather(self, until: float) -> _Group:
        group = _Group()
        deadline = until
        while not group.marks or 4 * len(group.marks) < 3 * max(1, self._busy()):
            try:
                item = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if item is None:
                group.last = True
                break
            if not group:
                deadline = time.monotonic() + LINGER
            if isinstance(item, _Mark):
                group.marks.append(item)
            elif isinstance(item, ledger.Outcome):
                group.outcomes.append(item)
            else:
                group.flushes.append(item)
                break
        return group

    def _write(self, group: _Group) -> set[tuple[str, int]]:
        for last in (*[False] * (LOCKED_TRIES - 1), True):
            try:
                return self._transaction(group)
            except TemporaryFailure as error:
                if last or "locked" not in str(error):
                    raise
                log.warning("%s; waiting for it", error)
        raise AssertionError

    def _transaction(self, group: _Group) -> set[tuple[str, int]]:
        now = self._clock.now()
        held: set[tuple[str, int]] = set()
        with self._store.write() as connection:
            ledger.write_outcomes(connection, self._worker, group.outcomes, now)
            for table in ledger.TABLES:
                rows = [mark.row for mark in group.marks if mark.table is table]
                if rows:
                    held |= {(table.name, row) for row in ledger.mark_submitting(connection, table, self._worker, rows, now)}
        return held

    def _tell(self, answer: "asyncio.Future[bool]", value: bool) -> None:
        self._loop.call_soon_threadsafe(_settle, answer.set_result, answer, value)

    def _refuse(self, group: _Group, error: BaseException) -> None:
        waiting = [mark.answer for mark in group.marks] + group.flushes
        while True:
            for answer in waiting:
                self._loop.call_soon_threadsafe(_settle, answer.set_exception, answer, error)
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return
            waiting = [item.answer] if isinstance(item, _Mark) else [item] if isinstance(item, asyncio.Future) else []


def _settle(act: Callable[[Any], None], answer: "asyncio.Future[bool]", value: object) -> None:
    if not answer.done():
        act(value)
