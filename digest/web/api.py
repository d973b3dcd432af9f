"""Data for programs: editions, papers and search as JSON under `/api/v1`; errors are those of RFC 9457."""

import re
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digest.papers.model import Paper
from digest.rendering.data import Data, edition_data, entry_data, paper_data, readings_data
from digest.store import appearances, issues, papers
from digest.subscribers.model import Cadence
from digest.web.frame import Frame
from digest.web.limits import DATA, SEARCHES, Limits, limited
from digest.web.openapi import EDITIONS, MAX_ASKED, MOST, USUAL, description
from digest.web.papers import found as paper_named
from digest.web.problems import FOR_ANY_SITE, Problem
from digest.web.public import day_of, paper_path
from digest.web.shelf import Shelf, answered
from digest.wiring import App

APPEARANCES = 60
"""Editions that are told of a paper."""
_NUMBER = re.compile(r"[0-9]{1,6}")
_V1 = ("api", "v1")


class Api:
    """The handlers. What has no query stands on the shelf."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf, limits: Limits) -> None:
        self._app, self._frame, self._shelf, self._limits = app, frame, shelf, limits

    def routes(self) -> list[Route]:
        each, searches = limited(self._limits, DATA), limited(self._limits, SEARCHES)
        return [
            Route("/api/v1/openapi.json", self.openapi, methods=["GET"], middleware=each),
            Route("/api/v1/editions", self.editions, methods=["GET"], middleware=each),
            Route("/api/v1/editions/week/{date}", self.weekly, methods=["GET"], middleware=each),
            Route("/api/v1/editions/{date}", self.daily, methods=["GET"], middleware=each),
            Route("/api/v1/papers/{key:path}", self.paper, methods=["GET"], middleware=each),
            Route("/api/v1/search", self.search, methods=["GET"], middleware=searches),
        ]

    def openapi(self, request: Request) -> Response:
        """What can be asked, and what is answered (OpenAPI 3.1)."""
        site = self._app.settings.site
        return self._shelf.answer(request, lambda: _data(description(site.name, self._frame.url(), site.contact)))

    def editions(self, request: Request) -> Response:
        """The editions that have something to show, the latest first, a page at a time."""
        asked = request.query_params.get("before")
        if asked is None:
            return self._shelf.answer(request, lambda: self._editions(None))
        before = day_of(asked)
        if before is None:
            return Problem(422, "before: a date like 2026-11-22")
        return answered(request, self._editions(before))

    def daily(self, request: Request) -> Response:
        """The edition of a day."""
        return self._shelf.answer(request, lambda: self._issue(request.path_params["date"], "daily"))

    def weekly(self, request: Request) -> Response:
        """The edition of a week, by its date."""
        return self._shelf.answer(request, lambda: self._issue(request.path_params["date"], "weekly"))

    def paper(self, request: Request) -> Response:
        """A paper by any of its ids, with its readings and the editions that it was in."""
        return self._shelf.answer(request, lambda: self._paper(request.path_params["key"]))

    def search(self, request: Request) -> Response:
        """Papers that have all of these words, the best first."""
        words, limit = request.query_params.get("q", ""), request.query_params.get("limit", str(USUAL))
        if not 1 <= len(words) <= MAX_ASKED:
            return Problem(422, f"q: from 1 to {MAX_ASKED} characters")
        if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= MOST:
            return Problem(422, f"limit: a number from 1 to {MOST}")
        with self._app.store.read() as connection:
            found = papers.search(connection, words, limit=int(limit))
        shown = [self._told(one) for one in found if not one.hidden and not one.retracted]
        return answered(request, _data({"papers": shown}))

    def _editions(self, before: date | None) -> Response:
        with self._app.store.read() as connection:
            rows = issues.listed(connection, before=before, limit=EDITIONS + 1)
        # The two editions of one day stand on one page, for the next begins before a date.
        more = len(rows) > EDITIONS
        shown = [row for row in rows if row.date > rows[-1].date] if more else rows
        after = self._frame.url(self._frame.path(*_V1, "editions")) + f"?before={shown[-1].date}" if more else None
        return _data({"editions": [self._edition(row.date, row.cadence, row.frozen_at) for row in shown], "next": after})

    def _issue(self, asked: str, cadence: Cadence) -> Response:
        on = day_of(asked)
        with self._app.store.read() as connection:
            issue = issues.find(connection, on, cadence) if on else None
        if issue is None:
            return Problem(404, "There is no such edition.")
        shown = [
            {"section": one.section, **entry_data(one.entry), "paper": paper_data(one.key, one.entry.work, self._page(one.key))}
            for one in issue.shown
        ]
        about = self._edition(issue.date, cadence, issue.frozen_at)
        return _data({**about, "missing_sources": list(issue.missing_sources), "papers": shown})

    def _paper(self, asked: str) -> Response:
        with self._app.store.read() as connection:
            paper = paper_named(connection, asked)
            if paper is None or paper.hidden:
                return Problem(404, "There is no such paper.")
            if paper.retracted:
                return Problem(410, "The paper was retracted.")
            numbers = {paper.id, *paper.former_ids}
            readings = papers.readings_of(connection, paper.id)
            told = appearances.of_paper(connection, numbers, self._app.clock.now(), APPEARANCES)
            known_as = papers.aliases_of(connection, [paper.id]).get(paper.id, [])
        return _data(
            {
                **self._told(paper),
                "ids": [one for one in known_as if not one.startswith("title:")],
                "readings": readings_data((row.source, row.metric, row.taken_at, row.value) for row in readings),
                "editions": [{**self._edition(one.date, one.cadence, one.frozen_at), **entry_data(one.entry)} for one in told],
            }
        )

    def _told(self, paper: Paper) -> Data:
        return paper_data(paper.key, paper.work, self._page(paper.key))

    def _page(self, key: str) -> str:
        return self._frame.url(paper_path(self._frame, key))

    def _edition(self, on: date, cadence: Cadence, frozen_at: Any) -> Data:
        place = ("week", on.isoformat()) if cadence == "weekly" else (on.isoformat(),)
        url, path = self._frame.url, self._frame.path
        return edition_data(on, cadence, frozen_at, url(path("archive", *place)), url(path(*_V1, "editions", *place)))


def _data(content: Data) -> Response:
    return JSONResponse(content, headers=FOR_ANY_SITE)
