"""What becomes of a row after an attempt. Pure: verdict and history in, state and time of the next try out."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from digest.outbox.verdict import Kind

State = Literal[
    "queued",
    "claimed",
    "submitting",
    "submitted",
    "rejected",
    "in_doubt",
    "held",
    "parked",
    "skipped",
    "expired",
]

FINAL: tuple[State, ...] = ("submitted", "rejected", "skipped", "expired")
"""The states that end the life of a row (ARCHITECTURE.md, 4)."""
FIRST_GAP = timedelta(minutes=5)
LONGEST_GAP = timedelta(minutes=60)
KEEP_TRYING_FOR = timedelta(hours=20)
"""A daily paper is stale by the time the next one comes, whatever RFC 5321 4.5.4.1 grants a letter."""
MAX_FAILURES = 3
"""How often building a message may fail before its row is parked for the operator."""


class Step(NamedTuple):
    """Where a row goes. `next_try_at` None: as soon as somebody has time."""

    state: State
    next_try_at: datetime | None = None
    tried: bool = True
    """Whether this was an attempt: a connection that broke before any verdict was none of the reader's."""


ENDS: Mapping[Kind, Step] = {
    "submitted": Step("submitted"),
    "rejected": Step("rejected"),
    "in_doubt": Step("in_doubt"),
    "lost": Step("queued", tried=False),
}
"""The steps after verdicts that neither history nor time changes."""


def after_deferral(*, due_at: datetime, attempts: int, now: datetime, jitter: float) -> Step:
    """The step after an attempt that the relay put off.

    Args:
        due_at: when the mail was due.
        attempts: how many attempts came before this one.
        now: the time.
        jitter: a random number from 0 to 1, so that the deferred do not come back all at once.
    """
    next_try_at = now + gap(attempts, jitter)
    if next_try_at > due_at + KEEP_TRYING_FOR:
        return Step("expired")
    return Step("queued", next_try_at)


def after_failure(*, failures: int, now: datetime) -> Step:
    """The step after building a message failed, `failures` times before this."""
    if failures + 1 >= MAX_FAILURES:
        return Step("parked", tried=False)
    return Step("queued", now + FIRST_GAP, tried=False)


def gap(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many earlier attempts: five minutes, doubling up to an hour, and up to a fifth more."""
    base: timedelta = min(FIRST_GAP * (1 << min(attempts, 10)), LONGEST_GAP)
    return base * (1 + jitter / 5)
