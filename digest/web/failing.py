"""What is said when something goes wrong: as a page in our style, or to a program as data."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.errors import Busy, DigestError, ServerUnavailable, TemporaryFailure
from digest.web.frame import Frame
from digest.web.guard import add_security_headers
from digest.web.problems import Problem, wants_data

_BROKEN = {"title": "Something broke", "message": "The fault is ours and was noted. Please try again later."}
_REFUSALS = {
    404: ("There is no such page", "Perhaps the link was cut in two by a mail program."),
    405: ("That cannot be done here", "The page does not take this kind of request."),
    408: ("That came too slowly", "Nothing was changed; please try again."),
    413: ("That is too much at once", "Nothing was changed. Please go back, and send it in parts, each of less than 64 kB."),
    429: ("Too many at once", "Nothing was changed; please try again in a minute."),
}

log = logging.getLogger(__name__)


class Failing:
    """Answers in the place of a handler that could not. `secure`: the site is reached by https."""

    def __init__(self, frame: Frame, *, secure: bool) -> None:
        self._frame, self._secure = frame, secure

    @property
    def handlers(self) -> Mapping[Any, Callable[[Request, Exception], Response]]:
        """By the kind of error, for Starlette."""
        return {HTTPException: self.refused, DigestError: self.failed, Exception: self.broken}

    def refused(self, request: Request, error: Exception) -> Response:
        """A page that is not there, or a method that it does not take."""
        assert isinstance(error, HTTPException)
        title, message = _REFUSALS.get(error.status_code, (error.detail, "The request could not be answered."))
        return self._error(request, {"title": title, "message": message}, error.status_code, error.headers)

    def unread(self, request: Request, status: int, headers: Mapping[str, str]) -> Response:
        """A request whose body nobody waited for to its end."""
        return self.refused(request, HTTPException(status, headers=dict(headers)))

    def failed(self, request: Request, error: Exception) -> Response:
        """Something that this program foresaw: the visitor cannot mend it, and is told whether to come again."""
        if isinstance(error, TemporaryFailure | Busy | ServerUnavailable):
            log.warning("%s", error)
            values = {
                "title": "Not just now",
                "message": "The site is busy. Nothing was changed; please try again in a minute.",
            }
            return self._error(request, values, 503, {"Retry-After": "60"})
        log.error("%s", error)
        return self._error(request, _BROKEN, 500)

    def broken(self, request: Request, _error: Exception) -> Response:
        """Something that nobody foresaw; the server logs it."""
        response = self._error(request, _BROKEN, 500)
        add_security_headers(MutableHeaders(raw=response.raw_headers), secure=self._secure)
        return response

    def _error(
        self, request: Request, said: Mapping[str, str], status: int, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page that says it, or for a program what it can read."""
        if wants_data(request, self._frame.prefix):
            return Problem(status, f"{said['title']}.", headers)
        return self._frame.page("error", said, status, headers)
