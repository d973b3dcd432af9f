"""The page of a paper: what it is, why it ranked, and what attention it got."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from digest.papers.identity import arxiv_id, doi
from digest.papers.model import Paper, Reading
from digest.rendering.attention import attention_view
from digest.rendering.paper_page import paper_page
from digest.rendering.scores import appearance_view
from digest.store import appearances, papers
from digest.web.frame import Frame
from digest.web.limits import PAGES, Limits, limited
from digest.web.public import edition_path, paper_path
from digest.web.shelf import Shelf
from digest.wiring import App

MAX_KEY = 520
APPEARANCES = 40
"""Editions of which a page tells a paper's place: more than any window has."""
_UNKNOWN = {"title": "There is no such paper here", "message": "Perhaps the link was cut in two, or nobody has told us of it."}
_RETRACTED = {
    "title": "This paper was retracted",
    "message": "Its authors or its publisher have taken it back, so it is shown here no more.",
}


class Papers:
    """The handler."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf, limits: Limits) -> None:
        self._app, self._frame, self._shelf, self._limits = app, frame, shelf, limits

    def routes(self) -> list[Route]:
        return [Route("/papers/{key:path}", self.paper, methods=["GET"], middleware=limited(self._limits, PAGES))]

    def paper(self, request: Request) -> Response:
        """A paper by any id that it is or was known by; the one that it is known by now has the page."""
        return self._shelf.answer(request, partial(self._paper, request.path_params["key"]))

    def _paper(self, key: str) -> Response:
        with self._app.store.read() as connection:
            paper = found(connection, key)
            if paper is None or paper.hidden:
                return self._frame.page("error", _UNKNOWN, 404)
            if paper.retracted:
                return self._frame.page("error", _RETRACTED, 410)
            if paper.key != key:
                return RedirectResponse(paper_path(self._frame, paper.key), 301)
            aliases = papers.aliases_of(connection, [paper.id]).get(paper.id, [])
            rows = papers.readings_of(connection, paper.id)
            places = appearances.of_paper(connection, {paper.id, *paper.former_ids}, self._app.clock.now(), APPEARANCES)
        readings = [Reading(row.source, row.metric, row.value, row.taken_at) for row in rows]
        values = {
            "paper": paper_page(paper, aliases),
            "appearances": [appearance_view(one, edition_path(self._frame, one.date, one.cadence)) for one in places],
            "attention": attention_view(readings),
        }
        return self._frame.public("paper", values)


def found(connection: Any, text: str) -> Paper | None:
    """The paper that a path or a parameter means, by its key, a former one, or an id in any spelling; hidden ones too."""
    if len(text) > MAX_KEY or not text.isprintable():
        return None
    known = papers.find(connection, [key for key in (text, arxiv_id(text), doi(text)) if key])
    # The row may be of a former id.
    return papers.by_id(connection, known[0].id) if known else None
