"""The pages that explain: how ranking works, and what is kept of whom."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.flows.subscribe import CONFIRMATION_LIFE
from digest.rendering.scores import signal_views
from digest.store import retention
from digest.web.frame import Frame
from digest.web.shelf import Shelf
from digest.wiring import App


class About:
    """The handlers. What they say comes from the settings and limits that the program goes by."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf) -> None:
        self._app, self._frame, self._shelf = app, frame, shelf

    def routes(self) -> list[Route]:
        return [
            Route("/how-ranking-works", self.ranking, methods=["GET"]),
            Route("/privacy", self.privacy, methods=["GET"]),
        ]

    def ranking(self, request: Request) -> Response:
        """What makes a paper trending, and what a reader's interests change."""
        ranking = self._app.settings.ranking
        values = {
            "signals": signal_views(ranking.weights.model_dump()),
            "window": ranking.window.days,
            "floor": f"{ranking.floor:g}",
            "explore": ranking.explore,
        }
        return self._shelf.answer(request, partial(self._frame.public, "how-ranking-works", values))

    def privacy(self, request: Request) -> Response:
        """What is kept, how long, and who sees it."""
        contact = self._app.settings.site.contact
        values = {
            "contact": contact,
            "contact_link": contact if contact.startswith(("http://", "https://")) else contact and f"mailto:{contact}",
            "confirmation": CONFIRMATION_LIFE.days,
            "unconfirmed": (CONFIRMATION_LIFE + retention.PENDING).days,
            "picks": retention.PICKS.days,
            "notices": retention.NOTICES.days,
        }
        return self._shelf.answer(request, partial(self._frame.public, "privacy", values))
