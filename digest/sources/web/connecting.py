"""Opens connections: looks a name up once, sees what addresses it has, and connects to one of those and no other."""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import httpcore2

from digest.errors import ConfigurationError
from digest.sources.web.addresses import is_public

Result = TypeVar("Result")
Resolve = Callable[[str], Sequence[str]]
"""The addresses of a name, best first. Raises OSError."""
Connect = Callable[[str, int, float | None], Awaitable[httpcore2.AsyncNetworkStream]]
"""Opens a connection to an address and port within so many seconds. Raises httpcore2.ConnectError or ConnectTimeout."""

KEPT_OPEN = 15.0
"""Seconds that an idle connection is kept for the next request: longer than any gap, shorter than servers keep it."""
_MOST_ADDRESSES = 4
_MAKES_ROOM_AFTER = 2.0
"""Seconds after which an address that does not answer makes room for the next one."""

# At DEBUG this one writes down every header that is sent over HTTP/2, keys and tokens among them.
logging.getLogger("hpack").setLevel(logging.INFO)


class NotPublic(Exception):
    """A name that only public machines should have belongs to one that is not."""


def resolve(host: str) -> list[str]:
    """The addresses of a name, in the order in which they should be tried (RFC 6724). Raises OSError."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))


async def in_thread(call: Callable[[], Result]) -> Result:
    """Run what blocks in a thread that nobody waits for if it is given up: a dead name server must not hold up the end."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            with contextlib.suppress(Exception):
                future.set_exception(error)
        else:
            with contextlib.suppress(Exception):
                future.set_result(result)

    threading.Thread(target=work, daemon=True, name="waiting").start()
    return await asyncio.wrap_future(future)


async def connect(address: str, port: int, seconds: float | None) -> httpcore2.AsyncNetworkStream:
    """The usual way to open a connection."""
    return await httpcore2.AnyIOBackend().connect_tcp(address, port, timeout=seconds)


class Network(httpcore2.AsyncNetworkBackend):
    """Connects to names. With `public_only`, to none that has an address which is not public, whichever it would take."""

    def __init__(self, resolve: Resolve, connect: Connect, *, public_only: bool) -> None:
        self._resolve, self._connect, self._public_only = resolve, connect, public_only

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - part of the interface
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 - likewise
    ) -> httpcore2.AsyncNetworkStream:
        """Raises ConnectError, ConnectTimeout, NotPublic."""
        ends_at = time.monotonic() + (60.0 if timeout is None else timeout)
        addresses = await self._addresses(host, timeout)
        for number, address in enumerate(addresses, start=1):
            left = ends_at - time.monotonic()
            last = number == len(addresses)
            try:
                return await self._connect(address, port, left if last else min(left, _MAKES_ROOM_AFTER))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if last or time.monotonic() >= ends_at:
                    raise
        raise AssertionError("unreachable")

    async def _addresses(self, host: str, timeout: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout):
                found = list(await in_thread(lambda: self._resolve(host)))
        except TimeoutError:
            raise httpcore2.ConnectTimeout("its name was not looked up in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("its name cannot be looked up") from error
        if not found:
            raise httpcore2.ConnectError("its name has no address")
        if self._public_only and (private := [address for address in found if not is_public(address)]):
            raise NotPublic(f"{host} has the address {private[0]}, which is not public")
        return found[:_MOST_ADDRESSES]


def read_authorities() -> ssl.SSLContext:
    """Whose certificates are trusted: the machine's, or those that SSL_CERT_FILE or SSL_CERT_DIR names.

    Raises:
        ConfigurationError: they cannot be read.
    """
    try:
        return httpcore2.default_ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"the certificates of authorities cannot be read: {in_words(error)}",
            fix="let SSL_CERT_FILE or SSL_CERT_DIR in the environment name them, or set neither",
        ) from None


def open_pool(network: Network, tls: ssl.SSLContext, at_once: int) -> httpcore2.AsyncConnectionPool:
    """Connections over HTTP/1.1, or HTTP/2 where the server speaks it.

    This is what `httpx2.AsyncClient` runs on. Used by itself it has none of what would have to be switched off there: cookies,
    redirects, proxies and passwords from the environment, log lines with whole addresses.
    """
    return httpcore2.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=None,  # who asks sees to that: over HTTP/2 one connection may carry many requests
        max_keepalive_connections=at_once,
        keepalive_expiry=KEPT_OPEN,
        http2=True,
        network_backend=network,
    )


def in_words(error: BaseException) -> str:
    """What went wrong, by its deepest cause: the layers above say less, and one of them hides the causes of others."""
    deepest = error
    while below := deepest.__cause__ or deepest.__context__:
        deepest = below
    if isinstance(deepest, (socket.gaierror, UnicodeError)):
        return f"its name cannot be looked up: {deepest.strerror if isinstance(deepest, OSError) else deepest}"
    if isinstance(deepest, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {deepest.verify_message}"
    if isinstance(deepest, OSError) and deepest.errno and deepest.errno > 0 and not isinstance(deepest, ssl.SSLError):
        return os.strerror(deepest.errno).lower()
    return str(deepest) or str(error) or type(error).__name__
