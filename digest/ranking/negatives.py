"""What a reader is learned against: papers that stand for all others, and everything about them that no reader changes."""

import math
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""A weight for each term of a vocabulary."""
Matrix = NDArray[np.float64]


class Negatives:
    """The n papers of a background, at least one. What is costly is worked out when it is first wanted, and kept."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.columns = rows.T.tocsr()
        self.size: int = rows.shape[0]
        self.mean: Vector = (np.asarray(rows.sum(axis=0)).ravel() / self.size).astype(np.float32)
        squares = np.asarray(rows.multiply(rows).sum(axis=0)).ravel() / self.size
        self.power: Vector = np.sqrt(squares).astype(np.float32)
        """The root mean square of each term."""
        self.solver = cache(self._solver)
        """For an alpha: the inverse of the centred Gram matrix with alpha n on its diagonal."""

    @cached_property
    def gram(self) -> Matrix:
        """The products of all pairs of papers, seen from their mean."""
        raw = np.asarray((self.rows @ self.columns).toarray(), np.float64)
        across = raw.mean(axis=0)
        return np.asarray(raw - across[None] - across[:, None] + raw.mean())

    def _solver(self, alpha: float) -> Vector:
        return np.asarray(np.linalg.inv(self.gram + alpha * self.size * np.eye(self.size)), np.float32)

    def scores(self, weights: Vector) -> NDArray[np.float32]:
        """What a weight for each term gives to each paper of the background."""
        return np.asarray(self.rows @ weights)

    def spread(self, weights: Vector, scores: Vector | None = None) -> float:
        """The standard deviation of these scores. Never 0: a word that no paper of the background has is rare, not certain."""
        rare = 0.1 * float(np.linalg.norm(weights)) / math.sqrt(self.size)
        return max(float((self.scores(weights) if scores is None else scores).std()), rare, 1e-6)


class Rated:
    """The k papers that a reader rated, beside the background; all products are taken as seen from the background's mean."""

    def __init__(self, negatives: Negatives, rows: Any) -> None:
        self.negatives, self.rows = negatives, rows
        mean = negatives.mean.astype(np.float64)
        to_mean = np.asarray(rows @ mean)
        square = float(mean @ mean)
        self.inner: Matrix = np.asarray((rows @ rows.T).toarray(), np.float64) - to_mean[None] - to_mean[:, None] + square
        """Rated with rated papers, k x k."""
        across = np.asarray((rows @ negatives.columns).toarray(), np.float64)
        self._through = cache(lambda alpha: np.asarray(self.across.astype(np.float32) @ negatives.solver(alpha), np.float64))
        self.across: Matrix = across - np.asarray(negatives.rows @ mean)[None] - to_mean[:, None] + square
        """Rated with background papers, k x n."""

    def ridge(self, chosen: NDArray[np.intp], targets: Matrix, weights: Matrix, alpha: float) -> Vector:
        """The linear model that gives the background 0 on average, and each chosen paper its target as far as its weight goes.

        It minimises alpha |w|^2 + the mean square over the background + the weighted squares over the chosen papers. Solved in
        the space of papers (Woodbury's identity): the background costs one product with a matrix that is kept.
        """
        negatives = self.negatives
        across = self.across[chosen]
        through = self._through(alpha)[chosen]
        reduced = (self.inner[np.ix_(chosen, chosen)] - through @ across.T) / alpha
        dual = np.linalg.solve(reduced + np.diag(1 / weights), targets) / alpha
        others = -(dual @ through)
        others -= others.mean()
        own = np.asarray(self.rows[chosen].T @ dual) - dual.sum() * negatives.mean
        return np.asarray(own + negatives.columns @ others, np.float32)
