"""The pages behind "More like this" and "Less like this" in a mail: asked by GET, done by POST, taken back by another POST."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.edition.model import SECTIONS, Pick
from digest.flows import liking
from digest.outbox.identity import is_rating_token
from digest.rendering.cards import title_of
from digest.store import deliveries, papers
from digest.store.retention import PICKS
from digest.store.rows import picks_from_json
from digest.web.frame import Frame
from digest.web.limits import LINKS, Limits, limited
from digest.wiring import App

PATH = "/f/{token}/{paper}/{verdict}"
_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([A-Za-z0-9_-]{22})", re.ASCII)
# By its number, or as in older mails by its place.
_PAPER = re.compile(r"p([1-9][0-9]{0,17})|([1-9][0-9]?)", re.ASCII)
_UNKNOWN = {
    "title": "This link is not valid",
    "message": "Perhaps it was cut in two by a mail program, or the subscription that it belongs to is gone.",
}
_TOO_OLD = {
    "title": "This link is too old",
    "message": f"What was in a mail is forgotten after {PICKS.days} days. Any newer mail will do.",
}


@dataclass(frozen=True, slots=True)
class Rated:
    """The paper that a link is about, and whose word it is."""

    subscriber_id: int
    key: str
    title: str


class Rating:
    """The handler. It tells a visitor the paper's title, and of the reader nothing."""

    def __init__(self, app: App, frame: Frame, limits: Limits) -> None:
        self._app, self._frame, self._limits = app, frame, limits

    def routes(self) -> list[Route]:
        return [Route(PATH, self.answer, methods=["GET", "POST"], middleware=limited(self._limits, LINKS))]

    def answer(self, request: Request) -> Response:
        """Ask, or (by POST) note what the reader says."""
        token, paper, said = (request.path_params[name] for name in ("token", "paper", "verdict"))
        verdict = next((verdict for verdict in liking.RATING if verdict == said), None)
        if verdict is None:
            return self._frame.page("error", _UNKNOWN, 404)
        found = self._found(token, paper)
        if not isinstance(found, Rated):
            return self._frame.page("error", found, 410 if found is _TOO_OLD else 404)
        paths = {f"{one}_action": self._frame.path("f", token, paper, one) for one in liking.RATING}
        values = {"paper": found.title, "verdict": verdict, "action": paths[f"{verdict}_action"]}
        if request.method != "POST":
            return self._frame.page("rate", values)
        now = self._app.clock.now()
        liking.rate(self._app.store, now, found.subscriber_id, found.key, verdict, by="a link in his mail")
        return self._frame.page("rated", values | paths)

    def _found(self, token: str, paper: str) -> Rated | Mapping[str, str]:
        """What a link is about, or what to say of one that is about nothing."""
        named, which = _TOKEN.fullmatch(token), _PAPER.fullmatch(paper)
        if not named or not which:
            return _UNKNOWN
        delivery = int(named[1])
        with self._app.store.read() as connection:
            row = deliveries.find(connection, delivery)
            reader = row and deliveries.readers(connection, [row.subscriber_id]).get(row.subscriber_id)
            if row is None or not reader or not is_rating_token(self._app.signer, delivery, reader.token, named[2]):
                return _UNKNOWN
            if not row.picks:
                return _TOO_OLD
            shown = _shown(picks_from_json(row.picks))
            number, place = int(which[1] or 0), int(which[2] or 0)
            wanted = [one for at, one in enumerate(shown, start=1) if place == at or number == one]
            rated = papers.by_id(connection, wanted[0]) if wanted else None
        if rated is None:
            return _UNKNOWN
        return Rated(reader.id, rated.key, title_of(rated.work))


def _shown(picks: Sequence[Pick]) -> list[int]:
    """The numbers of a mail's papers in the order in which it shows them."""
    return [pick.paper_id for section in SECTIONS for pick in picks if pick.section == section]
