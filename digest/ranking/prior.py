"""What a paper may be expected to earn by what it says alone, before anybody voted; and how much an editor would like it.

Both are linear in the same words and flags. Words are TF-IDF with sublinear frequency (Salton and Buckley, 1988) of title,
abstract and keywords, those of the title once more under a prefix of their own. What is expected is a ridge's answer on a log
scale of votes, what an editor likes the log-odds of a logistic regression. `digest.evaluation.fit` fits the parameters to what
lists showed in the past. Only what a `Work` carries is looked at, so that fit and product see the same; and nobody's name is.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digest.papers.model import Work
from digest.ranking.text import terms

FITTED = Path(__file__).with_name("trending.json")

_LONGEST = 4000
"""Of an abstract, so much is read: the longest real ones have half of it."""
_MOST_EXPECTED = math.log1p(500)
"""No text promises more votes than the best papers get."""
_OPEN = re.compile(r"open[- ](?:sourc|weight|access)", re.IGNORECASE)
_REPORT = re.compile(r"technical report", re.IGNORECASE)
_NAMED = re.compile(r"[A-Z][\w.+-]{1,20}:")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """How the votes of a list come in.

    What a paper will have is `factor(hours) * (votes + waiting / hours * mu)`: the mean of a Gamma-Poisson posterior at its
    simplest.
    """

    waiting: float
    """k: the hours that the prior counts for."""
    hours: tuple[float, ...]
    """The ages that factors were measured at, ascending; the last factor is 1."""
    factors: tuple[float, ...]

    def factor(self, hours: float) -> float:
        """By how much votes of this age still multiply, at least 1; between two ages along the logarithm of time."""
        return float(np.interp(math.log(max(1.0, hours)), np.log(self.hours), self.factors))


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Fitted parameters. `words` has for each word its IDF, its weight for votes and its weight for the editor."""

    words: Mapping[str, tuple[float, float, float]]
    flags: Mapping[str, tuple[float, float]]
    bias: tuple[float, float]
    editor_votes: float
    """What one step of log1p(votes) adds to the editor's log-odds."""
    stars: tuple[float, float]
    """`log1p(votes) = a + b * log1p(stars)`: the votes that go with stars."""
    growth: Growth
    about: Mapping[str, str | int | float]
    """What it was fitted to, in words."""

    def expected(self, works: Sequence[Work]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected later votes at first sight, and an editor's log-odds without any vote, for each work."""
        mu = np.empty(len(works))
        liking = np.empty(len(works))
        for place, work in enumerate(works):
            votes, odds = self._linear(work)
            mu[place] = math.expm1(min(max(votes, 0.0), _MOST_EXPECTED))
            liking[place] = min(max(odds, -20.0), 20.0)
        return mu, liking

    def _linear(self, work: Work) -> tuple[float, float]:
        votes, odds, square = 0.0, 0.0, 0.0
        known = self.words
        for word, times in words(work).items():
            if (found := known.get(word)) is not None:
                idf, for_votes, for_editor = found
                value = (1 + math.log(times)) * idf if times > 1 else idf
                square += value * value
                votes += value * for_votes
                odds += value * for_editor
        if square:
            norm = math.sqrt(square)
            votes, odds = votes / norm, odds / norm
        votes, odds = votes + self.bias[0], odds + self.bias[1]
        for flag, value in flags(work).items():
            weights = self.flags.get(flag)
            if weights is not None and value:
                votes, odds = votes + value * weights[0], odds + value * weights[1]
        return votes, odds

    def to_json(self) -> str:
        """As it is committed: a word a line, so that a new fit shows as a difference."""
        rows = ",\n".join(f"  {json.dumps(word)}: {json.dumps(list(self.words[word]))}" for word in sorted(self.words))
        rest = {
            "about": dict(self.about),
            "bias": self.bias,
            "editor_votes": self.editor_votes,
            "stars": self.stars,
            "growth": {"waiting": self.growth.waiting, "hours": self.growth.hours, "factors": self.growth.factors},
            "flags": self.flags,
        }
        return json.dumps(rest, indent=1).removesuffix("\n}") + ',\n "words": {\n' + rows + "\n }\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "Prior":
        """Raises ValueError for what `to_json` did not write."""
        try:
            raw = json.loads(text)
            growth = Growth(
                float(raw["growth"]["waiting"]),
                tuple(float(hours) for hours in raw["growth"]["hours"]),
                tuple(float(factor) for factor in raw["growth"]["factors"]),
            )
            return cls(
                {word: (float(idf), float(votes), float(odds)) for word, (idf, votes, odds) in raw["words"].items()},
                {flag: (float(votes), float(odds)) for flag, (votes, odds) in raw["flags"].items()},
                (float(raw["bias"][0]), float(raw["bias"][1])),
                float(raw["editor_votes"]),
                (float(raw["stars"][0]), float(raw["stars"][1])),
                growth,
                dict(raw["about"]),
            )
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"these are no fitted parameters: {error}") from None


@cache
def fitted() -> Prior:
    """The parameters that the program brings along."""
    return Prior.from_json(FITTED.read_text(encoding="utf-8"))


def words(work: Work) -> Counter[str]:
    """The words and pairs of words of a paper with their counts: those of the title twice, the second time as `t:word`."""
    in_title = terms(work.title)
    found = Counter(in_title)
    found.update(terms(work.abstract[:_LONGEST]))
    found.update({f"t:{word}": 1 for word in in_title if " " not in word})
    found.update({f"k:{keyword.casefold()}": 1 for keyword in work.keywords})
    return found


def flags(work: Work) -> dict[str, float]:
    """What can be said of a paper without reading it, each about 0 to 1."""
    title, authors = work.title, len(work.authors)
    return {
        "abstract": min(len(work.abstract), _LONGEST) / 2000,
        "authors": min(math.log1p(authors) / 3, 2.0),
        "bench": float("bench" in title.casefold()),
        "code": float("code" in work.links),
        "colon": float(":" in title),
        "digit": float(_DIGIT.search(title) is not None),
        "few authors": float(authors <= 2),
        "keywords": float(bool(work.keywords)),
        "many authors": float(authors > 20),
        "named": float(_NAMED.match(title) is not None),
        "open": float(_OPEN.search(title) is not None or _OPEN.search(work.abstract) is not None),
        "organization": float(bool(work.organization)),
        "project": float("project" in work.links),
        "question": float("?" in title),
        "report": float(_REPORT.search(title) is not None or _REPORT.search(work.abstract) is not None),
        "sota": float("state-of-the-art" in work.abstract),
        "survey": float("survey" in title.casefold()),
        "title": len(title) / 100,
        "url": float("http" in work.abstract),
    }
