import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.edition.model import SECTIONS, How, Pick
from digest.store.rows import picks_from_json, picks_to_json

PICKS = tuple(
    Pick(number, section, how, "" if how in ("", "explore") else "robot arms")
    for number, (section, how) in enumerate((section, how) for section in SECTIONS for how in get_args(How))
)


def test_picks_are_read_as_they_were_written() -> None:
    assert picks_from_json(json.loads(picks_to_json(PICKS))) == PICKS
    assert picks_from_json(None) == picks_from_json([]) == ()


def test_a_pick_without_a_reason_takes_no_more_room_than_it_needs() -> None:
    assert picks_to_json((Pick(7, "also"),)) == "[[7,1]]"
    assert picks_to_json((Pick(7, "card", "liked", "robot, arm"),)) == '[[7,0,"liked","robot, arm"]]'


@given(st.text(max_size=50))
def test_whatever_an_interest_is_called_its_pick_is_read_as_it_was_written(matched: str) -> None:
    picks = (Pick(7, "card", "liked", matched), Pick(8, "also"))
    assert picks_from_json(json.loads(picks_to_json(picks))) == picks


@pytest.mark.parametrize(
    ("row", "pick"),
    [([7, 0, "robot arms"], Pick(7, "card", "topic", "robot arms")), ([7, 1, ""], Pick(7, "also")), ([7, 1], Pick(7, "also"))],
)
def test_picks_that_were_stored_when_every_interest_was_a_topic_are_read(row: list[object], pick: Pick) -> None:
    assert picks_from_json([row]) == (pick,)
