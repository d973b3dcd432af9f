from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers.seen import oldest, papers, prune, segment

DAY = date(2026, 11, 22)
days = st.dates(date(1970, 1, 1), date(2100, 1, 1))
ids = st.lists(st.integers(1, 2**62), max_size=30)


def remembered(text: str) -> set[int]:
    return {number for number in papers(text).tolist() if number >= 0}


def test_a_segment_is_short_and_plain() -> None:
    assert segment(DAY, [12, 15, 99]) == "20779:12,15,99;"


def test_a_mail_without_papers_is_not_remembered() -> None:
    assert segment(DAY, []) == ""


def test_an_empty_memory_has_no_papers() -> None:
    assert remembered("") == set()


@given(st.lists(st.tuples(days, ids)))
def test_what_was_appended_is_remembered(mails: list[tuple[date, list[int]]]) -> None:
    text = "".join(segment(day, listed) for day, listed in mails)
    assert remembered(text) == {paper for _, listed in mails for paper in listed}


@given(st.lists(st.tuples(days, ids)), days)
def test_pruning_forgets_what_is_older_and_nothing_else(mails: list[tuple[date, list[int]]], before: date) -> None:
    text = "".join(segment(day, listed) for day, listed in mails)
    kept = "".join(segment(day, listed) for day, listed in mails if day >= before)
    assert prune(text, before) == kept


@given(st.text("0123456789:,;x-[]. ") | st.text())
def test_a_damaged_memory_raises_nothing(text: str) -> None:
    assert all(isinstance(paper, int) for paper in remembered(text))
    assert remembered(prune(text, DAY)) <= remembered(text)


def test_of_a_damaged_segment_the_legible_papers_count() -> None:
    assert remembered("20779:1,two,3;20780:4") == {1, 3, 4}
    assert remembered("5;20779:1;;20780:2,;") == {1, 2}
    assert remembered("1:" * 5000) == set()
    assert remembered(f"20779:1,two,{'9' * 30}") == {1}


def test_a_memory_reaches_back_to_the_day_of_its_first_segment() -> None:
    assert oldest(segment(DAY, [1]) + segment(DAY + timedelta(days=1), [2])) == DAY
    assert oldest("") is None


@pytest.mark.parametrize("day", ["", "two", "-1", "9" * 10, "9" * 30])
def test_a_damaged_memory_reaches_back_to_no_day(day: str) -> None:
    assert oldest(f"{day}:1;") is None


def test_a_cut_memory_loses_its_last_segment_at_most() -> None:
    text = segment(DAY, [1, 2]) + segment(DAY + timedelta(days=1), [3])
    for length in range(len(text)):
        assert remembered(text[:length]) <= {1, 2, 3}
