"""The web part: its routes, the pages behind the links in mails, and what is said when something goes wrong.

A GET never changes anything: mail scanners follow every link. What acts is a POST behind one button, and the POST that mail
clients make by themselves (RFC 8058).
"""

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from digest.errors import Busy, DigestError, ServerUnavailable, TemporaryFailure
from digest.flows import subscribe
from digest.subscribers.model import Subscriber
from digest.web.about import About
from digest.web.api import Api
from digest.web.archive import Archive
from digest.web.choosing import Choosing
from digest.web.feeds import Feeds
from digest.web.frame import Frame
from digest.web.guard import Guard, add_security_headers
from digest.web.joining import Joining
from digest.web.leaving import Leaving
from digest.web.limits import LINKS, Limits, limited
from digest.web.papers import Papers
from digest.web.preferences import Preferences
from digest.web.probes import Probes
from digest.web.problems import Problem, wants_data
from digest.web.public import Public, newest
from digest.web.rating import PATH, Rating
from digest.web.shelf import Counter, Shelf
from digest.web.visitors import Visitors
from digest.web.wishing import Wishing
from digest.wiring import App

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")

log = logging.getLogger(__name__)


def create_app(app: App, noted: Callable[[], None] = lambda: None) -> Starlette:
    """The web part as an ASGI application; `noted` is called, from any thread, when there is a mail to send.

    It answers for the host of `site.public_url` and for this machine by its own names; below the path of `site.public_url`
    and, for a proxy that takes that path away, without it.

    Raises:
        ConfigurationError: `site.public_url` is not set.
    """
    app.settings.require("site.public_url")
    site = urlsplit(str(app.settings.site.public_url))
    frame = Frame(app, prefix=site.path.rstrip("/"))
    pages = Pages(app, frame, secure=site.scheme == "https")
    shelf = Shelf(partial(newest, app))
    visitors = Visitors(app.settings.web.trusted_proxies, app.signer)
    wishing, limits = Wishing(app, frame), Limits(app, visitors)
    by_link = limited(limits, LINKS)
    routes = [
        *Public(app, frame, shelf).routes(),
        *Archive(app, frame, shelf, limits).routes(),
        *Papers(app, frame, shelf).routes(),
        *About(app, frame, shelf).routes(),
        *Feeds(app, frame, shelf, limits).routes(),
        *Api(app, frame, shelf, limits).routes(),
        *Probes(app, frame).routes(),
        *Joining(app, frame, visitors, noted, wishing).routes(),
        *Choosing(app, frame, shelf, wishing, limits).routes(),
        *Preferences(app, frame, wishing, limits).routes(),
        *Leaving(app, frame, noted, limits).routes(),
        Route("/confirm/{token}", pages.confirm, methods=["GET", "POST"], middleware=by_link),
        Route(PATH, Rating(app, frame).answer, methods=["GET", "POST"], middleware=by_link),
        Route("/healthz", pages.healthz, methods=["GET"]),
    ]
    web = Starlette(
        routes=[Mount(frame.prefix, routes=routes), *routes] if frame.prefix else routes,
        exception_handlers={HTTPException: pages.refused, DigestError: pages.failed, Exception: pages.broken},
    )
    web.router.redirect_slashes = False
    web.add_middleware(Counter, shelf=shelf)
    web.add_middleware(Guard, hosts=[site.hostname or ""], secure=pages.secure)
    return web


class Pages:
    """The handlers. Plain functions: Starlette runs them in threads, where the database may block."""

    def __init__(self, app: App, frame: Frame, secure: bool) -> None:
        self._app, self._frame, self.secure = app, frame, secure
        self._page, self._path = frame.page, frame.path

    def confirm(self, request: Request) -> Response:
        """Ask, or (by POST) confirm."""
        token, now = request.path_params["token"], self._app.clock.now()
        if not _TOKEN.fullmatch(token):
            return self._stale()
        if request.method == "POST":
            url = str(self._app.settings.site.public_url)
            known = subscribe.confirm(self._app.store, now, token, url, self._app.schedule)
        else:
            known = subscribe.find_to_confirm(self._app.store, now, token)
        if known is None:
            return self._stale()
        if known.state == "pending":
            return self._page("confirm", {"action": self._path("confirm", token), "address": known.address.masked})
        return self._page("confirmed", {"address": known.address.masked, "first_digest": self._first_digest(known)})

    def healthz(self, _request: Request) -> Response:
        """Whether this process answers."""
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    def refused(self, request: Request, error: Exception) -> Response:
        """A page that is not there, or a method that it does not take."""
        assert isinstance(error, HTTPException)
        title, message = _REFUSALS.get(error.status_code, (error.detail, "The request could not be answered."))
        return self._error(request, {"title": title, "message": message}, error.status_code, error.headers)

    def failed(self, request: Request, error: Exception) -> Response:
        """Something that this program foresaw: the visitor cannot mend it, and is told whether to come again."""
        if isinstance(error, TemporaryFailure | Busy | ServerUnavailable):
            log.warning("%s", error)
            values = {
                "title": "Not just now",
                "message": "The site is busy. Nothing was changed; please try again in a minute.",
            }
            return self._error(request, values, 503, {"Retry-After": "60"})
        log.error("%s", error)
        return self._error(request, _BROKEN, 500)

    def broken(self, request: Request, _error: Exception) -> Response:
        """Something that nobody foresaw; the server logs it."""
        response = self._error(request, _BROKEN, 500)
        add_security_headers(MutableHeaders(raw=response.raw_headers), secure=self.secure)
        return response

    def _error(
        self, request: Request, said: Mapping[str, str], status: int, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page that says it, or for a program what it can read."""
        if wants_data(request, self._frame.prefix):
            return Problem(status, f"{said['title']}.", headers)
        return self._page("error", said, status, headers)

    def _stale(self) -> Response:
        values = {
            "title": "This link is not valid any more",
            "message": "A confirmation link works for seven days, and only the latest one does.",
        }
        return self._page("error", values, 404)

    def _first_digest(self, reader: Subscriber) -> str:
        return subscribe.first_digest(reader.preferences, self._app.schedule, self._app.clock.now())


_BROKEN = {"title": "Something broke", "message": "The fault is ours and was noted. Please try again later."}
_REFUSALS = {
    404: ("There is no such page", "Perhaps the link was cut in two by a mail program."),
    405: ("That cannot be done here", "The page does not take this kind of request."),
    429: ("Too many at once", "Nothing was changed; please try again in a minute."),
}
