"""The web part: its pages put together.

A GET never changes anything: mail scanners follow every link. What acts is a POST behind one button, and the POST that mail
clients make by themselves (RFC 8058).
"""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from digest.web.about import About
from digest.web.api import Api
from digest.web.archive import Archive
from digest.web.choosing import Choosing
from digest.web.failing import Failing
from digest.web.feeds import Feeds
from digest.web.frame import Frame
from digest.web.guard import Guard
from digest.web.joining import Joining
from digest.web.leaving import Leaving
from digest.web.limits import Limits
from digest.web.papers import Papers
from digest.web.preferences import Preferences
from digest.web.probes import Probes
from digest.web.public import Public, newest
from digest.web.rating import Rating
from digest.web.shelf import Shelf, ShelfFirst
from digest.web.visitors import Visitors
from digest.web.wishing import Wishing
from digest.wiring import App


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
    secure = site.scheme == "https"
    shelf = Shelf(partial(newest, app))
    visitors = Visitors(app.settings.web.trusted_proxies, app.signer)
    wishing, limits = Wishing(app, frame), Limits(app, visitors)
    public = Public(app, frame, shelf)
    routes = [
        *public.routes(),
        *Archive(app, frame, shelf, limits).routes(),
        *Papers(app, frame, shelf, limits).routes(),
        *About(app, frame, shelf).routes(),
        *Feeds(app, frame, shelf, limits).routes(),
        *Api(app, frame, shelf, limits).routes(),
        *Probes(app, frame).routes(),
        *Joining(app, frame, visitors, noted, wishing, limits).routes(),
        *Choosing(app, frame, shelf, wishing, limits).routes(),
        *Preferences(app, frame, wishing, limits).routes(),
        *Leaving(app, frame, noted, limits).routes(),
        *Rating(app, frame, limits).routes(),
    ]
    failing = Failing(frame, secure=secure)
    # `site.public_url` as it is written leads to the first page too, without a slash at its end.
    below = [Mount(frame.prefix, routes=routes), Route(frame.prefix, public.landing, methods=["GET"])] if frame.prefix else []
    web = Starlette(
        routes=[*below, *routes],
        exception_handlers=failing.handlers,
    )
    web.router.redirect_slashes = False
    web.add_middleware(ShelfFirst, shelf=shelf)
    web.add_middleware(Guard, hosts=[site.hostname or ""], secure=secure, refusal=failing.unread)
    return web
