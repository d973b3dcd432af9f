"""Files that somebody drops into a folder: `*.txt` a page's text, `*.jsonl` papers, `*.json` a saved Hugging Face answer.

All are read at each run, in the order of their names. Their readings bear the time when the file was last written, so that
reading a file again adds nothing.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from digest.errors import BadInput, ServerUnavailable
from digest.papers.model import Sighting
from digest.sources.base import Collected, Sleep
from digest.sources.formats import ENDINGS, FORMATS
from digest.sources.parsed import Parsed, Problem

if TYPE_CHECKING:
    from digest.sources.settings import SourcesSettings

NAME = "folder"
MAX_FILE = 16 * 2**20


class Folder:
    """The source."""

    name = NAME
    title = "Folder"

    def enabled(self, settings: "SourcesSettings") -> bool:
        return settings.folder.enabled

    def collect(self, settings: "SourcesSettings", now: datetime, *, sleep: Sleep) -> Collected:  # noqa: ARG002 - part of the protocol
        """What the files hold. *quiet* if that is nothing; `newest` is the file written last, and when.

        Raises:
            ServerUnavailable: the folder cannot be read.
        """
        if not settings.folder.path:
            # An empty path would be the folder that the command happens to run in.
            raise ServerUnavailable("no folder is set to read from", fix="set sources.folder.path")
        folder = Path(settings.folder.path).expanduser()
        sightings: list[Sighting] = []
        problems: list[Problem] = []
        written: dict[str, datetime] = {}
        for path in _files(folder):
            try:
                parsed, written_at = _read(path, now)
            except (BadInput, OSError) as error:
                problems.append(Problem(None, f"{path.name}: {_words(error)}"))
                continue
            sightings += (replace(sighting, seen_at=now) for sighting in parsed.sightings)
            problems += (replace(problem, what=f"{path.name}: {problem.what}") for problem in parsed.problems)
            written[path.name] = written_at
        newest = max(((written_at, name) for name, written_at in written.items()), default=None)
        return Collected(Parsed(tuple(sightings), tuple(problems)), "fresh" if sightings else "quiet", _named(newest))


def _files(folder: Path) -> Iterator[Path]:
    """The folder's files of a known format; hidden ones are somebody's unfinished work."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise ServerUnavailable(
            f"the folder {folder} cannot be read: {_words(error)}", fix="create it, or correct sources.folder.path"
        ) from None
    return (path for path in paths if path.suffix.lower() in ENDINGS and not path.name.startswith("."))


def _read(path: Path, now: datetime) -> tuple[Parsed, datetime]:
    """A file's papers and when it was written. Raises BadInput, OSError."""
    # Without O_NONBLOCK a named pipe would hold the run until somebody writes to it.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise BadInput("not a file")
        if before.st_size > MAX_FILE:
            raise BadInput(f"larger than {MAX_FILE // 2**20} MiB")
        raw = file.read(MAX_FILE + 1)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(raw) != after.st_size:
        raise BadInput("it is still being written; the next run reads it")
    # No reading is of the future, whatever the file system's clock says.
    written_at = min(datetime.fromtimestamp(int(before.st_mtime), UTC), now)
    parser = FORMATS[ENDINGS[path.suffix.lower()]]
    return parser(raw, source=NAME, seen_at=written_at), written_at


def _named(newest: tuple[datetime, str] | None) -> str:
    return f"{newest[1]} of {newest[0]:%Y-%m-%d %H:%M}" if newest else ""


def _words(error: Exception) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
