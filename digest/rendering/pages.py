"""Renders the pages of the web part: whole without script, and without anything from another place."""

import base64
import hashlib
import re

from digest.papers.text import clean
from digest.rendering.digest_mail import site_view
from digest.rendering.environment import Environments
from digest.rendering.model import Site, Values

MAX_VALUE = 2000

_REQUIRED = {
    "confirm": ("action",),
    "confirmed": (),
    "error": ("title", "message"),
    "rate": ("action", "paper", "verdict"),
    "rated": ("more_action", "less_action", "neither_action", "paper", "verdict"),
    "unsubscribe": ("action",),
    "unsubscribed": (),
}
_OPTIONAL = {"address": "", "first_digest": "", "fix": ""}
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
PAGES = tuple(_REQUIRED)


def render_page(name: str, values: Values, site: Site, environments: Environments) -> str:
    """A page as HTML.

    Args:
        name: one of `PAGES`, which is also its file below `templates/web`.
        values: texts. `confirm` and `unsubscribe`: action (the path that its button posts to, required) and address (masked).
            `confirmed` and `unsubscribed`: address, and first_digest (`on Monday at 07:30`). `error`: title and message (both
            required), fix. `rate` and `rated` (all required): paper (its title), verdict (`more`, `less` or `neither`); `rate`:
            action; `rated`: an action for each verdict (`more_action`, …).
        site: whose page it is.
        environments: where its templates are.

    Raises:
        ValueError: there is no such page, or a required value is missing.
        ConfigurationError: a template of the operator's is broken.
    """
    if name not in _REQUIRED:
        raise ValueError(f"there is no page {name!r}")
    given = {key: clean(str(value), MAX_VALUE) for key, value in values.items() if value is not None}
    if missing := [key for key in _REQUIRED[name] if not given.get(key)]:
        raise ValueError(f"the page {name} needs {', '.join(missing)}")
    return environments.html(f"web/{name}.html", {**_OPTIONAL, **given, "site": site_view(site)})


def style_source(page: str) -> str:
    """What `style-src` of a Content-Security-Policy has to allow for this page: the hash of its one style element.

    >>> style_source("<style>p { margin: 0 }</style>")
    "'sha256-7IWhgxoOGTB5NQzjGk9OPt0FwhVeBvZGoWgF9xLLh8c='"
    """
    style = _STYLE.search(page)
    if not style:
        return "'none'"
    return f"'sha256-{base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()}'"
