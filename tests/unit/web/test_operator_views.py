"""What the operator's pages count and say."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.outbox.retry import State
from digest.store.overview import Course
from digest.web.operator_views import course_view, next_mail

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


@given(st.dictionaries(st.sampled_from(get_args(State)), st.integers(1, 10_000)), st.data())
def test_every_mail_of_an_edition_is_counted_once(states: dict[str, int], data: st.DataObject) -> None:
    deferred = data.draw(st.integers(0, states.get("queued", 0)))
    row = course_view(Course(1, date(2026, 3, 2), "daily", NOW, "", 60, states, deferred, None, 0))
    counted = (row.submitted, row.waiting, row.deferred, row.refused, row.given_up, row.skipped, row.in_doubt)
    assert sum(int(number.replace(",", "")) for number in counted) == int(row.mails.replace(",", ""))


@pytest.mark.parametrize(
    ("at", "held", "said"),
    [
        (None, False, "with the next edition"),
        (NOW + timedelta(minutes=5), False, "Mon 2026-03-02 06:05Z"),
        (NOW + timedelta(minutes=5), True, "Mon 2026-03-02 06:05Z"),
        (NOW - timedelta(hours=1), False, "now"),
        (NOW - timedelta(hours=1), True, "when you let digests go out"),
    ],
)
def test_the_next_mail_is_never_said_to_be_in_the_past(at: datetime | None, held: bool, said: str) -> None:
    assert next_mail(at, NOW, held=held) == said
