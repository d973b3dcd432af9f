"""In how many papers a term stands: counted over a site's own papers, and over those that the program brings along."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CROWDED = 2_000_000
"""So many terms are counted at a time; beyond that, the rarest go (Manku and Motwani, 2002: lossy counting)."""


@dataclass(frozen=True, slots=True)
class Documents:
    """How many papers were counted, and in how many of them each term stands."""

    total: int
    having: Mapping[str, int]


def count(bags: Iterable[Iterable[str]]) -> Documents:
    """Count papers given as their terms, each term once; memory is bounded however many there are."""
    having: Counter[str] = Counter()
    total, rare = 0, 1
    for bag in bags:
        total += 1
        having.update(iter(bag))  # once each: a mapping would bring its counts
        while len(having) > CROWDED:
            having = Counter({term: n for term, n in having.items() if n > rare})
            rare += 1
    return Documents(total, having)


@cache
def brought_along() -> Documents:
    """What abstracts of machine learning and its neighbours have, so that a site with thirty papers knows what is rare."""
    lines = (files("digest.ranking") / "words.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines[1:])
    return Documents(int(lines[0].split("\t")[1]), {term: int(n) for term, n in rows})


def to_text(documents: Documents, size: int) -> str:
    """The most frequent terms as `brought_along` reads them."""
    most = sorted(documents.having.items(), key=lambda row: (-row[1], row[0]))[:size]
    return "".join(f"{term}\t{n}\n" for term, n in [("", documents.total), *sorted(most)])
