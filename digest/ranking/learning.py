"""From what a reader said to a weight for each term: topics by pseudo-feedback, likes by ridge models; and their cut."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.ranking.negatives import Negatives, Rated, Vector

NEAREST = 20
"""So many papers of the background stand for a topic, or for few likes, beside their own words."""
NEAR = 0.1
"""The cosine with a topic's words from which on one of those papers counts whole: on a young site most of them are about
something else."""
ENOUGH = 15
"""So many likes speak for themselves."""
HELD = 3.0
"""How much the words that stay in a profile are held back from speaking for those that go, in parts of their mean variance."""


@dataclass(frozen=True, eq=False, slots=True)
class Few:
    """A linear score of few terms, in standard deviations above the background."""

    terms: NDArray[np.int32]
    weights: Vector
    bias: float


def topic(negatives: Negatives, phrase: Any, disliked: Any) -> Vector | None:
    """A phrase, plus the mean of the papers nearest to it less half the background's, minus half the mean of what he dislikes.

    Pseudo-feedback after Rocchio (1971), in which papers that are not near count for less. None if the vocabulary knows none
    of the phrase's words.
    """
    if not phrase.nnz:
        return None
    own = np.asarray(phrase.toarray(), np.float32).ravel()
    near = negatives.scores(own)
    top = np.argsort(-near, kind="stable")[:NEAREST]
    top = top[near[top] > 0]
    if not len(top):  # nobody wrote of it yet: only its own words can speak for it
        return own
    trust = np.minimum(near[top] / NEAR, 1)
    found = np.asarray(negatives.rows[top].T @ trust) / len(top)
    against = np.asarray(disliked.sum(axis=0)).ravel() / max(disliked.shape[0], 1)
    return np.asarray(own + found - 0.5 * trust.mean() * negatives.mean - 0.5 * against, np.float32)


def likes(rated: Rated, liked: NDArray[np.intp], disliked: NDArray[np.intp]) -> Vector:
    """The ridge model of some likes against the background, both counting alike; a dislike counts as a like does, against.

    The fewer the likes, the more the papers of the background that are nearest to them add what they lack in words.
    """
    n, against = len(liked), len(disliked)
    chosen = np.concatenate([liked, disliked])
    targets = np.concatenate([np.ones(n), -np.ones(against)])
    weights = np.concatenate([np.full(n, 1 / n), np.full(against, 1 / max(n, against))])
    negatives = rated.negatives
    own = rated.ridge(chosen, targets, weights, alpha(n))
    scores = negatives.scores(own)
    own /= negatives.spread(own, scores)
    if n >= ENOUGH:
        return own
    top = np.argsort(-scores, kind="stable")[:NEAREST]
    trust = np.where(scores[top] > 0, scores[top], 0)
    found = np.asarray(negatives.rows[top].T @ (trust / (trust.sum() or 1.0)), np.float32) - negatives.mean
    return own + np.float32(0.6 * (1 - n / ENOUGH) / negatives.spread(found)) * found


def alpha(n: int) -> float:
    """How much a model of n likes is held back: few of them say little about each word. Two values, for each is costly."""
    return 0.1 if n <= 30 else 0.003


def cut(negatives: Negatives, weights: Vector, size: int) -> Few:
    """The terms that move scores most, with weights and a bias that give the background mean 0 and standard deviation 1.

    What the other terms said of the background, those that stay say in their place as well as they can.
    """
    moves = np.abs(weights) * np.maximum(negatives.power, 1e-4)
    most = np.argpartition(-moves, size)[:size] if size < len(moves) else np.arange(len(moves))
    terms = np.sort(most[moves[most] > 0]).astype(np.int32)
    kept = np.zeros_like(weights)
    kept[terms] = weights[terms] + _instead(negatives, weights, terms)
    # What is stored as half-precision numbers is what is scored with, and what the bias is for.
    stored = np.clip(kept[terms] / negatives.spread(kept), -1000, 1000).astype(np.float16).astype(np.float32)
    return Few(terms, stored, -float(stored @ negatives.mean[terms]))


def _instead(negatives: Negatives, weights: Vector, terms: NDArray[np.int32]) -> Vector:
    """What to add to the weights of these terms, so that they order the background as all terms do: a ridge model again."""
    columns = negatives.columns[terms]
    lost = np.asarray(weights, np.float64).copy()
    lost[terms] = 0
    missing = np.asarray(negatives.rows @ lost)
    mean = negatives.mean[terms].astype(np.float64)
    square = np.asarray((columns @ columns.T).toarray(), np.float64) / negatives.size - np.outer(mean, mean)
    wanted = np.asarray(columns @ (missing - missing.mean())) / negatives.size
    held = HELD * max(float(np.trace(square)) / max(len(terms), 1), 1e-9)
    return np.asarray(np.linalg.solve(square + held * np.eye(len(terms)), wanted), np.float32)
