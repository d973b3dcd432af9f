"""Our own metrics of interests, beside plain baselines: topic lists by many likes, few, a phrase, two at once; and people.

Draws of likes are fixed by a seed, so that two runs say the same. The baselines know the same papers and the same background.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digest.evaluation import likes_folder, metrics
from digest.evaluation.corpus import Corpus, Places, list_corpus, people_corpus, places
from digest.evaluation.likes_folder import Entry
from digest.evaluation.meaning import Meanings
from digest.evaluation.model import Progress, Result
from digest.ranking.learning import alpha
from digest.ranking.meaning import Floats
from digest.ranking.negatives import Rated
from digest.semantic import Encoder

DRAWS = 5
"""Samples of each number of likes."""
FEW = (15, 5, 3, 1)
MAJOR, MINOR = 15, 4
"""Likes of a reader with two interests."""
LIBRARIES = 60
OURS, UNBOUNDED, MEAN = "digest", "ridge, every word", "tf-idf mean cosine"

Truth = NDArray[np.float64]
Row = Mapping[str, float]


@dataclass(frozen=True, eq=False, slots=True)
class _Query:
    """Likes or phrases on one side, candidates on the other; `worth` is what each candidate is worth in truth."""

    task: str
    corpus: Corpus
    liked: Places
    candidates: Places
    worth: Truth
    topics: tuple[str, ...] = ()
    other: Truth | None = None
    """Of a reader with two interests: what candidates are worth to the larger one."""


def results(folder: Path, progress: Progress, encoder: Encoder | None = None) -> list[Result]:
    """How well each method does at each task that the folder tells the truth of; empty if it tells none.

    Args:
        folder: as `likes_folder` reads it.
        encoder: a sentence model, for a method more, by words and meaning.

    Raises:
        BadInput: a file of the folder is not what it should be.
    """
    meanings = Meanings(encoder) if encoder else None
    lists = {path.name.partition(".")[0]: path for path in likes_folder.curated(folder)}
    files = list(lists.values())
    neighbours = [(one, other) for pair in pairwise([*files, *files[:1]]) for one, other in permutations(pair) if one != other]
    parts: list[Callable[[], Iterator[_Query]]] = [
        *(partial(_list, name, path, meanings) for name, path in lists.items()),
        *(partial(_two, one, other, meanings) for one, other in dict.fromkeys(neighbours)),
        partial(_people, folder, meanings),
        partial(_libraries, folder),
    ]
    found: dict[tuple[str, str], list[Row]] = {}
    for done, part in enumerate(parts):
        progress(done, len(parts))
        for query in part():
            for method, scores in _methods(query).items():
                found.setdefault((query.task, method), []).append(_judged(query, scores))
    progress(len(parts), len(parts))
    return [
        Result(task, method, len(rows), {name: metrics.interval([row[name] for row in rows]) for name in rows[0]})
        for (task, method), rows in found.items()
    ]


def _methods(query: _Query) -> dict[str, Floats]:
    corpus = query.corpus
    rows = corpus.rows[query.candidates]
    scores = {OURS: corpus.scores(corpus.profile(query.liked, query.topics), query.candidates)}
    if corpus.meanings is not None:
        by_words = replace(corpus, meanings=None, vectors=None, typical=None)
        scores["digest, words alone"] = by_words.scores(by_words.profile(query.liked, query.topics), query.candidates)
    if query.topics:
        phrase = corpus.vocabulary.row(" ".join(query.topics)).toarray().ravel()
        return scores | {"tf-idf cosine with the phrase": rows @ phrase}
    liked = corpus.rows[query.liked]
    every = np.arange(len(query.liked))
    ridge = Rated(corpus.vocabulary.negatives, liked).ridge(
        every, np.ones(len(every)), np.full(len(every), 1 / len(every)), alpha(len(every))
    )
    mean = np.asarray(liked.sum(axis=0)).ravel()
    return scores | {UNBOUNDED: rows @ ridge, MEAN: rows @ mean}


def _judged(query: _Query, scores: Floats) -> Row:
    if query.task == "expertise":
        return {"pairwise": metrics.pairwise_accuracy(query.worth, scores), "nDCG@3": metrics.ndcg(query.worth, scores, 3)}
    if query.other is not None:
        return {
            "recall@100, smaller": metrics.recall_at(query.worth, scores, 100),
            "recall@100, larger": metrics.recall_at(query.other, scores, 100),
        }
    return {
        "AUC": metrics.auc(query.worth, scores),
        "nDCG@10": metrics.ndcg(query.worth, scores, 10),
        "recall@50": metrics.recall_at(query.worth, scores, 50),
        "recall@200": metrics.recall_at(query.worth, scores, 200),
        "AP": metrics.average_precision(query.worth, scores),
    }


def _list(name: str, path: Path, meanings: Meanings | None) -> Iterator[_Query]:
    entries = likes_folder.topic_list(path)
    liked, candidates = places(entries, "profile"), places(entries, "candidate")
    worth = _worth(entries, candidates)
    if not worth.any() or not len(liked):
        return
    corpus = list_corpus(entries, meanings)
    yield _Query("curated, all likes", corpus, liked, candidates, worth)
    for size in (size for size in FEW if size < len(liked)):
        for seed in range(DRAWS):
            yield _Query(f"curated, {size} likes", corpus, _drawn(liked, size, seed), candidates, worth)
    yield _Query("curated, its name as a topic", corpus, liked[:0], candidates, worth, (name.replace("_", " "),))


def _two(larger: Path, smaller: Path, meanings: Meanings | None) -> Iterator[_Query]:
    """A reader with two interests, candidates of both; what the one list does not have is not asked for in its name."""
    lists = likes_folder.topic_list(larger), likes_folder.topic_list(smaller)
    entries = _once([*lists[0], *lists[1]])
    candidates, background = places(entries, "candidate"), places(entries, "background")
    of_larger, of_smaller = (_ids(one, "profile") for one in lists)
    first, second = (
        np.array([place for place, entry in enumerate(entries) if entry.id in own], np.intp)
        for own in (of_larger - of_smaller, of_smaller - of_larger)
    )
    worth = [_ids((entry for entry in one if entry.worth), "candidate") for one in lists]
    other, wanted = (np.array([float(entries[place].id in ids) for place in candidates]) for ids in worth)
    if len(first) < MAJOR or len(second) < MINOR or not wanted.any() or not len(background):
        return
    corpus = list_corpus(entries, meanings)
    for seed in range(DRAWS):
        both = np.concatenate([_drawn(first, MAJOR, seed), _drawn(second, MINOR, seed)])
        yield _Query("two interests", corpus, both, candidates, wanted, other=other)


def _once(entries: Sequence[Entry]) -> list[Entry]:
    """Each paper of two lists once: what may be liked already is not asked for, and what is asked for stands for no others."""
    found: dict[str, Entry] = {}
    for role in ("profile", "candidate", "background"):
        for entry in entries:
            if entry.role == role:
                found.setdefault(entry.id, entry)
    return list(found.values())


def _ids(entries: Iterable[Entry], role: str) -> set[str]:
    return {entry.id for entry in entries if entry.role == role}


def _people(folder: Path, meanings: Meanings | None) -> Iterator[_Query]:
    researchers = likes_folder.researchers(folder)
    if not any(entry.worth is not None for own in researchers.values() for entry in own):
        return
    corpus, start = people_corpus(researchers, meanings), 0
    for own in researchers.values():
        liked, candidates = places(own, "profile"), places(own, "candidate")
        if len(liked) > 1 and len(candidates) > 3:
            yield _Query("expertise", corpus, start + liked, start + candidates, _worth(own, candidates))
        start += len(own)


def _libraries(folder: Path) -> Iterator[_Query]:
    known = [library for library in likes_folder.libraries(folder) if library.profile and library.test]
    bags = likes_folder.items(folder) if known else []
    if not bags:
        return
    corpus = Corpus.of_bags(bags)
    for library in known[:: -(-len(known) // LIBRARIES)]:
        liked, others = (
            np.array([one for one in part if one < len(bags)], np.intp) for part in (library.profile, library.test)
        )
        if len(liked):
            candidates = np.setdiff1d(np.arange(len(bags)), liked)
            yield _Query("citeulike", corpus, liked, candidates, np.isin(candidates, others).astype(np.float64))


def _worth(entries: Sequence[Entry], chosen: Places) -> Truth:
    return np.array([entries[place].worth or 0.0 for place in chosen])


def _drawn(liked: Places, size: int, seed: int) -> Places:
    return np.random.default_rng(seed).permutation(liked)[:size]
