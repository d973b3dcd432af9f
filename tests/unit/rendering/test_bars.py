"""Charts of bars."""

from hypothesis import given
from hypothesis import strategies as some

from digest.rendering.bars import BOTTOM, TOP, WIDTH, chart

NUMBERS = some.lists(some.none() | some.integers(0, 10**7), min_size=1, max_size=14)


def values(numbers: list[int | None]) -> list[tuple[str, float | None, str]]:
    return [(f"{n}.", number, "–" if number is None else str(number)) for n, number in enumerate(numbers)]


def test_bars_are_as_high_as_their_numbers_and_the_highest_fills_the_room() -> None:
    drawn = chart("mails", "Mails", values([100, 50, 0, None]))
    room = BOTTOM - TOP
    assert [bar.height for bar in drawn.bars] == [room, room / 2, 0, 0]
    assert [bar.shown for bar in drawn.bars] == ["100", "50", "0", "–"]
    assert drawn.said == "0.: 100; 1.: 50; 2.: 0; 3.: –"


def test_what_is_more_than_nought_is_seen() -> None:
    assert [bar.height > 0 for bar in chart("mails", "Mails", values([1, 1_000_000, 0])).bars] == [True, True, False]


@given(NUMBERS)
def test_no_bar_leaves_the_drawing_or_touches_another(numbers: list[int | None]) -> None:
    bars = chart("mails", "Mails", values(numbers)).bars
    assert all(bar.y >= TOP and bar.y + bar.height <= BOTTOM + 0.2 for bar in bars)
    edges = [edge for bar in bars for edge in (bar.x, bar.x + bar.width)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= WIDTH


def test_a_chart_of_nothing_is_empty() -> None:
    assert chart("mails", "Mails", []).bars == ()
