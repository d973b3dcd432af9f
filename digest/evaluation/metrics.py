"""How good is an order? Metrics of one query, and their mean over queries with an interval.

Scores that are equal are no order: every metric is its expected value when they are put into one at random, so that neither
the order of the input nor luck is rewarded (McSherry and Najork, ECIR 2008). A metric of a query in which nothing can be found
is NaN, and NaN does not count in a mean. `gain` is how much each paper was worth in truth, `relevant` whether it was worth
anything; both, and `scores`, have one value for each paper of the query. All is numpy, and nothing here knows what a paper is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from digest.evaluation.model import Interval

Floats = NDArray[np.float64]

DRAWS = 2000
"""Samples of a bootstrap interval."""


def ndcg(gain: ArrayLike, scores: ArrayLike, k: int) -> float:
    """Discounted gain of the first k over that of the best order (Järvelin and Kekäläinen 2002; linear gain, log2 discount)."""
    worth = np.asarray(gain, dtype=np.float64)
    ideal = np.sort(worth)[::-1][:k]
    discount = 1 / np.log2(np.arange(len(ideal)) + 2)
    best = float(ideal @ discount)
    return float(_expected(worth, scores)[:k] @ discount) / best if best > 0 else float("nan")


def recall_at(relevant: ArrayLike, scores: ArrayLike, k: int) -> float:
    """The share of all that is relevant which is among the first k."""
    found = np.asarray(relevant, dtype=bool).astype(np.float64)
    return float(_expected(found, scores)[:k].sum() / found.sum()) if found.any() else float("nan")


def recall_of_top(gain: ArrayLike, scores: ArrayLike, k: int) -> float:
    """The share of the first k that belongs to the true best k; whoever equals the last of these belongs to them.

    NaN where there are no more than k, for then every order has them all.
    """
    worth = np.asarray(gain, dtype=np.float64)
    if len(worth) <= k:
        return float("nan")
    best = (worth >= np.sort(worth)[-k]).astype(np.float64)
    return float(_expected(best, scores)[:k].sum() / k)


def auc(relevant: ArrayLike, scores: ArrayLike) -> float:
    """The chance that something relevant stands before something that is not."""
    found, place = np.asarray(relevant, dtype=bool), _groups(scores)[0]
    # The later a group comes the lower it scored, so places are counted from the end; those that share a group share a place.
    sizes = np.bincount(place)
    middle = len(found) - (np.cumsum(sizes) - (sizes - 1) / 2)
    liked, others = int(found.sum()), int((~found).sum())
    if not liked or not others:
        return float("nan")
    return float((middle[place][found].sum() - liked * (liked - 1) / 2) / (liked * others))


def average_precision(relevant: ArrayLike, scores: ArrayLike) -> float:
    """The mean, over all that is relevant, of the share of relevant papers down to its place."""
    found = np.asarray(relevant, dtype=bool)
    if not found.any():
        return float("nan")
    group, order = _groups(scores)
    sizes, liked = np.bincount(group), np.bincount(group, weights=found)
    before = np.cumsum(sizes) - sizes
    liked_before = np.cumsum(liked) - liked
    of = group[order]  # the group that stands at each place
    within = np.arange(len(of)) - before[of]
    # One at a place of a group with n papers, r of them relevant, is relevant with the chance r/n, and then each of those
    # before it in the group with (r-1)/(n-1).
    company = np.where(sizes > 1, (liked - 1) / np.maximum(sizes - 1, 1), 0.0)
    precision = (liked_before[of] + 1 + within * company[of]) / (np.arange(len(of)) + 1)
    return float(((liked / sizes)[of] * precision).sum() / found.sum())


def pairwise_accuracy(gain: ArrayLike, scores: ArrayLike) -> float:
    """The share of pairs of different worth that are in the right order; a pair of equal scores is half right."""
    worth, given = np.asarray(gain, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    pairs, right = 0, 0.0
    for n in range(len(worth) - 1):  # a row at a time: all pairs of a long list together would not fit into memory
        better = np.sign(worth[n + 1 :] - worth[n])
        said = np.sign(given[n + 1 :] - given[n])
        pairs += int(np.count_nonzero(better))
        right += float(((1 + better * said) / 2)[better != 0].sum())
    return right / pairs if pairs else float("nan")


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """The mean over queries with its 95% bootstrap interval (percentiles of resampled means); all NaN where nothing counts."""
    known = np.asarray([value for value in values if value == value], dtype=np.float64)  # noqa: PLR0124 - NaN is not itself
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"))
    random = np.random.default_rng(seed)
    means = [random.choice(known, len(known)).mean() for _ in range(DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(known.mean()), float(low), float(high))


def paired(values: Sequence[float], others: Sequence[float], seed: int = 0) -> Interval:
    """By how much one method is better than another on the same queries, in the same order."""
    return interval([value - other for value, other in zip(values, others, strict=True)], seed)


def _expected(values: Floats, scores: ArrayLike) -> Floats:
    """What is to be expected of `values` at each place, the best score first: the mean of those who share a score."""
    group, order = _groups(scores)
    return (np.bincount(group, weights=values) / np.bincount(group))[group[order]] if len(values) else values


def _groups(scores: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each paper the number of its score, 0 being the best; and the papers in order of these numbers."""
    _, group = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    return group, np.argsort(group, kind="stable")
