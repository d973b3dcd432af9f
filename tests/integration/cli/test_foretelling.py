"""A dry run counts those whom the run after it mails."""

from datetime import timedelta

import pytest
from support.operator import Operator
from support.sink import Sink
from support.site import MONDAY

EARLY = MONDAY - timedelta(hours=1)


@pytest.fixture(autouse=True)
def readers(operator: Operator) -> None:
    """One at eight, two with each edition, one of them the weekly one, and one who reads on Fridays."""
    for name, *more in (("ann", "--hour", "8"), ("ben",), ("cat", "--cadence", "weekly"), ("dan", "--days", "fri")):
        done = operator.call("subscribers", "add", f"{name}@example.org", "--confirmed", *more, now=EARLY)
        assert done.code == 0, done.err


def test_a_run_counts_who_waits_for_what_it_would_freeze(operator: Operator, sink: Sink) -> None:
    foretold = operator.call("run", "--dry-run", "--json", now=MONDAY).json
    assert foretold["would_freeze"] == ["2026-03-02", "2026-03-02 (weekly)"]
    assert foretold["due"] == {"queued": 0, "readers": 2}
    operator.call("run", now=MONDAY)
    assert len(sink.accepted) == 2


def test_delivering_counts_who_waits_for_what_is_frozen_and_freezes_nothing(operator: Operator, sink: Sink) -> None:
    assert operator.call("deliver", "--dry-run", "--json", now=MONDAY).json == {"due": {"queued": 0, "readers": 0}}
    operator.call("publish", now=MONDAY)
    at_eight = MONDAY + timedelta(hours=2)
    assert operator.call("deliver", "--dry-run", "--json", now=at_eight).json == {"due": {"queued": 0, "readers": 3}}
    one = operator.call("deliver", "--dry-run", "--json", "--only", "Ben@example.org", now=at_eight).json
    assert one == {"due": {"queued": 0, "readers": 1}}
    assert operator.call("deliver", "--dry-run", "--json", "--limit", "2", now=at_eight).json["due"]["readers"] == 2
    assert not sink.accepted
    operator.call("deliver", now=at_eight)
    assert len(sink.accepted) == 3
    assert operator.call("deliver", "--dry-run", "--json", now=at_eight).json["due"] == {"queued": 0, "readers": 0}
