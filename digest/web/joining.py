"""The pages by which somebody becomes a reader: the form, and what follows it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.errors import BadInput
from digest.flows import joining, subscribe
from digest.subscribers import wishes
from digest.subscribers.address import EmailAddress
from digest.subscribers.form import sent, with_likes
from digest.subscribers.language import best_fit
from digest.subscribers.lookalike import lookalike
from digest.tokens import TOKEN
from digest.web.forms import form_of
from digest.web.frame import Frame
from digest.web.limits import LINKS, Limits, limited
from digest.web.origin import foreign, is_foreign
from digest.web.visitors import Visitors
from digest.web.wishing import Wishing, texts
from digest.wiring import App

TRAP = "website"
"""A field that no person sees: who fills it in is a program."""
_STALE = {
    "title": "This link is not valid any more",
    "message": "A confirmation link works for seven days, and only the latest one does.",
}


class Joining:
    """The handlers. `noted` is called when there is a sign-up to settle."""

    def __init__(
        self, app: App, frame: Frame, visitors: Visitors, noted: Callable[[], None], wishing: Wishing, limits: Limits
    ) -> None:
        self._app, self._frame, self._visitors, self._noted, self._wishing = app, frame, visitors, noted, wishing
        self._limits = limits
        self._host = urlsplit(str(app.settings.site.public_url)).netloc

    def routes(self) -> list[Route]:
        return [
            Route("/subscribe", self.subscribe, methods=["POST"]),
            Route("/check-inbox", self.check_inbox, methods=["GET"]),
            Route("/confirm/{token}", self.confirm, methods=["GET", "POST"], middleware=limited(self._limits, LINKS)),
        ]

    def check_inbox(self, _request: Request) -> Response:
        """What everybody sees who signed up, whoever he is."""
        return self._frame.page("check-inbox")

    async def subscribe(self, request: Request) -> Response:
        """Note an address. Whether it is known, suppressed or new, the answer is the same."""
        async with form_of(request) as form:
            return await run_in_threadpool(self._subscribe, request, form)

    def _subscribe(self, request: Request, form: FormData) -> Response:
        if is_foreign(request, self._host):
            return foreign(self._frame)
        written = str(form.get("email", ""))[:400]
        if form.get(TRAP):
            return self._frame.see_other("check-inbox")
        chosen = sent(texts(form))
        if chosen.wrong:
            return self._frame.page("choose", {"form": self._wishing.view(chosen)}, 422)
        address, wrong = _asked(written)
        if address is None:
            typed = {"email": written, "wrong": wrong, "again": tuple(chosen.fields)}
            # Without a referrer, browsers do not say either whose page the next try comes from.
            return self._frame.page("join-again", typed, 422, {"Referrer-Policy": "same-origin"})
        visitor, origin = self._visitors.key(request), self._visitors.origin(request)
        wanted = wishes.to_json(with_likes(chosen)) if chosen.fields else {}
        if "language" not in wanted and (language := best_fit(request.headers.get("accept-language", ""))):
            wanted["language"] = language
        if not joining.note(self._app.store, self._app.clock.now(), address, wanted, visitor, origin):
            values = {"title": "Too many at once", "message": "Please try again in an hour."}
            return self._frame.page("error", values, 429, {"Retry-After": "3600"})
        self._noted()
        return self._frame.see_other("check-inbox")

    def confirm(self, request: Request) -> Response:
        """Ask, or (by POST) confirm."""
        token, now = request.path_params["token"], self._app.clock.now()
        if not TOKEN.fullmatch(token):
            return self._frame.page("error", _STALE, 404)
        if request.method == "POST":
            url = str(self._app.settings.site.public_url)
            known = subscribe.confirm(self._app.store, now, token, url, self._app.schedule)
        else:
            known = subscribe.find_to_confirm(self._app.store, now, token)
        if known is None:
            return self._frame.page("error", _STALE, 404)
        if known.state not in ("active", "paused"):
            return self._frame.page("confirm", {"action": self._frame.path("confirm", token), "address": known.address.masked})
        first = subscribe.first_digest(known.preferences, self._app.schedule, now)
        return self._frame.page("confirmed", {"address": known.address.masked, "first_digest": first})


def _asked(written: str) -> tuple[EmailAddress | None, str]:
    """The address that was typed, or what is wrong with it."""
    try:
        address = EmailAddress.parse(written)
    except BadInput:
        return None, "That is not an email address."
    if lookalike(address.domain):
        return None, "The letters after the @ can be taken for others. Please use another address."
    return address, ""
