"""Learning: the papers of the database become a vocabulary, and what readers said becomes their profiles.

A vocabulary is fitted once a month at most. A profile is learned when its reader has changed his interests or a new vocabulary
has come, and never for an edition's sake; whoever has none yet when his mail is made gets it then, once.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.errors import Busy
from digest.flows.meanings import Lens
from digest.papers.model import Work
from digest.ranking.profile import Profile, learn
from digest.ranking.vocabulary import Vocabulary, fit
from digest.store import meanings, papers, profiles, ratings, subscribers, vocabularies
from digest.store.engine import Store
from digest.store.turns import alone
from digest.subscribers.model import Interest

REFIT_AFTER = timedelta(days=30)
MOST_PAPERS = 200_000
"""A vocabulary is fitted on the newest ones."""
PATIENCE = timedelta(minutes=10)
"""How long the first edition waits for the vocabulary that another process is fitting."""
PAPERS_AT_ONCE = 2_000
READERS_AT_ONCE = 100


def never() -> bool:
    """Nobody stops this."""
    return False


class Stopped(Exception):
    """What was begun is of no use half done."""


def ready(store: Store, now: datetime, stop: Callable[[], bool] = never) -> int | None:
    """The version of the current vocabulary, for an edition that is about to be frozen: fitted here if it is the very first,
    and else whatever its age, for no edition waits for words that are a little fresher.

    None: there is no paper to fit one on.

    Raises:
        Stopped: before there was one.
    """
    with store.read() as connection:
        standing = vocabularies.current(connection)
    if standing is not None:
        return standing.version
    try:
        return _fit(store, now, None, PATIENCE, stop)
    except Busy:
        return None


def fit_vocabulary(store: Store, now: datetime, stop: Callable[[], bool] = never) -> int | None:
    """The version of the current vocabulary, fitted anew if that is due; as it stands if another process is at it, or when
    stopped.

    None: there is none, and no paper to fit one on.
    """
    with store.read() as connection:
        standing = vocabularies.current(connection)
    version = standing.version if standing else None
    if standing is not None and now - standing.made_at < REFIT_AFTER:
        return version
    try:
        return _fit(store, now, version, timedelta(0), stop)
    except (Busy, Stopped):
        return version


def fitted(store: Store) -> Vocabulary | None:
    """A vocabulary of the papers as they are, for a look at an edition; it is not stored. None without a paper."""
    newest = _NewestPapers(store, never)
    vocabulary = fit(newest)
    return vocabulary if newest.read else None


def learn_profiles(
    store: Store, now: datetime, version: int, stop: Callable[[], bool] = never, lens: Lens | None = None
) -> int:
    """Learn the profiles of all who lack theirs in a vocabulary, or in the meanings of a lens; returns how many were stored."""
    model, at_once = (lens.model, READERS_AT_ONCE // 10) if lens else ("", READERS_AT_ONCE)
    vocabulary: Vocabulary | None = None
    stored = last = 0
    while not stop():
        with store.read() as connection:
            ids = profiles.lacking(connection, version, model, after_id=last, limit=at_once)
            if ids and vocabulary is None:
                vocabulary = vocabularies.load(connection, version)
        if not ids or vocabulary is None:
            break
        stored += len(_learn(store, vocabulary, ids, now, lens)[1])
        last = ids[-1]
    return stored


def profiles_of(
    store: Store,
    version: int,
    vocabulary: Callable[[], Vocabulary | None],
    interests: Mapping[int, Sequence[Interest]],
    now: datetime,
    model: str = "",
) -> dict[int, Profile]:
    """The profiles of these readers, who want this, in the vocabulary of a version; who lacks his is learned here, from words
    alone, and it is stored. Who said nothing that a profile is made of is missing.

    `vocabulary` gives the words, and is asked only if somebody lacks his profile; None: they are forgotten.
    """
    who = {one for one, wanted in interests.items() if any(wish.kind in profiles.LEARNED_FROM for wish in wanted)}
    with store.read() as connection:
        found = profiles.of(connection, who, version, model)
    lacking = sorted(who - found.keys())
    if lacking and (words := vocabulary()) is not None:
        for start in range(0, len(lacking), READERS_AT_ONCE):
            found |= _learn(store, words, lacking[start : start + READERS_AT_ONCE], now, None)[0]
    return found


def learned(connection: Any, vocabulary: Vocabulary, ids: Collection[int], at: datetime) -> dict[int, Profile]:
    """What the profiles of readers are or were at an instant, by what they had said then; nothing is stored."""
    return _profiles(vocabulary, _heard(connection, ids, at), None)


def profile_of(connection: Any, vocabulary: Vocabulary, reader: int, at: datetime, model: str = "") -> Profile:
    """The profile that is stored of a reader, or that would be if his mail were made at this instant; nothing is stored."""
    stored = profiles.of(connection, [reader], vocabulary.version, model)
    return (stored or learned(connection, vocabulary, [reader], at)).get(reader, Profile())


def imagined(
    connection: Any, vocabulary: Vocabulary, wanted: Sequence[Interest], works: Mapping[str, Work] = subscribers.NOTHING
) -> Profile:
    """The profile of somebody who would want this; nothing is stored. `works` are papers that he brings along, by id."""
    rated = {one.value for one in wanted if one.kind in ratings.RATINGS}
    known = {key: work for key, work in ({**works, **ratings.works_of(connection, rated)}).items() if work.title.strip()}
    return _profiles(vocabulary, _Heard({0: wanted}, known, {}), None)[0]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What readers said, and the papers that they spoke of."""

    interests: Mapping[int, Sequence[Interest]]
    works: Mapping[str, Work]
    meanings: Mapping[str, NDArray[np.float32]]


