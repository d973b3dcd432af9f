"""What meaning adds to words, for an evaluation: each paper is read once, and nothing is kept on disk."""

from collections.abc import Sequence

import numpy as np

from digest.evaluation.model import Progress
from digest.papers.model import Work
from digest.ranking.deepening import deepen
from digest.ranking.meaning import Background, Floats, mixed, text_of
from digest.ranking.profile import Profile
from digest.ranking.rows import Rows
from digest.semantic import Encoder


def _silent(done: int, total: int) -> None:
    del done, total


class Meanings:
    """The vectors of papers and phrases, as a model reads them."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Floats] = {}

    def read(self, texts: Sequence[str], progress: Progress = _silent) -> None:
        """Read these texts, unless they were read already; `progress` is told how many of those that were not."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        done = 0

        def more(read: int) -> None:
            nonlocal done
            done += read
            progress(done, len(new))

        self._known.update(zip(new, self._encoder.encode(new, more), strict=True))

    def of(self, works: Sequence[Work]) -> Floats:
        """The vectors of papers, (papers, dimension)."""
        texts = [text_of(work) for work in works]
        self.read(texts)
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, self._encoder.dimension), np.float32)

    def deepened(self, profile: Profile, background: Background, liked: Rows, works: Sequence[Work]) -> Profile:
        """A profile that was learned from words, with its meaning; `liked` are the rows of the liked papers `works`."""
        topics = [facet.label for facet in profile.facets if facet.kind == "topic"]
        self.read(topics)
        return deepen(profile, background, liked, self.of(works), {topic: self._known[topic] for topic in topics})


def with_meaning(by_words: Floats, profile: Profile, meanings: Floats) -> Floats:
    """The scores of a profile's facets, (facets, papers), by words and meaning: by words alone if the profile has no meaning.

    Args:
        by_words: the scores by words, in standard deviations.
        profile: what `Meanings.deepened` gave.
        meanings: centred vectors of the papers, (papers, dimension): `background.centred(meanings.of(works))`.
    """
    if profile.meaning is None:
        return by_words
    return mixed(by_words, meanings, profile.meaning.words, profile.meaning.directions)
