"""Interests: how near a paper is to what a reader asked for, by TF-IDF over this edition's candidates. Pure.

A topic is a phrase: its words and pairs of words are looked for, and weigh the more the rarer they are (Salton and
Buckley, 1988: sublinear term frequency, cosine). A keyword must stand in the paper as written.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from digest.papers.identity import normalised_title
from digest.papers.model import Work
from digest.subscribers.model import Interest

TITLE_WEIGHT = 3
"""A word of the title counts as often: it says what the paper is about."""

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_STOP = frozenset(
    # Words that stand in papers about anything.
    """
    a about all also an and any are as at be been but by can do does for from has have how in into is it its may more most
    new not of on one only or other our over such than that the their them these they this those through to under use used
    using via was we were what when where which while who will with without
    """.split()
)


@dataclass(frozen=True, slots=True)
class Match:
    """How near a paper is to a reader's interests, 0 to 1, and the interest that spoke loudest for it."""

    score: float
    interest: str


class Vocabulary:
    """The words of an edition's candidates, with their weights, as an inverted index: word -> [(place, weight), …]."""

    def __init__(self, works: Sequence[Work]) -> None:
        counts = [_counts(work) for work in works]
        texts = (" ".join((work.title, work.abstract, *work.keywords)) for work in works)
        self._texts = [f" {normalised_title(text)} " for text in texts]
        documents = Counter(word for count in counts for word in count)
        total = len(works)
        self._idf = {word: math.log((1 + total) / (1 + n)) + 1 for word, n in documents.items()}
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, count in enumerate(counts):
            weights = {word: (1 + math.log(n)) * self._idf[word] for word, n in count.items()}
            norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
            for word, weight in weights.items():
                self._postings[word].append((place, weight / norm))
        self._rarest = math.log(1 + total) + 1
        self._known: dict[Interest, dict[int, float]] = {}

    def match(self, interests: Sequence[Interest]) -> dict[int, Match]:
        """The candidates, by place in the sequence given, that match any of these interests."""
        best: dict[int, Match] = {}
        for interest in interests:
            for place, score in self._scores(interest).items():
                weighted = min(1.0, score * interest.weight)
                if place not in best or weighted > best[place].score:
                    best[place] = Match(weighted, interest.value)
        return best

    def _scores(self, interest: Interest) -> Mapping[int, float]:
        # Readers share interests, so each is looked up once an edition.
        if interest not in self._known:
            self._known[interest] = self._keyword(interest.value) if interest.kind == "keyword" else self._topic(interest.value)
        return self._known[interest]

    def _keyword(self, value: str) -> dict[int, float]:
        wanted = f" {normalised_title(value)} "
        return {place: 1.0 for place, text in enumerate(self._texts) if wanted in text} if wanted.strip() else {}

    def _topic(self, phrase: str) -> dict[int, float]:
        """Cosine of phrase and paper, over the nearest paper's, so that a topic's best match always counts in full; a paper
        must share more than half of the phrase's weight, lest one common word of it pass for the topic."""
        words = Counter(_terms(phrase))
        weights = {word: self._idf.get(word, self._rarest) for word in words}
        single = sum(weight for word, weight in weights.items() if " " not in word)
        cosine: dict[int, float] = defaultdict(float)
        shared: dict[int, float] = defaultdict(float)
        for word, weight in weights.items():
            for place, in_paper in self._postings.get(word, ()):
                cosine[place] += weight * in_paper
                shared[place] += weight if " " not in word else 0.0
        matching = {place: score for place, score in cosine.items() if shared[place] > single / 2}
        nearest = max(matching.values(), default=0.0)
        return {place: score / nearest for place, score in matching.items()}


def _counts(work: Work) -> Counter[str]:
    counts = Counter(_terms(work.abstract))
    for text in (work.title, *work.keywords):
        for word in _terms(text):
            counts[word] += TITLE_WEIGHT
    return counts


def _terms(text: str) -> list[str]:
    """The words of a text in their plain form, without stop words, and each pair of neighbours."""
    words = [_stem(word) for word in _WORD.findall(text.casefold().replace("-", " ")) if word not in _STOP and len(word) > 1]
    return words + [f"{one} {two}" for one, two in pairwise(words)]


def _stem(word: str) -> str:
    """One form for singular and plural: all that matching a topic needs of English grammar."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
