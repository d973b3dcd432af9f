"""Choosing: which papers of one edition readers get, many readers at a time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from digest.edition.compose import Composer, Taste
from digest.edition.model import Edition, Pick
from digest.flows import learning
from digest.flows.meanings import of_entries
from digest.ranking.profile import Profile
from digest.ranking.rows import Rows
from digest.ranking.select import Selection
from digest.ranking.vocabulary import Vocabulary
from digest.store import deliveries, editions, papers, ratings, subscribers
from digest.store.engine import Store
from digest.subscribers import seen
from digest.subscribers.model import Interest

Whom: TypeAlias = tuple[deliveries.Reader, int | None]
"""A reader, and the delivery that is chosen for: what it holds from an earlier choice does not count as on its way."""


Words: TypeAlias = Callable[[], Vocabulary | None]
"""Gives the words that an edition is written in, which few need; None: there are none, or they are forgotten."""


@dataclass(frozen=True, slots=True)
class Readers:
    """What is known of some readers at one moment: what they want, and which papers are on their way or known to them."""

    interests: Mapping[int, tuple[Interest, ...]]
    under_way: Mapping[int, Sequence[tuple[int, tuple[Pick, ...]]]]
    rated: Mapping[int, Collection[int]]

    def knows(self, reader: deliveries.Reader, delivery_id: int | None) -> NDArray[np.int64]:
        """The ids of the papers that are no news to a reader."""
        others = [pick.paper_id for other, his in self.under_way.get(reader.id, ()) if other != delivery_id for pick in his]
        others += self.rated.get(reader.id, ())
        remembered = seen.papers(reader.seen)
        return np.concatenate([remembered, np.array(others, np.int64)]) if others else remembered


def know(connection: Any, ids: Collection[int], now: datetime) -> Readers:
    """What is known of these readers."""
    interests = subscribers.interests(connection, ids, now)
    under_way = deliveries.papers_under_way(connection, ids)
    return Readers(interests, under_way, ratings.papers_rated(connection, interests))


def meanings_of(store: Store, edition: Edition, model: str) -> NDArray[np.float32] | None:
    """What the entries of an edition mean, as far as a model has read them; None without a model."""
    return of_entries(store, model, [entry.paper_id for entry in edition.entries]) if model else None


def rows_of(connection: Any, edition: Edition, vocabulary: Words) -> Rows | None:
    """The entries in the words of the edition, as they were stored when it was frozen; worked out for a draft, and for an
    edition whose rows are forgotten."""
    rows = editions.rows(connection, edition.number)
    if rows is None and (words := vocabulary()) is not None:
        rows = words.rows(entry.work for entry in edition.entries)
    return rows


class Chooser:
    """One edition, ready to be chosen from. `usual` is what they get who chose nothing."""

    def __init__(
        self,
        edition: Edition,
        vocabulary: Words,
        rows: Rows | None,
        usual: Taste,
        selection: Selection,
        meanings: NDArray[np.float32] | None = None,
    ) -> None:
        self.edition = edition
        self.composer = Composer(edition, rows, selection, meanings)
        self._vocabulary = vocabulary
        self._usual = usual

    def hidden(self, connection: Any) -> set[int]:
        """The papers of the edition that are withdrawn by now."""
        return papers.hidden_among(connection, [entry.paper_id for entry in self.edition.entries])

    def profiles(
        self, store: Store, interests: Mapping[int, Sequence[Interest]], now: datetime, model: str = ""
    ) -> Mapping[int, Profile]:
        """The profiles of these readers in the words of the edition; those that are lacking are learned and stored."""
        version = self.edition.vocabulary
        return {} if version is None else learning.profiles_of(store, version, self._vocabulary, interests, now, model)

    def choose(
        self, whom: Sequence[Whom], known: Readers, profiles: Mapping[int, Profile], hidden: Collection[int]
    ) -> list[tuple[Pick, ...]]:
        """What each of these readers gets; nothing is no pick."""
        tastes = [
            (self.taste(reader, known, profiles.get(reader.id, Profile())), known.knows(reader, delivery_id))
            for reader, delivery_id in whom
        ]
        return self.composer.choose(tastes, hidden)

    def taste(self, reader: deliveries.Reader, known: Readers, profile: Profile) -> Taste:
        """What decides a reader's picks."""
        return self._usual.of(profile, known.interests.get(reader.id, ()), reader.share, reader.size, reader.id)
