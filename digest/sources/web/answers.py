"""The last answers of each source, kept as files: to make the next request conditional, and to be looked at after a fault.

They are a help and nothing else depends on them: no fault of the disk is ever an error here, and any file may be deleted at any
time. In the folder of a source each answer is two files. `20260302T060000Z-1a2b3c4d.json` (or `.xml`; `.txt` if it was no use)
is the body as the parser got it, so that `digest collect --dry-run --file` shows a parser's fault again; the same name with
`.head` says what was asked, when, and how it was answered. The number stands for the question.
"""

import contextlib
import json
import logging
import os
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from digest.clock import SystemClock
from digest.sources.web.kinds import Kind, is_whole
from digest.sources.web.question import Reply

log = logging.getLogger(__name__)

MAX_BYTES = 16 * 2**20
"""Of all bodies of a source."""
_TOLD_OF = re.compile(
    r"content-(?:type|length|encoding)|date|age|etag|last-modified|cache-control|retry-after|location|server|via|(?:x-)?ratelimit.*"
)
_LONGEST_HEADER = 500
# What is sent back must be what a header may hold (RFC 9110 8.8.3, 5.6.7).
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,256}"')
_DATE = re.compile(r"[A-Za-z0-9,: +-]{10,60}")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that can be used again: the headers that ask whether it still holds, and the address that it came from."""

    validators: Mapping[str, str]
    kept_from: str
    head: Path
    body: Path
    checksum: int


class Answers:
    """A folder with a folder for each source; small, for the oldest answers are removed.

    Args:
        keep: how many answers of each source; 0: none, and those that are there are removed when their source is next asked.
        now: what time it is, in UTC; None: as the machine has it.
    """

    def __init__(self, folder: Path, keep: int, *, now: Callable[[], datetime] | None = None) -> None:
        self.folder, self.keep = folder, keep
        self._now = now or SystemClock().now

    def newest(self, source: str, url: str, kind: Kind) -> Kept | None:
        """The last useful answer to a GET of `url`, if the server can be asked whether it still holds."""
        if self.keep <= 0:
            return None
        question = _question("GET", url, kind)
        with contextlib.suppress(OSError):
            for path in sorted(self._of(source).glob(f"*-{_number(question)}.head"), key=_age, reverse=True):
                head = _read_head(path)
                if head is not None and head.get("asked") == question and head.get("useful") is True:
                    return _kept(path, path.with_suffix(f".{kind}"), head)
        return None

    def body(self, kept: Kept) -> bytes | None:
        """The body of a kept answer, which counts as the newest from now on; None if it is gone or damaged."""
        try:
            body = kept.body.read_bytes()
            if zlib.crc32(body) != kept.checksum:
                return None
            self._touch(kept.body, kept.head)
        except OSError:
            return None
        return body

    def add(self, source: str, method: str, url: str, kind: Kind, reply: Reply, *, useful: bool) -> None:
        """Keep an answer, and remove the oldest ones. Whatever is secret must have been taken out before."""
        try:
            folder = self._of(source)
            if self.keep > 0:
                self._write(folder, _question(method, url, kind), kind, reply, useful=useful)
            if folder.is_dir():
                self._rotate(folder)
        except OSError as error:
            log.info("the answers of %s cannot be kept: %s", source, error)

    def _of(self, source: str) -> Path:
        return self.folder / (re.sub(r"[^A-Za-z0-9_-]", "-", source)[:80] or "-")

    def _write(self, folder: Path, question: str, kind: Kind, reply: Reply, *, useful: bool) -> None:
        for each in (self.folder, folder):
            with contextlib.suppress(FileExistsError):
                each.mkdir(mode=0o700, parents=True)
                _give(each, each.parent)
        now = self._now()
        stem = f"{now:%Y%m%dT%H%M%SZ}-{_number(question)}"
        body = folder / f"{stem}.{kind if useful else 'txt'}"
        head = {
            "asked": question,
            "at": now.isoformat(),
            "status": reply.status,
            "useful": useful,
            "from": reply.url,
            "headers": {name: text[:_LONGEST_HEADER] for name, text in reply.headers.items() if _TOLD_OF.fullmatch(name)},
            # An answer that ends too early would be confirmed by the server again and again.
            "whole": useful and is_whole(kind, reply.body),
            "crc32": zlib.crc32(reply.body),
        }
        _write_file(body, reply.body)
        _write_file(folder / f"{stem}.head", json.dumps(head, indent=1).encode())
        self._touch(body, folder / f"{stem}.head")

    def _touch(self, *paths: Path) -> None:
        now = self._now().timestamp()
        for path in paths:
            os.utime(path, (now, now))

    def _rotate(self, folder: Path) -> None:
        answers: dict[str, list[tuple[Path, os.stat_result]]] = {}
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                answers.setdefault(path.name.lstrip(".").partition(".")[0], []).append((path, path.stat()))
        newest_first = sorted(answers.values(), key=lambda files: max((stat.st_mtime, path.name) for path, stat in files))[::-1]
        size = 0
        for number, files in enumerate(newest_first):
            size += sum(stat.st_size for path, stat in files if path.suffix != ".head")
            if number >= self.keep or (number and size > MAX_BYTES):
                for path, _stat in files:
                    path.unlink(missing_ok=True)


def _question(method: str, url: str, kind: Kind) -> str:
    return f"{method} {url} ({kind})"


def _number(question: str) -> str:
    return sha256(question.encode()).hexdigest()[:8]


def _age(path: Path) -> tuple[float, str]:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime, path.name
    return 0.0, path.name


def _read_head(path: Path) -> dict[str, Any] | None:
    try:
        head = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return head if isinstance(head, dict) else None


def _kept(path: Path, body: Path, head: Mapping[str, Any]) -> Kept | None:
    headers, checksum = head.get("headers"), head.get("crc32")
    if head.get("whole") is not True or not isinstance(headers, dict) or not isinstance(checksum, int):
        return None
    etag, modified = str(headers.get("etag", "")), str(headers.get("last-modified", ""))
    validators = {}
    if _ETAG.fullmatch(etag):
        validators["if-none-match"] = etag
    if _DATE.fullmatch(modified):
        validators["if-modified-since"] = modified
    return Kept(validators, str(head.get("from", "")), path, body, checksum) if validators else None


def _write_file(path: Path, content: bytes) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
            _give(file.fileno(), path.parent)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _give(made: Path | int, folder: Path) -> None:
    """What root has just made belongs to whom the folder belongs to, for the service does not run as root. A link that somebody
    puts in its place gives nothing else away."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=isinstance(made, int))
