"""How fast mails may go: so many a second in all, and so many a second to one domain. None of it is the default."""

import asyncio
import contextlib
import time
from collections.abc import Mapping


class Pace:
    """Spaces messages evenly."""

    def __init__(self, rate: float | None = None, per_domain: Mapping[str, float] | None = None) -> None:
        self._rate = rate
        self._per_domain = dict(per_domain or {})
        self._free_at: dict[str, float] = {}

    async def wait(self, domain: str, halted: asyncio.Event) -> None:
        """Return when the next message to this domain may go, or when nothing more is to go."""
        now = time.monotonic()
        wait = max(self._slot("", self._rate, now), self._slot(domain, self._per_domain.get(domain), now))
        if wait > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(halted.wait(), wait)

    def _slot(self, name: str, rate: float | None, now: float) -> float:
        if not rate:
            return 0.0
        at = max(now, self._free_at.get(name, now))
        self._free_at[name] = at + 1 / rate
        return at - now
