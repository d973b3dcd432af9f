"""How often a visitor may ask for what, declared beside each route: `Route(…, middleware=limited(self._limits, SEARCHES))`.

A GET changes nothing, so it is counted in memory; all else is counted in the database, where a restart gives nobody a fresh
allowance. Whoever asks too often is answered 429 (RFC 6585 4), as a page or as data. What stands on the shelf is given before
anything is counted: it costs no more than a refusal.

`POST /u/{token}` has no limit, and must have none: mail providers unsubscribe their users by it (RFC 8058), all from a few
addresses, and a refusal would keep a reader who wants to leave. It needs none either: a repeat does nothing, and a token that
was made up reaches nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.allowance import Allowance
from digest.store import allowances
from digest.web.turnstile import Turnstile
from digest.web.visitors import Visitors
from digest.wiring import App

AGAIN = {"Retry-After": "60"}
"""One more is given back sooner by each of the limits below."""
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a visitor may do of one kind; routes with the same limit share it.

    Args:
        name: of the kind, as it is counted under.
        of_each: so many times.
        opened_by_secret: a token in the path opens what lies there, so that a 404 is counted as a guess, of which there may be
            only `GUESSES`, whatever they are about.
        of_path: each path is counted, not each visitor: where many visitors stand behind one address by their nature.
    """

    name: str
    of_each: tuple[Allowance, ...]
    opened_by_secret: bool = False
    of_path: bool = False


SEARCHES = Limit("search", (Allowance(40, _MINUTE), Allowance(400, _HOUR)))
PREVIEWS = Limit("preview", (Allowance(20, _MINUTE), Allowance(200, _HOUR)))
DATA = Limit("data", (Allowance(120, _MINUTE), Allowance(2000, _HOUR)))
PAGES = Limit("page", (Allowance(600, _MINUTE),))
"""Pages of which there are many, each made when it is asked for: search engines read them all, some quickly."""
FEEDS = Limit("feed", (Allowance(60, _MINUTE),))
OWN_FEED = Limit("own feed", (Allowance(30, _MINUTE),), opened_by_secret=True, of_path=True)
"""Services that read feeds for people ask for those of many readers from a few addresses."""
LINKS = Limit("link", (Allowance(240, _MINUTE),), opened_by_secret=True)
"""What a link in a mail leads to. A scanner opens all of a mail, and one scans the mails of a whole office."""
CHOICES = Limit("choices", (Allowance(20, _MINUTE), Allowance(200, _HOUR)), opened_by_secret=True)
"""What is sent from a reader's preferences: a preview is dear to make."""
ENTRANCES = Limit("operator", (Allowance(5, _MINUTE), Allowance(60, _HOUR)))
"""Tries at the operator's token. There is no limit for all together: with it, a stranger could lock the operator out."""
GUESSES = (Allowance(20, _MINUTE),)


class Limits:
    """Counts. For the threads of one process, and for all processes of the database."""

    def __init__(self, app: App, visitors: Visitors) -> None:
        self._app, self._visitors = app, visitors
        self._guesses = Turnstile(GUESSES)
        self._turnstiles: dict[Limit, Turnstile] = {}

    async def count(self, limit: Limit, request: Request) -> None:
        """Count a request.

        Raises:
            HTTPException: 429, there were too many of them.
            DigestError: the database does not answer.
        """
        visitor = self._visitors.key(request)
        who = request.scope["path"] if limit.of_path else visitor
        if limit.opened_by_secret and not self._guesses.is_open(visitor):
            raise HTTPException(429, headers=AGAIN)
        if request.method in ("GET", "HEAD"):
            if limit not in self._turnstiles:
                self._turnstiles[limit] = Turnstile(limit.of_each)
            allowed = self._turnstiles[limit].lets(who)
        else:
            allowed = await run_in_threadpool(self._spend, f"{limit.name} {who}", limit.of_each)
        if not allowed:
            raise HTTPException(429, headers=AGAIN)

    def missed(self, request: Request) -> None:
        """Count a guess."""
        self._guesses.lets(self._visitors.key(request))

    def _spend(self, key: str, of_each: Sequence[Allowance]) -> bool:
        with self._app.store.write() as connection:
            return allowances.spend(connection, {key: of_each}, self._app.clock.now())


class Limited:
    """ASGI middleware around one route."""

    def __init__(self, app: ASGIApp, limits: Limits, limit: Limit) -> None:
        self._app, self._limits, self._limit = app, limits, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        await self._limits.count(self._limit, request)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 404:
                self._limits.missed(request)
            await send(message)

        await self._app(scope, receive, watched if self._limit.opened_by_secret else send)


def limited(limits: Limits, limit: Limit) -> list[Middleware]:
    """What a route is given, so that its requests are counted."""
    return [Middleware(Limited, limits, limit)]
