"""The words that papers are compared by, fixed by version: which they are, how rare each is, and what an average paper has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.papers.model import Work

Rows = Any
"""A scipy CSR array of float32: a row for each paper, a column for each word, each row of length 1 (or 0)."""


@dataclass(frozen=True, eq=False, slots=True)
class Vocabulary:
    """A fixed set of words and pairs of words with their weights.

    `background` holds the rows of some papers that stand for all: the negatives that profiles are learned against.
    """

    version: int
    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    background: Rows

    def rows(self, works: Sequence[Work]) -> Rows:
        """Papers as TF-IDF rows."""
        raise NotImplementedError

    def row(self, text: str) -> Rows:
        """A phrase as one TF-IDF row."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """As it is stored, whole and compressed."""
        raise NotImplementedError

    @classmethod
    def from_bytes(cls, version: int, stored: bytes) -> "Vocabulary":
        raise NotImplementedError


def fit(works: Iterable[Work], version: int = 0) -> Vocabulary:
    """The vocabulary of these papers, together with what the program brings along; the same papers give the same one."""
    raise NotImplementedError
