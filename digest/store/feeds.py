"""What feeds tell: the papers about something, and those that were chosen for one reader."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select, tuple_

from digest.edition.model import Entry, Pick
from digest.store import search
from digest.store.among import one_of
from digest.store.editions import entry_from_row
from digest.store.rows import picks_from_json
from digest.store.schema import delivery, edition, edition_entry, paper

MATCHING = 1000
"""The best papers with the words of a topic, of which those in late editions are told."""


@dataclass(frozen=True, slots=True)
class Story:
    """A paper as an edition told it, under the key by which it is known now."""

    key: str
    entry: Entry
    date: date
    frozen_at: datetime
    pick: Pick | None = None
    """Where it was chosen for one reader: why."""


_now = paper.alias("now")
_SURVIVES = _now.c.id == func.coalesce(paper.c.merged_into, paper.c.id)
# Adding 0 keeps the databases from using the index over (edition_id, rank), by which they would go through all entries of an
# edition for a few papers of it. So they use the index over the papers.
_edition_id = edition_entry.c.edition_id + 0
_SHOWN = _now.c.hidden_at.is_(None) & _now.c.retracted_at.is_(None)


def about(connection: Connection, words: str, until: datetime, *, editions: int, limit: int) -> list[Story]:
    """The papers with each of these words (`store.search`) in the latest daily editions: the newest first, then the best.

    Each is told once, as the first of these editions told it.
    """
    ids = search.matching(connection, words, MATCHING)
    if not ids:
        return []
    former = connection.scalars(select(paper.c.id).where(one_of(connection, paper.c.merged_into, ids)))
    latest = select(edition.c.id).where(edition.c.cadence == "daily", edition.c.frozen_at <= until)
    latest = latest.order_by(edition.c.date.desc()).limit(editions)
    query = (
        select(func.coalesce(paper.c.merged_into, paper.c.id), edition_entry.c.edition_id, edition_entry.c.paper_id)
        .add_columns(edition.c.frozen_at, edition_entry.c.rank)
        .select_from(edition_entry)
        .join(edition, edition.c.id == edition_entry.c.edition_id)
        .join(paper, paper.c.id == edition_entry.c.paper_id)
        .where(_edition_id.in_(list(connection.scalars(latest))), one_of(connection, edition_entry.c.paper_id, [*ids, *former]))
        .order_by(edition.c.frozen_at.desc(), edition_entry.c.rank.desc())
    )
    first = {row[0]: row for row in connection.execute(query)}  # the oldest comes last, and stays
    newest = sorted(first.values(), key=lambda row: (-row.frozen_at.timestamp(), row.rank))[:limit]
    places = [(row.edition_id, row.paper_id) for row in newest]
    told = _told(connection, places)
    return [story for place in places if (story := told.get(place))]


def chosen_for(connection: Connection, subscriber_id: int, since: datetime, *, limit: int) -> list[Story]:
    """What was chosen for a reader since then, the newest first, in the order of his mails."""
    query = (
        select(delivery.c.edition_id, delivery.c.picks)
        .join(edition, edition.c.id == delivery.c.edition_id)
        .where(delivery.c.subscriber_id == subscriber_id, edition.c.frozen_at > since, delivery.c.picks.is_not(None))
        .order_by(edition.c.frozen_at.desc(), edition.c.id)
    )
    places = {(row.edition_id, pick.paper_id): pick for row in connection.execute(query) for pick in picks_from_json(row.picks)}
    chosen = list(places.items())[:limit]
    told = _told(connection, [place for place, _ in chosen])
    return [
        Story(story.key, story.entry, story.date, story.frozen_at, pick) for place, pick in chosen if (story := told.get(place))
    ]


def _told(connection: Connection, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], Story]:
    """The stories at these places, (edition, paper), without those that are withdrawn."""
    if not places:
        return {}
    query = (
        select(edition.c.date, edition.c.frozen_at, _now.c.key, edition_entry)
        .select_from(edition_entry)
        .join(edition, edition.c.id == edition_entry.c.edition_id)
        .join(paper, paper.c.id == edition_entry.c.paper_id)
        .join(_now, _SURVIVES)
        .where(_edition_id.in_({number for number, _ in places}), _SHOWN)
        .where(one_of(connection, edition_entry.c.paper_id, {number for _, number in places}))
        .where(tuple_(edition_entry.c.edition_id, edition_entry.c.paper_id).in_(list(places)))
    )
    return {
        (row.edition_id, row.paper_id): Story(row.key, entry_from_row(row), row.date, row.frozen_at)
        for row in connection.execute(query)
    }
