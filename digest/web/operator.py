"""The operator's pages, on a listener of their own. They read; all that they do is to queue a mail again that failed, to hold
digests back and let them go, and to send the operator what a reader would get."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeAlias, get_args

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from digest.edition.model import Edition, Pick
from digest.errors import DigestError
from digest.flows import drafts, health, messages, posting, status
from digest.flows.settling import RETRIABLE
from digest.store import holding, ledger, overview
from digest.store.schema import delivery, notice
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import CADENCES, Cadence
from digest.web import operator_views as views
from digest.web.door import OURS, Door, knock
from digest.web.entry import Entry
from digest.web.failing import Failing
from digest.web.forms import form_of
from digest.web.frame import PRIVATE, Frame
from digest.web.guard import Guard, host_of
from digest.web.limits import Limits
from digest.web.origin import foreign, is_foreign
from digest.web.probes import healthz, is_local, metrics
from digest.web.visitors import Visitors
from digest.wiring import App

EDITIONS = 14
FAILURES = 100
LOOK_BACK = timedelta(days=14)
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A mail's styles stand in its tags."""
_MAIL = re.compile(r"(delivery|notice) ([0-9]{1,18})", re.ASCII)
TABLES = {"delivery": delivery, "notice": notice}
Answer: TypeAlias = Callable[[Request], Response]


def create_operator_app(app: App) -> Starlette:
    """The operator's pages as an ASGI application.

    It answers for this machine's own names, for that of `web.operator_bind` and for that of `site.public_url`: another name
    could be that of a stranger's page, which leads here to be taken for one of ours.
    """
    frame = Frame(app, prefix="", operator=True)
    visitors = Visitors(app.settings.web.trusted_proxies, app.signer)
    entry = Entry(app.settings.web, visitors, app.signer, app.clock)
    failing = Failing(frame, secure=False)
    web = Starlette(
        routes=[
            *Door(frame, Limits(app, visitors), entry).routes(),
            *Operator(app, frame, entry).routes(),
            Route("/healthz", healthz, methods=["GET"]),
        ],
        exception_handlers=failing.handlers,
    )
    web.router.redirect_slashes = False
    bound = host_of(app.settings.web.operator_bind)
    public = host_of(str(app.settings.site.public_url or "").partition("://")[2].partition("/")[0])
    web.add_middleware(Guard, hosts=[name for name in (bound, public) if name], secure=False, refusal=failing.unread)
    return web


