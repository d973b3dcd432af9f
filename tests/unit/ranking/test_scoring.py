import numpy as np
import pytest
import scipy.sparse as sp

from digest.ranking.scoring import BATCH, MOST, Scorer

TERMS, ENTRIES = 400, 60


def any_rows(seed: int, entries: int = ENTRIES) -> sp.csr_array:
    """Rows of length 1 of words as they are: few that all papers have, many that one has."""
    draw = np.random.default_rng(seed)
    often = 1 / (np.arange(TERMS) + 3)
    dense = (draw.random((entries, TERMS)) < 6 * often) * draw.random((entries, TERMS))
    dense[entries // 2] = 0
    length = np.linalg.norm(dense, axis=1, keepdims=True)
    return sp.csr_array((dense / np.where(length > 0, length, 1)).astype(np.float32))


def any_facets(seed: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        terms = np.sort(draw.choice(TERMS, draw.choice([0, 1, 5, 200]), replace=False)).astype(np.int32)
        found.append((terms, (draw.standard_normal(len(terms)) * draw.choice([1e-3, 1.0, 50.0])).astype(np.float32)))
    return found


def scored(
    scorer: Scorer, facets: list[tuple[np.ndarray, np.ndarray]], reach: float = 5.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return scorer.scores(
        [terms for terms, _ in facets], [weights for _, weights in facets], np.full(len(facets), reach, np.float32)
    )


@pytest.mark.parametrize("frequent", [1, 20, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_a_score_is_the_weighted_sum_whether_its_words_are_frequent_or_rare(frequent: int, seed: int) -> None:
    rows, facets = any_rows(seed), any_facets(seed, 30)
    sums, unit, norms = scored(Scorer(rows, frequent), facets)
    for number, (terms, weights) in enumerate(facets):
        exact = rows[:, terms].toarray().astype(float) @ weights.astype(float) if len(terms) else np.zeros(ENTRIES)
        allowed = 0.01 * max(float(np.linalg.norm(weights)), 5.0)
        assert np.abs(sums[number] * unit[number] - exact).max() <= allowed
        assert norms[number] == pytest.approx(np.linalg.norm(weights), rel=1e-3)


def test_where_words_are_kept_makes_no_difference() -> None:
    rows, facets = any_rows(1), any_facets(1, 20)
    sums, unit, _ = scored(Scorer(rows), facets)
    again, same, _ = scored(Scorer(rows, 7), facets)
    assert (sums == again).all()
    assert (unit == same).all()


def test_a_facet_scores_the_same_alone_and_among_others() -> None:
    scorer, facets = Scorer(any_rows(2), 20), any_facets(2, 2 * BATCH + 1)
    sums, unit, norms = scored(scorer, facets)
    for number, one in enumerate(facets):
        alone, worth, norm = scored(scorer, [one])
        assert (alone[0] == sums[number]).all()
        assert (worth[0], norm[0]) == (unit[number], norms[number])


def test_no_sum_leaves_the_range_even_where_facet_and_paper_are_one() -> None:
    rows = sp.csr_array(np.vstack([np.full(TERMS, TERMS**-0.5), np.eye(TERMS)[0]]).astype(np.float32))
    terms = np.arange(TERMS, dtype=np.int32)
    for weight in (1e-6, 1.0, 1e6):
        sums, unit, _ = scored(Scorer(rows), [(terms, np.full(TERMS, weight, np.float32))], reach=1e-9)
        assert 0 < sums[0, 1] < sums[0, 0] <= MOST
        assert sums[0, 0] * unit[0] == pytest.approx(weight * TERMS**0.5, rel=0.1)


def test_what_a_sum_must_be_able_to_say_is_within_reach() -> None:
    sums, unit, _ = scored(
        Scorer(any_rows(3)), [*any_facets(3, 20), (np.zeros(0, np.int32), np.zeros(0, np.float32))], reach=6.0
    )
    assert (6.0 / unit <= MOST + 1).all()
    assert sums.shape == (21, ENTRIES)


def test_no_facets_and_empty_papers_have_no_scores() -> None:
    assert scored(Scorer(any_rows(4)), [])[0].shape == (0, ENTRIES)
    nothing = Scorer(sp.csr_array((3, TERMS), dtype=np.float32))
    assert (scored(nothing, any_facets(4, 5))[0] == 0).all()
