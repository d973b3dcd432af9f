"""How often something may be done."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from digest.allowance import APART, Allowance, spent

times = some.floats(0, 2e9)
allowances = some.builds(Allowance, some.integers(1, 50), some.timedeltas(timedelta(seconds=1), timedelta(days=30)))


def granted(allowance: Allowance, moments: list[float]) -> list[float]:
    """The moments of those at which it was given."""
    free_at, given_at = 0.0, []
    for now in moments:
        after = allowance.spent(free_at, now)
        if after is not None:
            free_at = after
            given_at.append(now)
    return given_at


def test_all_of_it_can_be_used_at_once_and_then_none() -> None:
    assert len(granted(Allowance(5, timedelta(minutes=1)), [100.0] * 9)) == 5


def test_it_comes_back_bit_by_bit() -> None:
    moments = [100.0] * 9 + [111.9, 112.1, 112.2, 124.2]
    assert granted(Allowance(5, timedelta(minutes=1)), moments)[5:] == [112.1, 124.2]


@given(allowances, some.lists(some.floats(1e9, 1e9 + 1e5), max_size=200).map(sorted))
def test_no_span_sees_twice_as_many(allowance: Allowance, moments: list[float]) -> None:
    given_at = granted(allowance, moments)
    span = allowance.span.total_seconds()
    for first in given_at:
        assert sum(first <= at < first + span for at in given_at) <= 2 * allowance.times


@given(allowances, times, times)
def test_nobody_waits_much_longer_than_a_span_whatever_the_clock_does(allowance: Allowance, before: float, now: float) -> None:
    span = allowance.span.total_seconds()
    all_used = before + span
    assert any(allowance.spent(all_used, at) is not None for at in (now, now + span + APART))


@given(allowances, some.floats(1e9, 2e9), some.floats(0, 0.9 * APART))
def test_a_clock_that_is_a_little_behind_gives_nothing_anew(allowance: Allowance, now: float, behind: float) -> None:
    all_used = now + allowance.span.total_seconds()
    assert allowance.spent(all_used, now - behind) is None


def test_of_several_allowances_none_is_touched_when_one_is_used_up() -> None:
    minute, hour = Allowance(1, timedelta(minutes=1)), Allowance(5, timedelta(hours=1))
    first = spent((minute, hour), (0.0, 0.0), 100.0)
    assert first is not None
    assert spent((minute, hour), first, 101.0) is None
    assert spent((minute, hour), first, 161.0) is not None
