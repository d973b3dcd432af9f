"""How fast a relay or a recipient domain may be written to. Pure: what was reserved, asked and said in, times of messages out.

A limit of r messages a second is kept in every window of time, wherever it begins: no more than r (rounded up) in a second,
no more than 60 r in a minute. So messages are spaced evenly; a burst at the end of one second and the beginning of the next
would be twice the limit.
"""

import math
import re
from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from digest.outbox.verdict import Verdict

SHARE = 0.97
"""How much of a limit is given out. The rest is for what is late: see `LATE`."""
LATE = 0.025
"""Seconds that a message may go after its time: r + 1 messages lie 1 / SHARE seconds apart, 31 ms more than they have to."""
AHEAD = 1.0
"""Seconds that times are reserved ahead: a worker that dies takes no more than these with it."""
LEAST = 0.1
"""Messages a second below which nothing is learned: who is written to that seldom would be served by the retries alone."""
HOLD = 2.0
"""Seconds in which no rate is lowered twice: mails that were under way when it was lowered are told the same."""
RECOVERY = 300.0
"""Seconds of success in which a learned rate rises by what was too much."""
FORGOTTEN = 3600.0
"""Seconds after which a rate that nobody has used is forgotten."""

_GREYLISTED = re.compile(r"gr[ae]y.?list", re.IGNORECASE)
_HURRIED = re.compile(r"too (many|much|fast)|throttl|rate limit|slow down", re.IGNORECASE)


def throttles(verdict: Verdict) -> Literal["relay", "domain"] | None:
    """Whom a reply wants to be written to more slowly: the relay itself, or the domain of the recipient.

    A mailbox that is full, busy or greylisted (RFC 6647) is one reader's affair and slows nobody else.
    """
    if verdict.kind not in ("deferred", "lost") or not 400 <= verdict.code < 500:
        return None
    of_policy = verdict.enhanced.startswith("4.7.") and not _GREYLISTED.search(verdict.text)
    # RFC 3463: 4.3.2 "system not accepting network messages", 4.4.5 "system congestion".
    congested = verdict.enhanced in ("4.3.2", "4.4.5")
    in_words = not verdict.enhanced and _HURRIED.search(verdict.text) is not None
    if not (verdict.code == 421 or of_policy or congested or in_words):
        return None
    return "relay" if verdict.phase == "mail" else "domain"


@dataclass(frozen=True, slots=True)
class Window:
    """What all workers know of one limit. Times are seconds of one clock that they share."""

    free_at: float = 0.0
    """Before it every time is taken."""
    rate: float | None = None
    """Messages a second, as learned; None: nothing was."""
    too_many: float = 0.0
    """Messages a second that were refused when it was learned."""
    lowered_at: float = 0.0
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """What a worker wants of one limit, and what it has seen of it since it asked last."""

    key: str
    wanted: int
    ceiling: float | None = None
    """The operator's limit, messages a second."""
    known: float | None = None
    """The limit that the worker went by; None: it knew of none."""
    refused_at: float | None = None
    """The messages a second that the relay called too many; None: it did not."""
    went_well: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """`number` times of messages, `gap` seconds apart, from `start` on; `rate` None: there is no limit any more."""

    key: str
    start: float
    number: int
    gap: float
    rate: float | None


def reserve(window: Window, ask: Ask, now: float) -> tuple[Window, Grant]:
    """Give a worker the next times that are free within `AHEAD`, which may be none; lower or raise the rate by what it saw."""
    window = _learned(window, ask, now)
    rate = _least(window.rate, ask.ceiling)
    if rate is None:
        return replace(window, free_at=now), Grant(ask.key, now, ask.wanted, 0.0, None)
    gap = 1 / (SHARE * rate)
    # Nothing is ever taken later than this, unless a clock was set back or the rate was another.
    start = min(max(now, window.free_at), now + AHEAD + gap)
    number = max(0, min(ask.wanted, math.floor((now + AHEAD - start) / gap) + 1))
    return replace(window, free_at=start + number * gap), Grant(ask.key, start, number, gap, rate)


def standing(window: Window, now: float) -> float | None:
    """The learned rate, unless it is forgotten."""
    return window.rate if abs(now - window.updated_at) < FORGOTTEN else None


def _learned(window: Window, ask: Ask, now: float) -> Window:
    rate, before = standing(window, now), _least(ask.ceiling, window.rate)
    passed = now - window.updated_at
    window = replace(window, rate=rate, updated_at=now)
    if ask.refused_at is not None:
        # Who did not know yet what others had learned was told what they were told, and no more.
        if rate is not None and (ask.known is None or ask.known > 1.5 * rate or 0 <= now - window.lowered_at < HOLD):
            return window
        too_many = min(ask.refused_at, before) if before is not None else ask.refused_at
        lowered = max(LEAST, too_many / 2)
        return replace(window, rate=lowered, too_many=max(too_many, lowered), lowered_at=now)
    if rate is None or not ask.went_well:
        return window
    raised = rate + window.too_many / RECOVERY * min(max(0.0, passed), 2 * AHEAD)
    if raised >= (2 * window.too_many if ask.ceiling is None else ask.ceiling):
        return replace(window, rate=None)
    return replace(window, rate=raised)


def _least(*rates: float | None) -> float | None:
    return min((rate for rate in rates if rate is not None), default=None)


class Times:
    """The times that one worker holds of one limit. Each is good for one message, when it has come and soon after."""

    def __init__(self) -> None:
        self._batches: deque[tuple[float, float, int]] = deque()
        self._used = -math.inf

    def add(self, grant: Grant) -> None:
        """Take what was reserved. Grants come in the order of their times."""
        if grant.number:
            self._batches.append((grant.start, grant.gap, grant.number))

    def next(self, now: float, late: float = LATE) -> float | None:
        """When the next message may go, `now` if it may; None: times must be reserved first. What was missed by more than
        `late` seconds is lost."""
        while self._batches:
            start, gap, number = self._batches[0]
            # A slow limit leaves more room: of two messages the second still is 1 / r after the first.
            oldest = now - max(late, (1 - SHARE) * gap)
            missed = math.ceil((oldest - start) / gap) if start < oldest else 0
            if missed < number:
                if missed:
                    self._batches[0] = start + missed * gap, gap, number - missed
                # One that was later than the share allows for keeps the next from coming closer than the limit itself.
                earliest = self._used + SHARE * gap if late > LATE else now
                return max(now, start + missed * gap, earliest)
            self._batches.popleft()
        return None

    def use(self, now: float) -> None:
        """A message goes at the time that `next` told."""
        start, gap, number = self._batches[0]
        self._used = now
        if number > 1:
            self._batches[0] = start + gap, gap, number - 1
        else:
            self._batches.popleft()

    def left(self) -> int:
        """How many are held."""
        return sum(number for _, _, number in self._batches)

    def forget(self) -> None:
        """Hold none."""
        self._batches.clear()
