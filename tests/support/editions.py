"""A small invented edition and readers of it, with a vocabulary of made words, so that who is near to what is plain to see."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import scipy.sparse as sp

from digest.edition.model import Edition, Entry
from digest.edition.taste import Taste
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.ranking.profile import Facet, Profile
from digest.ranking.rows import Rows
from digest.ranking.vocabulary import Vocabulary
from digest.subscribers.model import Interest

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
WORDS = tuple(
    sorted("attention diffusion protein folding robot arm quantum error correction reward sparse graph video survey".split())
)
VOCABULARY = Vocabulary(7, WORDS, np.ones(len(WORDS), np.float32), sp.csr_array((0, len(WORDS)), dtype=np.float32))


def entry(
    paper_id: int,
    *,
    score: float = 0.0,
    title: str = "",
    abstract: str = "",
    rank: int = 0,
    former: Sequence[int] = (),
    votes: int | None = None,
    authors: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> Entry:
    return Entry(
        paper_id=paper_id,
        former_ids=frozenset(former),
        rank=rank or paper_id,
        score=score,
        terms=(Term("votes", votes, score),),
        work=Work(title or f"Paper number {paper_id}", abstract, tuple(authors), tuple(categories)),
        first_seen_on=NOW.date(),
        numbers={} if votes is None else {"votes": votes},
    )


def edition(*of: Entry) -> Edition:
    return Edition(1, NOW.date(), "daily", NOW, of)


def rows_of(issue: Edition, vocabulary: Vocabulary = VOCABULARY) -> Rows:
    """Its entries in these words."""
    return vocabulary.rows(entry.work for entry in issue.entries)


def facet(
    label: str, words: str | None = None, *, kind: str = "topic", share: float = 1.0, weight: float = 6.0, bias: float = 0.0
) -> Facet:
    """Near to papers that have these words: one alone, the only one of a paper, adds `weight` standard deviations."""
    terms = np.array(sorted(WORDS.index(word) for word in (words or label).split()), np.int32)
    return Facet(kind, label, share, terms, np.full(len(terms), weight, np.float32), bias)  # type: ignore[arg-type]


def profile(*labels: str) -> Profile:
    return Profile(tuple(facet(label, share=1 / len(labels)) for label in labels))


def any_edition(seed: int, size: int = 90, *, families: bool = True, measured: float = 0.5) -> Edition:
    """Papers with random words, votes, authors and categories, in order of score but for one that is pinned now and then."""
    draw = random.Random(seed)
    scores = sorted((draw.choice([0.0, 1.0, draw.lognormvariate(1.5, 1.2)]) for _ in range(size)), reverse=True)
    if size > 3 and draw.random() < 0.3:
        scores.insert(0, scores.pop(draw.randrange(1, size)))
    ids = draw.sample(range(1, 10 * size), size)
    entries = []
    for place, score in enumerate(scores):
        former = {draw.choice(ids)} - {ids[place]} if families and draw.random() < 0.1 else set()
        entries.append(
            entry(
                ids[place],
                score=score,
                title=" ".join(draw.choices(WORDS, k=draw.randint(1, 4))),
                abstract=" ".join(draw.choices(WORDS, k=draw.randint(0, 8))),
                rank=place + 1,
                former=sorted(former),
                votes=int(score) if draw.random() < measured else None,
                authors=draw.sample(["Ann Author", "Bo Berg", "Cy Chen"], k=1),
                categories=draw.sample(["cs.CL", "cs.CV", "q-bio.BM"], k=draw.randint(0, 2)),
            )
        )
    return edition(*entries)


Reader = tuple[Taste, frozenset[int]]
INTERESTS = (
    Interest("keyword", "robot"),
    Interest("topic", "protein folding"),
    Interest("author", "A. Author"),
    Interest("category", "cs"),
    Interest("mute", "graph"),
    Interest("mute", "B. Berg"),
    Interest("liked", "arxiv:2511.00001"),
)


def any_reader(seed: int) -> Reader:
    """Facets, exact interests, share and size at random, and some of the ids of `any_edition` as seen."""
    draw = random.Random(seed)
    shares = [draw.random() + 0.1 for _ in range(draw.randint(0, 3))]
    facets = tuple(
        facet(
            " ".join(words := draw.sample(WORDS, draw.randint(1, 4))),
            " ".join(words),
            kind=draw.choice(["topic", "liked"]),
            share=share / sum(shares),
            weight=draw.choice([1.0, 3.0, 7.0]),
            bias=draw.choice([0.0, -0.5]),
        )
        for share in shares
    )
    taste = Taste(
        profile=Profile(facets),
        interests=tuple(draw.sample(INTERESTS, draw.randint(0, 4))),
        share=draw.choice([0.0, 0.3, 0.5, 1.0, draw.random()]),
        cards=draw.choice([0, 1, 5, 10, 25]),
        also=draw.choice([0, 3, 10, 20]),
        seed=draw.randrange(10**6),
    )
    return taste, frozenset(draw.sample(range(1, 1500), draw.choice([0, 30, 900])))
