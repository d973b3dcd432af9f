from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.ranking.standing import HALFWAY, Place, lifts, places


def test_the_best_of_a_small_field_is_lifted_towards_the_best_of_the_largest() -> None:
    cohorts = ["large"] * 40 + ["small"] * 10
    gained = lifts(cohorts, [float(n) for n in range(1, 41)] + [float(n) for n in range(1, 11)])
    assert gained[:40] == [0.0] * 40
    assert 0 < gained[-1] < HALFWAY * 30
    assert gained[40:] == sorted(gained[40:])


def test_a_field_of_few_papers_and_a_paper_without_a_field_are_left_where_they_are() -> None:
    gained = lifts(["large"] * 20 + ["tiny"] * 4 + [""] * 6, [50.0] * 20 + [1.0] * 10)
    assert gained == [0.0] * 30
    assert lifts(["", ""], [1.0, 2.0]) == [0.0, 0.0]
    assert lifts([], []) == []


def test_places_are_told_of_cohorts_that_have_enough_papers() -> None:
    found = places(["a"] * 30 + ["b"] * 29 + [None], [float(n) for n in range(60)], 30)
    assert found[29] == Place(1, 30)
    assert found[0] == Place(30, 30)
    assert found[30:] == [None] * 30


def test_papers_that_are_level_share_the_later_place() -> None:
    found = places(["a"] * 30, [5.0] * 30, 30)
    assert set(found) == {Place(30, 30)}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.floats(0, 1e7)), max_size=60))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_nobody_loses_and_the_order_within_a_field_stands(papers: list[tuple[str, float]]) -> None:
    cohorts, scores = [cohort for cohort, _ in papers], [score for _, score in papers]
    gained = lifts(cohorts, scores)
    assert all(gain >= 0 for gain in gained)
    rows = sorted(zip(cohorts, scores, gained, strict=True))
    for (one, low, less), (other, high, more) in pairwise(rows):
        if one == other:
            assert low + less <= high + more + 1e-6 * (1 + high)
