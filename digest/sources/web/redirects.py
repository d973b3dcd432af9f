"""Whereto a redirect may lead: nowhere that the operator did not write down, or the source's own code."""

import httpx2

from digest.papers.text import clean
from digest.sources.web.question import Server

MAX_REDIRECTS = 3
MAX_LOCATION = 2048
STATUSES = frozenset((301, 302, 303, 307, 308))


class NotFollowed(Exception):
    """This redirect is refused; `fix` says what the operator can do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


def next_address(at: httpx2.URL, location: str, server: Server) -> httpx2.URL:
    """The address that a redirect from `at` leads to (RFC 9110 10.2.2, 15.4).

    Within the operator's own origin (scheme, host and port of `server.base`) it may lead anywhere; else only to the hosts of
    the source, over the same scheme, on its default port. Whether those have public addresses is seen when they are asked.

    Raises:
        NotFollowed: it may not lead there.
    """
    if not location:
        raise NotFollowed("it redirects without saying where")
    if len(location) > MAX_LOCATION or not location.isprintable() or " " in location or "\\" in location:
        raise NotFollowed(f"it redirects to what is no address: {clean(location, 80)!r}")
    try:
        there = at.join(location)
        whole = there.port is None or 0 < there.port < 65536
    except httpx2.InvalidURL:
        whole = False
    if not whole:
        raise NotFollowed(f"it redirects to what is no address: {clean(location, 80)!r}")
    if there.userinfo:
        raise NotFollowed("it redirects to an address with a user name in it")
    base = httpx2.URL(server.base)
    if is_own(there, base):
        return there
    where = f"it redirects to {clean(server.masked(str(there)), 200)}"
    if there.scheme not in ("http", "https") or not there.host:
        raise NotFollowed(f"{where}, which is no web address")
    if there.host in server.hosts and there.port is None and there.scheme == base.scheme:
        return there
    raise NotFollowed(where, fix=f"if that is where it has moved to, write that in {server.setting}")


def is_own(url: httpx2.URL, base: httpx2.URL) -> bool:
    """Whether this is the origin that the operator wrote (RFC 6454)."""
    return (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
