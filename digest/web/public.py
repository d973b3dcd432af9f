"""The pages that are the same for everybody."""

import re
from collections.abc import Hashable
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.rendering.issue import IssueView, issue_view
from digest.store import editions, issues
from digest.store.issues import Issue
from digest.subscribers.model import Cadence
from digest.web.frame import Frame
from digest.web.shelf import Shelf
from digest.wiring import App

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Public:
    """The handlers. What they show changes with the newest edition."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf) -> None:
        self._app, self._frame, self._shelf = app, frame, shelf

    def routes(self) -> list[Route]:
        return [Route("/", self.landing, methods=["GET"])]

    def landing(self, request: Request) -> Response:
        """What this is, the one field, and today's edition."""
        return self._shelf.answer(request, self._landing)

    def _landing(self) -> Response:
        with self._app.store.read() as connection:
            issue = issues.newest(connection, self._app.clock.now())
        shown = view_of(issue, self._frame) if issue else None
        return self._frame.public("landing", {"email": "", "wrong": "", "issue": shown})


def newest(app: App) -> Hashable:
    """A value that changes when an edition is frozen and when its issue is chosen: the shelf is emptied then."""
    with app.store.read() as connection:
        row = editions.latest(connection, app.clock.now())
    return row and (row.id, row.picks is None)


def view_of(issue: Issue, frame: Frame) -> IssueView:
    """An issue as pages show it."""
    weekly = issue.cadence == "weekly"
    return issue_view(
        issue.date,
        [(one.key, one.entry, one.section) for one in issue.shown],
        issue.missing_sources,
        weekly=weekly,
        path=issue_path(frame, issue),
        path_of=lambda key: paper_path(frame, key),
    )


def issue_path(frame: Frame, issue: Issue) -> str:
    """The path of an issue's page: `/archive/2026-11-22`, `/archive/week/2026-11-16`."""
    return edition_path(frame, issue.date, issue.cadence)


def day_of(text: str) -> date | None:
    """The day that a path or a parameter names, in the one spelling that we write; None if it names none."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def edition_path(frame: Frame, on: date, cadence: Cadence) -> str:
    """The path of the page of the issue of this date and cadence."""
    week = ("week",) if cadence == "weekly" else ()
    return frame.path("archive", *week, on.isoformat())


def paper_path(frame: Frame, key: str) -> str:
    """The path of a paper's page: `/papers/arxiv:2401.01234`; a DOI keeps its slashes."""
    return frame.path("papers", *key.split("/"))
