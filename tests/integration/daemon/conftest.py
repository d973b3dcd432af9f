"""A daemon whose metronome is quick; everything else is real."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from support.waiting import until

from digest.scheduling import attempts, daemon
from digest.scheduling.daemon import Daemon

QUICK = timedelta(milliseconds=100)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for module in (attempts, daemon):
        monkeypatch.setattr(module, "TICK", QUICK)
    monkeypatch.setattr(daemon, "WATCHDOG", QUICK)
    caplog.set_level(logging.INFO)


@pytest.fixture
def run_until() -> Callable[..., None]:
    """Runs a daemon until something is so, and fails when that takes too long."""

    def run(worker: Daemon, condition: Callable[[], object]) -> None:
        async def both() -> None:
            running = asyncio.create_task(worker.run())
            try:
                await asyncio.to_thread(until, condition)
            finally:
                worker.stop()
                await running

        asyncio.run(both())

    return run
