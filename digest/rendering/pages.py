"""Renders the pages of the web part: whole without script, and without anything from another place."""

import base64
import hashlib
import re
from dataclasses import dataclass

from digest.papers.text import clean
from digest.rendering.digest_mail import site_view
from digest.rendering.environment import Environments
from digest.rendering.model import Site, Values

MAX_VALUE = 2000
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the content of a page."""

    root: str = ""
    """The path of the site, without a slash at its end; every link begins with it."""
    public: bool = False
    """Whether everybody may find it: a page that a token opens tells search engines and other sites nothing."""
    operator: bool = False
    """Whether it is one of the operator's: they lead to each other, and not to those of readers."""
    thanks: str = ""
    """What those are told who let us use their data."""


def render_page(name: str, values: Values, site: Site, environments: Environments, around: Around) -> str:
    """The page `templates/web/{name}.html` as HTML.

    Args:
        name: of the page.
        values: what its template names. Texts lose control characters and what is too long; views are such already.
        site: whose page it is.
        environments: where its templates are.
        around: what stands around it.

    Raises:
        ConfigurationError: a template of the operator's is broken.
        jinja2.UndefinedError: the template names a value that is not given.
    """
    given = {key: clean(value, MAX_VALUE) if isinstance(value, str) else value for key, value in values.items()}
    return environments.html(f"web/{name}.html", {**given, "site": site_view(site), "around": around})


def style_source(page: str) -> str:
    """What `style-src` of a Content-Security-Policy has to allow for this page: the hash of its one style element.

    >>> style_source("<style>p { margin: 0 }</style>")
    "'sha256-7IWhgxoOGTB5NQzjGk9OPt0FwhVeBvZGoWgF9xLLh8c='"
    """
    style = _STYLE.search(page)
    if not style:
        return "'none'"
    return f"'sha256-{base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()}'"
