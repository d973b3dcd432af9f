"""Who enters the operator's pages: whoever has the token, or whom a trusted proxy has let in and names."""

import hmac
import re

from starlette.requests import Request
from starlette.responses import Response

from digest.clock import Clock
from digest.settings.web import WebSettings
from digest.tokens import Signer, fingerprint
from digest.web.visitors import Visitors

SESSION = "__Host-operator"
"""RFC 6265bis 4.1.3.2: only for this host and over https; browsers take this machine's own http for as good."""
LASTS = 12 * 60 * 60
"""Seconds."""
BY_TOKEN = "the holder of the token"  # noqa: S105 (what he is called)
_VALUE = re.compile(r"([1-9][0-9]{0,11})-([A-Za-z0-9_-]{22})", re.ASCII)


class Entry:
    """Tells operators from others. What it gives them says until when, and is signed: nothing is stored.

    A new `web.operator_token` ends all that was given for the old one.
    """

    def __init__(self, web: WebSettings, visitors: Visitors, signer: Signer, clock: Clock) -> None:
        self._token = web.operator_token.get_secret_value() if web.operator_token else ""
        self._header, self._visitors, self._signer, self._clock = web.operator_header, visitors, signer, clock

    @property
    def by_token(self) -> bool:
        """Whether there is a token to ask for."""
        return bool(self._token)

    def who(self, request: Request) -> str | None:
        """The operator, by the name that the proxy gives him or as `BY_TOKEN`; None for anybody else."""
        named = request.headers.getlist(self._header) if self._header else []
        # A proxy that lets through what the visitor sent beside its own says two names: that is none.
        if len(named) == 1 and named[0].strip() and self._visitors.is_behind_proxy(request):
            return named[0].strip()[:100]
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.opens(given):
            return BY_TOKEN
        return BY_TOKEN if self._holds(request.cookies.get(SESSION, "")) else None

    def opens(self, given: str) -> bool:
        """Whether this is the token."""
        return bool(self._token) and hmac.compare_digest(given.strip().encode(), self._token.encode())

    def let_in(self, response: Response) -> None:
        """Give the visitor of this answer what `who` knows him by."""
        until = int(self._clock.now().timestamp()) + LASTS
        value = f"{until}-{self._signer.sign('operator', self._said(until))}"
        response.set_cookie(SESSION, value, max_age=LASTS, path="/", secure=True, httponly=True, samesite="strict")

    def let_go(self, response: Response) -> None:
        """Take it back."""
        response.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="strict")

    def _holds(self, value: str) -> bool:
        parts = _VALUE.fullmatch(value)
        if not self._token or parts is None or int(parts[1]) < self._clock.now().timestamp():
            return False
        return self._signer.verify("operator", self._said(int(parts[1])), parts[2])

    def _said(self, until: int) -> str:
        return f"{until} {fingerprint(self._token)}"
