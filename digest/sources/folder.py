"""Files that somebody drops into a folder: `*.txt` a page's text, `*.jsonl` papers, `*.json` and `*.xml` answers of any source.

All are read at each run, in the order of their names. Their readings bear the time when the file was last written, so that
reading a file again adds nothing.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, model_validator

from digest.errors import BadInput, ServerUnavailable, UsageError
from digest.sources.base import Brings, Collected, Errand
from digest.sources.formats import ENDINGS, FORMATS, guess_format
from digest.sources.parsed import Parsed, Problem, joined
from digest.sources.slices import Slice

NAME = "folder"
MAX_FILE = 16 * 2**20


class FolderSettings(Slice):
    """`[sources.folder]`"""

    path: str = Field("", description="that folder; *.txt is a page's text, *.jsonl papers, *.json and *.xml answers")

    @model_validator(mode="after")
    def _has_a_path(self) -> "FolderSettings":
        if self.enabled and not self.path:
            raise ValueError("sources.folder.path is needed where sources.folder.enabled is true")
        return self


class Folder:
    """The source."""

    name = turn = NAME
    title = "Folder"
    brings: Brings = "papers"

    def __init__(self, settings: FolderSettings) -> None:
        self.enabled = settings.enabled
        self._path = settings.path

    def collect(self, errand: Errand) -> Collected:
        """What the files hold. *quiet* if that is nothing; `newest` is the file written last, and when.

        Raises:
            ServerUnavailable: the folder cannot be read.
        """
        if not self._path:
            # An empty path would be the folder that the command happens to run in.
            raise ServerUnavailable("no folder is set to read from", fix="set sources.folder.path")
        folder = Path(self._path).expanduser()
        paths = list(_files(folder))
        parts: list[Parsed] = []
        written: dict[str, datetime] = {}
        for done, path in enumerate(paths):
            errand.progress(done, len(paths))
            try:
                parsed, written[path.name] = _read(path, errand.now)
            except (BadInput, OSError) as error:
                parts.append(Parsed(problems=(Problem(None, f"{path.name}: {_words(error)}"),)))
            else:
                parts.append(_of_file(parsed, path.name, errand.now))
        errand.progress(len(paths), len(paths))
        newest = max(((written_at, name) for name, written_at in written.items()), default=None)
        whole = joined(parts)
        evidence = f"{len(written)} of {len(paths)} files were read"
        return Collected(whole, "fresh" if whole.sightings else "quiet", _named(newest), evidence=evidence)


def _of_file(parsed: Parsed, name: str, now: datetime) -> Parsed:
    """What a file holds, as seen now; its problems with the file's name."""
    return replace(
        parsed,
        sightings=tuple(replace(sighting, seen_at=now) for sighting in parsed.sightings),
        problems=tuple(replace(problem, what=f"{name}: {problem.what}") for problem in parsed.problems),
    )


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
    try:
        parser = FORMATS[guess_format(path, raw)]
    except UsageError:
        raise BadInput("its content does not tell its format") from None
    return parser(raw, source=NAME, seen_at=written_at), written_at


def _named(newest: tuple[datetime, str] | None) -> str:
    return f"{newest[1]} of {newest[0]:%Y-%m-%d %H:%M}" if newest else ""


def _words(error: Exception) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
