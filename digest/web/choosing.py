"""Choosing before subscribing: the form, and tomorrow's digest for what is chosen. Nothing of it is stored."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.allowance import Allowance
from digest.subscribers.form import filled, sent
from digest.subscribers.wishes import Wishes
from digest.web.frame import Frame
from digest.web.shelf import Shelf
from digest.web.turnstile import Turnstile
from digest.web.visitors import Visitors
from digest.web.wishing import Wishing, texts
from digest.wiring import App

OF_A_VISITOR = (Allowance(20, timedelta(minutes=1)), Allowance(200, timedelta(hours=1)))


class Choosing:
    """The handlers."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf, visitors: Visitors, wishing: Wishing) -> None:
        self._app, self._frame, self._shelf, self._visitors, self._wishing = app, frame, shelf, visitors, wishing
        self._turnstile = Turnstile(OF_A_VISITOR)

    def routes(self) -> list[Route]:
        return [Route("/choose", self.choose, methods=["GET"]), Route("/preview", self.preview, methods=["GET"])]

    def choose(self, request: Request) -> Response:
        """The form: empty, or with what the query says."""
        if not request.query_params:
            return self._shelf.answer(request, self._empty)
        form = sent(texts(request.query_params))
        return self._frame.page("choose", {"form": self._wishing.view(form)}, 422 if form.wrong else 200)

    def preview(self, request: Request) -> Response:
        """What the choices in the query would bring."""
        form = sent(texts(request.query_params))
        if form.wrong:
            return self._frame.page("choose", {"form": self._wishing.view(form)}, 422)
        if not self._turnstile.lets(self._visitors.key(request)):
            values = {
                "title": "Too many at once",
                "message": "A preview takes us a while to make. Please try again in a minute.",
            }
            return self._frame.page("error", values, 429, {"Retry-After": "60"})
        return self._wishing.preview(form)

    def _empty(self) -> Response:
        return self._frame.public("choose", {"form": self._wishing.view(filled(Wishes()))})
