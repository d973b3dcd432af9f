"""The guarded client: every byte that a source gets from outside comes through here.

Callers wait in threads of their own; the requests run in one event loop, where every limit of time is exact. The loop, its
thread and the HTTP library come to life with the first request.
"""

import json
import random
import re
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from digest.clock import SystemClock
from digest.errors import ConfigurationError, DigestError
from digest.sources.web.answers import Answers, Kept
from digest.sources.web.kinds import Kind
from digest.sources.web.question import HttpError, Limits, Outcome, Question, Reply, Server

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from digest.sources.web.asking import Asker
    from digest.sources.web.connecting import Connect, Resolve

__all__ = ["Abandoned", "HttpError", "Kind", "Limits", "Site", "Web"]

_HEADER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class Abandoned(DigestError):
    """Nobody waits for the answer any more: the program is about to end."""


class Web:
    """One client for all sources of a process: at most `at_once` requests at a time. Safe to use from several threads.

    Args:
        answers: where answers are kept; None: nowhere, and no request is conditional.
        budget: how long one run of a source may take, from its first `at` on.
        sleep: how to wait; None: as usual. A function of ours is called in a thread.
        elapsed: seconds on a clock that only runs forward.
        now: the time, for servers that name an instant and do not say what their clock shows; None: as the machine has it.
        resolve: the addresses of a name; None: as the machine is set up.
        connect: opens connections; None: as usual.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        at_once: int = 4,
        budget: timedelta = timedelta(minutes=5),
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
        elapsed: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] | None = None,
        resolve: "Resolve | None" = None,
        connect: "Connect | None" = None,
    ) -> None:
        self.answers, self.budget, self.elapsed = answers, budget, elapsed
        self._made_of = (limits, at_once, sleep, jitter, elapsed, now or SystemClock().now, resolve, connect)
        self._lock = threading.Lock()
        self._running: set[Future[Outcome]] = set()
        self._over = threading.Event()
        self._sleep = sleep
        self._stack = ExitStack()
        self._loop: tuple[BlockingPortal, Asker] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def at(
        self,
        base: str,
        *,
        source: str,
        hosts: Collection[str] = (),
        pace: str = "",
        gap: float = 0.0,
        headers: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        begun: float | None = None,
        share: float = 1.0,
    ) -> "Site":
        """The server of one source; its run budget begins now, or began when its run did.

        Args:
            base: the address that the operator wrote; its host, scheme and port are allowed as they stand.
            source: under which name answers are kept.
            hosts: whereto a redirect may lead besides `base`: public hosts, over the same scheme.
            pace: what shares `gap`: requests of one pace are made one at a time, over one connection.
            gap: seconds between the end of one request of this pace and the next one, and before the first.
            headers: sent to `base` alone, never along a redirect to another host.
            secrets: query parameters sent likewise, and never kept, logged or quoted.
            begun: when the run began, by `elapsed`, if this is not the first server that it asks.
            share: how much of the run's budget may have passed when this server is given up.

        Raises:
            ConfigurationError: a header has characters that no header may have.
        """
        server = Server(
            base=base,
            source=source,
            hosts=frozenset(host.lower() for host in hosts),
            pace=pace,
            gap=gap,
            headers=dict(headers or {}),
            secrets=dict(secrets or {}),
            begun=self.elapsed() if begun is None else begun,
            budget=self.budget.total_seconds() * share,
        )
        for name, value in server.headers.items():
            if not _HEADER.fullmatch(value):
                raise ConfigurationError(
                    f"what {source} is to send as {name} is empty, or has blanks at its ends or other characters than ASCII",
                    fix=f"see the key or token in sources.{source.partition(':')[0]}",
                )
        return Site(self, server)

    def abandon(self) -> None:
        """End all requests, running and waiting, at once, and answer no more: those who wait get Abandoned."""
        with self._lock:
            self._over.set()
            running = list(self._running)
        for future in running:
            future.cancel()

    @property
    def over(self) -> bool:
        """Whether it was abandoned: whoever waits for a turn to ask may go home."""
        return self._over.is_set()

    def close(self) -> None:
        """Abandon what still runs, close all connections, and end the loop. Harmless when called again."""
        self.abandon()
        with self._lock:
            loop, self._loop = self._loop, None
        if loop:
            portal, asker = loop
            portal.call(asker.close)
        self._stack.close()

    def go_on(self) -> None:
        """Raises Abandoned if all was abandoned: for work that lies between two requests."""
        if self._over.is_set():
            raise _abandoned()

    def sleep(self, seconds: float) -> None:
        """Wait, as between two attempts. Raises Abandoned, at once, if all is or was abandoned."""
        if self._sleep is None:
            self._over.wait(seconds)
        else:
            self._sleep(seconds)
        self.go_on()

    def ask(self, server: Server, question: Question) -> Outcome:
        """Wait for the answer. Raises Abandoned, ConfigurationError."""
        with self._lock:
            self.go_on()
            portal, asker = self._loop = self._loop or self._start()
            future = portal.start_task_soon(asker.ask, server, question)
            self._running.add(future)
        try:
            return future.result()
        except CancelledError:
            raise _abandoned() from None
        finally:
            future.cancel()
            with self._lock:
                self._running.discard(future)

    def _start(self) -> "tuple[BlockingPortal, Asker]":
        import asyncio

        from anyio.from_thread import start_blocking_portal

        from digest.sources.web import connecting
        from digest.sources.web.asking import Asker

        limits, at_once, sleep, jitter, elapsed, now, resolve, connect = self._made_of

        def wait(seconds: float) -> Awaitable[None]:
            return asyncio.sleep(seconds) if sleep is None else connecting.in_thread(partial(sleep, seconds))

        resolve, connect = resolve or connecting.resolve, connect or connecting.connect
        asker = Asker(connecting.read_authorities(), limits, at_once, wait, jitter, elapsed, now, resolve, connect)
        return self._stack.enter_context(start_blocking_portal(name="web")), asker


class Site:
    """A source's server, and the way to ask it. Made by `Web.at`."""

    def __init__(self, web: Web, server: Server) -> None:
        self._web, self._server = web, server

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, kind: Kind = "json", asked: str, fresh: bool = False
    ) -> bytes:
        """The body of the answer to a GET of `base` + `path`, decompressed.

        Conditional (RFC 9110 13) where an answer to the same question is kept: 304 gives the kept body. `asked` says who was
        asked for what. `fresh`: never from what is kept.

        Raises:
            HttpError: it answered with another status than 200, too large, not of this kind, or not for another while.
            ServerUnavailable: it did not answer, or not in time; names `asked` and the cause.
            Abandoned: the program is about to end.
        """
        question = Question("GET", self._server.address(path, params or {}), kind, asked)
        answers = self._web.answers
        kept = answers.newest(self._server.source, question.url, kind) if answers and not fresh else None
        if kept:
            question = replace(question, validators=kept.validators, kept_from=kept.kept_from)
        return self._answer(question, kept)

    def post(self, path: str, body: object, params: Mapping[str, str] | None = None, *, asked: str) -> bytes:
        """The body of the JSON answer to a POST of `body` as JSON. Raises as `get`."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return self._answer(Question("POST", self._server.address(path, params or {}), "json", asked, content))

    def remaining(self) -> float:
        """Seconds left of the run's budget."""
        return max(self._server.begun + self._server.budget - self._web.elapsed(), 0.0)

    def _answer(self, question: Question, kept: Kept | None = None) -> bytes:
        """Ask, keep the answer, and hand out what is right."""
        server, answers = self._server, self._web.answers
        outcome = self._web.ask(server, question)
        reply = outcome.reply
        if answers and reply:
            if kept and reply.status == 304 and outcome.error is None:
                body = answers.body(kept)
                return self._answer(replace(question, validators={})) if body is None else body
            headers = {name: server.masked(text) for name, text in reply.headers.items()}
            masked = Reply(reply.url, reply.status, headers, server.masked_bytes(reply.body))
            answers.add(server.source, question.method, question.url, question.kind, masked, useful=outcome.error is None)
        if outcome.error:
            raise outcome.error
        assert reply is not None
        return reply.body


def _abandoned() -> Abandoned:
    return Abandoned("nobody waits for the answer any more, for the program is about to end", fix="run it again")
