from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from digest.flows.resting import rests

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR, FIVE = timedelta(minutes=55), timedelta(minutes=5)


def run(verdict: str, minutes_ago: float, not_before: datetime | None = None) -> SimpleNamespace:
    return SimpleNamespace(verdict=verdict, started_at=NOW - timedelta(minutes=minutes_ago), not_before=not_before)


def test_a_source_that_was_never_asked_does_not_rest() -> None:
    assert not rests(None, NOW, HOUR)


@pytest.mark.parametrize(
    ("verdict", "fresh_for", "rests_for"),
    [
        ("fresh", HOUR, 55),
        ("quiet", HOUR, 55),
        ("stale", HOUR, 30),
        ("failed", HOUR, 10),
        ("fresh", FIVE, 5),
        ("stale", FIVE, 5),
        ("failed", FIVE, 5),
    ],
)
def test_how_long_a_source_rests_after_its_verdict(verdict: str, fresh_for: timedelta, rests_for: float) -> None:
    assert rests(run(verdict, rests_for - 0.1), NOW, fresh_for)
    assert not rests(run(verdict, rests_for), NOW, fresh_for)


def test_a_server_that_asked_to_be_left_alone_is_left_alone_even_before_an_edition() -> None:
    asked = run("failed", 600, not_before=NOW + timedelta(seconds=1))
    assert rests(asked, NOW, FIVE)
    assert not rests(asked, NOW + timedelta(seconds=1), FIVE)
