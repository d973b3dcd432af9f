"""What a metric says of an order, by hand and by a slower way."""

import math
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.evaluation import metrics
from digest.evaluation.model import Interval

NAN = float("nan")
SMALL = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=6)
"""Papers as (worth, score), with ties of both."""


def about(value: float) -> object:
    return pytest.approx(value, nan_ok=True)


def test_the_best_order_has_an_ndcg_of_one_and_a_worse_one_what_the_formula_says() -> None:
    gain = [3, 2, 0, 1]
    assert metrics.ndcg(gain, [4, 3, 1, 2], 4) == about(1)
    best = 3 + 2 / math.log2(3) + 1 / 2
    assert metrics.ndcg(gain, [1, 2, 3, 4], 4) == about((1 + 0 + 2 / 2 + 3 / math.log2(5)) / best)
    assert metrics.ndcg(gain, [1, 2, 3, 4], 1) == about(1 / 3)


def test_recall_is_the_share_of_all_that_is_relevant() -> None:
    assert metrics.recall_at([1, 0, 1, 1], [4, 3, 2, 1], 3) == about(2 / 3)
    assert metrics.recall_at([1, 0, 1, 1], [4, 3, 2, 1], 100) == 1


def test_whoever_equals_the_last_of_the_true_best_is_one_of_them() -> None:
    gain = [9, 5, 5, 1, 0]
    assert metrics.recall_of_top(gain, [5, 0, 4, 1, 2], 2) == 1
    assert metrics.recall_of_top(gain, [5, 0, 1, 4, 2], 2) == 0.5
    assert math.isnan(metrics.recall_of_top(gain, [1, 2, 3, 4, 5], 5))


def test_auc_counts_pairs_and_half_of_a_tie() -> None:
    assert metrics.auc([1, 0, 1, 0], [4, 3, 2, 1]) == about(3 / 4)
    assert metrics.auc([1, 0], [7, 7]) == 0.5
    assert metrics.auc([1, 1, 0], [0, 1, 2]) == 0


def test_average_precision_is_the_mean_share_down_to_each_that_is_relevant() -> None:
    assert metrics.average_precision([1, 0, 1, 0], [4, 3, 2, 1]) == about((1 + 2 / 3) / 2)
    assert metrics.average_precision([0, 1], [2, 1]) == 0.5


def test_pairs_of_the_same_worth_do_not_count_for_pairwise_accuracy() -> None:
    assert metrics.pairwise_accuracy([2, 1, 1], [3, 1, 2]) == 1
    assert metrics.pairwise_accuracy([2, 1, 0], [1, 1, 3]) == about((0.5 + 0 + 0) / 3)


@pytest.mark.parametrize(
    "value",
    [
        metrics.ndcg([0, 0], [1, 2], 5),
        metrics.recall_at([0, 0], [1, 2], 5),
        metrics.recall_of_top([1, 2], [1, 2], 2),
        metrics.auc([1, 1], [1, 2]),
        metrics.auc([0, 0], [1, 2]),
        metrics.average_precision([0, 0], [1, 2]),
        metrics.pairwise_accuracy([1, 1], [1, 2]),
    ],
)
def test_where_nothing_can_be_found_there_is_no_metric(value: float) -> None:
    assert math.isnan(value)


@given(SMALL, st.integers(1, 7))
def test_equal_scores_count_as_their_mean_over_every_order_that_they_allow(papers: list[tuple[int, int]], k: int) -> None:
    gain, scores = [worth for worth, _ in papers], [score for _, score in papers]
    orders = [order for order in permutations(range(len(papers))) if _falls([scores[n] for n in order])]
    relevant = [worth > 1 for worth in gain]

    def mean(slow: object, of: list[int] | list[bool]) -> float:
        return sum(slow([of[n] for n in order]) for order in orders) / len(orders)  # type: ignore[operator]

    if any(gain):
        best = _dcg(sorted(gain, reverse=True), k)
        assert metrics.ndcg(gain, scores, k) == about(mean(lambda ordered: _dcg(ordered, k) / best, gain))
    if len(gain) > k:
        cut = sorted(gain)[-k]
        found = mean(lambda ordered: sum(worth >= cut for worth in ordered[:k]) / k, gain)
        assert metrics.recall_of_top(gain, scores, k) == about(found)
    if any(relevant):
        assert metrics.recall_at(relevant, scores, k) == about(mean(lambda ordered: sum(ordered[:k]) / sum(ordered), relevant))
        assert metrics.average_precision(relevant, scores) == about(mean(_precision, relevant))
    if any(relevant) and not all(relevant):
        assert metrics.auc(relevant, scores) == about(mean(_pairs, relevant))
    if len(set(gain)) > 1:
        assert metrics.pairwise_accuracy(gain, scores) == about(mean(_pairs, gain))


@given(SMALL, st.randoms())
def test_the_order_of_the_papers_is_no_signal(papers: list[tuple[int, int]], random: object) -> None:
    shuffled = list(papers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for metric in (lambda g, s: metrics.ndcg(g, s, 3), metrics.average_precision, metrics.auc, metrics.pairwise_accuracy):
        assert metric(*zip(*papers, strict=True)) == about(metric(*zip(*shuffled, strict=True)))


def test_an_interval_has_its_mean_in_it_and_is_the_same_each_time() -> None:
    values = [0.1, 0.4, 0.35, 0.8, 0.2]
    one = metrics.interval(values)
    assert one.mean == about(0.37)
    assert min(values) <= one.low < one.mean < one.high <= max(values)
    assert one == metrics.interval(values)


def test_a_query_without_a_value_does_not_count() -> None:
    assert metrics.interval([NAN, 0.5, NAN]) == Interval(0.5, 0.5, 0.5)
    assert math.isnan(metrics.interval([NAN]).mean)
    assert math.isnan(metrics.interval([]).low)
    assert metrics.paired([0.5, NAN, 1.0], [0.25, 0.5, NAN]) == Interval(0.25, 0.25, 0.25)


def test_a_steady_gain_shows_in_pairs_though_queries_differ_more_than_methods() -> None:
    easy = [n / 10 for n in range(11)]
    gained = [value + 0.01 for value in easy]
    assert metrics.paired(gained, easy).low == about(0.01)
    assert metrics.interval(gained).low < metrics.interval(easy).high


def _falls(values: list[int]) -> bool:
    return all(one >= other for one, other in pairwise(values))


def _dcg(ordered: list[int], k: int) -> float:
    return sum(worth / math.log2(place + 2) for place, worth in enumerate(ordered[:k]))


def _precision(ordered: list[bool]) -> float:
    places = [place for place, found in enumerate(ordered, 1) if found]
    return sum(sum(ordered[:place]) / place for place in places) / len(places)


def _pairs(ordered: list[int]) -> float:
    """The share of pairs of different worth in which the better comes first."""
    pairs = [(one, other) for n, one in enumerate(ordered) for other in ordered[n + 1 :] if one != other]
    return sum(one > other for one, other in pairs) / len(pairs)
