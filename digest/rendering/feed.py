"""Feeds: papers as Atom (RFC 4287), with what a card of the mail says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from digest.edition.model import Entry, Pick
from digest.papers.text import MAX_NAME, MAX_TITLE, clean
from digest.rendering.cards import paper_view
from digest.rendering.digest_mail import site_view
from digest.rendering.environment import Environments
from digest.rendering.issue import REASONS_SHOWN
from digest.rendering.model import PaperView, Site
from digest.rendering.reasons import personal
from digest.rendering.tex import readable

AUTHORS = 20
"""That are named of a paper; some have thousands."""
NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without anything in it was changed last: an instant that must be named (4.2.15), and the same each time."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """A paper in a feed."""

    url: str
    """Of our own page about it, which is also its lasting name (4.2.6)."""
    at: str
    """When the edition was frozen that told it."""
    paper: PaperView
    why: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedView:
    """A feed; `url` is its own address and lasting name, `home` the page that it stands for."""

    title: str
    url: str
    home: str
    updated: str
    entries: tuple[EntryView, ...]


def timestamp(moment: datetime) -> str:
    """An instant by RFC 3339.

    >>> timestamp(datetime(2026, 11, 22, 6, tzinfo=UTC))
    '2026-11-22T06:00:00Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def entry_view(entry: Entry, on: date, frozen_at: datetime, url: str, pick: Pick | None = None) -> EntryView:
    """Args:
    entry: of the edition of a day.
    on: that day.
    frozen_at: when it was frozen.
    url: of our page about the paper.
    pick: why it was chosen for the one reader whose feed this is.
    """
    paper, work = paper_view(entry, on), entry.work
    his = personal(pick.how, pick.matched) if pick else ""
    said = "; ".join(filter(None, (his, *paper.reasons[:REASONS_SHOWN])))
    names = (clean(readable(name), MAX_NAME) for name in work.authors[:AUTHORS])
    return EntryView(
        url=url,
        at=timestamp(frozen_at),
        paper=paper,
        why=said or paper.otherwise,
        authors=tuple(filter(None, names)),
        categories=tuple(dict.fromkeys(filter(None, (clean(one, MAX_NAME) for one in work.categories)))),
    )


def feed_view(title: str, url: str, home: str, updated: datetime | None, entries: Sequence[EntryView]) -> FeedView:
    """Args:
    title: of the feed.
    url: its own address.
    home: the page that it stands for.
    updated: when there was something new the last time, for a feed without entries; None: never yet.
    entries: the newest first; a paper that comes twice is told as it came first.
    """
    oldest: dict[str, EntryView] = {}
    for entry in reversed(entries):
        oldest.setdefault(entry.url, entry)
    shown = tuple(reversed(oldest.values()))
    newest = max((entry.at for entry in shown), default=timestamp(updated or NOTHING_YET))
    return FeedView(clean(title, MAX_TITLE), url, home, newest, shown)


def render_feed(feed: FeedView, site: Site, environments: Environments) -> str:
    """A feed as XML.

    Raises:
        ConfigurationError: the operator's template is broken.
    """
    return environments.html("web/feed.xml", {"feed": feed, "site": site_view(site)})
