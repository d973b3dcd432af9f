"""How often something may be done: so many times in so long, whoever counts and wherever it is kept.

The generic cell rate algorithm (ITU-T I.371): all that is remembered of somebody is one time, so that a limit can lie in a row
of a database, be shared by processes and outlast them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

APART = 60.0
"""Seconds by which the clocks of two machines may differ, and which a request may wait after it looked at one."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`times` within any `span`, after which one is given back after each part of it."""

    times: int
    span: timedelta

    def spent(self, free_at: float, now: float) -> float | None:
        """The time to remember after one more, or None where there may be none now.

        Args:
            free_at: what was remembered last, in seconds; 0 where nothing was.
            now: on the same clock, or on one that differs by `APART` at most. One that went backwards further makes nobody wait
                longer than that and a span: what lies beyond was remembered by a clock that was wrong.
        """
        span = self.span.total_seconds()
        each = span / self.times
        begins = free_at if now < free_at <= now + span + APART else now
        # Rounding must not take the last of the times away.
        return begins + each if begins - now <= span - each + 1e-6 else None


def spent(allowances: Iterable[Allowance], free_at: Iterable[float], now: float) -> tuple[float, ...] | None:
    """The same for several allowances of one thing: None where any of them is used up, and then none is touched."""
    after = tuple(one.spent(free, now) for one, free in zip(allowances, free_at, strict=True))
    return None if None in after else tuple(time for time in after if time is not None)
