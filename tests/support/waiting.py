"""Waiting for something to become so: no longer than it takes, and not for ever."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str | Callable[[], str] = "", seconds: float = 60) -> None:
    """Return as soon as the condition holds; fail when it does not in time, and tell `what` it was, or what that tells."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what() if callable(what) else what or condition}")
        time.sleep(0.01)
