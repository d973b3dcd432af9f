"""The pages that are the same for everybody."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.store import editions
from digest.web.frame import Frame
from digest.web.shelf import Shelf
from digest.wiring import App


class Public:
    """The handlers. What they show changes with the newest edition."""

    def __init__(self, app: App, frame: Frame) -> None:
        self._app, self._frame = app, frame
        self._shelf = Shelf(self._newest)

    def routes(self) -> list[Route]:
        return [Route("/", self.landing, methods=["GET"])]

    def landing(self, request: Request) -> Response:
        """What this is, and the one field."""
        return self._shelf.answer(request, lambda: self._frame.public("landing", {"email": "", "wrong": ""}))

    def _newest(self) -> int | None:
        with self._app.store.read() as connection:
            row = editions.latest(connection, self._app.clock.now())
        return row.id if row else None
