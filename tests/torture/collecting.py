"""How fast a day is collected into a database of years, and how fast it is searched, in our own time.

python tests/torture/collecting.py --papers 100000 --readings 14 --day 1000 [--profile]
"""

import argparse
import cProfile
import json
import pstats
import random
import resource as limits
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digest.sources import huggingface
from digest.store import migrate, papers
from digest.store.engine import Store

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
A_DAY = 1000
"""Papers of each day before."""
AT_ONCE = 500
"""Sightings of one transaction, as when it is done in earnest."""
METRICS = ("votes", "comments", "stars", "rank")
TOPICS = "learning model network neural data training deep large language vision attention graph diffusion policy".split()
QUERIES = ("learning", "neural networks", "deep learning data model", "zenmoli", "con", "large graph", "2401.10007")
SYLLABLES = "ba con fe go hu ja ke li mo nu pe qui ra sta tro vo xi zen".split()
WINDOW = timedelta(days=14)


@dataclass(frozen=True)
class Measured:
    """What one day cost. Times are those of this process."""

    new: int
    known: int
    readings: int
    problems: int
    cpu: float
    peak: float
    """Most memory that this process ever had until the day was collected, in MiB."""
    searches: dict[str, tuple[int, float]]
    """Papers found, and milliseconds."""
    candidates: int
    candidates_cpu: float


