"""The pages behind "More like this" and "Less like this" in a mail: asked by GET, done by POST, taken back by another POST."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from digest.flows import liking
from digest.outbox.identity import is_rating_token
from digest.papers.text import MAX_TITLE, clean
from digest.rendering.tex import readable
from digest.store import deliveries, papers
from digest.store.retention import PICKS
from digest.store.rows import picks_from_json
from digest.web.frame import Frame
from digest.wiring import App

PATH = "/f/{token}/{place}/{verdict}"
_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([A-Za-z0-9_-]{22})", re.ASCII)
_PLACE = re.compile(r"[1-9][0-9]?", re.ASCII)
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

    def __init__(self, app: App, frame: Frame) -> None:
        self._app, self._frame = app, frame

    def answer(self, request: Request) -> Response:
        """Ask, or (by POST) note what the reader says."""
        token, place, said = (request.path_params[name] for name in ("token", "place", "verdict"))
        verdict = next((verdict for verdict in liking.RATING if verdict == said), None)
        if verdict is None:
            return self._frame.page("error", _UNKNOWN, 404)
        found = self._found(token, place)
        if not isinstance(found, Rated):
            return self._frame.page("error", found, 404)
        paths = {f"{one}_action": self._frame.path("f", token, place, one) for one in liking.RATING}
        values = {"paper": found.title, "verdict": verdict, "action": paths[f"{verdict}_action"]}
        if request.method != "POST":
            return self._frame.page("rate", values)
        now = self._app.clock.now()
        liking.rate(self._app.store, now, found.subscriber_id, found.key, verdict, by="a link in his mail")
        return self._frame.page("rated", values | paths)

    def _found(self, token: str, place: str) -> Rated | Mapping[str, str]:
        """What a link is about, or what to say of one that is about nothing."""
        named = _TOKEN.fullmatch(token)
        if not named or not _PLACE.fullmatch(place):
            return _UNKNOWN
        number = int(named[1])
        with self._app.store.read() as connection:
            row = deliveries.find(connection, number)
            reader = row and deliveries.readers(connection, [row.subscriber_id]).get(row.subscriber_id)
            if row is None or not reader or not is_rating_token(self._app.signer, number, reader.token, named[2]):
                return _UNKNOWN
            if not row.picks:
                return _TOO_OLD
            picks = picks_from_json(row.picks)
            in_order = [pick for pick in picks if pick.section == "card"] + [pick for pick in picks if pick.section == "also"]
            pick = in_order[int(place) - 1] if int(place) <= len(in_order) else None
            paper = papers.by_id(connection, pick.paper_id) if pick else None
        if paper is None:
            return _UNKNOWN
        return Rated(reader.id, paper.key, clean(readable(paper.work.title), MAX_TITLE) or "Untitled paper")
