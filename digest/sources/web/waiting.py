"""When a server that did not give what it was asked for may be asked again: decided from its status and headers alone."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

ATTEMPTS = 3
"""How often one thing is asked for at most."""
FIRST_WAIT = 2.0
LONGEST_WAIT = 24 * 3600.0

_SECONDS = re.compile(r"[0-9]{1,15}")
_RESET = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_LEFT = re.compile(r"(?:^|[;,\s])(?:r|remaining)\s*=\s*([0-9]{1,15})(?![0-9])")
_UNTIL = re.compile(r"(?:^|[;,\s])(?:t|reset)\s*=\s*([0-9]{1,15})(?![0-9])")
_EPOCH = 1e9
"""A reset time above this is an instant in seconds since 1970, one below a number of seconds from now."""


def wait_before_next(status: int | None, headers: Mapping[str, str], attempt: int, now: datetime) -> float | None:
    """Seconds to wait after this attempt (the first is 1), before jitter; None: another attempt would not help.

    `status` is None if there was no answer, or only part of one. Names of headers are in lower case. `now` matters only if the
    server does not say what its own clock shows.
    """
    asked = None if status is None else left_alone_for(status, headers, now)
    if status is not None and not _may_pass(status) and not (status == 403 and asked is not None):
        return None
    return FIRST_WAIT * 2.0 ** (attempt - 1) if asked is None else asked


def left_alone_for(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, at most a day, that this answer asks to be left alone after it; None if it does not.

    Retry-After (RFC 9110 10.2.3) counts for what may pass, and for 403, with which GitHub means 429. Then any limit of rate
    that is used up counts, on any answer: `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and the older `RateLimit-Reset`
    and `X-RateLimit-Reset`, whether they count seconds or name an instant.
    """
    try:
        now = parsedate_to_datetime(headers.get("date", ""))
        now.timestamp()
    except (ValueError, OverflowError):
        pass
    asks = _may_pass(status) or status == 403
    wait = _retry_after(headers.get("retry-after", "").strip(), now) if asks else None
    if wait is None:
        wait = max(_rate_limits(status, headers, now), default=None)
    return None if wait is None else min(max(wait, 0.0), LONGEST_WAIT)


def _may_pass(status: int) -> bool:
    return status in (408, 425, 429) or 500 <= status < 600


def _retry_after(value: str, now: datetime) -> float | None:
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        return (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _rate_limits(status: int, headers: Mapping[str, str], now: datetime) -> Iterator[float]:
    """Seconds until each limit that is used up begins anew."""
    value = headers.get("ratelimit", "")[:2000]
    for policy in [value] if "remaining" in value else value.split(","):
        left, until = _LEFT.search(policy), _UNTIL.search(policy)
        if left and until and int(left[1]) == 0:
            yield float(until[1])
    for prefix in ("", "x-"):
        left_over = headers.get(f"{prefix}ratelimit-remaining", "").strip()
        reset = headers.get(f"{prefix}ratelimit-reset", "").strip()
        used_up = _SECONDS.fullmatch(left_over) and int(left_over) == 0
        if _RESET.fullmatch(reset) and (used_up or (status == 429 and not left_over)):
            seconds = float(reset)
            yield seconds - now.timestamp() if seconds > _EPOCH else seconds
