import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.outbox.pacing import AHEAD, FORGOTTEN, HOLD, LEAST, Ask, Grant, Times, Window, reserve, standing, throttles
from digest.outbox.verdict import Verdict

NOW = 1_795_000_000.0
RATES = st.floats(min_value=0.2, max_value=300.0)


class Worker:
    """One that has more to say than it may."""

    def __init__(self) -> None:
        self.times = Times()

    def work(self, window: Window, rate: float, now: float) -> tuple[Window, list[float]]:
        """Send all that may go now, and have more reserved."""
        sent: list[float] = []
        while (at := self.times.next(now)) is not None and at <= now:
            self.times.use(now)
            sent.append(now)
        if self.times.left() < max(1, rate * AHEAD / 2):
            window, grant = reserve(window, Ask("example.org", 1000, rate), now)
            self.times.add(grant)
        return window, sent


def most_in(sent: Sequence[float], seconds: float) -> int:
    """The most that went in any half-open window of so many seconds."""
    most = first = 0
    for last, at in enumerate(sent):
        while sent[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@settings(deadline=None)
@given(rate=RATES, looks=st.lists(st.tuples(st.integers(0, 3), st.floats(0.0, 0.4), st.booleans()), min_size=30, max_size=200))
def test_no_second_and_no_minute_holds_more_than_the_limit_whoever_looks_when_and_is_begun_anew(
    rate: float, looks: list[tuple[int, float, bool]]
) -> None:
    workers, window, now, sent = [Worker() for _ in range(4)], Window(), NOW, []
    for number, passed, dies in looks:
        now += passed
        window, went = workers[number].work(window, rate, now)
        sent += went
        if dies:
            workers[number] = Worker()
    for seconds in (1, 60):
        assert most_in(sent, seconds) <= math.ceil(rate * seconds)


@settings(max_examples=12, deadline=None)
@given(rate=st.floats(min_value=1.0, max_value=120.0), lateness=st.floats(0.002, 0.008), workers=st.integers(1, 3))
def test_who_looks_often_enough_gets_all_but_a_twentieth_of_the_limit(rate: float, lateness: float, workers: int) -> None:
    crew, window, now, sent = [Worker() for _ in range(workers)], Window(), NOW, []
    duration = max(8.0, 20 / rate)
    while now < NOW + duration:
        for worker in crew:
            window, went = worker.work(window, rate, now)
            sent += went
        now += lateness
    assert len(sent) >= math.floor(0.95 * rate * duration)
    assert most_in(sent, 1) <= math.ceil(rate)


def test_nothing_is_reserved_far_ahead_so_little_is_lost_with_a_worker() -> None:
    window, first = reserve(Window(), Ask("example.org", 1000, 10.0), NOW)
    assert (first.start, first.number) == (NOW, 10)
    later, second = reserve(window, Ask("example.org", 1000, 10.0), NOW)
    assert second.number == 0
    assert second.start > NOW + AHEAD
    assert later.free_at == window.free_at


def test_a_slow_limit_makes_nobody_wait_longer_than_it_says() -> None:
    window, first = reserve(Window(), Ask("example.org", 5, 0.01), NOW)
    assert first.number == 1
    _, second = reserve(window, Ask("example.org", 5, 0.01), NOW + 1)
    assert (second.number, round(second.start - NOW)) == (0, 103)


@given(ahead=st.floats(0, 1e9), rate=RATES)
def test_a_clock_that_was_set_back_stops_nobody(ahead: float, rate: float) -> None:
    _, grant = reserve(Window(free_at=NOW + ahead), Ask("example.org", 1, rate), NOW)
    assert grant.start <= NOW + AHEAD + 2 / rate


def test_without_a_limit_everything_may_go() -> None:
    _, grant = reserve(Window(), Ask("example.org", 7), NOW)
    assert (grant.rate, grant.number, grant.start) == (None, 7, NOW)


def lowered(rate: float = 40.0, ceiling: float | None = None) -> Window:
    window, _ = reserve(Window(), Ask("example.org", 1, ceiling, ceiling, refused_at=rate), NOW)
    return window


def test_a_throttled_domain_gets_half_of_what_was_too_much() -> None:
    assert lowered(40.0).rate == 20.0
    assert lowered(40.0, ceiling=10.0).rate == 5.0


def test_what_was_under_way_is_not_counted_again_and_later_words_are() -> None:
    window = lowered(40.0)
    again = Ask("example.org", 1, None, 20.0, refused_at=20.0)
    assert reserve(window, again, NOW + HOLD / 2)[0].rate == 20.0
    assert reserve(window, again, NOW + HOLD + 1)[0].rate == 10.0


def test_a_worker_that_did_not_know_what_others_learned_only_learns_it() -> None:
    window, grant = reserve(lowered(40.0), Ask("example.org", 1, refused_at=400.0), NOW + 60)
    assert (window.rate, grant.rate) == (20.0, 20.0)


@given(rate=st.floats(0.01, 1000.0), words=st.integers(1, 60))
def test_no_domain_is_throttled_to_nothing(rate: float, words: int) -> None:
    window, now = Window(), NOW
    for _ in range(words):
        window, grant = reserve(window, Ask("example.org", 1, None, window.rate, refused_at=window.rate or rate), now)
        now += HOLD + 1
    assert window.rate is not None
    assert window.rate >= LEAST
    assert grant.gap < math.inf


@pytest.mark.parametrize("ceiling", [None, 30.0])
def test_a_rate_rises_slowly_while_all_goes_well_until_only_the_operators_limit_holds(ceiling: float | None) -> None:
    window, now, minutes = lowered(40.0, ceiling), NOW, 0.0
    rates = [window.rate]
    while window.rate is not None:
        now += 0.5
        window, _ = reserve(window, Ask("example.org", 1, ceiling, window.rate, went_well=True), now)
        rates.append(window.rate)
        minutes += 0.5 / 60
    steps = [later - rate for rate, later in pairwise(rates) if rate is not None and later is not None]
    assert min(steps) > 0
    assert max(steps) < 0.2
    assert 2 < minutes < 10


def test_one_word_to_a_domain_that_was_seldom_written_to_is_got_over_within_an_hour() -> None:
    window, now = lowered(8 / 3600), NOW
    while window.rate is not None and now < NOW + FORGOTTEN:
        now += 1 / window.rate
        window, _ = reserve(window, Ask("example.org", 1, None, window.rate, went_well=True), now)
    assert window.rate is None


def test_a_rate_does_not_rise_while_nothing_goes() -> None:
    assert reserve(lowered(40.0), Ask("example.org", 1, None, 20.0), NOW + 60)[0].rate == 20.0


def test_many_workers_raise_a_rate_no_faster_than_one() -> None:
    def after(workers: int) -> float:
        window = lowered(40.0)
        for tick in range(1, 61):
            for _ in range(workers):
                window, _grant = reserve(window, Ask("example.org", 1, None, window.rate, went_well=True), NOW + tick)
        assert window.rate is not None
        return window.rate

    assert after(8) == pytest.approx(after(1))


def test_what_was_learned_is_forgotten_when_nobody_has_used_it_for_an_hour() -> None:
    window = lowered(40.0)
    assert standing(window, NOW + FORGOTTEN - 1) == 20.0
    assert standing(window, NOW + FORGOTTEN + 1) is None
    assert reserve(window, Ask("example.org", 3), NOW + FORGOTTEN + 1)[1].rate is None


def test_a_time_that_was_missed_by_far_is_lost_and_one_that_was_missed_by_little_is_not() -> None:
    times = Times()
    times.add(Grant("example.org", NOW, 10, 0.1, 10.0))
    assert times.next(NOW + 0.02) == NOW + 0.02
    assert times.next(NOW + 0.25) == pytest.approx(NOW + 0.3)
    times.use(NOW + 0.3)
    assert times.left() == 6
    assert times.next(NOW + 5) is None


def test_a_time_that_is_kept_for_longer_still_comes_no_closer_to_the_next_than_the_limit_allows() -> None:
    times = Times()
    times.add(Grant("example.org", NOW, 3, 0.5, 2.0))
    assert times.next(NOW + 0.09, late=0.1) == NOW + 0.09
    times.use(NOW + 0.09)
    assert times.next(NOW + 0.5, late=0.1) == pytest.approx(NOW + 0.09 + 0.485)


@pytest.mark.parametrize(
    ("verdict", "whom"),
    [
        (Verdict("lost", "mail", 421, "4.7.0 too many connections"), "relay"),
        (Verdict("deferred", "mail", 450, "4.7.1 rate exceeded"), "relay"),
        (Verdict("lost", "rcpt", 421, "4.7.28 unusual rate"), "domain"),
        (Verdict("deferred", "content", 421, "4.7.0 try again later"), "domain"),
        (Verdict("deferred", "rcpt", 450, "4.7.1 you send too fast"), "domain"),
        (Verdict("deferred", "rcpt", 451, "4.3.2 system not accepting messages"), "domain"),
        (Verdict("deferred", "rcpt", 450, "Too many messages, slow down"), "domain"),
        (Verdict("deferred", "rcpt", 450, "4.2.1 mailbox busy"), None),
        (Verdict("deferred", "rcpt", 450, "4.2.1 is receiving mail at a rate that prevents additional messages"), None),
        (Verdict("deferred", "rcpt", 451, "4.7.1 Greylisting in action, please come back later"), None),
        (Verdict("deferred", "rcpt", 450, "4.2.0 greylisted"), None),
        (Verdict("deferred", "rcpt", 450, "4.2.2 too many messages in this mailbox"), None),
        (Verdict("deferred", "rcpt", 450, "try again later"), None),
        (Verdict("deferred", "content", 452, "4.3.1 no room"), None),
        (Verdict("rejected", "rcpt", 550, "5.7.1 rate limit"), None),
        (Verdict("lost", "rcpt", 0, "too many seconds without an answer"), None),
        (Verdict("submitted", "content", 250, "ok"), None),
    ],
)
def test_only_who_asks_for_less_is_written_to_more_slowly(verdict: Verdict, whom: str | None) -> None:
    assert throttles(verdict) == whom
