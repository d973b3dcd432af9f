"""Meaning: the papers of the window are read by a model, when mails are out; and what readers want is looked at through it.

No mail waits for a model: a paper that was not read yet, and a reader whose profile was learned without, go by words alone.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from digest.errors import Busy
from digest.papers.model import Work
from digest.ranking.deepening import deepen
from digest.ranking.meaning import Background, text_of
from digest.ranking.profile import Profile
from digest.ranking.rows import Rows
from digest.semantic import Encoder
from digest.store import meanings
from digest.store.engine import Store
from digest.store.turns import alone

Floats = NDArray[np.float32]

AT_ONCE = 64
"""Papers that are read between two looks whether to stop: some seconds."""
BACKGROUND = 1_000
"""The newest papers stand for all others."""
LIKES = 50
"""So many of a reader's papers tell what he likes; those that nobody has read yet are read up to this number."""
PHRASES = 10_000
"""Topics whose vectors are kept: most readers share theirs with others."""


def read_papers(store: Store, encoder: Encoder, now: datetime, window: timedelta, stop: Callable[[], bool]) -> int:
    """Have the model read papers first seen in the window, and those that readers like, the most wanted first, until all are
    read or `stop`; what is read stays read. Returns how many were.

    Vectors of another model, and of papers that left the window and nobody likes, are forgotten. Two processes do not do it at
    the same time: the second does nothing.
    """
    read = 0
    with suppress(Busy), alone(store, "read papers", 0):
        with store.write() as connection:
            meanings.prune(connection, now - window, encoder.model)
        while not stop():
            with store.read() as connection:
                works = meanings.lacking(connection, encoder.model, seen_since=now - window, limit=AT_ONCE)
            if not works:
                break
            vectors = encoder.encode([text_of(work) for work in works.values()])
            with store.write() as connection:
                meanings.save(connection, encoder.model, dict(zip(works, vectors, strict=True)))
            read += len(works)
    return read


class Lens:
    """Adds to profiles what a model says that their readers' interests mean, measured against the papers of these days."""

    def __init__(self, encoder: Encoder, background: Background) -> None:
        self.model = encoder.model
        self._encoder, self._background = encoder, background
        self._phrase = lru_cache(PHRASES)(lambda phrase: encoder.encode([phrase])[0])

    @classmethod
    def open(cls, store: Store, encoder: Encoder) -> "Lens | None":
        """None before enough papers were read."""
        background = background_of(store, encoder.model)
        return cls(encoder, background) if background else None

    def deepen(self, profile: Profile, liked: Rows, works: Sequence[Work], vectors: Sequence[Floats | None]) -> Profile:
        """This profile with its meaning.

        Args:
            profile: as it was learned from words.
            liked: the rows of the papers that its reader likes, (papers, terms).
            works: those papers.
            vectors: as they are stored; None for a paper that the model has not read. Some of those it reads now.
        """
        likes = np.zeros((len(works), self._encoder.dimension), np.float32)
        unread = [place for place, vector in enumerate(vectors) if vector is None]
        for place, vector in enumerate(vectors):
            if vector is not None:
                likes[place] = vector
        unread = unread[: max(0, LIKES - len(works) + len(unread))]
        likes[unread] = self._encoder.encode([text_of(works[place]) for place in unread])
        phrases = {facet.label: self._phrase(facet.label) for facet in profile.facets if facet.kind == "topic"}
        return deepen(profile, self._background, liked, likes, phrases)


def background_of(store: Store, model: str) -> Background | None:
    """The papers that stand for all others; None if too few were read."""
    with store.read() as connection:
        vectors = meanings.newest(connection, model, BACKGROUND)
    return Background.of(np.stack(vectors)) if vectors else None


def of_entries(store: Store, model: str, paper_ids: Sequence[int]) -> Floats | None:
    """What the papers of an edition mean: (entries, dimension), centred, zeros for a paper that was not read; None if too few
    papers were read to compare them."""
    background = background_of(store, model)
    if background is None:
        return None
    with store.read() as connection:
        vectors = meanings.of(connection, model, paper_ids)
    found = np.zeros((len(paper_ids), len(background.mean)), np.float32)
    for place, paper_id in enumerate(paper_ids):
        if paper_id in vectors:
            found[place] = vectors[paper_id]
    return background.centred(found)