class Words:
    """Invented titles and sentences whose words are as unequal as those of people (Zipf)."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        coined = {"".join(self._dice.choices(SYLLABLES, k=self._dice.randint(2, 4))) for _ in range(20_000)}
        self._words = [*TOPICS, *sorted(coined)]
        self._weights = []
        for rank in range(len(self._words)):
            self._weights.append((self._weights[-1] if self._weights else 0) + 1 / (rank + 4))
        self._sentences = [self._some(20) + "." for _ in range(4000)]

    def title(self, n: int) -> str:
        return f"{self._some(7)} {n}"

    def abstract(self) -> str:
        return " ".join(self._dice.choices(self._sentences, k=9))

    def authors(self) -> list[str]:
        return [f"{first.capitalize()} {last.capitalize()}" for first, last in zip(*[iter(self._pick(8))] * 2, strict=True)]

    def _some(self, number: int) -> str:
        return " ".join(self._pick(number)).capitalize()

    def _pick(self, number: int) -> list[str]:
        return self._dice.choices(self._words, cum_weights=self._weights, k=number)


def arxiv_number(n: int) -> str:
    return f"{2401 + n // 10_000}.{10_000 + n % 10_000}"


def build(folder: Path, number: int, readings: int, words: Words) -> str:
    """A database of so many papers, a thousand a day until yesterday, each with so many readings of each metric."""
    file = folder / "digest.db"
    migrate.upgrade(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.executemany(
            "INSERT INTO paper (key, title, normalised_title, abstract, authors, categories, keywords, organization, summary,"
            " summary_by, links, published_at, listed_on, first_seen_at)"
            " VALUES (?, ?, ?, ?, ?, '[\"cs.LG\"]', '[]', '', '', '', '{}', ?, ?, ?)",
            _rows(number, words),
        )
        database.execute("INSERT INTO paper_alias SELECT key, id FROM paper")
        for metric in METRICS:
            database.execute(
                "WITH RECURSIVE step(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n + 1 < :readings)"
                " INSERT INTO reading (paper_id, source, metric, taken_at, value)"
                " SELECT id, 'huggingface', :metric,"
                " strftime('%Y-%m-%d %H:%M:%S.000000', first_seen_at, n || ' hours'), 1 + (id * 7 + n) % 90"
                " FROM paper, step",
                {"readings": readings, "metric": metric},
            )
        database.commit()
        database.execute("ANALYZE")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return f"sqlite:///{file}"


def _rows(number: int, words: Words) -> Iterator[tuple[str, ...]]:
    for n in range(number):
        seen = NOW - timedelta(days=(number - 1 - n) // A_DAY + 1)
        title, at = words.title(n), f"{seen:%Y-%m-%d %H:%M:%S}.000000"
        authors = json.dumps(words.authors())
        yield f"arxiv:{arxiv_number(n)}", title, title.lower(), words.abstract(), authors, at, f"{seen:%Y-%m-%d}", at


def day(number: int, size: int, words: Words) -> bytes:
    """A day's list: half of it papers of the days before, half of it new ones."""
    return json.dumps([_entry(n, words) for n in range(number - size // 2, number + size - size // 2)]).encode()


def _entry(n: int, words: Words) -> dict[str, Any]:
    title, at = words.title(n), f"{NOW - timedelta(hours=3):%Y-%m-%dT%H:%M:%S.000Z}"
    paper = {
        "id": arxiv_number(n),
        "title": title,
        "summary": words.abstract(),
        "authors": [{"name": name, "hidden": False} for name in words.authors()],
        "publishedAt": at,
        "submittedOnDailyAt": at,
        "upvotes": n % 90,
        "githubRepo": f"https://github.com/example/paper-{n}",
        "githubStars": n % 1000,
        "ai_summary": title,
        "ai_keywords": ["learning", "graphs"],
    }
    return {"paper": paper, "title": title, "publishedAt": at, "numComments": n % 7}


def measure(
    folder: Path, number: int = 100_000, readings: int = 14, size: int = 1000, profile: cProfile.Profile | None = None
) -> Measured:
    """Collect a day into a database of so many papers, search it, and take the candidates of an edition."""
    words = Words(seed=1)
    store = Store.open(build(folder, number, readings, words))
    raw = day(number, size, words)
    counts = [0, 0, 0]
    cpu = time.process_time()
    with profile or nullcontext():
        parsed = huggingface.parse(raw, seen_at=NOW)
        for start in range(0, len(parsed.sightings), AT_ONCE):
            with store.write() as connection:
                one = papers.record(connection, parsed.sightings[start : start + AT_ONCE])
            counts = [counts[0] + one.new, counts[1] + one.known, counts[2] + one.readings]
        with store.read() as connection:
            papers.families(connection)
    cpu = time.process_time() - cpu
    peak = limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024
    searches = {query: _search(store, query) for query in QUERIES}
    with store.read() as connection:
        begun = time.process_time()
        found = papers.candidates(connection, NOW - WINDOW, NOW)
        candidates_cpu = time.process_time() - begun
    store.close()
    return Measured(*counts, len(parsed.problems), cpu, peak, searches, len(found), candidates_cpu)


def _search(store: Store, query: str) -> tuple[int, float]:
    """The better of two, as for a database in use."""
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        with store.read() as connection:
            found = papers.search(connection, query, limit=20)
        times.append(1000 * (time.perf_counter() - begun))
    return len(found), min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--papers", type=int, default=100_000)
    parser.add_argument("--readings", type=int, default=14)
    parser.add_argument("--day", type=int, default=1000)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    profile = cProfile.Profile() if options.profile else None
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        found = measure(Path(folder), options.papers, options.readings, options.day, profile)
        built = time.perf_counter() - begun
        size = (Path(folder) / "digest.db").stat().st_size / 2**20
    print(f"{options.papers} papers with {options.readings} readings of each of {len(METRICS)} metrics: {size:.0f} MiB")
    print(f"a day of {options.day}: {found.new} new, {found.known} known, {found.readings} readings, {found.problems} problems")
    print(f"  {found.cpu:.2f} s CPU, peak memory {found.peak:.0f} MiB")
    for query, (number, milliseconds) in found.searches.items():
        print(f"search {query!r}: {number} found in {milliseconds:.1f} ms")
    print(f"candidates of an edition: {found.candidates} in {found.candidates_cpu:.2f} s CPU")
    print(f"all in all {built:.0f} s; peak memory {limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
