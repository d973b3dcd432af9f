"""What a source is: a name, a title for readers, and one verb."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from digest.sources.parsed import Parsed

if TYPE_CHECKING:
    from digest.sources.settings import SourcesSettings

Verdict = Literal["fresh", "quiet", "failed"]
Sleep = Callable[[float], None]
"""Waits so many seconds; an argument, so that a test need not."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What one run of a source brought.

    `verdict`: *fresh*, it has what is new; *quiet*, it answered and has nothing new; *failed*, what is new could not be
    had, though `parsed` may hold something older. `newest` names the newest thing seen: an id, or a file.
    """

    parsed: Parsed
    verdict: Verdict
    newest: str = ""


class Source(Protocol):
    """Somewhere that papers come from."""

    @property
    def name(self) -> str:
        """As in settings, commands and readings: `huggingface`."""
        ...

    @property
    def title(self) -> str:
        """As a reader should see it: `Hugging Face`."""
        ...

    def enabled(self, settings: "SourcesSettings") -> bool:
        """Whether the operator wants it."""
        ...

    def collect(self, settings: "SourcesSettings", now: datetime, *, sleep: Sleep) -> Collected:
        """Everything that it shows at `now`.

        Raises:
            ServerUnavailable: nothing could be had; names the source and the cause.
        """
        ...
