"""What it costs to choose for many readers, and where the time goes: their profiles and memories in, their picks out.

python tests/torture/ranking.py --readers 1000000 --candidates 2000 [--json]

Papers and readers are invented: papers from the terms that the program brings along, as often as papers have them, and some
subjects; readers from papers of one to three subjects and short topics, by the program's own learning. BLAS runs in one thread.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded

import argparse
import gc
import json
import resource as limits
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from digest.bench.papers import SUBJECTS, invented
from digest.edition.chunk import Chunk
from digest.edition.compose import CHUNK
from digest.edition.model import Edition, Entry
from digest.edition.stage import Stage
from digest.edition.taste import Taste
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.ranking.profile import Profile, learn
from digest.ranking.select import Selection, length_of_lists
from digest.ranking.vocabulary import Vocabulary, fit
from digest.subscribers import seen
from digest.subscribers.model import Interest

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
OLDER = 3000
"""Papers besides the candidates that the vocabulary is fitted to and that readers liked."""
REMEMBERED = 300
"""Papers that a reader got within the last weeks, of which those of the edition are two thirds."""


@dataclass
class Measured:
    """CPU microseconds a reader by stage, and the most memory that the process ever had, in MiB."""

    readers: int = 0
    candidates: int = 0
    facets: float = 0.0
    """Of a reader, on average."""
    terms: float = 0.0
    picks: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    ranking: float = 0.0
    """All stages from arrays to arrays."""
    objects: float = 0.0
    """Making `Pick`s of them."""
    reading: dict[str, float] = field(default_factory=dict)
    """What comes before: stored profiles and memories made into arrays."""
    prepared: float = 0.0
    """CPU seconds that an edition takes once."""
    before: float = 0.0
    peak: float = 0.0


class Timed(Chunk):
    """A chunk that looks at the clock between its stages."""

    clock: Callable[[], float] = staticmethod(time.process_time)

    def __init__(self, *arguments: Any) -> None:
        self.at = [self.clock()]
        super().__init__(*arguments)

    def _score(self) -> None:
        self.at.append(self.clock())
        super()._score()
        self.at.append(self.clock())

    def _list(self) -> None:
        super()._list()
        self.at.append(self.clock())

    def _choose(self) -> None:
        super()._choose()
        self._near = self._best()
        self.at.append(self.clock())


def measure(readers: int, candidates: int, profiles: int = 256, older: int = OLDER, seed: int = 1) -> Measured:
    """Choose for so many readers of one edition, chunk by chunk."""
    draw = np.random.default_rng(seed)
    subjects, works = invented(draw, candidates + older)
    vocabulary = fit(works[candidates:])
    tastes = [a_taste(draw, n, works[candidates:], subjects[candidates:], vocabulary) for n in range(profiles)]
    found = Measured(readers, candidates)
    begun = time.process_time()
    stage = Stage.of(an_edition(draw, works[:candidates]), vocabulary.rows(works[:candidates]), Selection(), None)
    found.prepared = time.process_time() - begun
    barred = stage.field.barred(())
    spent = np.zeros(5)
    picks = facets = terms = 0
    # Once for nothing: what all readers share is looked up, and memory is asked for.
    Timed(stage, next(chunks(draw, min(readers, CHUNK), candidates, tastes)), barred, length_of_lists(10, 10))
    found.before = peak()
    gc.freeze()  # as delivery does with what stays
    for chunk in chunks(draw, readers, candidates, tastes):
        timed = Timed(stage, chunk, barred, length_of_lists(10, 10))
        begun = time.process_time()
        made = timed.picks()
        spent += [*np.diff(timed.at), time.process_time() - begun]
        picks += sum(map(len, made))
        facets += sum(len(taste.profile.facets) for taste, _ in chunk)
        terms += sum(len(one.terms) for taste, _ in chunk for one in taste.profile.facets)
    found.peak = peak()
    each = (spent * 1e6 / readers).round(2).tolist()
    found.stages = dict(zip(("gather", "score", "list", "choose"), each, strict=False))
    found.ranking, found.objects = round(sum(each[:4]), 2), each[4]
    found.facets, found.terms, found.picks = facets / readers, terms / readers, picks / readers
    found.reading = reading(draw, candidates, tastes)
    return found


def reading(draw: np.random.Generator, candidates: int, tastes: list[Taste]) -> dict[str, float]:
    """CPU microseconds for one stored profile, and one memory."""
    stored = [taste.profile.to_bytes() for taste in tastes]
    memories = [
        "".join(
            seen.segment((NOW - timedelta(days=day)).date(), ids[15 * day : 15 * day + 15].tolist())
            for day in range(REMEMBERED // 15)
        )
        for ids in (memory(draw, candidates) for _ in tastes)
    ]
    begun = time.process_time()
    for one in stored:
        Profile.from_bytes(one)
    between = time.process_time()
    for one_memory in memories:
        seen.papers(one_memory)
    ended = time.process_time()
    microseconds = 1e6 / len(tastes)
    return {
        "profile": round((between - begun) * microseconds, 2),
        "memory": round((ended - between) * microseconds, 2),
        "profile_bytes": round(sum(map(len, stored)) / len(stored)),
    }


def chunks(
    draw: np.random.Generator, readers: int, candidates: int, tastes: list[Taste]
) -> Iterator[list[tuple[Taste, np.ndarray]]]:
    for begin in range(0, readers, CHUNK):
        yield [(tastes[n % len(tastes)], memory(draw, candidates)) for n in range(begin, min(readers, begin + CHUNK))]


def memory(draw: np.random.Generator, candidates: int) -> np.ndarray:
    """Ids that a reader got: some of the edition's and some older ones."""
    return np.unique(draw.integers(candidates // 2, 2 * candidates, min(REMEMBERED, candidates // 4)))


def an_edition(draw: np.random.Generator, works: list[Work]) -> Edition:
    """A sixth of the papers were measured."""
    votes = np.sort(draw.lognormal(1.5, 1.3, len(works) // 6).astype(int))[::-1].tolist()
    votes += [None] * (len(works) - len(votes))
    entries = tuple(
        Entry(
            paper_id=len(works) + place,
            former_ids=frozenset(),
            rank=place + 1,
            score=float(number or 0),
            terms=(Term("votes", number, float(number or 0)),),
            work=work,
            first_seen_on=NOW.date(),
            numbers={} if number is None else {"votes": number},
        )
        for place, (work, number) in enumerate(zip(works, votes, strict=True))
    )
    return Edition(1, NOW.date(), "daily", NOW, entries)


def a_taste(draw: np.random.Generator, number: int, works: list[Work], subjects: np.ndarray, vocabulary: Vocabulary) -> Taste:
    """Up to two topics, some papers of up to two subjects, and now and then a keyword, an author, a category and a mute."""
    picked = [works[draw.choice(np.flatnonzero(subjects == draw.integers(SUBJECTS)))] for _ in range(3)]
    topics = [Interest("topic", " ".join(one.title.split()[:2])) for one in picked[: number % 3]]
    liked: list[Work] = []
    for _ in range(1 + (number % 6 == 0)):
        of_subject = np.flatnonzero(subjects == draw.integers(SUBJECTS))
        liked += [works[n] for n in draw.choice(of_subject, min(len(of_subject), int(draw.integers(2, 20))), replace=False)]
    exact: list[Interest] = []
    if number % 4 == 0:
        exact = [Interest("keyword", picked[2].title.split()[0]), Interest("category", "cs.AL"), Interest("mute", "quantum")]
    return Taste(
        profile=learn(vocabulary, topics, vocabulary.rows(liked), vocabulary.rows([])),
        interests=(*topics, *exact),
        share=[0.3, 0.5, 0.8][number % 3],
        seed=number,
    )


def peak() -> float:
    return round(limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--candidates", type=int, default=2000)
    parser.add_argument("--profiles", type=int, default=256, help="how many different ones; they are learned first")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.readers, options.candidates, options.profiles)
    if options.json:
        print(json.dumps(asdict(found)))
        return
    print(f"{found.readers} readers x {found.candidates} candidates: {found.ranking:.1f} us of CPU a reader")
    for name, microseconds in found.stages.items():
        print(f"  {name:8} {microseconds:6.1f} us")
    print(f"and {found.objects:.1f} us to make the picks of a mail; {found.prepared:.2f} s once for an edition")
    print(f"a reader has {found.facets:.2f} facets with {found.terms:.0f} terms, and gets {found.picks:.1f} papers")
    print(f"reading: {found.reading}")
    print(f"peak memory {found.peak:.0f} MiB, {found.before:.0f} MiB before the first chunk")


if __name__ == "__main__":
    main()
