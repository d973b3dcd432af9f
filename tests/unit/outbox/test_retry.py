from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.outbox.retry import (
    ENDS,
    FIRST_GAP,
    KEEP_TRYING_FOR,
    LONGEST_GAP,
    MAX_FAILURES,
    Step,
    after_deferral,
    after_failure,
    gap,
)
from digest.outbox.verdict import Kind

DUE = datetime(2026, 11, 22, 7, tzinfo=UTC)


@given(st.floats(0, 1))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_gaps_grow_up_to_an_hour_and_a_fifth(jitter: float) -> None:
    gaps = [gap(attempts, jitter) for attempts in range(40)]
    assert all(one <= other for one, other in pairwise(gaps))
    assert [one / gaps[0] for one in gaps[:4]] == pytest.approx([1, 2, 4, 8])
    assert gaps[0] >= FIRST_GAP
    assert max(gaps) <= LONGEST_GAP * 1.2


def test_jitter_spreads_those_who_were_deferred_together() -> None:
    assert gap(3, 0.0) < gap(3, 0.5) < gap(3, 1.0)


def test_what_is_deferred_is_queued_for_later() -> None:
    step = after_deferral(due_at=DUE, attempts=0, now=DUE, jitter=0.0)
    assert step == Step("queued", DUE + FIRST_GAP)
    assert step.tried


def test_trying_ends_twenty_hours_after_it_was_due() -> None:
    last = DUE + KEEP_TRYING_FOR - LONGEST_GAP
    assert KEEP_TRYING_FOR / timedelta(hours=1) == 20
    assert after_deferral(due_at=DUE, attempts=9, now=last, jitter=0.0).state == "queued"
    assert after_deferral(due_at=DUE, attempts=9, now=last + timedelta(seconds=1), jitter=0.0) == Step("expired")


@given(st.floats(0, 1))
@settings(max_examples=30, derandomize=True, deadline=None)
def test_a_mail_that_is_always_deferred_is_tried_some_twenty_times_and_then_expires(jitter: float) -> None:
    now, attempts = DUE, 0
    while (step := after_deferral(due_at=DUE, attempts=attempts, now=now, jitter=jitter)).state == "queued":
        assert step.next_try_at is not None
        assert now < step.next_try_at <= DUE + KEEP_TRYING_FOR
        now, attempts = step.next_try_at, attempts + 1
    assert step == Step("expired")
    assert 15 <= attempts <= 25


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("submitted", Step("submitted")),
        ("rejected", Step("rejected")),
        ("in_doubt", Step("in_doubt")),
        ("lost", Step("queued", None, tried=False)),
    ],
)
def test_other_verdicts_say_themselves_where_a_row_goes(kind: Kind, expected: Step) -> None:
    assert ENDS[kind] == expected


def test_a_message_that_cannot_be_built_three_times_is_parked() -> None:
    steps = [after_failure(failures=failures, now=DUE) for failures in range(MAX_FAILURES)]
    assert [step.state for step in steps] == ["queued", "queued", "parked"]
    assert steps[0].next_try_at == DUE + FIRST_GAP
    assert not any(step.tried for step in steps)
