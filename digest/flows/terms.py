"""The terms of delivering: which relay, by which rules, and what is reported of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from digest.edition.calendar import Schedule
from digest.smtp.connection import MAX_AGE, MAX_MESSAGES
from digest.smtp.pace import Pace
from digest.smtp.url import SmtpUrl

FAILED = ("rejected", "parked", "held", "expired", "in_doubt")
"""States that make a run end with exit code 3."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server that takes our messages, and how it wants to be treated."""

    url: SmtpUrl
    connections: int = 8
    timeout: float = 60.0
    pace: Pace = field(default_factory=Pace)
    per_connection: int = MAX_MESSAGES
    """After so many messages a connection is made anew."""
    max_age: float = MAX_AGE
    """After so many seconds a connection is made anew."""
    pipelining: bool = True
    """Whether commands go out in groups where the relay offers it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided about delivering."""

    schedule: Schedule
    in_doubt: Literal["resend", "hold"] = "resend"
    in_doubt_hold: timedelta = timedelta(minutes=15)
    chunk: int = 500


@dataclass(slots=True)
class Report:
    """What a run of delivering did: how many rows ended in which state, and what it found on its way."""

    states: Counter[str] = field(default_factory=Counter)
    """Rows that this run worked on, by the state that they ended in for now; one that is tried later is `deferred`."""
    queued: int = 0
    """Deliveries that it made for readers who are due."""
    late: int = 0
    """Skipped, for they are too late to be news."""
    expired: int = 0
    """Given up, for the relay deferred them for too long."""
    taken_over: int = 0
    """Claimed by workers that died, and free again."""
    newly_in_doubt: int = 0
    """On the wire when their workers died."""
    queued_again: int = 0
    """In doubt before, and to be mailed once more."""
    newly_held: int = 0
    """In doubt before, and left to the operator."""

    @property
    def failed(self) -> int:
        """Mails that will not arrive, or of which nobody knows."""
        return sum(self.states[state] for state in FAILED) + self.newly_held + self.expired
