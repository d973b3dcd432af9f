"""A folder of what people like, as an evaluation reads it: topic lists, researchers and libraries.

    curated_lists/NAME.jsonl.gz            {list, role: profile|background|candidate, liked, id, title, abstract}
    reviewer_expertise/users.jsonl         {user, profile: [{paper_id, title, abstract}], rated: [{…, rating}]}
    citeulike_t/{users.jsonl,items_bow.dat.gz,vocabulary.txt}   {user, profile: [item], test: [item]}; n word:count …

Each may be missing. Whether a candidate is liked, a rating and a test item are truth: they are read where they stand, for our
own metrics, and are in none of the parts that scores are made of.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digest.errors import BadInput
from digest.papers.model import Work
from digest.papers.text import MAX_ABSTRACT, MAX_TITLE, clean
from digest.sources.fields import Unusable, read_json

MAX_LINE = 4 * 2**20
MOST = 10**6
"""No rating is greater, and no word is counted more often."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper in one part of a list or of a researcher's file; `worth` is the truth, None where nobody tells it."""

    id: str
    role: str
    work: Work
    worth: float | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """What somebody keeps, as places in the file of items, and what was taken out of it to be found again."""

    user: str
    profile: tuple[int, ...]
    test: tuple[int, ...] = ()


def curated(folder: Path) -> list[Path]:
    """The files of topic lists."""
    return sorted((folder / "curated_lists").glob("*.jsonl*"))


def topic_list(path: Path) -> list[Entry]:
    """The papers of a topic list, each once in each role. Raises BadInput."""
    found: dict[tuple[str, str], Entry] = {}
    for row in _rows(path):
        id_, role, liked = _text(row.get("id")), _text(row.get("role")), row.get("liked")
        if id_ and role:
            found.setdefault((id_, role), Entry(id_, role, _work(row), float(liked) if isinstance(liked, bool) else None))
    return list(found.values())


def researchers(folder: Path) -> Mapping[str, list[Entry]]:
    """The papers of each researcher: his own (`profile`) and those that he was asked about (`candidate`). Raises BadInput."""
    found: dict[str, list[Entry]] = {}
    path = folder / "reviewer_expertise" / "users.jsonl"
    for row in _rows(path) if path.is_file() else ():
        own, asked = row.get("profile"), row.get("rated")
        entries = [
            Entry(id_, role, _work(one), _rating(one.get("rating")))
            for role, papers in (("profile", own), ("candidate", asked))
            for one in (papers if isinstance(papers, list) else ())
            if isinstance(one, dict) and (id_ := _text(one.get("paper_id")))
        ]
        if user := _text(row.get("user")):
            found[user] = entries
    return found


def libraries(folder: Path) -> list[Library]:
    """Whose libraries there are. Raises BadInput."""
    path = folder / "citeulike_t" / "users.jsonl"
    rows = _rows(path) if path.is_file() else ()
    return [
        Library(user, _places(row.get("profile")), _places(row.get("test"))) for row in rows if (user := _text(row.get("user")))
    ]


def items(folder: Path) -> list[dict[str, int]]:
    """The items of libraries as their words, by place; none where there is no such file. Raises BadInput."""
    base = folder / "citeulike_t"
    path = base / "items_bow.dat.gz"
    if not path.is_file():
        return []
    try:
        words = (base / "vocabulary.txt").read_text("utf-8").split("\n")
        return [_bag(line, words) for line in _lines(path)]
    except (OSError, ValueError, IndexError) as error:
        raise BadInput(f"{path} is not a file of words and their counts: {error}") from None


def _bag(line: bytes, words: list[str]) -> dict[str, int]:
    pairs = (pair.split(b":") for pair in line.split()[1:])
    return {words[int(word)]: min(max(1, int(count)), MOST) for word, count in pairs}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = read_json(line)
        except Unusable as error:
            raise BadInput(f"{path}, line {number}: {error}") from None
        if not isinstance(row, dict):
            raise BadInput(f"{path}, line {number}: not a JSON object")
        yield row


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(MAX_LINE):
                yield line
    except (EOFError, OSError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None


def _work(row: Mapping[str, Any]) -> Work:
    title, abstract = row.get("title"), row.get("abstract")
    return Work(
        clean(title, MAX_TITLE) if isinstance(title, str) else "",
        clean(abstract, MAX_ABSTRACT) if isinstance(abstract, str) else "",
    )


def _text(value: object) -> str:
    return str(value)[:200] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _rating(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST:
        return None
    return float(value)


def _places(value: object) -> tuple[int, ...]:
    return tuple(one for one in value if type(one) is int and one >= 0) if isinstance(value, list) else ()