class Operator:
    """The handlers, for nobody but the operator."""

    def __init__(self, app: App, frame: Frame, entry: Entry) -> None:
        self._app, self._frame, self._entry = app, frame, entry

    def routes(self) -> list[Route]:
        reads: dict[str, Answer] = {
            "/": self.status,
            "/editions": self.editions,
            "/failures": self.failures,
            "/preview": self.preview,
            "/preview/{cadence}": self.previewed,
        }
        acts: dict[str, Answer] = {
            "/pause": partial(self.hold, back=True),
            "/resume": partial(self.hold, back=False),
            "/preview/{cadence}/send": self.send,
        }
        return [
            *(Route(path, partial(self._read, answer=answer), methods=["GET"]) for path, answer in reads.items()),
            *(Route(path, partial(self._act, answer=answer), methods=["POST"]) for path, answer in acts.items()),
            Route("/retry", self.retry, methods=["POST"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    def _read(self, request: Request, answer: Answer) -> Response:
        return answer(request) if self._entry.who(request) else knock(self._frame, self._entry)

    def _act(self, request: Request, answer: Answer) -> Response:
        if is_foreign(request, ""):
            return foreign(self._frame)
        return self._read(request, answer)

    def metrics(self, request: Request) -> Response:
        """For a monitor on this machine, or one that has the token (`Authorization: Bearer`)."""
        if self._entry.who(request) is None and not is_local(request):
            raise HTTPException(404)
        return metrics(self._app, self._health())

    def status(self, request: Request) -> Response:
        """How things stand, and the one switch."""
        now = self._app.clock.now()
        found = status.look(self._app.store, self._app.schedule, self._app.settings.sources, now)
        last = found["last_edition"]
        mails = views.counted(last["deliveries"], "no mails yet") if last else ""
        values = {
            "operator": self._entry.who(request),
            "by_token": self._entry.by_token,
            "wrong": [wrong for wrong in self._health().checks.values() if wrong],
            "now": views.moment(now),
            "paused": views.moment(found["paused_since"]) if found["paused_since"] else "",
            "next_edition": views.moment(found["next_edition_at"]) if found["next_edition_at"] else "due now",
            "next_mail": views.next_mail(found["next_mail_at"], now, held=bool(found["paused_since"])),
            "last_edition": f"{last['edition']}: {last['empty_because'] or mails}" if last else "none yet",
            "queue": views.counted(found["queue"], "empty"),
            "subscribers": views.counted(found["subscribers"], "none"),
            "sources": [views.source_view(one) for one in found["sources"]],
            "workers": [
                f"{one['host']}, process {one['pid']}, since {views.moment(one['started_at'])}" for one in found["workers"]
            ],
            "catch_up": views.span(self._app.schedule.catch_up),
        }
        return self._frame.page("operator/status", values, headers=OURS)

    def editions(self, _request: Request) -> Response:
        """How the last ones went."""
        with self._app.store.read() as connection:
            courses = overview.courses(connection, self._app.clock.now(), EDITIONS)
        values = {"rows": [views.course_view(one) for one in courses], "charts": views.charts(courses)}
        return self._frame.page("operator/editions", values, headers=OURS)

    def failures(self, _request: Request) -> Response:
        """What did not arrive, with the server's words."""
        with self._app.store.read() as connection:
            found = overview.failures(connection, self._app.clock.now() - LOOK_BACK, FAILURES)
        values = {"groups": views.failure_groups(found), "days": LOOK_BACK.days, "most": len(found) == FAILURES and FAILURES}
        return self._frame.page("operator/failures", values, headers=OURS)

    async def retry(self, request: Request) -> Response:
        """Queue mails again that came to an end without reaching anybody: each `mail` of the form, such as `delivery 12`."""
        async with form_of(request) as form:
            named = [one for one in form.getlist("mail") if isinstance(one, str)]
        return await run_in_threadpool(self._act, request, lambda _: self._retry(named))

    def _retry(self, named: Sequence[str]) -> Response:
        mails = [match for one in named if (match := _MAIL.fullmatch(one))]
        if not mails or len(mails) < len(named):
            raise HTTPException(404)
        now = self._app.clock.now()
        with self._app.store.write() as connection:
            queued = [ledger.retry(connection, TABLES[one[1]], int(one[2]), now, from_states=RETRIABLE) for one in mails]
        if not any(queued):
            values = {"title": "It cannot be tried again", "message": "It did not end, or it was tried again meanwhile."}
            return self._frame.page("error", values, 409)
        return self._frame.see_other("failures")

    def hold(self, request: Request, *, back: bool) -> Response:
        """Hold digests back, or let them go."""
        with self._app.store.write() as connection:
            (holding.pause if back else holding.resume)(connection, self._app.clock.now(), self._entry.who(request) or "")
        return self._frame.see_other("")

    def preview(self, _request: Request) -> Response:
        """What there is to look at."""
        values = {"cadences": list(CADENCES), "to": self._app.settings.operator.email}
        return self._frame.page("operator/preview", values, headers=OURS)

    def previewed(self, request: Request) -> Response:
        """The mail of somebody without interests, as it would be made now."""
        made = self._picked(request)
        if made is None:
            return self._nothing()
        rendered = messages.preview(self._app.settings.site, self._app.environments, *made, None)
        return HTMLResponse(rendered.html, headers={**PRIVATE, "Content-Security-Policy": MAIL_POLICY})

    def send(self, request: Request) -> Response:
        """The same by mail, to `operator.email` and nobody else."""
        made, to = self._picked(request), self._app.settings.operator.email
        if made is None or not to:
            return self._nothing()
        try:
            imprint, relay, recipient = self._app.imprint, self._app.relay, EmailAddress.parse(to)
            content = messages.preview_message(imprint, *made, messages.nobody(recipient.text))
            said = asyncio.run(posting.post(relay, imprint.sender.address, recipient, content))
        except DigestError as error:
            values = {"title": "It was not sent", "message": f"{error}. {error.fix}".strip()}
            return self._frame.page("error", values, 502)
        values = {"title": "It is on its way", "message": f"The mail server took it: {said}"}
        return self._frame.page("error", values)

    def _picked(self, request: Request) -> tuple[Edition, tuple[Pick, ...]] | None:
        """The edition of today, and what everybody would get of it; None where there is nothing."""
        cadence = next((one for one in get_args(Cadence) if one == request.path_params["cadence"]), None)
        if cadence is None:
            return None
        app, now = self._app, self._app.clock.now()
        edition = drafts.standing(app.store, app.settings.ranking, now, app.schedule.date_at(now), cadence)
        picks = drafts.for_reader(app.store, now, edition, app.usual, app.selection, None, app.model)
        return (edition, picks) if picks else None

    def _nothing(self) -> Response:
        values = {"title": "There is nothing to show", "message": "No paper is there to choose from, or nobody to send it to."}
        return self._frame.page("error", values, 404)

    def _health(self) -> health.Health:
        return health.look(self._app.store, self._app.schedule, self._app.clock.now())
