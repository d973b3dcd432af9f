"""The formats of files with papers in them, by name and by ending."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from digest.errors import UsageError
from digest.sources import huggingface, jsonl, page
from digest.sources.parsed import Parsed


class Parser(Protocol):
    """Reads one file's content as `source` showed it at `seen_at`. Raises BadInput if it is of another format altogether."""

    def __call__(self, raw: bytes, /, *, source: str, seen_at: datetime) -> Parsed: ...


def _hf(raw: bytes, /, *, source: str, seen_at: datetime) -> Parsed:  # noqa: ARG001 - part of the protocol
    """A saved answer keeps its source, whoever hands it over: its counts go on those that were collected."""
    return huggingface.parse(raw, seen_at=seen_at)


FORMATS: dict[str, Parser] = {
    "page": page.parse,
    "jsonl": jsonl.parse,
    "hf": _hf,
}
ENDINGS: dict[str, str] = {".txt": "page", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "hf"}


def guess_format(path: Path) -> str:
    """The format that a file's name suggests. Raises UsageError when it suggests none."""
    try:
        return ENDINGS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"the name of {path} does not tell its format", fix=f"add --format {'|'.join(FORMATS)}") from None
