"""Whether a reader's likes are about one thing or several: two-means, that stands only where the two are far apart."""

import numpy as np
from numpy.typing import NDArray

from digest.ranking.negatives import Matrix, Rated

APART = 0.3
"""Two groups may be two interests when each, seen from the other, is no more standard deviations above the background."""
LOST = 0.4
"""And they are, when all likes together rank the smaller group no higher than this part of how high they rank the larger; a
larger part will do where each lies below the background, by as much."""
SMALLEST = 2
"""One paper is no interest of its own: it may be a slip."""
_ROUNDS = 10

Places = NDArray[np.intp]


def groups(rated: Rated, liked: Places, most: int) -> list[Places]:
    """The likes as at most `most` groups, the largest first; the ones furthest apart are split first."""
    found = [liked]
    while len(found) < most:
        halves = [(distance, n, pair) for n, one in enumerate(found) for distance, pair in [_halves(rated, one)] if pair]
        if not halves:
            break
        _, n, pair = min(halves, key=lambda row: row[:2])
        found[n : n + 1] = pair
    return sorted(found, key=lambda one: (-len(one), one[0]))


def _halves(rated: Rated, liked: Places) -> tuple[float, list[Places]]:
    """How near the two halves of some likes are, and the halves; none where they are one interest."""
    if len(liked) < 2 * SMALLEST:
        return 0.0, []
    first = _leaning(rated.across[liked])
    for _ in range(_ROUNDS):
        if min(first.sum(), (~first).sum()) < SMALLEST:
            return 0.0, []
        nearer = _nearness(rated, liked, liked[first]) > _nearness(rated, liked, liked[~first])
        if (nearer == first).all():
            break
        first = nearer
    if min(first.sum(), (~first).sum()) < SMALLEST:
        return 0.0, []
    small, large = sorted([liked[first], liked[~first]], key=len)
    distance = float(_nearness(rated, small, large).mean() + _nearness(rated, large, small).mean()) / 2
    # Where one model of all likes serves both, it is the better one: it learns from more.
    least = LOST + max(0.0, -distance)
    lost = _nearness(rated, small, liked).mean() <= least * _nearness(rated, large, liked).mean()
    return distance, [large, small] if distance < APART and lost else []


def _leaning(across: Matrix) -> NDArray[np.bool_]:
    """Which likes lie on one side of the first principal component of what they have in common with the background."""
    spread = across.std(axis=1, keepdims=True)
    alike = (across - across.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    alike -= alike.mean(axis=0)
    return np.asarray(np.linalg.eigh(alike @ alike.T)[1][:, -1] > 0)


def _nearness(rated: Rated, papers: Places, group: Places) -> Matrix:
    """How far papers lie above the background, seen from a group without the paper itself, in standard deviations."""
    itself = papers[:, None] == group[None]
    products = np.where(itself, 0, rated.inner[np.ix_(papers, group)])
    others = np.maximum(len(group) - itself.sum(axis=1), 1)
    spread = float(rated.across[group].mean(axis=0).std())
    return np.asarray(products.sum(axis=1) / others / (spread or 1.0))
