"""What programs ask: monitors whether all is well, search engines where to stay away, finders of faults whom to write to."""

from datetime import UTC, datetime, time, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from digest.flows import health, measures
from digest.sources.registry import sources_of
from digest.web.exposition import MEDIA_TYPE, exposition
from digest.web.frame import Frame
from digest.web.guard import OUR_OWN_NAMES, host_of
from digest.wiring import App

UNCACHED = {"Cache-Control": "no-store"}
FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
CONTACT_HOLDS = timedelta(days=180)
"""RFC 9116 2.5.5 asks for less than a year."""
FOR_NO_ENGINE = ("u/", "undo/", "confirm/", "p/", "f/", "feed/for/", "preview", "search", "check-inbox", "metrics", "readyz")
"""Pages of one reader, and those that differ with each question. Without its slash `/p` were `/papers` too."""


def healthz(_request: Request) -> Response:
    """Whether this process answers."""
    return PlainTextResponse("ok\n", headers=UNCACHED)


class Probes:
    """The handlers."""

    def __init__(self, app: App, frame: Frame) -> None:
        self._app, self._frame = app, frame

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
            Route("/robots.txt", self.robots, methods=["GET"]),
            Route("/.well-known/security.txt", self.security, methods=["GET"]),
        ]

    def readyz(self, _request: Request) -> Response:
        """Whether the database answers in the right schema and the edition that is due is there; 503 where not."""
        found = self._health()
        told = {"ready": found.ready, "checks": {name: wrong or "ok" for name, wrong in found.checks.items()}}
        return JSONResponse(told, 200 if found.ready else 503, UNCACHED)

    def metrics(self, request: Request) -> Response:
        """For a monitor on this machine; whoever comes over a proxy or the network finds nothing here."""
        if not is_local(request):
            raise HTTPException(404)
        return metrics(self._app, self._health())

    def robots(self, _request: Request) -> Response:
        """RFC 9309. What is kept out has nothing in it for a search engine; pages that a token opens say so themselves."""
        lines = ["User-agent: *", *(f"Disallow: {self._frame.path(*path.split('/'))}" for path in FOR_NO_ENGINE)]
        return PlainTextResponse("\n".join(lines) + "\n", headers=FOR_A_DAY)

    def security(self, _request: Request) -> Response:
        """RFC 9116; there is none where nobody can be written to, and 2.5.3 allows no page that is not reached by https."""
        contact, site = self._app.settings.site.contact, urlsplit(str(self._app.settings.site.public_url))
        if not contact or contact.startswith("http:"):
            raise HTTPException(404)
        today = datetime.combine(self._app.clock.now(), time(), UTC)
        lines = [
            f"Contact: {contact if '://' in contact else f'mailto:{contact}'}",
            f"Expires: {today + CONTACT_HOLDS:%Y-%m-%dT%H:%M:%SZ}",
            f"Canonical: {site.scheme}://{site.netloc}/.well-known/security.txt",
            f"Preferred-Languages: {self._app.settings.site.language}",
        ]
        return PlainTextResponse("\n".join(lines) + "\n", headers=FOR_A_DAY)

    def _health(self) -> health.Health:
        return health.look(self._app.store, self._app.schedule, self._app.clock.now())


def metrics(app: App, found: health.Health) -> Response:
    """All that is measured, for whoever may see it."""
    enabled = [name for name, source in sources_of(app.settings.sources).items() if source.enabled]
    taken = measures.take(app.store, found, enabled, app.clock.now())
    return Response(exposition(taken), media_type=MEDIA_TYPE, headers=UNCACHED)


def is_local(request: Request) -> bool:
    """Whether a program on this machine asks for itself: over loopback, by this machine's own name, and no proxy says that it
    hands on what another asked."""
    try:
        near = ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False
    handed_on = any(name in ("forwarded", "via", "x-real-ip") or name.startswith("x-forwarded-") for name in request.headers)
    return near and not handed_on and host_of(request.headers.get("host", "")) in OUR_OWN_NAMES
