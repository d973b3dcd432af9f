"""What a source is: a name, a title for readers, and one verb."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from digest.sources.parsed import Parsed

if TYPE_CHECKING:
    from digest.sources.web import Web

Verdict = Literal["fresh", "quiet", "stale", "failed"]
"""*fresh*: all that was due is here. *quiet*: nothing was due, and nothing came. *stale*: something was due, and the source,
though it answered, does not have it. *failed*: what it has could not be had, or not all of it."""
Brings = Literal["papers", "attention"]
"""A source of papers that is missing is named in the mail; one of attention only adds to papers known from others."""
Progress = Callable[[int, int | None], None]
"""Told how many of how many steps (None: nobody knows) are done."""


def _nobody(_done: int, _total: int | None) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the last run of a source that answered (*fresh* or *quiet*) left for the next one; empty before the first."""

    answered_at: datetime | None = None
    newest: str = ""
    cursor: Mapping[str, str] = field(default_factory=dict)
    """Where the next run goes on, in the source's own words."""


@dataclass(frozen=True, slots=True)
class Known:
    """A paper that a source of attention may look up: its canonical ids, strongest first, the address of its code (or empty),
    and whether it has categories."""

    ids: tuple[str, ...]
    code: str = ""
    has_categories: bool = True


@dataclass(frozen=True, slots=True)
class Errand:
    """What a source is sent out with.

    `now` is when it is asked; nothing later is collected. `since` asks for everything from that day on (a back-fill), as far
    as the source can. `known` are, for a source of attention, the papers that it is to look up, the most wanted first.
    """

    now: datetime
    web: "Web"
    past: Past = Past()
    since: date | None = None
    known: Sequence[Known] = ()
    progress: Progress = _nobody


@dataclass(frozen=True, slots=True)
class Collected:
    """What one run of a source brought.

    `newest` names the newest thing seen: an id, a day, or a file. `evidence` says in words what the verdict goes by, for an
    operator. `asked` are, for a source of attention, the first ids (`Known.ids[0]`) of the papers that it looked up, found or
    not. A *failed* run may still have brought something. `not_before`: until then a server asked to be left alone.
    """

    parsed: Parsed
    verdict: Verdict
    newest: str = ""
    cursor: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""
    asked: tuple[str, ...] = ()
    not_before: datetime | None = None


class Source(Protocol):
    """Somewhere that papers, or the attention they get, come from. Made of its own slice of the settings."""

    @property
    def name(self) -> str:
        """As in settings, commands and readings: `huggingface`."""
        ...

    @property
    def title(self) -> str:
        """As a reader should see it: `Hugging Face`."""
        ...

    @property
    def brings(self) -> Brings: ...

    @property
    def turn(self) -> str:
        """Only one process at a time, on all machines, asks the sources of one turn: `arxiv` for all routes to arXiv."""
        ...

    @property
    def enabled(self) -> bool:
        """Whether the operator wants it."""
        ...

    def collect(self, errand: Errand) -> Collected:
        """Everything new that it shows.

        Raises:
            DigestError: nothing could be had; names the source and the cause.
        """
        ...


class AttentionSource(Source, Protocol):
    """A source that looks up papers known from others: `brings` is "attention". Kept out of the way of mails."""

    @property
    def limit(self) -> int:
        """How many papers one run may look up."""
        ...

    @property
    def again_after(self) -> timedelta:
        """How long what it said of a paper is good for."""
        ...

    def wants(self, known: Known) -> bool:
        """Whether it can say anything about this paper."""
        ...
