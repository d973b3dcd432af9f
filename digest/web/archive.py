"""The archive: the editions by month, each on a page of its own, and the search for papers."""

import re
from datetime import date, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.rendering.archive import MonthView, edition_line, month_views, year_views
from digest.rendering.paper_page import found_view
from digest.store import issues, papers
from digest.store.search import MAX_QUERY
from digest.subscribers.model import Cadence
from digest.web.feeds import is_topic
from digest.web.frame import Frame
from digest.web.limits import PAGES, SEARCHES, Limits, limited
from digest.web.public import day_of, edition_path, paper_path, view_of
from digest.web.shelf import Shelf
from digest.wiring import App

RECENT = timedelta(days=62)
"""The first page of the archive lists the editions of so long before the newest one."""
AT_MOST = 100
FOUND = 30
"""Papers that a search shows; of more it says that there are more."""
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_NO_EDITION = {"title": "There is no such edition", "message": "The archive lists all that there are."}


class Archive:
    """The handlers."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf, limits: Limits) -> None:
        self._app, self._frame, self._shelf, self._limits = app, frame, shelf, limits

    def routes(self) -> list[Route]:
        pages = limited(self._limits, PAGES)
        return [
            Route("/archive", self.newest, methods=["GET"]),
            Route("/archive/week/{date}", self.weekly, methods=["GET"], middleware=pages),
            Route("/archive/{date}", self.daily, methods=["GET"], middleware=pages),
            Route("/search", self.search, methods=["GET"], middleware=limited(self._limits, SEARCHES)),
        ]

    def newest(self, request: Request) -> Response:
        """The editions of late, and where the others are."""
        return self._shelf.answer(request, self._newest)

    def daily(self, request: Request) -> Response:
        """The edition of a day, or the editions of a month."""
        asked = request.path_params["date"]
        if month := _first_of(asked):
            return self._shelf.answer(request, partial(self._month, month))
        return self._shelf.answer(request, partial(self._issue, asked, "daily"))

    def weekly(self, request: Request) -> Response:
        """The edition of a week."""
        return self._shelf.answer(request, partial(self._issue, request.path_params["date"], "weekly"))

    def search(self, request: Request) -> Response:
        """The papers that have all these words; without any, the field to type them into."""
        asked = request.query_params.get("q", "")[:MAX_QUERY].strip()
        if not asked:
            return self._shelf.answer(
                request, partial(self._frame.public, "search", {"asked": "", "found": (), "more": False, "feed": ""})
            )
        with self._app.store.read() as connection:
            found = papers.search(connection, asked, limit=FOUND + 1)
        shown = [found_view(one, paper_path(self._frame, one.key)) for one in found if not one.hidden and not one.retracted]
        feed = self._frame.path("feed", f"{asked}.xml") if is_topic(asked) else ""
        values = {"asked": asked, "found": shown[:FOUND], "more": len(shown) > FOUND, "feed": feed}
        return self._frame.page("search", values)

    def _newest(self) -> Response:
        with self._app.store.read() as connection:
            dates = issues.dates(connection)
            months = self._months(connection, dates[0] - RECENT, None) if dates else ()
        values = {"months": months, "years": year_views(dates, self._frame.path("archive"))}
        return self._frame.public("archive", values)

    def _month(self, first: date) -> Response:
        with self._app.store.read() as connection:
            months = self._months(connection, first, _next_month(first))
            dates = issues.dates(connection)
        if not months:
            return self._frame.page("error", _NO_EDITION, 404)
        values = {"month": months[0], "years": year_views(dates, self._frame.path("archive"))}
        return self._frame.public("month", values)

    def _issue(self, asked: str, cadence: Cadence) -> Response:
        on = day_of(asked)
        with self._app.store.read() as connection:
            issue = issues.find(connection, on, cadence) if on else None
            before, after = issues.beside(connection, on, cadence) if on else (None, None)
        if issue is None:
            return self._frame.page("error", _NO_EDITION, 404)
        values = {
            "issue": view_of(issue, self._frame),
            "before": edition_path(self._frame, before, cadence) if before else "",
            "after": edition_path(self._frame, after, cadence) if after else "",
        }
        return self._frame.public("issue", values)

    def _months(self, connection: Any, since: date, before: date | None) -> tuple[MonthView, ...]:
        rows = issues.listed(connection, since=since, before=before, limit=AT_MOST)
        first = issues.first_shown(connection, [row.id for row in rows])
        lines = [
            edition_line(
                row.date,
                weekly=row.cadence == "weekly",
                path=edition_path(self._frame, row.date, row.cadence),
                first=first[row.id].title if row.id in first else "",
            )
            for row in rows
        ]
        return month_views(zip([row.date for row in rows], lines, strict=True), self._frame.path("archive"))


def _first_of(text: str) -> date | None:
    """The first day of the month that a path names."""
    return day_of(f"{text}-01") if _MONTH.fullmatch(text) else None


def _next_month(first: date) -> date | None:
    """None after the last one that there is a date in."""
    return None if (first.year, first.month) == (date.max.year, 12) else (first + timedelta(days=31)).replace(day=1)
