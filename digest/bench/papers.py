"""Invented papers: made of the terms that the program brings along, as often as papers have them, and of some subjects."""

import numpy as np
from numpy.typing import NDArray

from digest.papers.model import Work
from digest.ranking.words import brought_along

SUBJECTS, SUBJECT_TERMS, PAPER_TERMS = 60, 80, 130
SENTENCE = 9
"""Terms of a sentence."""


def invented(draw: np.random.Generator, count: int) -> tuple[NDArray[np.int64], list[Work]]:
    """Papers and their subjects. A third of a paper's terms are its subject's."""
    known = brought_along()
    terms = np.array(sorted(known.having))
    often = np.array([known.having[term] for term in terms.tolist()], float)
    chance = np.cumsum(often / often.sum())
    rare = np.flatnonzero(often < np.quantile(often, 0.97))
    own = draw.choice(rare, (SUBJECTS, SUBJECT_TERMS))
    subjects = draw.integers(0, SUBJECTS, count)
    works = []
    for number, subject in enumerate(subjects.tolist()):
        common = terms[np.searchsorted(chance, draw.random(2 * PAPER_TERMS // 3)).clip(0, len(terms) - 1)].tolist()
        special = terms[own[subject, draw.integers(0, SUBJECT_TERMS, PAPER_TERMS // 3)]].tolist()
        works.append(
            Work(
                title=" ".join(special[:4]),
                abstract=_sentences([*common, *special]),
                authors=(f"Ann Author{number % 500}", f"Bo Berg{number % 300}", f"Cy Chen{number % 200}"),
                categories=(f"cs.{'ABCDEFG'[subject % 7]}{'LIVR'[subject % 4]}",),
                links=_links(number),
            )
        )
    return subjects, works


def arxiv_id(number: int) -> str:
    """An id that arXiv will not give for a while."""
    return f"{9001 + number // 90_000}.{10_000 + number % 90_000}"


def _sentences(words: list[str]) -> str:
    return " ".join(" ".join(words[begin : begin + SENTENCE]).capitalize() + "." for begin in range(0, len(words), SENTENCE))


def _links(number: int) -> dict[str, str]:
    name = arxiv_id(number)
    return {
        "page": f"https://papers.example.org/abs/{name}",
        "pdf": f"https://papers.example.org/pdf/{name}",
        "code": f"https://code.example.org/authors/{name}",
    }
