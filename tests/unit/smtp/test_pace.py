import pytest

from digest.outbox.pacing import HOLD
from digest.smtp.pace import Road


def test_what_was_too_much_is_measured_anew_after_each_word() -> None:
    road = Road[None]("a.org", ceiling=None, rate=None, lanes=1, most=None, now=0.0)
    for now, answers, too_much in [(10.0, 100, 10.0), (10.0 + 10 * HOLD, 40, 40 / (10 * HOLD))]:
        for _ in range(answers):
            road.taken(0)
            road.answered(0)
        assert road.throttled(now, slower=True)
        assert road.refused_at == pytest.approx(too_much)
