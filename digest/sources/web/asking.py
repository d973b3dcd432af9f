"""Asks: in turn, with the gaps that servers want, again where that may help, and within the time of the run."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx2

from digest.errors import ServerUnavailable
from digest.sources.web.connecting import Connect, Network, Resolve, open_pool
from digest.sources.web.exchange import Broken, Pools, Unusable, exchange
from digest.sources.web.kinds import unfit
from digest.sources.web.question import HttpError, Limits, Outcome, Question, Reply, Server
from digest.sources.web.waiting import ATTEMPTS, left_alone_for, wait_before_next

QUOTED = 2048
"""Bytes of a body that an error carries."""
_NEXT_RUN = "the next run asks again; see whether the address opens in a browser"
_NEXT_TIME = "the next run goes on; a source that is slow every day needs a longer budget"


@dataclass(frozen=True, slots=True)
class _Rest:
    """An origin asked to be left alone until then, with this answer."""

    until: float
    status: int


class _Late(Exception):
    """What must be waited for comes after the end of the run; `wait` are the seconds that the server asked for, if it did."""

    def __init__(self, wait: float | None = None, status: int = 0) -> None:
        super().__init__()
        self.wait, self.status = wait, status


class Asker:
    """All state of a client. Lives in one event loop, and is called from nowhere else."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        limits: Limits,
        at_once: int,
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[float, float], float],
        elapsed: Callable[[], float],
        now: Callable[[], datetime],
        resolve: Resolve,
        connect: Connect,
    ) -> None:
        self._limits, self._sleep, self._jitter = limits, sleep, jitter
        self._elapsed, self._now = elapsed, now
        self._pools = Pools(
            own=open_pool(Network(resolve, connect, public_only=False), tls, at_once),
            public=open_pool(Network(resolve, connect, public_only=True), tls, at_once),
        )
        self._slots = asyncio.Semaphore(at_once)
        self._lines: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}
        self._rests: dict[str, _Rest] = {}

    async def close(self) -> None:
        await self._pools.own.aclose()
        await self._pools.public.aclose()

    async def ask(self, server: Server, question: Question) -> Outcome:
        """The answer, after at most `ATTEMPTS` attempts, before the end of the server's run."""
        try:
            async with asyncio.timeout(max(self._remaining(server), 0.001)):
                return await self._attempts(server, question)
        except TimeoutError:
            return Outcome(None, _out_of_time(question))

    async def _attempts(self, server: Server, question: Question) -> Outcome:
        outcome = Outcome(None)
        again_at = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._turn(server, again_at):
                    reply = await exchange(self._pools, self._limits, server, question, self._sleep)
            except _Late as late:
                return outcome if outcome.error else Outcome(None, _too_late(question, late))
            except Unusable as fault:
                return Outcome(fault.reply, _http_error(server, question, fault.reply, str(fault), fix=fault.fix))
            except Broken as fault:
                outcome = Outcome(None, ServerUnavailable(f"{question.asked}: {fault}", fix=_NEXT_RUN))
                wait = wait_before_next(None, {}, attempt, self._now())
                asked = None
            else:
                asked = self._note_rest(server, reply)
                outcome = _judge(server, question, reply, asked)
                if outcome.error is None:
                    return outcome
                wait = wait_before_next(reply.status, reply.headers, attempt, self._now())
            if wait is None:
                return outcome
            again_at = 0.0 if asked is not None else self._elapsed() + wait + self._jitter(0.0, 1.0)
        return outcome

    def _note_rest(self, server: Server, reply: Reply) -> float | None:
        """How long this answer asks to be left alone; whoever asks this origin next will wait."""
        asked = left_alone_for(reply.status, reply.headers, self._now())
        if asked is not None:
            until = self._elapsed() + asked + self._jitter(0.0, 1.0)
            self._rests[_origin(server)] = _Rest(until, reply.status if reply.status >= 400 else 429)
        return asked

    @asynccontextmanager
    async def _turn(self, server: Server, not_before: float) -> AsyncIterator[None]:
        """Wait for the end of the last request of this pace and the gap after it, for rests, and for a free slot.

        Raises:
            _Late
        """
        if not server.pace:
            await self._wait(server, not_before)
            async with self._slots:
                yield
            return
        async with self._lines.setdefault(server.pace, asyncio.Lock()):
            # The process that asked last may have been another one: its last request is not known, and may just have ended.
            free_at = max(self._free_at.get(server.pace, 0.0), server.begun + server.gap)
            await self._wait(server, max(not_before, free_at))
            try:
                async with self._slots:
                    yield
            finally:
                self._free_at[server.pace] = self._elapsed() + server.gap

    async def _wait(self, server: Server, until: float) -> None:
        now, left = self._elapsed(), self._remaining(server)
        rest = self._rests.get(_origin(server))
        if rest and rest.until - now > left:
            raise _Late(rest.until - now, rest.status)
        wait = max(until, rest.until if rest else 0.0) - now
        if left <= 0 or wait > left:
            raise _Late
        if wait > 0:
            await self._sleep(wait)
        if rest and self._rests.get(_origin(server)) is rest:
            del self._rests[_origin(server)]

    def _remaining(self, server: Server) -> float:
        return server.begun + server.budget - self._elapsed()


def _judge(server: Server, question: Question, reply: Reply, asked: float | None) -> Outcome:
    if reply.status == 304 and question.validators and reply.url == question.kept_from:
        return Outcome(reply)
    if reply.status == 200:
        fault = unfit(question.kind, reply.headers.get("content-type", ""), reply.body)
        return Outcome(reply, _http_error(server, question, reply, fault)) if fault else Outcome(reply)
    said = f"it answered {reply.status}"
    if asked:
        said += f" and asks to be left alone for {in_units(asked)}"
    return Outcome(reply, _http_error(server, question, reply, said, wait=asked))


def _http_error(
    server: Server, question: Question, reply: Reply, what: str, *, fix: str = "", wait: float | None = None
) -> HttpError:
    body = server.masked_bytes(reply.body)[:QUOTED]
    message = f"{question.asked}: {what}"
    return HttpError(message, fix=fix or _NEXT_RUN, status=reply.status, body=body, wait=wait)


def _too_late(question: Question, late: _Late) -> ServerUnavailable:
    if late.wait is None:
        return _out_of_time(question)
    message = f"{question.asked}: it asks to be left alone for {in_units(late.wait)}"
    return HttpError(message, fix="a later run asks again", status=late.status, wait=late.wait)


def _out_of_time(question: Question) -> ServerUnavailable:
    return ServerUnavailable(f"{question.asked}: the time for this run is used up", fix=_NEXT_TIME)


def _origin(server: Server) -> str:
    url = httpx2.URL(server.base)
    return f"{url.scheme}://{url.netloc.decode()}"


def in_units(seconds: float) -> str:
    """A length of time for people: `90 s`, `60 min`, `15 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
