"""Whether a form was sent from a page of ours: for acts that need no token, so that any site could set them off."""

import re

from starlette.requests import Request
from starlette.responses import Response

from digest.web.frame import Frame

_SITE = re.compile(r"https?://([^/?#@\s]+)")


def is_foreign(request: Request, host: str) -> bool:
    """Whether another site's page sent this. `host`: the name and port of ours, as in `site.public_url`.

    Browsers say so themselves (Fetch Metadata, `Sec-Fetch-Site`), older ones name the page (`Origin`); what says neither is no
    browser, and no visitor's trust is abused by it. A page that hides where it is from (`Origin: null`) is no page of ours.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    named = _SITE.fullmatch(origin)
    return named is None or named[1] not in (host, request.headers.get("host", ""))


def foreign(frame: Frame) -> Response:
    """What a form of another site gets."""
    return frame.page("error", {"title": "That came from another site", "message": "Please use the form on our own page."}, 403)
