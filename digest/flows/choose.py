"""What would somebody get? The same ranking and choosing as for a mail, without freezing, queueing or remembering."""

from datetime import date, datetime

from digest.edition import compose
from digest.edition.compose import Composer, Wish
from digest.edition.model import Edition, Pick
from digest.errors import UsageError
from digest.flows.publish import rank, why_empty
from digest.ranking.settings import RankingSettings
from digest.store import deliveries, editions, papers, subscribers
from digest.store.engine import Store
from digest.subscribers import seen
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence


def draft(store: Store, ranking: RankingSettings, now: datetime, on: date, cadence: Cadence = "daily") -> Edition:
    """The edition of a date as it would be frozen now; its number is 0."""
    ranked, candidates = rank(store, ranking, now, on, cadence)
    entries = compose.entries(ranked, candidates)
    return Edition(0, on, cadence, now, entries, empty_because="" if entries else why_empty(cadence, ranking.window))


def standing(store: Store, ranking: RankingSettings, now: datetime, on: date, cadence: Cadence = "daily") -> Edition:
    """The edition of a date as it was frozen, or else as it would be frozen now."""
    with store.read() as connection:
        frozen = editions.find(connection, on, cadence)
    return frozen or draft(store, ranking, now, on, cadence)


def reader(store: Store, address: str) -> deliveries.Reader:
    """The subscriber with this address. Raises UsageError when there is none."""
    with store.read() as connection:
        found = subscribers.by_address(connection, EmailAddress.parse(address))
        if found is None:
            raise UsageError(f"{address} is not a subscriber", fix="digest subscribers list")
        return deliveries.readers(connection, [found.id])[found.id]


def for_reader(store: Store, now: datetime, edition: Edition, usual: Wish, who: deliveries.Reader | None) -> tuple[Pick, ...]:
    """What a reader would get of an edition now; without one, what somebody new and without interests would.

    `usual` is what they get who chose nothing.
    """
    with store.read() as connection:
        hidden = papers.hidden_among(connection, [entry.paper_id for entry in edition.entries])
        if who is None:
            return Composer(edition).picks(usual, (), hidden)
        wanted = subscribers.interests(connection, [who.id], now).get(who.id, ())
        on_their_way = deliveries.papers_under_way(connection, [who.id]).get(who.id, ())
    had = seen.papers(who.seen) | {pick.paper_id for _, picks in on_their_way for pick in picks}
    return Composer(edition).picks(usual.of(wanted, who.share, who.size), had, hidden)
