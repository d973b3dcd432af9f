"""The formats of files with papers in them, by name; which one a file is in, by its ending and the beginning of its content."""

import re
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol

from digest.errors import UsageError
from digest.sources.parsed import Parsed

HEAD = 4096
"""So much of a file's beginning tells its format."""


class Parser(Protocol):
    """Reads one file's content as `source` showed it at `seen_at`. Raises BadInput if it is of another format altogether."""

    def __call__(self, raw: bytes, /, *, source: str, seen_at: datetime) -> Parsed: ...


def _of_file(module: str) -> Parser:
    """A format that only files are in: its papers are those of whoever hands it over."""

    def parser(raw: bytes, /, *, source: str, seen_at: datetime) -> Parsed:
        # Imported when a file is read: no command should wait for the parsers of all sources.
        parsed: Parsed = import_module(f"digest.sources.{module}").parse(raw, source=source, seen_at=seen_at)
        return parsed

    return parser


def _of_source(module: str) -> Parser:
    """A saved answer keeps its source, whoever hands it over: its counts go on those that were collected."""

    def parser(raw: bytes, /, *, source: str, seen_at: datetime) -> Parsed:  # noqa: ARG001 - part of the protocol
        parsed: Parsed = import_module(f"digest.sources.{module}").parse(raw, seen_at=seen_at)
        return parsed

    return parser


FORMATS: dict[str, Parser] = {
    "page": _of_file("page"),
    "jsonl": _of_file("jsonl"),
    "hf": _of_source("huggingface"),
    "arxiv_rss": _of_source("arxiv.rss"),
    "arxiv_oai": _of_source("arxiv.oai"),
    "arxiv_api": _of_source("arxiv.api"),
    "biorxiv": _of_source("biorxiv"),
    "s2": _of_source("semantic_scholar"),
    "openalex": _of_source("openalex"),
    "feed": _of_file("feed"),
}


def guess_format(path: Path, head: bytes = b"") -> str:
    """The format that a file's name, and for JSON and XML the beginning of its content, suggest.

    Raises:
        UsageError: they suggest none.
    """
    if guess := _BY_ENDING.get(path.suffix.lower()):
        if format_ := guess(head[:HEAD]):
            return format_
        raise UsageError(f"the content of {path} does not tell its format", fix=f"add --format {'|'.join(FORMATS)}")
    raise UsageError(f"the name of {path} does not tell its format", fix=f"add --format {'|'.join(FORMATS)}")


# Keys of the answers, whose order is nobody's promise. One that another answer could also have comes after that answer's own.
_JSON_KEYS: tuple[tuple[str, str], ...] = (
    (r'"(?:collection|messages)"\s*:\s*\[', "biorxiv"),
    (r'"https://openalex\.org/|"results"\s*:|"abstract_inverted_index"\s*:', "openalex"),
    (r'"(?:paperId|recommendedPapers|citedPaper|citingPaper|externalIds|offset)"\s*:|"data"\s*:\s*\[', "s2"),
)


def _json(head: bytes) -> str:
    text = _text(head)
    if not text:
        return "hf"
    # The list of papers of Hugging Face comes with its own keys; an empty list says nothing against it.
    listed = text.startswith("[")
    if listed and '"paper"' in text:
        return "hf"
    return next((format_ for keys, format_ in _JSON_KEYS if re.search(keys, text)), "hf" if listed else "")


def _xml(head: bytes) -> str:
    text = _text(head)
    if not text:
        return "feed"
    root = re.search(r"<(?:[A-Za-z][\w.-]*:)?([A-Za-z][\w.-]*)", re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL))
    name = root[1].lower() if root else ""
    if name == "oai-pmh":
        return "arxiv_oai"
    if name not in ("rss", "rdf", "feed"):
        return ""
    # What the feed says of itself, before its first entry.
    about = re.split(r"<(?:item|entry)\b", text, maxsplit=1)[0]
    if re.search(r"arxiv\.org/api/|<title>arXiv (?:Query|Search)", about):
        return "arxiv_api"
    return "arxiv_rss" if "rss.arxiv.org/" in about else "feed"


def _text(head: bytes) -> str:
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return head.decode("utf-16" if wide else "utf-8", "replace").removeprefix("\ufeff").lstrip()


def _always(format_: str) -> Callable[[bytes], str]:
    return lambda _head: format_


_BY_ENDING: dict[str, Callable[[bytes], str]] = {
    ".txt": _always("page"),
    ".jsonl": _always("jsonl"),
    ".ndjson": _always("jsonl"),
    ".json": _json,
    **dict.fromkeys((".xml", ".rss", ".atom", ".rdf"), _xml),
}
ENDINGS = frozenset(_BY_ENDING)
