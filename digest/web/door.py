"""The door of the operator's pages: the form that asks for the token, and what those see who do not enter."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.web.entry import Entry
from digest.web.forms import form_of
from digest.web.frame import Frame
from digest.web.limits import ENTRANCES, Limits
from digest.web.origin import foreign, is_foreign

# Without a referrer, browsers do not say either whose page a form is of.
OURS = {"Referrer-Policy": "same-origin"}


class Door:
    """Coming in and going out."""

    def __init__(self, frame: Frame, limits: Limits, entry: Entry) -> None:
        self._frame, self._limits, self._entry = frame, limits, entry

    def routes(self) -> list[Route]:
        return [Route("/enter", self.enter, methods=["POST"]), Route("/leave", self.leave, methods=["POST"])]

    async def enter(self, request: Request) -> Response:
        """Let in whoever has the token."""
        if is_foreign(request, ""):
            # Not counted: a stranger's page could use up what the operator may.
            return await run_in_threadpool(foreign, self._frame)
        await self._limits.count(ENTRANCES, request)
        async with form_of(request) as form:
            return await run_in_threadpool(self._enter, str(form.get("token", "")))

    def _enter(self, token: str) -> Response:
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
