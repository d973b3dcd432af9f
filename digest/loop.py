"""The event loop that a command runs on, and what ends it from outside."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run work to its end, on uvloop where it is installed (the extra `speed`): sockets cost half as much there."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def when_told_to_end(act: Callable[[], None]) -> None:
    """Call `act` on the running loop at each Ctrl-C and SIGTERM, and once when the terminal is closed (SIGHUP), unless that is
    to be outlived, as with nohup."""
    running = asyncio.get_running_loop()

    def hung_up() -> None:
        # The shell and the kernel both tell of it: the second is no impatience.
        running.add_signal_handler(signal.SIGHUP, lambda: None)
        act()

    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, act)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        running.add_signal_handler(signal.SIGHUP, hung_up)
