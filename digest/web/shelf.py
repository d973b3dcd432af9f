"""Public pages, made once and given to everybody: what stands on the shelf is remade when a new edition is frozen, and else
after a minute, so that what the operator hides is soon gone. While the database is out, what stands there stays."""

import gzip
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from digest.errors import ServerUnavailable, TemporaryFailure

LOOK_EVERY = 2.0
"""Seconds between two looks whether there is a new edition."""
FRESH = 60.0
"""Seconds for which a page stands at most. Browsers and proxies are told the same."""
KEPT = 512
"""Pages; the one that was asked for the longest time ago goes first."""
LEAST = 1024
"""Octets from which on packing pays."""
_REPEATED = ("etag", "cache-control", "vary", "access-control-allow-origin")
"""Headers that an answer without a body has too (RFC 9110 15.4.5)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer as it goes out, whole and packed."""

    made_at: float
    status: int
    headers: dict[str, str]
    body: bytes
    packed: bytes | None


class Shelf:
    """Keeps answers by path. For the threads of one process.

    Args:
        edition: tells the newest edition, by anything that changes with it.
        monotonic: seconds of this machine.
    """

    def __init__(self, edition: Callable[[], Hashable], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._edition, self._monotonic = edition, monotonic
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._shown: Hashable = None
        self._look_at = 0.0

    def answer(self, request: Request, make: Callable[[], Response]) -> Response:
        """The answer that is kept for this path, or one that `make` makes; 304 to whoever has it.

        Raises what `make` raises, but gives an older answer, if there is one, where the database does not answer (RFC 9111
        4.2.4).
        """
        now = self._monotonic()
        path = request.scope["path"]  # as it was meant: in an URL made of it, a question mark would end it
        try:
            self._look(now)
            kept = self._standing(path, now) or self._made(path, make, now)
        except (ServerUnavailable, TemporaryFailure) as error:
            older = self._kept.get(path)
            if older is None:
                raise
            log.warning("%s; visitors are shown what was there before", error)
            kept = older
        return _given(kept, request)

    def _made(self, path: str, make: Callable[[], Response], now: float) -> _Kept:
        kept = _kept(make(), now)
        if kept.status == 200:
            with self._lock:
                self._kept[path] = kept
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return kept

    def at_hand(self, request: Request) -> Response | None:
        """The same, if it takes no work: never waits for the database. None: `answer` is to be asked."""
        now = self._monotonic()
        if request.method != "GET" or request.scope["query_string"] or (now >= self._look_at and not self._looking.locked()):
            return None
        kept = self._standing(request.scope["path"], now)
        return None if kept is None else _given(kept, request)

    def _standing(self, path: str, now: float) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(path)
            if kept is None or now - kept.made_at > FRESH:
                return None
            self._kept.move_to_end(path)
            return kept

    def _look(self, now: float) -> None:
        if now < self._look_at or not self._looking.acquire(blocking=False):
            return  # somebody else looks: until he has, the old pages will do
        try:
            edition = self._edition()
            if edition != self._shown:
                with self._lock:
                    self._kept.clear()
                self._shown = edition
            self._look_at = now + LOOK_EVERY
        finally:
            self._looking.release()


class ShelfFirst:
    """ASGI middleware that gives what stands on the shelf itself: a thread's turn takes long to come while mails are made."""

    def __init__(self, app: ASGIApp, shelf: Shelf) -> None:
        self._app, self._shelf = app, shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._shelf.at_hand(Request(scope)) if scope["type"] == "http" else None
        await (response or self._app)(scope, receive, send)


def answered(request: Request, made: Response) -> Response:
    """An answer that is not kept here, for it is one visitor's or there are too many like it; 304 to whoever has it."""
    return _given(_kept(made, 0.0), request)


def _kept(made: Response, now: float) -> _Kept:
    body = bytes(made.body)
    headers = {name: value for name, value in made.headers.items() if name != "content-length"}
    headers["etag"] = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers.setdefault("cache-control", f"public, max-age={FRESH:.0f}")
    headers["vary"] = "Accept-Encoding"
    return _Kept(now, made.status_code, headers, body, gzip.compress(body, 6, mtime=0) if len(body) >= LEAST else None)


def _given(kept: _Kept, request: Request) -> Response:
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if kept.status == 200 and (kept.headers["etag"] in known or "*" in known):
        return Response(status_code=304, headers={name: kept.headers[name] for name in _REPEATED if name in kept.headers})
    if kept.packed is not None and _takes_gzip(request):
        return Response(kept.packed, kept.status, {**kept.headers, "content-encoding": "gzip"})
    return Response(kept.body, kept.status, kept.headers)


def _takes_gzip(request: Request) -> bool:
    """RFC 9110 12.5.3, as far as browsers make use of it."""
    for coding in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = coding.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
