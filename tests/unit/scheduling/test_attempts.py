import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from digest.clock import SteppedClock
from digest.errors import ServerUnavailable
from digest.scheduling.attempts import LONGEST_REST, TICK, Attempts, Complaints

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Work:
    """Fails as long as it is told to, and counts."""

    def __init__(self) -> None:
        self.clock = SteppedClock(NOW)
        self.attempts = Attempts("deliver", self.clock, Complaints())
        self.begun, self.fails = 0, True

    def attempt(self) -> bool:
        """Whether it was begun."""
        before = self.begun
        asyncio.run(self.attempts.attempt(self._do))
        return self.begun > before

    async def _do(self) -> None:
        self.begun += 1
        if self.fails:
            raise ServerUnavailable("the relay is away")


def test_who_fails_rests_each_time_for_longer_up_to_a_limit_and_success_ends_it() -> None:
    work = Work()
    rests = []
    for _ in range(12):
        assert work.attempt()
        rests.append(work.attempts.rest)
        assert not work.attempt()
        work.clock.advance(work.attempts.rest)
    assert rests[:3] == [2 * TICK, 4 * TICK, 8 * TICK]
    assert rests[-1] == LONGEST_REST
    work.fails = False
    assert work.attempt()
    assert work.attempt()


@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(hours=1), timedelta(days=400)])
def test_nobody_rests_until_a_clock_that_was_wrong_has_come_round_again(back: timedelta) -> None:
    work = Work()
    assert work.attempt()
    work.clock.advance(-back)
    assert work.attempts.rest == timedelta(0)
    assert work.attempt()
    assert timedelta(0) < work.attempts.rest <= LONGEST_REST


def test_a_fault_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    work = Work()
    for _ in range(3):
        work.attempt()
        work.clock.advance(work.attempts.rest)
    assert caplog.text.count("the relay is away") == 1
