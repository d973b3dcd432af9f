"""Files between us and other judges: queries come in and scores go out, one JSON object a line."""

import errno
import gzip
import json
import math
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from digest.errors import BadInput, NotPermitted, TemporaryFailure, UsageError
from digest.evaluation.model import Line, Score
from digest.papers.text import clean
from digest.sources.fields import Unusable, read_json

MAX_LINE = 16 * 2**20
MAX_LINES = 2_000_000
MAX_TEXT = 200
AT_ONCE = 10_000
"""Scores that are written together."""
_TEXTS = ("task", "query", "paper_id", "file", "now", "snapshot")
_NUMBERS = ("upvotes", "comments", "stars")
_LISTS = ("candidates", "profile")


def read(path: Path) -> list[Line]:
    """The queries of a file, in its order; `.gz` is unpacked.

    A line names its `task` and its `query`. What else the protocol knows is of its kind where it stands there: `paper_id`,
    `file`, `now` and `snapshot` are texts; `upvotes`, `comments` and `stars` numbers from 0; `candidates` and `profile` lists
    of ids. Numbers that stand for ids become texts. Other keys are left as they are.

    Raises:
        UsageError: there is no such file.
        NotPermitted: it cannot be read.
        BadInput: it holds no query, or a line is none; the message has its number. A part would be judged as if it were all.
    """
    found: list[Line] = []
    with _reading(path) as file:
        for number, line in enumerate(_lines(file), start=1):
            if number > MAX_LINES:
                raise BadInput(f"{path} has more than {MAX_LINES:,} lines", fix="split it")
            try:
                if line.strip():
                    found.append(_query(line))
            except Unusable as error:
                raise BadInput(
                    f"{path}, line {number}: {error}", fix='write it like {"task": "early", "query": "2026-01-12", …}'
                ) from None
    if not found:
        raise BadInput(f"{path} holds no query", fix="write it with --dump-queries of the judging script")
    return found


def write(path: Path, scores: Iterable[Score]) -> int:
    """Write scores, and return how many: all of them, or the file stays as it was.

    Raises:
        NotPermitted: the folder cannot be written.
        TemporaryFailure: the disk is full.
        ValueError: a score is not a finite number.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    number = 0
    try:
        with _told(path), fresh.open("w", encoding="utf-8") as file:
            lines = (_score(score) for score in scores)
            while some := "".join(islice(lines, AT_ONCE)):
                file.write(some)
                number += some.count("\n")
            file.flush()
            os.fsync(file.fileno())
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return number


def check_target(path: Path) -> None:
    """Whether scores can be written there, asked before they are computed.

    Raises:
        UsageError: it is a folder, or lies in none.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", fix="name the file to write: --scores scores.jsonl")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", fix=f"mkdir -p {path.parent}")


def _query(line: bytes) -> Line:
    if len(line) > MAX_LINE:
        raise Unusable(f"longer than {MAX_LINE // 2**20} MiB")
    entry = read_json(line)
    if not isinstance(entry, dict):
        raise Unusable("not a JSON object")
    query: dict[str, Any] = dict(entry)
    for name in _TEXTS:
        if query.get(name) is not None:
            query[name] = _id(query[name], name)
    for name in ("task", "query"):
        if not query.get(name):
            raise Unusable(f"`{name}` is missing")
    for name in _NUMBERS:
        if query.get(name) is not None:
            query[name] = _count(query[name], name)
    for name in _LISTS:
        # One task of the protocol says in a sentence that all are candidates.
        if name in query and not isinstance(query[name], str | list):
            raise Unusable(f"`{name}` is not a list")
        if isinstance(query.get(name), list):
            query[name] = [_id(one, name) for one in query[name]]
    return query


def _id(value: object, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unusable(f"`{name}` is not a text")
    text = str(value) if isinstance(value, str) or abs(value) < 10**18 else ""
    if not text or len(text) > MAX_TEXT or clean(text, MAX_TEXT) != text:
        raise Unusable(f"`{name}` is no name of anything")
    return text


def _count(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**12:
        raise Unusable(f"`{name}` is not a number from 0")
    return float(value)


def _score(score: Score) -> str:
    if not math.isfinite(score.score):
        raise ValueError(f"the score of {score.paper_id} for {score.task} {score.query} is {score.score}")
    line = {"task": score.task, "query": score.query, "paper_id": score.paper_id, "score": float(score.score)}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, cut just after what is too long for one."""
    while line := file.readline(MAX_LINE + 1):
        yield line


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise BadInput(f"{path} is not a whole gzip file") from None
    except OSError as error:
        raise NotPermitted(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TemporaryFailure(f"the disk of {path.parent} is full", fix="make room, then call this again") from None
        raise NotPermitted(f"{error.filename or path} cannot be used: {error.strerror}") from None
