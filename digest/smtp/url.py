"""The address of a mail server as settings write it: `smtp+starttls://user:password@host:587`."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import quote, unquote

from digest.errors import ConfigurationError

Scheme = Literal["smtp", "smtp+starttls", "smtps", "lmtp"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
DEFAULT_PORTS: dict[Scheme, int] = {"smtp": 25, "smtp+starttls": 587, "smtps": 465, "lmtp": 24}
PLAIN: frozenset[Scheme] = frozenset({"smtp", "lmtp"})
"""Schemes without TLS: no credentials go over them to another host."""

_EXAMPLE = "write it like smtp+starttls://user@mail.example.org:587"
_ENCODE = "write @ : / ? # % and blanks in a user name or password as %40 %3A %2F %3F %23 %25 %20"
_SERVER = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?)(?::(?P<port>[0-9]{1,5}))?/?"
)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class SmtpUrl:
    """A mail server: how to reach it and as whom. `password` without `username` does not occur."""

    scheme: Scheme
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The address without its password."""
        user = "" if self.username is None else quote(self.username, safe="") + "@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{user}{host}:{self.port}"


def parse_smtp_url(text: str) -> SmtpUrl:
    """Read a mail server's address; user name and password are percent-decoded, the port has the scheme's default.

    Raises:
        ConfigurationError: it is no such address, or it would send credentials over a plain connection to another host.
            The message never quotes the text, which may hold a password.
    """
    scheme, separator, rest = text.partition("://")
    known: Scheme | None = next((name for name in SCHEMES if name == scheme.lower()), None)
    if not separator or known is None:
        raise ConfigurationError(f"a mail server's address begins with {', '.join(s + '://' for s in SCHEMES)}", fix=_EXAMPLE)
    credentials, at, server = rest.rpartition("@")
    match = _SERVER.fullmatch(server)
    if match is None:
        raise ConfigurationError(
            "after the user name and password comes host:port and nothing else", fix=_ENCODE if at else _EXAMPLE
        )
    port = int(match["port"] or DEFAULT_PORTS[known])
    if not 0 < port < 65536:
        raise ConfigurationError(f"{port} is not a port", fix="a number from 1 to 65535")
    host = _host(match["host"])
    if not at:
        return SmtpUrl(known, host, port)
    username, colon, password = credentials.partition(":")
    if known in PLAIN and not is_loopback(host):
        raise ConfigurationError(
            "credentials never go over a plain connection to another host",
            fix=f"use smtp+starttls:// (port 587) or smtps:// (port 465) for {host}, or leave out the user name",
        )
    if not username:
        raise ConfigurationError("there is no user name before the @", fix=_EXAMPLE)
    return SmtpUrl(known, host, port, _decoded(username), _decoded(password) if colon else None)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine (RFC 6761 6.3 for localhost)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")


def _host(text: str) -> str:
    if not text.startswith("["):
        return text.lower()
    try:
        return str(ipaddress.IPv6Address(text[1:-1]))
    except ValueError:
        raise ConfigurationError(f"{text} is not an IPv6 address", fix=_EXAMPLE) from None


def _decoded(text: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        decoded = ""
    if not decoded or not decoded.isprintable() or _STRAY_PERCENT.search(text) or re.search(r"[\s/?#]", text):
        raise ConfigurationError("the user name or password cannot be read", fix=_ENCODE)
    return decoded
