"""What is asked, of which server, within which limits, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, quote_plus, urlencode

from digest.errors import ServerUnavailable
from digest.sources.web.kinds import Kind

_SECRET_HEADERS = ("authorization", "cookie", "key", "token", "secret", "password")
_LEAST_SECRET = 4
"""What is shorter is not looked for in texts: it would be found everywhere."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request: seconds for connecting (and again for TLS), each read or write, and the whole with its redirects; bytes
    of a body, on the wire and unpacked."""

    connect: float = 10.0
    read: float = 20.0
    total: float = 60.0
    body: int = 16 * 2**20


@dataclass(frozen=True)
class Server:
    """One source's server; the arguments are those of `Web.at`. `begun` is when its run began, on the clock of waits."""

    base: str
    source: str
    hosts: frozenset[str]
    pace: str
    gap: float
    headers: Mapping[str, str]
    secrets: Mapping[str, str]
    begun: float
    budget: float

    @property
    def setting(self) -> str:
        """What the operator wrote `base` into."""
        family, _, one_of_many = self.source.partition(":")
        return f"sources.{family}.urls" if one_of_many else f"sources.{family}.url"

    def address(self, path: str, params: Mapping[str, str]) -> str:
        """`base` with `path` at its end, and `params` after those that it has; without secrets."""
        front, _, query = self.base.partition("?")
        queries = "&".join(part for part in (query, urlencode(params)) if part)
        return f"{front}{path}?{queries}" if queries else f"{front}{path}"

    def masked(self, text: str) -> str:
        """`text` without what is secret, though a server may have repeated it."""
        for secret in self._spellings:
            text = text.replace(secret, "***")
        return text

    def masked_bytes(self, body: bytes) -> bytes:
        for secret in self._spellings:
            body = body.replace(secret.encode(), b"***")
        return body

    @cached_property
    def _spellings(self) -> tuple[str, ...]:
        plain = {*self.secrets.values()}
        for name, value in self.headers.items():
            if any(word in name.lower() for word in _SECRET_HEADERS):
                plain |= {value, value.rpartition(" ")[2]}
        long = [value for value in plain if len(value) >= _LEAST_SECRET]
        every = {spelling for value in long for spelling in (value, quote(value), quote(value, safe=""), quote_plus(value))}
        return tuple(sorted(every, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Question:
    """`url` is without secrets. `content`, if any, is JSON. `validators` are headers that make the question conditional, for an
    answer that is kept and came from the address `kept_from`."""

    method: str
    url: str
    kind: Kind
    asked: str
    content: bytes | None = None
    validators: Mapping[str, str] = field(default_factory=dict)
    kept_from: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered. `url` is where it was found in the end, without secrets; names of headers are in lower case. The
    body is unpacked; of an answer other than 200 it may be the beginning."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last reply, if there was any, and why it cannot be used, if it cannot."""

    reply: Reply | None
    error: ServerUnavailable | None = None


class HttpError(ServerUnavailable):
    """A server answered, and the answer is no use: `status`, and the beginning of its body."""

    def __init__(self, message: str, *, fix: str = "", status: int, body: bytes = b"", wait: float | None = None) -> None:
        super().__init__(message, fix=fix)
        self.status = status
        self.body = body
        self.wait = wait
        """Seconds that the server asks to be left alone, if they were not waited for."""
