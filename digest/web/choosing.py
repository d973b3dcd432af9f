"""Choosing before subscribing: the form, and tomorrow's digest for what is chosen. Nothing of it is stored."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.subscribers.form import filled, sent
from digest.subscribers.wishes import Wishes
from digest.web.frame import Frame
from digest.web.limits import PAGES, PREVIEWS, Limits, limited
from digest.web.shelf import Shelf
from digest.web.wishing import Wishing, texts
from digest.wiring import App


class Choosing:
    """The handlers."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf, wishing: Wishing, limits: Limits) -> None:
        self._app, self._frame, self._shelf, self._wishing, self._limits = app, frame, shelf, wishing, limits

    def routes(self) -> list[Route]:
        return [
            Route("/choose", self.choose, methods=["GET"], middleware=limited(self._limits, PAGES)),
            Route("/preview", self.preview, methods=["GET"], middleware=limited(self._limits, PREVIEWS)),
        ]

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
        return self._wishing.preview(form)

    def _empty(self) -> Response:
        return self._frame.public("choose", {"form": self._wishing.view(filled(Wishes()))})
