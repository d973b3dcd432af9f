"""What trends, in words: topics to offer to somebody who does not know yet what to type."""

from collections import Counter
from collections.abc import Iterable

from digest.papers.model import Work
from digest.ranking.text import phrases

LOOKED_AT = 200
"""Papers, the best first."""
LEAST = 2
"""What only one paper is about is no trend."""
SAME = 0.6
"""Two words that stand in three so often are no topic of their own: `large language` is `large language model`."""


def trending(works: Iterable[Work], limit: int) -> tuple[str, ...]:
    """The phrases of two or three words that most papers have in their titles or keywords, the most frequent first."""
    found: Counter[str] = Counter()
    for _, work in zip(range(LOOKED_AT), works, strict=False):
        texts = (work.title, *work.keywords)
        found.update({phrase for text in texts for words in (2, 3) for phrase in phrases(text, words)})
    parts: set[str] = set()
    for phrase, count in found.items():
        words = phrase.split()
        pairs = (" ".join(words[:2]), " ".join(words[1:]))
        if len(words) == 3:
            longer = count >= LEAST and any(count >= SAME * found[pair] for pair in pairs)
            parts.update((pair for pair in pairs if count >= SAME * found[pair]) if longer else [phrase])
    best = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    kept = (phrase for phrase, count in best if count >= LEAST and phrase not in parts and not any(map(str.isdigit, phrase)))
    return tuple(kept)[:limit]
