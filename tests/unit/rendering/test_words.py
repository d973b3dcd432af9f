"""Numbers and dates as a reader says them."""

from datetime import date

import pytest

from digest.rendering.words import figure, listing, minutes, numbers, on, on_weekday


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (1234, "1.2k"),
        (9949, "9.9k"),
        (9999, "10k"),
        (12_345, "12k"),
        (999_499, "999k"),
        (999_500, "1M"),
        (1_200_000, "1.2M"),
    ],
)
def test_a_count_is_read_at_a_glance(count: int, shown: str) -> None:
    assert figure(count) == shown


def test_counts_are_named_in_a_fixed_order_and_in_the_right_number() -> None:
    shown = [f"{number.figure} {number.word}" for number in numbers({"stars": 1234, "comments": 1, "votes": 128})]
    assert shown == ["128 upvotes", "1 comment", "1.2k stars"]


def test_what_is_nought_or_unknown_is_not_said() -> None:
    assert numbers({"votes": 0, "rank": 3, "moods": 9}) == ()


def test_dates_do_not_depend_on_the_machine() -> None:
    assert on(date(2026, 11, 3)) == "3 November 2026"
    assert on_weekday(date(2026, 11, 22)) == "Sunday, 22 November 2026"


@pytest.mark.parametrize(("items", "shown"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")])
def test_a_list_reads_like_a_sentence(items: list[str], shown: str) -> None:
    assert listing(items) == shown


def test_reading_takes_at_least_a_minute() -> None:
    assert minutes(0) == 1
    assert minutes(1100) == 5
