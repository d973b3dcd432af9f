"""Whether a form was sent from a page of ours: for acts that need no token, so that any site could set them off."""

from urllib.parse import urlsplit

from starlette.requests import Request


def is_foreign(request: Request, host: str) -> bool:
    """Whether another site's page sent this. `host`: the name and port of ours, as in `site.public_url`.

    Browsers say so themselves (Fetch Metadata, `Sec-Fetch-Site`), older ones name the page (`Origin`); what says neither is no
    browser, and no visitor's trust is abused by it.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc not in (host, request.headers.get("host", ""))
