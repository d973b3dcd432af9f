"""What all pages have in common: where they lie, and the headers of a page that a token opens."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from digest.rendering.pages import render_page, style_source
from digest.web.guard import security_policy
from digest.wiring import App

PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
"""Headers of pages that a token opens."""


class Frame:
    """Makes pages. `prefix`: the path of `site.public_url`, without a slash at its end."""

    def __init__(self, app: App, prefix: str) -> None:
        self._app, self.prefix = app, prefix

    def path(self, *parts: str) -> str:
        """The path of a page, for the form that posts to it."""
        return "/".join([self.prefix, *(quote(part, safe="") for part in parts)])

    def page(
        self, name: str, values: Mapping[str, str] | None = None, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """One of the pages of `digest.rendering.pages` as an answer."""
        html = render_page(name, values or {}, self._app.settings.site, self._app.environments)
        policy = {"Content-Security-Policy": security_policy(style_source(html))}
        return HTMLResponse(html, status, {**PRIVATE, **policy, **(headers or {})})
