"""What trends, in words: topics to offer to somebody who does not know yet what to type."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

from digest.papers.model import Work
from digest.ranking.text import phrases

LOOKED_AT = 200
"""Papers, the best first."""
LEAST = 2
"""What only one paper is about is no trend."""
SAME = 0.6
"""Words that stand in longer ones so often are no topic of their own: `large language` is `large language model`."""
_FORMULAS = frozenset({"case study", "empirical study", "systematic review", "technical report"})
"""What titles say of the paper, and not of what it is about."""


def trending(works: Iterable[Work], limit: int) -> tuple[str, ...]:
    """The phrases of two to four words that most papers have in their titles or keywords, the most frequent first.

    Of two that are near to each other, as `neural network` and `deep neural network` are, only the first is given.
    """
    found: Counter[str] = Counter()
    for _, work in zip(range(LOOKED_AT), works, strict=False):
        texts = (work.title, *work.keywords)
        found.update({phrase for text in texts for words in (2, 3, 4) for phrase in phrases(text, words)})
    common = {phrase: count for phrase, count in found.items() if count >= LEAST and not any(map(str.isdigit, phrase.split()))}
    fragments = {part for phrase, count in common.items() for part in _parts(phrase) if count >= SAME * found[part]}
    kept: dict[str, set[str]] = {}
    for phrase in sorted(common.keys() - fragments - _FORMULAS, key=lambda one: (-common[one], one)):
        words = set(phrase.split())
        if len(kept) < limit and not any(_near(words, other) for other in kept.values()):
            kept[phrase] = words
    return tuple(kept)


def _parts(phrase: str) -> Iterator[str]:
    words = phrase.split()
    return (" ".join(words[one:other]) for one, other in combinations(range(len(words) + 1), 2) if other - one < len(words))


def _near(one: set[str], other: set[str]) -> bool:
    """Whether one has all the words of the other, or they have most in common."""
    return one <= other or other <= one or 2 * len(one & other) > len(one | other)
