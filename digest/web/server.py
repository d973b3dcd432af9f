"""Serves the web part: a socket that is ours before anything else starts, and uvicorn on it, in plain HTTP."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from digest.errors import Busy, ConfigurationError, NotPermitted
from digest.loop import when_told_to_end
from digest.settings.web import WebSettings
from digest.web.app import create_app
from digest.web.operator import create_operator_app
from digest.wiring import App

BACKLOG = 256
CONNECTIONS = 400
"""At once, on each of the two listeners: of the 1,024 files that a program may usually have open, mails and the database must
find theirs, however many strangers say nothing."""
HEAD_WITHIN = 20.0
"""Seconds that a client has, from the connection or the last answer, to send the head of a request; for a body: see `guard`."""

log = logging.getLogger(__name__)


def serve(app: App, bind: str | None = None) -> None:
    """Answer requests until SIGTERM, Ctrl-C or the end of the terminal. `bind`: `HOST:PORT`, else `web.bind`.

    Raises:
        ConfigurationError: `site.public_url` is not set, the database has another schema, or this machine has no such address.
        Busy: another program listens there.
        NotPermitted: the port is not for us.
    """
    _ = app.store  # before the first request: with another schema there is nothing to answer

    async def until_signalled() -> None:
        stop = asyncio.Event()
        when_told_to_end(stop.set)
        await serve_until(app, stop, bind)

    asyncio.run(until_signalled())


async def serve_until(app: App, stop: asyncio.Event, bind: str | None = None, noted: Callable[[], None] = lambda: None) -> None:
    """Answer requests until `stop` is set, which is also done here when answering comes to an end. Raises as `serve`.

    The operator's pages, where there are any, are answered on `web.operator_bind`.

    `noted` is called, from any thread, when somebody has signed up.
    """
    web = app.settings.web
    try:
        with ExitStack() as sockets:
            sites = [("web.bind", bind or web.bind, create_app(app, noted))]
            if web.operator_bind:
                sites.append(("web.operator_bind", web.operator_bind, create_operator_app(app)))
            listening = [sockets.enter_context(listen(place, setting)) for setting, place, _ in sites]
            servers = [_Server(_config(site)) for *_, site in sites]
            log.info("answering on %s", " and ".join(f"http://{place}" for _, place, _ in sites))
            answering = [
                asyncio.create_task(server.serve(sockets=[one])) for server, one in zip(servers, listening, strict=True)
            ]
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({*answering, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for server in servers:
                server.should_exit = True
            stopped.cancel()
            await asyncio.gather(*answering)
    finally:
        stop.set()


def _config(site: Starlette) -> uvicorn.Config:
    # What is written about requests is the guard's: it knows what not to write.
    return uvicorn.Config(
        site,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
    )


class _Connection(H11Protocol):
    """A connection that is closed if nobody asks for anything. uvicorn itself waits for the rest of half a head for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._too_late = self.loop.call_later(HEAD_WITHIN, self._close_unasked)
        if len(self.connections) > CONNECTIONS:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._too_late.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._too_late.cancel()
        self._too_late = self.loop.call_later(HEAD_WITHIN, self._close_unasked)

    def _unsupported_upgrade_warning(self) -> None:
        """Not said: it advises the operator to install what would answer a stranger's WebSocket."""

    def _close_unasked(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class _Server(uvicorn.Server):
    """A server that leaves signals to the program around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(bind: str, setting: str = "web.bind") -> socket.socket:
    """A socket that listens on `HOST:PORT`, the value of a setting; port 0 is any free one. Raises as `serve`."""
    host, port = _place(bind)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {bind}: {error.strerror}", fix=f"set {setting}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        said = f"cannot listen on {bind}: {error.strerror}"
        if error.errno == errno.EADDRINUSE:
            raise Busy(said, fix=f"stop what listens there, or set {setting} to another port") from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise NotPermitted(said, fix=f"set {setting} to a port from 1024 on, with a proxy in front") from None
        raise ConfigurationError(said, fix=f"set {setting} to an address of this machine") from None
    return listening


def _place(bind: str) -> tuple[str, int]:
    try:
        settings = WebSettings(bind=bind)
    except ValueError:
        raise ConfigurationError(f"{bind!r} is not an address to listen on", fix="write it like 127.0.0.1:8000") from None
    return settings.host, settings.port
