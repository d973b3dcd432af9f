"""A profile of words gets its meaning: facets know their own likes, and their topics' phrases."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from support.tiny_model import tiny_model

from digest.evaluation.meaning import Meanings, with_meaning
from digest.papers.model import Work
from digest.ranking.deepening import deepen
from digest.ranking.meaning import Background, Floats
from digest.ranking.profile import Facet, Profile
from digest.semantic import Encoder

CATS, CARS, BIRDS, NOTHING = np.eye(4, dtype=np.float32)


def facet(kind: str, label: str, term: int) -> Facet:
    return Facet(kind, label, 0.5, np.array([term], np.int32), np.ones(1, np.float32))  # type: ignore[arg-type]


def rows(*terms: int) -> csr_array:
    """Papers of one word each."""
    return csr_array((np.ones(len(terms), np.float32), (range(len(terms)), terms)), shape=(len(terms), 4))


@pytest.fixture
def background() -> Background:
    found = Background.of(np.tile(np.eye(4, dtype=np.float32), (20, 1)))
    assert found is not None
    return found


def best(profile: Profile, background: Background) -> list[list[int]]:
    """Which of the four kinds of paper each facet puts above an average one by meaning alone."""
    found = with_meaning(
        np.zeros((len(profile.facets), 4), np.float32), profile, background.centred(np.eye(4, dtype=np.float32))
    )
    return [[int(place) for place in np.flatnonzero(one > 0.5)] for one in found]


def test_a_like_belongs_to_the_facet_that_it_is_nearest_to(background: Background) -> None:
    profile = Profile((facet("liked", "words of cats", 0), facet("liked", "words of cars", 1)))
    likes = np.stack([CATS, CARS, CATS])
    assert best(deepen(profile, background, rows(0, 1, 0), likes, {}), background) == [[0], [1]]


def test_a_topic_means_its_phrase_and_takes_no_likes(background: Background) -> None:
    profile = Profile((facet("topic", "ornithology", 0), facet("liked", "words of cats", 3)))
    found = deepen(profile, background, rows(0), np.stack([CATS]), {"ornithology": BIRDS})
    assert best(found, background) == [[2], [0]]


def test_likes_without_a_vector_count_for_nothing(background: Background) -> None:
    profile = Profile((facet("liked", "words of cats", 0),))
    known = deepen(profile, background, rows(0), np.stack([CATS]), {})
    assert known.meaning is not None
    more = deepen(profile, background, rows(0, 0), np.stack([CATS, np.zeros(4, np.float32)]), {})
    assert more.meaning is not None
    assert (more.meaning.directions == known.meaning.directions).all()


def test_words_and_shares_stay_as_they_were(background: Background) -> None:
    profile = Profile((facet("topic", "cats", 0), facet("liked", "words of cars", 1)))
    found = deepen(profile, background, rows(), np.zeros((0, 4), np.float32), {})
    assert found.facets == profile.facets
    assert best(found, background) == [[], []]


def test_a_reader_who_said_nothing_has_no_meaning(background: Background) -> None:
    assert deepen(Profile(), background, rows(), np.zeros((0, 4), np.float32), {}).meaning is None


def test_an_evaluation_deepens_with_what_it_read(tmp_path: Path) -> None:
    words = {"cat": (1, 0, 0), "kitten": (1, 0, 0), "car": (0, 1, 0), "bird": (0, 0, 1)}
    meanings = Meanings(Encoder(tiny_model(tmp_path, words)))
    background = Background.of(meanings.of([Work(word) for word in ("cat", "car", "bird")] * 20))
    assert background is not None
    profile = Profile((facet("topic", "kitten", 0), facet("liked", "words of cars", 1)))
    deep = meanings.deepened(profile, background, rows(1), [Work("A car")])
    papers = background.centred(meanings.of([Work("Cat"), Work("Car"), Work("Bird")]))
    by_words: Floats = np.zeros((2, 3), np.float32)
    assert with_meaning(by_words, deep, papers).argmax(axis=1).tolist() == [0, 1]
    assert with_meaning(by_words, profile, papers) is by_words
