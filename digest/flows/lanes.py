"""Lanes: connections side by side, each with at most one message whose content may have left and whose outcome is not durable.

    open A ──► mark A ──► content of A, open B ──► outcome of A and mark of B ──► content of B, open C ──► …

A message is opened before its mark is durable, for that costs nothing to take back: only the dot that ends its content does.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from digest.clock import Clock
from digest.errors import ConfigurationError, ServerUnavailable
from digest.flows.commit import GroupCommit
from digest.flows.jobs import Jobs
from digest.flows.knocking import Knocking
from digest.flows.mails import Job
from digest.flows.refusals import Refusals
from digest.flows.terms import Relay
from digest.flows.verdicts import Verdicts
from digest.outbox.retry import after_failure
from digest.smtp.connection import Connection, Envelope
from digest.store.ledger import Outcome
from digest.subscribers.address import EmailAddress

MANY_UNBUILT = 3
"""So many mails that could not be built, and none that could, are no accident."""

_Loaded: TypeAlias = tuple[Job, bytes]
"""A job and the content that was built for it."""

log = logging.getLogger(__name__)


class Lanes:
    """The lanes of one worker, all on one event loop."""

    def __init__(
        self,
        relay: Relay,
        sender: EmailAddress,
        jobs: Jobs,
        commits: GroupCommit,
        verdicts: Verdicts,
        refusals: Refusals,
        clock: Clock,
        fail: Callable[[BaseException], None],
    ) -> None:
        """`fail` ends the run with an error, when what is on the wire has ended."""
        self._relay, self._sender, self._jobs, self._commits = relay, sender, jobs, commits
        self._verdicts, self._refusals, self._clock, self._fail = verdicts, refusals, clock, fail
        self._built = self._unbuilt = 0
        self._lines = 0
        self._connections: set[Connection] = set()
        self._knocking = Knocking(self._open, jobs.until_over)

    async def work(self) -> None:
        """Submit jobs until there are no more."""
        await asyncio.gather(*(self._lane() for _ in range(self._relay.connections)))

    def abort(self) -> None:
        """End all connections without another byte: what becomes of messages cannot be written down any more."""
        for connection in self._connections:
            connection.abort()

    async def _lane(self) -> None:
        """One connection after another: each is opened when there is something to say, and kept for what comes next."""
        connection: Connection | None = None
        again: _Loaded | None = None
        try:
            while loaded := again or await self._next():
                again = None
                if self._jobs.halted.is_set():
                    self._jobs.give_back(loaded[0])
                    return
                connection = await self._connect(connection, loaded[0])
                if connection is not None:
                    again = await self._converse(connection, loaded)
                elif connection := await self._knocking.until_let_in():
                    self._lines += 1
                else:
                    return
                if self._refusals.credible:
                    await self._refusals.note()
        except BaseException as error:  # noqa: BLE001 - the run ends with it, and no lane dies unheard
            self._fail(error)
            if connection is not None:
                connection.abort()
        finally:
            await self._leave(connection)

    async def _next(self) -> _Loaded | None:
        while job := await self._jobs.take():
            content = self._build(job)
            if content is not None:
                return job, content
        return None

    def _following(self, connection: Connection) -> _Loaded | None:
        """What can go behind the message that the connection has, at once."""
        while connection.usable and (job := self._jobs.take_now()):
            content = self._build(job)
            if content is not None:
                return job, content
        return None

    async def _connect(self, connection: Connection | None, job: Job) -> Connection | None:
        """A connection that takes another message; None, and the job is given back, if the relay does not let us in."""
        if connection is not None and connection.usable:
            return connection
        # A relay that lost its step may keep it step by step; the connection after that will show.
        pipelining = connection is None or not connection.out_of_step
        if connection is not None:
            await self._leave(connection)
            self._lines -= 1
        self._lines += 1
        try:
            return await self._open(pipelining=pipelining)
        except ServerUnavailable as error:
            # A relay that takes fewer connections than we would like still takes mail over those it has.
            self._lines -= 1
            if self._lines == 0:
                self._fail(error)
            self._jobs.turned_away()
            self._jobs.give_back(job)
            return None

    async def _open(self, *, pipelining: bool = True) -> Connection:
        relay = self._relay
        connection = await Connection.open(
            relay.url,
            relay.timeout,
            pipelining=relay.pipelining and pipelining,
            max_messages=relay.per_connection,
            max_age=relay.max_age,
        )
        self._connections.add(connection)
        return connection

    async def _leave(self, connection: Connection | None) -> None:
        if connection is not None:
            self._connections.discard(connection)
            await connection.close()

    async def _converse(self, connection: Connection, loaded: _Loaded) -> _Loaded | None:
        """Submit a message and what is ready behind it; returns one that is to be tried again at once."""
        outcome: Outcome | None = None
        try:
            turn = await connection.turn(None, self._envelope(loaded))
            while turn.opened is None and not self._jobs.halted.is_set():
                job, content = loaded
                marked = self._commits.mark(job.table, job.row, outcome)
                outcome = None
                following = self._following(connection)
                if not await marked:
                    # The relay expects content now; a lone dot would be an empty mail to somebody.
                    connection.abort()
                    log.info("mail %s %s was withdrawn before its content went out", job.table.name, job.row)
                    self._jobs.settled(job)
                    return following
                if following is not None and self._jobs.halted.is_set():
                    self._jobs.give_back(following[0])
                    following = None
                turn = await connection.turn(content, following and self._envelope(following), dotless=True)
                assert turn.ended is not None
                outcome = self._verdicts.ended(job, turn.ended)
                if following is None:
                    return None
                loaded = following
            if turn.opened is None:
                connection.abort()
                return loaded
            again = self._verdicts.unopened(loaded[0], turn.opened, alone=turn.ended is None)
            return loaded if again else None
        finally:
            if outcome is not None:
                self._commits.finish(outcome)

    def _envelope(self, loaded: _Loaded) -> Envelope:
        return Envelope(self._sender, loaded[0].recipient)

    def _build(self, job: Job) -> bytes | None:
        try:
            content = job.build()
        # Whatever one paper or template makes of it, the mails of other readers go on; the row tells what it was.
        except Exception as error:  # noqa: BLE001
            log.error("mail %s %s could not be built: %s: %s", job.table.name, job.row, type(error).__name__, error)
            self._unbuilt += 1
            if isinstance(error, ConfigurationError) and self._unbuilt >= MANY_UNBUILT and not self._built:
                # A template of the operator's that fails for everybody: he is told, and no more readers pay.
                self._fail(error)
                self._jobs.give_back(job)
                return None
            step = after_failure(failures=job.failures, now=self._clock.now())
            said = f"could not be built: {type(error).__name__}: {error}"
            self._verdicts.finish(Outcome(job.table, job.row, step.state, said, step.next_try_at, tried=False, failed=True))
            self._jobs.settled(job)
            return None
        self._built += 1
        return content
