"""Counts visitors in memory, for pages that are dear to make and change nothing: a GET writes nothing to the database."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from digest.allowance import Allowance, spent

REMEMBERED = 10_000
"""Visitors; the one who came the longest time ago is forgotten first."""


class Turnstile:
    """Lets each visitor pass as often as he may. For the threads of one process; a restart forgets."""

    def __init__(self, allowances: Sequence[Allowance], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._allowances, self._monotonic = tuple(allowances), monotonic
        self._free_at: OrderedDict[str, tuple[float, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def lets(self, visitor: str) -> bool:
        """Whether this visitor may pass now; if so, that counts."""
        with self._lock:
            free_at = self._free_at.pop(visitor, (0.0,) * len(self._allowances))
            after = spent(self._allowances, free_at, self._monotonic())
            self._free_at[visitor] = free_at if after is None else after
            if len(self._free_at) > REMEMBERED:
                self._free_at.popitem(last=False)
            return after is not None

    def is_open(self, visitor: str) -> bool:
        """Whether this visitor might pass now; nothing is counted."""
        with self._lock:
            free_at = self._free_at.get(visitor, (0.0,) * len(self._allowances))
            return spent(self._allowances, free_at, self._monotonic()) is not None
