"""What programs are told that ask for data: answers as JSON, and what is wrong (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

FOR_ANY_SITE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Headers of what is everybody's: pages of other sites may read it."""
ROOT = "/api/"


class Problem(JSONResponse):
    """An error as JSON: its status, and in words what is wrong with just this request."""

    media_type = "application/problem+json"

    def __init__(self, status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        content: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        super().__init__(content | ({"detail": detail} if detail else {}), status, {**FOR_ANY_SITE, **(headers or {})})


def wants_data(request: Request, prefix: str) -> bool:
    """Whether a program asks, below `/api/`, and is to be answered as one."""
    path = request.url.path
    return path.startswith((ROOT, prefix + ROOT))
