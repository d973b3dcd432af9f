"""The pages behind the links that every digest has: leave, pause, undo, and have the link to the preferences mailed.

Whoever finds a forwarded mail can come here, so no page shows or tells what is the reader's, nor whether there is one.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.flows.links import Links
from digest.rendering.words import on
from digest.tokens import TOKEN, random_token
from digest.web.frame import Frame
from digest.web.limits import LINKS, Limits, limited
from digest.wiring import App

WEEKS: Mapping[str, int] = {"1": 1, "2": 2, "4": 4}
_WEEK = timedelta(weeks=1)
_STALE = {
    "title": "This link is not valid any more",
    "message": "A link to undo something works for 30 days, and only until something else was changed:"
    " use the one in the newest mail about it.",
}
_TOO_OFTEN = {"title": "Too often today", "message": "Nothing was changed; please try again tomorrow."}


class Leaving:
    """The handlers. `noted` is called when there is a mail to send."""

    def __init__(self, app: App, frame: Frame, noted: Callable[[], None], limits: Limits) -> None:
        self._app, self._frame, self._noted, self._limits = app, frame, noted, limits

    def routes(self) -> list[Route]:
        each = limited(self._limits, LINKS)
        return [
            Route("/u/{token}", self.unsubscribe, methods=["GET", "POST"]),  # without a limit: see digest/web/limits.py
            Route("/undo/{token}", self.undo, methods=["GET", "POST"], middleware=each),
            Route("/p/ask/{token}", self.ask, methods=["GET", "POST"], middleware=each),
            Route("/p/pause/{token}/{weeks}", self.pause, methods=["POST"], middleware=each),
        ]

    def unsubscribe(self, request: Request) -> Response:
        """Ask, or (by POST, whatever its body says: RFC 8058) let him go."""
        if request.method != "POST":
            return self._frame.page("unsubscribe", {"action": self._frame.path("u", request.path_params["token"])})
        acted = self._links.leave(self._app.clock.now(), _token(request))
        self._noted()
        undo = self._frame.path("undo", acted.undo)
        return self._frame.page("unsubscribed", {"undo_action": undo, "on_its_way": acted.on_its_way})

    def undo(self, request: Request) -> Response:
        """Ask, or (by POST) bring him back as he was."""
        token, now = request.path_params["token"], self._app.clock.now()
        what = self._links.undo(now, token) if request.method == "POST" else self._links.find(now, token)
        if what is None:
            return self._frame.page("error", _TOO_OFTEN, 429, {"Retry-After": "86400"})
        if not what:
            return self._frame.page("error", _STALE, 404)
        if what == "undone":
            return self._frame.page("undone")
        return self._frame.page("undo", {"what": what, "action": self._frame.path("undo", token)})

    def ask(self, request: Request) -> Response:
        """Offer the link to the preferences and a pause, or (by POST) mail that link."""
        token = request.path_params["token"]
        if request.method == "POST":
            self._links.ask(self._app.clock.now(), _token(request))
            self._noted()
            return self._frame.page("asked")
        pauses = [
            {"action": self._frame.path("p", "pause", token, weeks), "label": f"{weeks} week{'s' if weeks != '1' else ''}"}
            for weeks in WEEKS
        ]
        values = {"action": self._frame.path("p", "ask", token), "pauses": pauses, "leave": self._frame.path("u", token)}
        return self._frame.page("ask", values)

    def pause(self, request: Request) -> Response:
        """Mail him nothing for so many weeks."""
        weeks, now = WEEKS.get(request.path_params["weeks"]), self._app.clock.now()
        if weeks is None:
            return self._frame.page("error", {"title": "There is no such pause", "message": "One, two or four weeks."}, 404)
        acted = self._links.pause(now, _token(request), weeks)
        if acted is None:
            return self._frame.page("error", _TOO_OFTEN, 429, {"Retry-After": "86400"})
        self._noted()
        undo, until = self._frame.path("undo", acted.undo), on((now + weeks * _WEEK).date())
        return self._frame.page("paused", {"undo_action": undo, "until": until, "on_its_way": acted.on_its_way})

    @property
    def _links(self) -> Links:
        return Links(self._app.store, self._app.signer, str(self._app.settings.site.public_url))


def _token(request: Request) -> str:
    """Whom the link names; for what was made up, somebody whom there is not."""
    token = str(request.path_params["token"])
    return token if TOKEN.fullmatch(token) else random_token()
