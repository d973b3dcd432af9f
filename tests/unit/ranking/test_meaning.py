"""Meaning beside words: what a profile's directions are, how much they count, and what becomes of a score."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_model import tiny_model

from digest.evaluation.meaning import Meanings
from digest.papers.model import Work
from digest.ranking.meaning import MIN_BACKGROUND, Background, Floats, Meaning, Part, learn, mixed, text_of, weight
from digest.semantic import Encoder

DIMENSION = 24


def unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def some(papers: int, seed: int = 0, toward: Floats | None = None) -> Floats:
    """Vectors of papers, which have something in common with each other, and with those of the same direction."""
    drawn = np.random.default_rng(seed).normal(size=(papers, DIMENSION)) + 0.5
    return unit(drawn if toward is None else drawn + 3 * toward)


CATS = np.eye(DIMENSION, dtype=np.float32)[0] * 4
CARS = np.eye(DIMENSION, dtype=np.float32)[1] * 4
PAPERS = Background.of(some(300))
assert PAPERS is not None
NO_LIKES = np.zeros((0, DIMENSION), np.float32)


def scores(meaning: Meaning, by_words: Floats, vectors: Floats) -> Floats:
    assert PAPERS is not None
    return mixed(by_words, PAPERS.centred(vectors), meaning.words, meaning.directions)


def test_too_few_papers_stand_for_nobody() -> None:
    assert Background.of(some(MIN_BACKGROUND - 1)) is None
    assert Background.of(some(MIN_BACKGROUND)) is not None
    assert Background.of(np.concatenate([some(MIN_BACKGROUND - 1), np.zeros((9, DIMENSION), np.float32)])) is None


def test_likes_and_a_phrase_draw_papers_of_their_kind_above_all_others() -> None:
    assert PAPERS is not None
    meaning = learn(PAPERS, [Part(some(3, 1, CATS)), Part(NO_LIKES, some(1, 2, CARS)[0])])
    papers = np.concatenate([some(5, 3, CATS), some(5, 4, CARS), some(50, 5)])
    liked, topic = scores(meaning, np.zeros((2, 60), np.float32), papers)
    assert liked[:5].min() > liked[5:].max()
    assert topic[5:10].min() > np.delete(topic, range(5, 10)).max()


def test_an_average_paper_scores_nothing_and_the_background_keeps_its_spread() -> None:
    assert PAPERS is not None
    meaning = learn(PAPERS, [Part(some(likes, likes)) for likes in (1, 5, 300)])
    rng = np.random.default_rng(7)
    by_meaning = mixed(np.zeros((3, 300), np.float32), PAPERS.rows, np.ones(3, np.float32), meaning.directions)
    assert by_meaning.mean(axis=1) == pytest.approx(0, abs=0.01)
    standard = by_meaning / by_meaning.std(axis=1, keepdims=True)
    agreeing = (0.6 * standard + 0.8 * rng.normal(size=(3, 300))).astype(np.float32)
    assert scores(meaning, agreeing, some(300)).std(axis=1) == pytest.approx(1, abs=0.1)


def test_meaning_leads_with_few_likes_and_words_count_more_with_many() -> None:
    assert PAPERS is not None
    weights = [weight(likes) for likes in (1, 2, 5, 15, 50, 500)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0.75
    assert weights[-1] < 0.5
    words = [float(learn(PAPERS, [Part(some(likes, 9))]).words[0]) for likes in (1, 15, 200)]
    assert words == sorted(words)


def test_a_facet_of_which_nothing_is_known_keeps_to_its_words() -> None:
    assert PAPERS is not None
    meaning = learn(PAPERS, [Part(NO_LIKES), Part(some(2, 1, CATS))])
    by_words = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)
    found = scores(meaning, by_words, some(40, 2))
    assert (found[0] == by_words[0]).all()
    assert (found[1] != by_words[1]).any()


def test_likes_that_say_nothing_else_than_the_background_give_no_direction() -> None:
    alike = Background.of(np.tile(some(1), (60, 1)))
    assert alike is not None
    assert learn(alike, [Part(some(1))]).words.tolist() == [1]


def test_a_paper_without_a_vector_keeps_its_score_by_words() -> None:
    assert PAPERS is not None
    meaning = learn(PAPERS, [Part(some(3, 1, CATS))])
    papers = some(10, 2)
    papers[4] = 0
    by_words = np.arange(10, dtype=np.float32)[None]
    found = scores(meaning, by_words, papers)
    assert found[0, 4] == 4
    assert (np.delete(found[0], 4) != np.delete(by_words[0], 4)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 40))
def test_scores_are_the_same_however_facets_and_papers_are_cut(seed: int, facets: int, papers: int) -> None:
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(facets, 384)).astype(np.float32)
    meanings = (unit(rng.normal(size=(papers, 384))) - 0.02).astype(np.float32)
    by_words = rng.normal(size=(facets, papers)).astype(np.float32)
    words = rng.random(facets).astype(np.float32)
    whole = mixed(by_words, meanings, words, directions)
    for facet in range(facets):
        for paper in range(papers):
            one = mixed(
                by_words[facet : facet + 1, paper : paper + 1],
                meanings[paper : paper + 1],
                words[facet : facet + 1],
                directions[facet : facet + 1],
            )
            assert one[0, 0] == whole[facet, paper]
    exact = by_words * words[:, None] + directions.astype(np.float64) @ meanings.T
    assert whole == pytest.approx(exact, abs=0.02 * float(np.linalg.norm(directions, axis=1).max()))


def test_a_stored_meaning_is_nearly_what_it_was_and_small() -> None:
    assert PAPERS is not None
    meaning = learn(PAPERS, [Part(some(3, 1, CATS)), Part(NO_LIKES, some(1, 2)[0])])
    stored = meaning.to_bytes()
    assert len(stored) == 3 + 2 * 2 * (1 + DIMENSION)
    back = Meaning.from_bytes(stored)
    assert back.words == pytest.approx(meaning.words, abs=1e-3)
    assert back.directions == pytest.approx(meaning.directions, abs=1e-2)
    assert back.to_bytes() == stored


@given(st.binary(max_size=80) | st.binary(min_size=8, max_size=8).map(lambda tail: b"\x01\x04\x00" + tail))
def test_bytes_that_are_no_meaning_are_refused(stored: bytes) -> None:
    try:
        meaning = Meaning.from_bytes(stored)
    except ValueError:
        return
    assert np.isfinite(meaning.directions).all()
    assert meaning.to_bytes() == stored


def test_a_meaning_that_is_cut_off_or_no_number_is_refused() -> None:
    whole = Meaning(np.ones(1, np.float32), np.ones((1, 3), np.float32)).to_bytes()
    for wrong in (b"", whole[:2], whole[:-1], whole + b"\x00", whole[:-2] + b"\x00\x7c"):
        with pytest.raises(ValueError, match="a stored meaning"):
            Meaning.from_bytes(wrong)


def test_a_model_reads_title_and_abstract() -> None:
    assert text_of(Work("A title", "An abstract.")) == "A title. An abstract."
    assert text_of(Work("A title")) == "A title"


def test_an_evaluation_reads_each_paper_once_and_tells_how_far_it_is(tmp_path: Path) -> None:
    encoder = Encoder(tiny_model(tmp_path, {"cat": (1, 0), "car": (0, 1)}))
    meanings, told = Meanings(encoder), []
    meanings.read(["cat", "car", "cat"], lambda done, total: told.append((done, total)))
    meanings.read(["cat", "cat car"], lambda done, total: told.append((done, total)))
    assert told[-1] == (1, 1)
    assert (2, 2) in told
    assert meanings.of([Work("Cat"), Work("car")]).tolist() == [[1, 0], [0, 1]]
    assert meanings.of([]).shape == (0, 2)
