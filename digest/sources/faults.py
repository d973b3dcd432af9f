"""What becomes of a run in which requests failed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from digest.errors import ServerUnavailable
from digest.sources.web import HttpError


def nothing_had(faults: Sequence[Exception]) -> ServerUnavailable:
    """What to raise where nothing could be had: all that went wrong, and for how long a server wants to be left alone."""
    message, fix = "; ".join(map(str, faults)), "the next run asks again"
    resting = max((fault for fault in faults if isinstance(fault, HttpError) and fault.wait), key=wait_of, default=None)
    return (
        HttpError(message, fix=fix, status=resting.status, wait=resting.wait)
        if resting
        else ServerUnavailable(message, fix=fix)
    )


def not_before(now: datetime, faults: Iterable[Exception]) -> datetime | None:
    """Until when a server asked to be left alone."""
    longest = max(map(wait_of, faults), default=0.0)
    return now + timedelta(seconds=longest) if longest else None


def is_final(fault: ServerUnavailable) -> bool:
    """Whether another request would fare no better: nobody answers, or we are told to stay away."""
    return not isinstance(fault, HttpError) or fault.wait is not None or fault.status in (401, 403, 429)


def wait_of(fault: Exception) -> float:
    """For how many seconds the server asked to be left alone, if that is longer than this run has; else 0."""
    return (fault.wait or 0.0) if isinstance(fault, HttpError) else 0.0
