"""The door of the operator's pages: the form that asks for the token, and what those see who do not enter."""

from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.allowance import Allowance
from digest.store import allowances
from digest.web.entry import Entry
from digest.web.frame import Frame
from digest.web.origin import is_foreign
from digest.web.visitors import Visitors
from digest.wiring import App

GUESSES = (Allowance(5, timedelta(minutes=1)), Allowance(30, timedelta(hours=1)))
"""Of a visitor. There is none for all together: with it, a stranger could lock the operator out."""
# Without a referrer, browsers do not say either whose page a form is of.
OURS = {"Referrer-Policy": "same-origin"}


class Door:
    """Coming in and going out."""

    def __init__(self, app: App, frame: Frame, visitors: Visitors, entry: Entry) -> None:
        self._app, self._frame, self._visitors, self._entry = app, frame, visitors, entry

    def routes(self) -> list[Route]:
        return [Route("/enter", self.enter, methods=["POST"]), Route("/leave", self.leave, methods=["POST"])]

    async def enter(self, request: Request) -> Response:
        """Let in whoever has the token."""
        form = await request.form()
        return await run_in_threadpool(self._enter, request, str(form.get("token", "")))

    def _enter(self, request: Request, token: str) -> Response:
        if is_foreign(request, ""):
            return foreign(self._frame)
        with self._app.store.write() as connection:
            key = f"operator {self._visitors.key(request)}"
            allowed = allowances.spend(connection, {key: GUESSES}, self._app.clock.now())
        if not allowed:
            values = {"title": "Too many at once", "message": "Please try again in a minute."}
            return self._frame.page("error", values, 429, {"Retry-After": "60"})
        if not self._entry.opens(token):
            return knock(self._frame, self._entry, "That is not the token.")
        response = self._frame.see_other("")
        self._entry.let_in(response)
        return response

    def leave(self, _request: Request) -> Response:
        """Forget who this was."""
        response = self._frame.see_other("")
        self._entry.let_go(response)
        return response


def knock(frame: Frame, entry: Entry, wrong: str = "") -> Response:
    """Ask for the token, where there is one."""
    values = {"wrong": wrong, "by_token": entry.by_token}
    return frame.page("operator/enter", values, 401, {**OURS, "WWW-Authenticate": "Bearer"})


def foreign(frame: Frame) -> Response:
    """What a form of another site gets."""
    return frame.page("error", {"title": "That came from another site", "message": "Please use the form on our own page."}, 403)
