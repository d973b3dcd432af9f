"""Work that is tried again and again: a fault is said once, and whoever fails rests, each time for longer."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from digest.clock import Clock
from digest.errors import ConfigurationError, DigestError

TICK = timedelta(seconds=20)
LONGEST_REST = timedelta(minutes=10)
"""After a failure work rests for a tick, then twice as long, up to this."""

log = logging.getLogger("digest")
T = TypeVar("T")


class Complaints:
    """Says a fault once, whoever has it, and not at each tick."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}

    def say(self, work: str, error: DigestError) -> None:
        if str(error) not in self._standing.values():
            log.error("%s%s", error, f" ({error.fix})" if error.fix else "")
        self._standing[work] = str(error)

    def withdraw(self, work: str) -> None:
        self._standing.pop(work, None)


class Attempts:
    """One kind of work, tried again and again; after a failure it rests, each time for longer."""

    def __init__(self, work: str, clock: Clock, complaints: Complaints) -> None:
        self._work, self._clock, self._complaints = work, clock, complaints
        self._failures = 0
        self._failed_at: datetime | None = None

    @property
    def rest(self) -> timedelta:
        """How long it rests still."""
        if self._failed_at is None:
            return timedelta(0)
        rested = self._clock.now() - self._failed_at
        wanted = min(TICK * (1 << min(self._failures, 10)), LONGEST_REST)
        # A clock that was set back does not tell, and may say so for a year.
        return max(wanted - rested, timedelta(0)) if rested >= timedelta(0) else timedelta(0)

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """What the work gives; None while it rests, and where it fails."""
        if self.rest:
            return None
        try:
            result = await work()
        except DigestError as error:
            self._complaints.say(self._work, error)
            if not isinstance(error, ConfigurationError):
                self._failures += 1
                self._failed_at = self._clock.now()
            return None
        self._failures, self._failed_at = 0, None
        self._complaints.withdraw(self._work)
        return result
