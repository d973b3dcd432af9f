"""Drafts: an edition as it would be frozen now, and what somebody would get of it. Nothing is frozen, queued or remembered."""

from datetime import date, datetime

from digest.edition import compose
from digest.edition.compose import Taste
from digest.edition.model import Edition, Pick
from digest.errors import UsageError
from digest.flows import learning
from digest.flows.choosing import Chooser, know, meanings_of, rows_of
from digest.flows.publish import rank, why_empty
from digest.ranking.profile import Profile
from digest.ranking.select import Selection
from digest.ranking.settings import RankingSettings
from digest.ranking.vocabulary import Vocabulary
from digest.store import deliveries, editions, subscribers, vocabularies
from digest.store.engine import Store
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence


def draft(store: Store, ranking: RankingSettings, now: datetime, on: date, cadence: Cadence = "daily") -> Edition:
    """The edition of a date as it would be frozen now; its number is 0."""
    ranked, candidates = rank(store, ranking, now, on, cadence)
    entries = compose.entries(ranked, candidates)
    with store.read() as connection:
        current = vocabularies.current(connection)
    return Edition(
        number=0,
        date=on,
        cadence=cadence,
        frozen_at=now,
        entries=entries,
        empty_because="" if entries else why_empty(cadence, ranking.window),
        vocabulary=current.version if current else None,
    )


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


def vocabulary_of(store: Store, edition: Edition) -> Vocabulary | None:
    """The words of an edition. A draft that comes before the first vocabulary gets one that is not stored; an edition has none
    that was frozen before there was one, or so long ago that it is forgotten."""
    if edition.vocabulary is None:
        return None if edition.number else learning.fitted(store)
    with store.read() as connection:
        return vocabularies.load(connection, edition.vocabulary)


def for_reader(
    store: Store,
    now: datetime,
    edition: Edition,
    usual: Taste,
    selection: Selection,
    who: deliveries.Reader | None,
    model: str = "",
) -> tuple[Pick, ...]:
    """What a reader would get of an edition now; without one, what somebody new and without interests would.

    `usual` is what they get who chose nothing; `model` says whose meanings are compared, if any.
    """
    vocabulary = vocabulary_of(store, edition)
    with store.read() as connection:
        rows = rows_of(connection, edition, lambda: vocabulary)
        chooser = Chooser(edition, lambda: vocabulary, rows, usual, selection, meanings_of(store, edition, model))
        hidden = chooser.hidden(connection)
        if who is None:
            return chooser.composer.picks(usual, (), hidden)
        known = know(connection, [who.id], now)
        profile = learning.profile_of(connection, vocabulary, who.id, now, model) if vocabulary else Profile()
    return chooser.composer.picks(chooser.taste(who, known, profile), known.knows(who, None), hidden)
