"""What holds for every request before a handler sees it: whose host, how large a body, which headers; and one line in the log,
which never holds a token.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Collection, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
BODY_WITHIN = 20.0
"""Seconds that a client has to send its body."""
OUR_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ALL_OFF = "camera=(), display-capture=(), fullscreen=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"

log = logging.getLogger(__name__)


def security_policy(style_source: str = "'none'") -> str:
    """A Content-Security-Policy that allows no script, no picture and no style but this one."""
    return f"default-src 'none'; style-src {style_source}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def add_security_headers(headers: MutableHeaders, *, secure: bool) -> None:
    """Set what every answer carries, unless the page has set it otherwise. `secure`: the site is reached by https."""
    headers.setdefault("Content-Security-Policy", security_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Permissions-Policy", ALL_OFF)
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


class Guard:
    """ASGI middleware around all pages.

    Args:
        app: what it guards.
        hosts: the names that it answers for, besides this machine's own.
        secure: whether the site is reached by https.
        refusal: the page that says that a request of ours is refused, by its status, with these headers.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        secure: bool,
        refusal: Callable[[Request, int, Mapping[str, str]], Response],
    ) -> None:
        self._app = app
        self._refusal = refusal
        self._hosts = OUR_OWN_NAMES | {_bare(host) for host in hosts}
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.monotonic()

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                add_security_headers(MutableHeaders(scope=message), secure=self._secure)
            await send(message)

        try:
            await self._answer(scope, receive, guarded)
        finally:
            took = 1000 * (time.monotonic() - began)
            log.info("%s %s %d %.0f ms", scope["method"], _without_token(scope["path"]), status, took)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if host_of(headers.get("host", "")) not in self._hosts:
            await PlainTextResponse("This site has another name.\n", 421)(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _body(headers, receive)
        except _GoneError:
            return  # half a request is none
        except (_TooLargeError, TimeoutError) as error:
            status = 413 if isinstance(error, _TooLargeError) else 408
            refused = await run_in_threadpool(self._refusal, Request(scope), status, {"Connection": "close"})
            await refused(scope, receive, send)
        else:
            await self._app(scope, _replayed(body, receive), send)


class _TooLargeError(Exception):
    pass


class _GoneError(Exception):
    pass


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The body of a request, whole before anybody acts on it."""
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        raise _TooLargeError
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _GoneError
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def host_of(header: str) -> str:
    """The name in a Host header, without the port; an IPv6 address without its brackets."""
    match = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::[0-9]*)?|([^:\[\]]*)(?::[0-9]*)?", header.strip())
    return _bare(match[1] or match[2] or "") if match else ""


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")


def _without_token(path: str) -> str:
    """`/u/…` for `/u/TOKEN`, and nothing of what a stranger made up."""
    first, more, _ = path.removeprefix("/").partition("/")
    return f"/{first if re.fullmatch(r'[a-z._-]{0,20}', first) else '…'}{'/…' if more else ''}"
