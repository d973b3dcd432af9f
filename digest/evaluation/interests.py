"""How well what is learned from a few papers finds others: scores for other judges, and results of our own.

Nothing but texts and the likes of a query is learned from: neither which candidates are liked, nor ratings, nor test items.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from digest.evaluation import likes_folder
from digest.evaluation.corpus import Corpus, list_corpus, people_corpus
from digest.evaluation.interests_results import results
from digest.evaluation.likes_folder import Entry
from digest.evaluation.meaning import Meanings
from digest.evaluation.model import Line, Progress, Score
from digest.semantic import Encoder

__all__ = ["results", "score"]


def score(folder: Path, lines: Iterable[Line], progress: Progress, encoder: Encoder | None = None) -> Iterator[Score]:
    """Scores for the candidates of each query; a query of an unknown task, or of papers that the folder has not, gets none.

    Args:
        folder: with `curated_lists`, `reviewer_expertise` or `citeulike_t`; no truth in it is looked at.
        lines: `{"task", "query", "file", "profile", "candidates"}`, as far as the task has them.
        encoder: a sentence model, for scores by words and meaning.

    Raises:
        BadInput: a file of the folder is not what it should be.
    """
    asked = list(lines)
    meanings = Meanings(encoder) if encoder else None
    by_task: dict[str, list[Line]] = {}
    for line in asked:
        by_task.setdefault("curated" if line.get("task") == "curated15" else str(line.get("task")), []).append(line)
    done = 0
    for task, queries in by_task.items():
        for line, found in _TASKS.get(task, _none)(folder, queries, meanings):
            for paper_id, worth in found:
                yield Score(str(line.get("task")), str(line.get("query")), paper_id, worth)
            done += 1
            progress(done, len(asked))
    progress(len(asked), len(asked))


Found = Iterator[tuple[Line, Iterable[tuple[str, float]]]]


def _none(_folder: Path, _lines: Sequence[Line], _meanings: Meanings | None) -> Found:
    return iter(())


def _curated(folder: Path, lines: Sequence[Line], meanings: Meanings | None) -> Found:
    files = {str(path.relative_to(folder)): path for path in likes_folder.curated(folder)}
    for name in dict.fromkeys(str(line.get("file")) for line in lines):
        if name not in files:
            continue
        entries = likes_folder.topic_list(files[name])
        corpus = list_corpus(entries, meanings)
        profile, candidates = _by_id(entries, "profile"), _by_id(entries, "candidate")
        for line in (line for line in lines if str(line.get("file")) == name):
            liked = line.get("profile") if line.get("task") == "curated15" else list(profile)
            yield line, _answer(corpus, profile, liked, candidates, line.get("candidates"))


def _expertise(folder: Path, lines: Sequence[Line], meanings: Meanings | None) -> Found:
    researchers = likes_folder.researchers(folder)
    if not researchers:
        return
    corpus = people_corpus(researchers, meanings)
    starts = dict(zip(researchers, accumulate(map(len, researchers.values()), initial=0), strict=False))
    for line in lines:
        user = str(line.get("query"))
        if user in starts:
            own = researchers[user]
            profile, candidates = (_by_id(own, role, starts[user]) for role in ("profile", "candidate"))
            yield line, _answer(corpus, profile, list(profile), candidates, line.get("candidates"))


def _citeulike(folder: Path, lines: Sequence[Line], _meanings: Meanings | None) -> Found:
    bags = likes_folder.items(folder)
    if not bags:
        return
    corpus = Corpus.of_bags(bags)
    known = {library.user: library.profile for library in likes_folder.libraries(folder)}
    ids = [str(place) for place in range(len(bags))]
    for line in lines:
        given = line.get("profile")
        profile = _numbers(given, len(bags)) if isinstance(given, list) else known.get(str(line.get("query")), ())
        liked = np.array([place for place in profile if place < len(bags)], np.intp)
        others = np.setdiff1d(np.arange(len(bags)), liked)
        found = corpus.scores(corpus.profile(liked), others).tolist()
        yield line, zip([ids[place] for place in others], found, strict=True)


_TASKS: Mapping[str, Callable[[Path, Sequence[Line], Meanings | None], Found]] = {
    "curated": _curated,
    "expertise": _expertise,
    "citeulike": _citeulike,
}


def _answer(
    corpus: Corpus, profile: Mapping[str, int], liked: object, candidates: Mapping[str, int], asked: object
) -> Iterable[tuple[str, float]]:
    """The scores of those candidates that are asked about and known."""
    ids = [id_ for id_ in dict.fromkeys(asked if isinstance(asked, list) else candidates) if id_ in candidates]
    likes = [profile[id_] for id_ in dict.fromkeys(liked if isinstance(liked, list) else ()) if id_ in profile]
    found = corpus.scores(corpus.profile(np.array(likes, np.intp)), np.array([candidates[id_] for id_ in ids], np.intp))
    return zip(ids, found.tolist(), strict=True)


def _by_id(entries: Sequence[Entry], role: str, start: int = 0) -> dict[str, int]:
    return {entry.id: place for place, entry in enumerate(entries, start) if entry.role == role}


def _numbers(values: Sequence[object], below: int) -> tuple[int, ...]:
    return tuple(number for value in values if str(value).isdecimal() and (number := int(str(value))) < below)
