"""Atom feeds (RFC 4287): of the edition for everybody, of a topic, and of what was chosen for one reader."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from digest.outbox.access import whose_feed
from digest.papers.text import clean
from digest.rendering.feed import EntryView, entry_view, feed_view, render_feed
from digest.store import editions, feeds, issues, subscribers
from digest.store.feeds import Story
from digest.subscribers.model import MAX_INTEREST, State
from digest.web.frame import PRIVATE, Frame
from digest.web.limits import FEEDS, OWN_FEED, Limits, limited
from digest.web.problems import FOR_ANY_SITE
from digest.web.public import paper_path
from digest.web.shelf import Shelf, answered
from digest.wiring import App

EDITIONS = 14
"""That the public feeds tell of."""
OWN = timedelta(days=30)
"""For so long a reader's own feed tells what was chosen for him."""
MOST = 300
"""Papers in a reader's own feed."""
MOST_OF_TOPIC = 100
READING: frozenset[State] = frozenset({"active", "paused", "bounced"})
"""States in which a reader has a feed: one whose mail comes back reads here what he misses."""
_SOME_WORD = re.compile(r"[^\W_]")


def is_topic(text: str) -> bool:
    """Whether there is a feed of these words."""
    return len(text) <= MAX_INTEREST and "/" not in text and _SOME_WORD.search(text) is not None


class Feeds:
    """The handlers."""

    def __init__(self, app: App, frame: Frame, shelf: Shelf, limits: Limits) -> None:
        self._app, self._frame, self._shelf, self._limits = app, frame, shelf, limits

    def routes(self) -> list[Route]:
        return [
            Route("/feed.xml", self.public, methods=["GET"]),
            Route("/feed/for/{token}.xml", self.own, methods=["GET"], middleware=limited(self._limits, OWN_FEED)),
            Route("/feed/{topic}.xml", self.topic, methods=["GET"], middleware=limited(self._limits, FEEDS)),
        ]

    def public(self, request: Request) -> Response:
        """The papers of the last issues."""
        return self._shelf.answer(request, self._public)

    def topic(self, request: Request) -> Response:
        """The papers of the last editions that have the words of a topic."""
        topic = clean(request.path_params["topic"], MAX_INTEREST + 1)
        if not is_topic(topic):
            raise HTTPException(404)
        return self._shelf.answer(request, lambda: self._topic(topic))

    def own(self, request: Request) -> Response:
        """What was chosen for the reader to whom the link was mailed, and nothing else of him."""
        token, now = request.path_params["token"], self._app.clock.now()
        public_id = whose_feed(self._app.signer, token)
        with self._app.store.read() as connection:
            reader = subscribers.by_token(connection, public_id) if public_id else None
            if reader is None or reader.state not in READING:
                raise HTTPException(404)
            stories = feeds.chosen_for(connection, reader.id, now - OWN, limit=MOST)
        name = f"Your papers · {self._app.settings.site.name}"
        made = self._feed(name, ("feed", "for", f"{token}.xml"), self._told(stories), None)
        made.headers.update(PRIVATE | {"Cache-Control": "private, no-cache"})
        return answered(request, made)

    def _public(self) -> Response:
        now = self._app.clock.now()
        with self._app.store.read() as connection:
            found = issues.lately(connection, now, EDITIONS)
            newest = editions.latest(connection, now)
        stories = [Story(one.key, one.entry, issue.date, issue.frozen_at) for issue in found for one in issue.shown]
        made = self._feed(self._app.settings.site.name, ("feed.xml",), self._told(stories), newest and newest.frozen_at)
        made.headers.update(FOR_ANY_SITE)
        return made

    def _topic(self, topic: str) -> Response:
        now = self._app.clock.now()
        with self._app.store.read() as connection:
            stories = feeds.about(connection, topic, now, editions=EDITIONS, limit=MOST_OF_TOPIC)
            newest = editions.latest(connection, now)
        name = f"{topic} · {self._app.settings.site.name}"
        made = self._feed(name, ("feed", f"{topic}.xml"), self._told(stories), newest and newest.frozen_at)
        made.headers.update(FOR_ANY_SITE)
        return made

    def _told(self, stories: Iterable[Story]) -> list[EntryView]:
        return [
            entry_view(one.entry, one.date, one.frozen_at, self._frame.url(paper_path(self._frame, one.key)), one.pick)
            for one in stories
        ]

    def _feed(self, title: str, place: tuple[str, ...], entries: list[EntryView], newest: datetime | None) -> Response:
        view = feed_view(title, self._frame.url(self._frame.path(*place)), self._frame.url(), newest, entries)
        xml = render_feed(view, self._app.settings.site, self._app.environments)
        return Response(xml, media_type="application/atom+xml")
