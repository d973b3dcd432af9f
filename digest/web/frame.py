"""What all pages have in common: where they lie, what stands around them, and their headers."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response

from digest.rendering.model import Values
from digest.rendering.pages import Around, render_page, style_source
from digest.rendering.wording import THANKS
from digest.sources.registry import sources_of
from digest.web.guard import security_policy
from digest.wiring import App

PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
"""Headers of pages that a token opens, and of all that is meant for one visitor."""


class Frame:
    """Makes pages. `prefix`: the path of `site.public_url`, without a slash at its end; `operator`: whether they are his."""

    def __init__(self, app: App, prefix: str, *, operator: bool = False) -> None:
        self._app, self.prefix, self._operator = app, prefix, operator
        asked = [name for name, source in sources_of(app.settings.sources).items() if source.enabled]
        self._thanks = THANKS if any(name.startswith("arxiv") for name in asked) else ""

    def path(self, *parts: str) -> str:
        """The path of a page, for the form that posts to it and for what leads there."""
        return "/".join([self.prefix, *(quote(part, safe=":") for part in parts)])

    def url(self, path: str = "") -> str:
        """The whole address of a path of ours, for feeds, which are read elsewhere."""
        return str(self._app.settings.site.public_url).removesuffix(self.prefix) + (path or self.prefix + "/")

    def page(
        self, name: str, values: Values | None = None, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page for one visitor, `templates/web/{name}.html`: nobody keeps it, no search engine lists it."""
        html = self._html(name, values, public=False)
        return HTMLResponse(html, status, {**PRIVATE, **_policy(html), **(headers or {})})

    def public(self, name: str, values: Values | None = None) -> Response:
        """A page for everybody, without a word on how long it may be kept: see `Shelf`."""
        html = self._html(name, values, public=True)
        return HTMLResponse(html, headers=_policy(html))

    def see_other(self, *parts: str) -> Response:
        """What answers a POST whose result has a page of its own (RFC 9110 15.4.4)."""
        return RedirectResponse(self.path(*parts) or "/", 303, {"Cache-Control": "no-store"})

    def _html(self, name: str, values: Values | None, *, public: bool) -> str:
        around = Around(self.prefix, public, self._operator, self._thanks)
        return render_page(name, values or {}, self._app.settings.site, self._app.environments, around)


def _policy(html: str) -> dict[str, str]:
    return {"Content-Security-Policy": security_policy(style_source(html))}
