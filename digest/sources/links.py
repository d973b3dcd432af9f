"""Which addresses from outside may be shown to a reader as a link, and those that we build from an id ourselves."""

import re
from urllib.parse import quote, urlsplit

MAX_URL = 500

# RFC 3986 section 2, without the brackets that only an address literal needs.
_URL = re.compile(r"https?://(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.IGNORECASE)
# The last label of a name begins with a letter; that of an IPv4 address in any spelling (RFC 3986 3.2.2, inet_aton) does not.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")


def safe_url(text: str) -> str | None:
    """`text` as a link that is fit to be shown; None if it is none.

    http or https to a named host; no control characters, blanks, backslashes, user names or passwords; at most 500 characters.
    """
    url = text.strip()
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port_is_real = parts.port != 0
    except ValueError:
        return None
    if "@" in parts.netloc or not port_is_real or not _HOST.fullmatch(parts.hostname or ""):
        return None
    return parts.geturl()


def links_of_id(id_: str) -> dict[str, str]:
    """The links that a canonical id (`digest.papers.identity`) stands for.

    >>> links_of_id("arxiv:2511.04321")["pdf"]
    'https://arxiv.org/pdf/2511.04321'
    """
    scheme, _, value = id_.partition(":")
    if scheme == "arxiv":
        return {"arxiv": f"https://arxiv.org/abs/{value}", "pdf": f"https://arxiv.org/pdf/{value}"}
    if scheme == "doi" and (url := safe_url(f"https://doi.org/{quote(value, safe='/:;().,-_')}")):
        return {"doi": url}
    return {}