def _learn(
    store: Store, vocabulary: Vocabulary, ids: Collection[int], now: datetime, lens: Lens | None
) -> tuple[dict[int, Profile], set[int]]:
    """Learn and store; returns the profiles, and whose were stored."""
    model = lens.model if lens else ""
    with store.read() as connection:
        stamps = profiles.stamps(connection, ids)
        heard = _heard(connection, ids, now, model)
    found = _profiles(vocabulary, heard, lens)
    with store.write() as connection:
        return found, profiles.save(connection, vocabulary.version, found, stamps, now, model)


def _heard(connection: Any, ids: Collection[int], at: datetime, model: str = "") -> _Heard:
    wanted = subscribers.interests(connection, ids, at)
    rated = {one.value for wishes in wanted.values() for one in wishes if one.kind in ratings.RATINGS}
    read = meanings.of_keys(connection, model, rated) if model else {}
    works = ratings.works_of(connection, rated)
    return _Heard(wanted, {key: work for key, work in works.items() if work.title.strip()}, read)


def _profiles(vocabulary: Vocabulary, heard: _Heard, lens: Lens | None) -> dict[int, Profile]:
    """One for each reader who said anything, be it of no facets."""
    # A paper that many like is looked at once.
    places = {key: place for place, key in enumerate(heard.works)}
    rows = vocabulary.rows(list(heard.works.values()))
    found: dict[int, Profile] = {}
    for reader, wanted in heard.interests.items():
        topics = [one for one in wanted if one.kind == "topic"]
        likes, dislikes = (
            [one.value for one in wanted if one.kind == kind and one.value in places] for kind in ratings.RATINGS
        )
        liked, disliked = (rows[[places[key] for key in keys]] for keys in (likes, dislikes))
        profile = learn(vocabulary, topics, liked, disliked)
        if lens is not None:
            vectors = [heard.meanings.get(key) for key in likes]
            profile = lens.deepen(profile, liked, [heard.works[key] for key in likes], vectors)
        # As it will be read again: what is stored is rounded, and the picks of today are to be those of tomorrow.
        found[reader] = Profile.from_bytes(profile.to_bytes())
    return found


class _NewestPapers:
    """The newest papers, read from the database as they are asked for, each page of them in a transaction of its own."""

    def __init__(self, store: Store, stop: Callable[[], bool]) -> None:
        self._store, self._stop = store, stop
        self.read = 0
        """How many there were so far."""

    def __iter__(self) -> Iterator[Work]:
        before: int | None = None
        while self.read < MOST_PAPERS:
            if self._stop():
                raise Stopped
            with self._store.read() as connection:
                page = papers.texts(connection, before=before, limit=min(PAPERS_AT_ONCE, MOST_PAPERS - self.read))
            if not page:
                return
            before = min(page)
            self.read += len(page)
            yield from page.values()


def _fit(store: Store, now: datetime, known: int | None, patience: timedelta, stop: Callable[[], bool]) -> int | None:
    def wait(seconds: float) -> None:
        if stop():
            raise Stopped
        time.sleep(seconds)

    with alone(store, "fit a vocabulary", patience.total_seconds(), sleep=wait):
        with store.read() as connection:
            standing = vocabularies.current(connection)
        if standing is not None and standing.version != known:
            return standing.version  # somebody else was at it until now
        newest = _NewestPapers(store, stop)
        vocabulary = fit(newest)
        if not newest.read:
            return known
        with store.write() as connection:
            return vocabularies.save(connection, vocabulary, newest.read, now)
