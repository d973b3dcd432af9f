"""A reader's preferences, behind the one-hour link that he was mailed: change, preview, pause, export, erase."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.errors import NotPermitted, UsageError
from digest.flows import liking, subscribe
from digest.flows.exporting import export
from digest.flows.previews import Someone
from digest.outbox.access import feed, whose
from digest.papers.model import Work
from digest.rendering.words import on_weekday
from digest.store import ratings, subscribers
from digest.subscribers.form import Form, filled, sent
from digest.subscribers.model import PARSERS, STATED, Subscriber
from digest.subscribers.wishes import Wishes
from digest.web.forms import form_of
from digest.web.frame import PRIVATE, Frame
from digest.web.leaving import WEEKS
from digest.web.limits import CHOICES, LINKS, Limits, limited
from digest.web.wishing import Wishing, texts
from digest.wiring import App

BY = "the reader"
UNREAD_SHOWN = 10
_READS = frozenset({"active", "paused"})
_UNKNOWN = {"title": "This link is not valid", "message": "Perhaps it was cut in two by a mail program."}
_GONE = {
    "title": "This address gets no digests now",
    "message": "Nothing was changed. Subscribe on the first page to get them again.",
}

Act: TypeAlias = Callable[[Request, Subscriber, FormData], Response]


class Preferences:
    """The handlers. What opens them is in the path, and is known to nobody who was not mailed it."""

    def __init__(self, app: App, frame: Frame, wishing: Wishing, limits: Limits) -> None:
        self._app, self._frame, self._wishing, self._limits = app, frame, wishing, limits

    def routes(self) -> list[Route]:
        acts: list[tuple[str, str, Act]] = [
            ("GET", "", self._show),
            ("POST", "", self._change),
            ("POST", "/pause", self._pause),
            ("POST", "/resume", self._resume),
            ("GET", "/export", self._export),
            ("GET", "/erase", self._ask_to_erase),
            ("POST", "/erase", self._erase),
        ]
        limits = {"GET": limited(self._limits, LINKS), "POST": limited(self._limits, CHOICES)}
        return [
            Route(
                f"/p/{{access}}{path}",
                self._for_reader(act),
                methods=[method],
                name=act.__name__,
                middleware=limits[method],
            )
            for method, path, act in acts
        ]

    def _for_reader(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        """The handler that finds out whose link it is, and says so where it is nobody's or too old."""

        async def handle(request: Request) -> Response:
            async with form_of(request) as form:
                return await run_in_threadpool(self._answer, act, request, form)

        return handle

    def _answer(self, act: Act, request: Request, form: FormData) -> Response:
        token, until = whose(self._app.signer, request.path_params["access"], self._app.clock.now())
        with self._app.store.read() as connection:
            reader = subscribers.by_token(connection, token) if token else None
        if reader is None:
            return self._frame.page("error", _UNKNOWN, 404)
        if until is None:
            return self._frame.page("late", {"ask": self._frame.path("p", "ask", token)}, 410)
        try:
            return act(request, reader, form)
        except NotPermitted:
            return self._frame.page("error", _GONE, 409)
        except UsageError:  # he was erased this moment
            return self._frame.page("error", _UNKNOWN, 404)

    def _show(self, request: Request, reader: Subscriber, _form: FormData) -> Response:
        return self._page(request, reader)

    def _change(self, request: Request, reader: Subscriber, given: FormData) -> Response:
        """Keep what he chose, or show what it would bring, or let him change it once more."""
        if reader.state not in _READS:
            return self._frame.page("error", _GONE, 409)
        form, act = sent(texts(given), bibtex=True), given.get("act")
        if form.wrong:
            return self._page(request, reader, form, status=422)
        if act == "edit":
            return self._page(request, reader, form, "These choices are not kept yet.")
        if act == "preview":
            return self._wishing.preview(form, Someone(reader.id, form.forgotten), save=self._path(request))
        reader, note = self._kept(reader, form)
        return self._page(request, reader, note=note, unread=form)

    def _kept(self, reader: Subscriber, form: Form) -> tuple[Subscriber, str]:
        """Keep all that is in the form; returns the reader as he is now, and what to tell him."""
        store, now, chosen = self._app.store, self._app.clock.now(), form.wishes.preferences
        with store.read() as connection:
            standing = subscribers.interests(connection, [reader.id], now).get(reader.id, ())
        as_before = {(one.kind, one.value): one for one in standing}
        wanted = [as_before.get((one.kind, one.value), one) for one in form.wishes.interests]
        reader = subscribe.change(
            store,
            now,
            reader.address,
            preferences={name: getattr(chosen, name) for name in PARSERS},
            interests={kind: [one for one in wanted if one.kind == kind] for kind in STATED},
        )
        for key in form.forgotten:
            liking.rate(store, now, reader.id, key, "neither", by=BY)
        told = ["Your choices are kept."]
        if form.likes:
            liked = liking.like_all(store, now, reader.address, form.likes, by=BY)
            told += [f"Papers that you like: {liked.new} new" + f", {liked.already} there before" * bool(liked.already) + "."]
            told += [f"{liked.too_many} were too many and are left out."] * bool(liked.too_many)
        first = subscribe.first_digest(reader.preferences, self._app.schedule, now)
        told += [f"Your next digest comes {first}."] * bool(first and reader.state == "active")
        return reader, " ".join(told)

    def _pause(self, request: Request, reader: Subscriber, form: FormData) -> Response:
        weeks = WEEKS.get(str(form.get("weeks")))
        if weeks is None:
            return self._page(request, reader, note="Choose for how long.", status=422)
        now = self._app.clock.now()
        reader = subscribe.pause(self._app.store, now, reader.address, now + timedelta(weeks=weeks))
        return self._page(request, reader, note="Your digests are paused.")

    def _resume(self, request: Request, reader: Subscriber, _form: FormData) -> Response:
        reader = subscribe.resume(self._app.store, self._app.clock.now(), reader.address)
        return self._page(request, reader, note="Your digests come again.")

    def _export(self, _request: Request, reader: Subscriber, _form: FormData) -> Response:
        kept = export(self._app.store, self._app.clock.now(), reader.id)
        if kept is None:
            return self._frame.page("error", _UNKNOWN, 404)
        body = json.dumps(kept, ensure_ascii=False, indent=1)
        headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="digest.json"'}
        return Response(body, headers=headers, media_type="application/json")

    def _ask_to_erase(self, request: Request, reader: Subscriber, _form: FormData) -> Response:
        values = {
            "address": reader.address.masked,
            "contact": str(self._app.settings.site.contact or ""),
            "action": self._path(request, "erase"),
            "back": self._path(request),
        }
        return self._frame.page("erase", values)

    def _erase(self, _request: Request, reader: Subscriber, _form: FormData) -> Response:
        subscribe.erase(self._app.store, self._app.clock.now(), reader.address)
        return self._frame.page("erased")

    def _path(self, request: Request, *more: str) -> str:
        return self._frame.path("p", request.path_params["access"], *more)

    def _page(
        self,
        request: Request,
        reader: Subscriber,
        form: Form | None = None,
        note: str = "",
        *,
        status: int = 200,
        unread: Form | None = None,
    ) -> Response:
        """The page itself: with what is kept, or with a form that is not."""
        interests, rated = self._wanted(reader)
        form = form or filled(interests)
        zone, until = ZoneInfo(reader.preferences.zone), reader.paused_until
        values = {
            "address": reader.address.masked,
            "action": self._path(request),
            "leave": self._frame.path("u", reader.token),
            "feed": self._frame.path("feed", "for", f"{feed(self._app.signer, reader.token)}.xml"),
            "form": self._wishing.view(form, rated=rated, reader=True),
            "note": note,
            "unread": unread.unread[:UNREAD_SHOWN] if unread else (),
            "reads": reader.state in _READS,
            "paused": reader.state == "paused",
            "paused_until": on_weekday(until.astimezone(zone).date()) if until else "",
        }
        return self._frame.page("preferences", values, status)

    def _wanted(self, reader: Subscriber) -> tuple[Wishes, list[tuple[str, bool, Work | None]]]:
        """What he wants, and what he said of papers, the latest first."""
        with self._app.store.read() as connection:
            interests = subscribers.interests(connection, [reader.id], self._app.clock.now()).get(reader.id, ())
            rated = [one for one in reversed(interests) if one.kind in ratings.RATINGS]
            works = ratings.works_of(connection, {one.value for one in rated})
        told = [(one.value, one.kind == "liked", works.get(one.value)) for one in rated]
        return Wishes(reader.preferences, interests), told
