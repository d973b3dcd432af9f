from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digest.ranking.select import EXPLORE, MAX_PICKS, Wishes, choose, length_of_lists
from digest.ranking.shortlist import BATCH, Lists, first, nearest, ordered

NOBODY = np.zeros((1, 0), np.int64)


def lists(*values: dict[int, float], strength: dict[int, float] | None = None) -> Lists:
    """Lists of places with their values, best first."""
    length = max(len(one) for one in values)
    made = Lists(
        np.full((len(values), length), -1, np.int16),
        np.zeros((len(values), length), np.float32),
        np.full((len(values), length), -np.inf, np.float32),
    )
    for number, one in enumerate(values):
        for nth, (place, value) in enumerate(one.items()):
            made.places[number, nth], made.value[number, nth] = place, value
            made.strength[number, nth] = (strength or {}).get(place, 0.0)
    return made


def chosen(
    given: Lists,
    *,
    share: float = 0.0,
    cards: int = 3,
    also: int = 0,
    explore: int = 0,
    weight: tuple[float, ...] = (),
    alike: Any = None,
    diversity: float = 0.5,
    pinned: np.ndarray = NOBODY,
    draw: int = 0,
) -> list[tuple[int, int]]:
    wishes = Wishes(
        share=np.array([share], np.float32),
        cards=np.array([cards]),
        also=np.array([also]),
        explore=np.array([explore]),
        draw=np.array([draw], np.uint64),
        lists=given,
        owner=np.zeros(len(weight), np.int64),
        weight=np.array(weight, np.float32),
    )
    choice = choose(wishes, alike, pinned, diversity)
    pairs = zip(choice.places[0].tolist(), choice.slots[0].tolist(), strict=True)
    return [(place, slot) for place, slot in pairs if place >= 0]


def test_the_best_of_the_list_comes_first() -> None:
    assert chosen(lists({4: 0.9, 2: 0.8, 7: 0.1})) == [(4, 0), (2, 0), (7, 0)]


@pytest.mark.parametrize(
    ("share", "slots"), [(0.0, [0, 0, 0, 0]), (0.25, [0, 0, 1, 0]), (0.5, [0, 1, 0, 1]), (1.0, [1, 1, 1, 1])]
)
def test_slots_are_given_out_by_share(share: float, slots: list[int]) -> None:
    given = lists({n: 1 - n / 10 for n in range(5)}, {n: 1 - n / 20 for n in range(10, 15)})
    assert [slot for _, slot in chosen(given, share=share, cards=4, weight=(1.0,))] == slots


def test_a_paper_that_one_list_gave_is_gone_from_the_others() -> None:
    assert chosen(lists({1: 0.9, 2: 0.8}, {1: 0.9, 3: 0.7}), share=0.5, weight=(1.0,)) == [(1, 0), (3, 1), (2, 0)]


def test_an_empty_list_passes_its_slots_on() -> None:
    given = lists({1: 0.9, 2: 0.8, 3: 0.7}, {9: 0.9}, {})
    assert chosen(given, share=1.0, weight=(0.1, 0.9)) == [(9, 1), (1, 0), (2, 0)]


def test_what_is_like_a_card_makes_way_but_comes_before_nothing() -> None:
    alike = np.eye(4, dtype=np.uint8) * 255
    alike[0, 1] = alike[1, 0] = 255
    given = lists({0: 0.9, 1: 0.8, 2: 0.4})
    assert chosen(given, alike=alike) == [(0, 0), (2, 0), (1, 0)]
    assert chosen(given, alike=alike, diversity=0.0) == [(0, 0), (1, 0), (2, 0)]
    assert chosen(given, alike=alike, diversity=0.2) == [(0, 0), (1, 0), (2, 0)]


def test_places_far_back_in_a_long_edition_are_compared_with_the_right_ones() -> None:
    alike = np.zeros((2000, 2000), np.uint8)
    alike[1999, 1998] = alike[1998, 1999] = 255
    given = lists({1999: 0.9, 1998: 0.8, 1997: 0.7})
    assert [place for place, _ in chosen(given, alike=alike)] == [1999, 1997, 1998]


def test_an_explored_card_is_the_last_and_outside_what_he_is_near_to() -> None:
    given = lists({0: 0.9, 1: 0.8, 2: 0.7, 3: 0.6}, strength={0: 0.9, 1: 0.9, 2: 0.9})
    assert chosen(given, cards=3, also=1, explore=1) == [(0, 0), (1, 0), (3, EXPLORE), (2, 0)]
    assert chosen(lists({0: 0.9, 1: 0.8}, strength={0: 0.9, 1: 0.9}), cards=2, explore=1) == [(0, 0), (1, 0)]


def test_what_is_drawn_depends_on_the_number_drawn_alone() -> None:
    given = lists({n: 0.9 - n / 100 for n in range(20)})
    drawn = [chosen(given, cards=1, explore=1, draw=draw)[0][0] for draw in range(30)]
    assert drawn == [n % 10 for n in range(30)]


def test_pinned_papers_go_before_all_others_and_once() -> None:
    given = lists({5: 0.9, 6: 0.8, 7: 0.7}, {8: 0.9})
    assert chosen(given, share=1.0, weight=(1.0,), pinned=np.array([[6, -1]])) == [(6, 0), (8, 1), (5, 0)]


def test_no_mail_has_more_papers_than_lists_can_hold() -> None:
    assert len(chosen(lists(dict.fromkeys(range(100), 0.5)), cards=60, also=60)) == MAX_PICKS
    assert all(cards + also <= length_of_lists(cards, also) for cards in range(1, 26) for also in range(21))


def test_the_nearest_are_found_in_order_and_ties_go_to_the_earlier() -> None:
    scores = np.array([[5, 9, 9, 1, 7, 0], [0, 0, 0, 0, 0, 0]], np.int16)
    barred = np.zeros((1, 6), bool)
    barred[0, 4] = True
    least, owner = np.array([2, 2], np.float32), np.zeros(2, np.int64)
    assert nearest(scores, least, barred, owner, 5).tolist() == [[1, 2, 0, -1, -1], [-1] * 5]
    assert nearest(scores, least, barred, owner, 2).tolist() == [[1, 2], [-1, -1]]


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_are_those_of_a_full_sort_however_scores_lie(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.integers(-30_000, 30_000, (8, 700)).astype(np.int16)
    scores[1] = 77
    scores[2, ::16] = 30_000
    scores[3, 600:] = 30_000
    barred = draw.random((4, 700)) < [0.0, 0.2, 0.9][seed % 3]
    barred[2, ::16] = False
    owner = np.repeat(np.arange(4), 2)
    least = np.array([-40_000, 0, 0, 29_000, 29_990, 40_000, 0, 0], np.float32)
    found = nearest(scores, least, barred, owner, 32)
    for row in range(8):
        open_ = [place for place in range(700) if scores[row, place] >= least[row] and not barred[owner[row], place]]
        wanted = sorted(open_, key=lambda place: (-int(scores[row, place]), place))[:32]
        assert found[row].tolist() == wanted + [-1] * (32 - len(wanted))


@given(
    scores=arrays.arrays(np.int16, st.tuples(st.integers(1, 5), st.integers(1, 400)), elements=st.integers(-3, 3)),
    length=st.integers(1, 40),
    least=st.integers(-4, 4),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_the_nearest_are_those_of_a_full_sort_where_most_are_level(
    scores: np.ndarray, length: int, least: int, seed: int
) -> None:
    rows, entries = scores.shape
    barred = np.random.default_rng(seed).random((rows, entries)) < seed % 10 / 10
    found = nearest(scores, np.full(rows, least, np.float32), barred, np.arange(rows), length)
    for row in range(rows):
        open_ = [place for place in range(entries) if scores[row, place] >= least and not barred[row, place]]
        wanted = sorted(open_, key=lambda place: (-int(scores[row, place]), place))[:length]
        assert found[row].tolist() == wanted + [-1] * (length - len(wanted))


def test_the_nearest_of_many_rows_are_those_of_each() -> None:
    draw = np.random.default_rng(3)
    scores = draw.integers(-9, 9, (2 * BATCH + 1, 90)).astype(np.int16)
    barred, least = draw.random((len(scores), 90)) < 0.3, draw.integers(-9, 9, len(scores)).astype(np.float32)
    found = nearest(scores, least, barred, np.arange(len(scores)), 8)
    for row in range(len(scores)):
        alone = nearest(scores[row : row + 1], least[row : row + 1], barred[row : row + 1], np.zeros(1, np.int64), 8)
        assert (found[row] == alone[0]).all()


@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 1.0])
def test_the_first_that_are_allowed_are_found_however_far_back(density: float) -> None:
    allowed = np.random.default_rng(5).random((30, 2000)) < density
    allowed[0, :1990] = False
    found = first(np.ones(2000, bool), ~allowed, 32)
    for row in range(30):
        wanted = np.flatnonzero(allowed[row])[:32].tolist()
        assert found[row].tolist() == wanted + [-1] * (32 - len(wanted))


def test_a_list_is_in_order_of_both_strengths_together() -> None:
    trending = np.array([1.0, 0.5, 0.0, 0.9], np.float32)
    places, strength = np.array([[0, 1, 2, -1]], np.int16), np.array([[0.0, 0.4, 1.0, 0.0]], np.float32)
    own = ordered(places, strength, trending, np.array([0.9], np.float32))
    assert own.places.tolist() == [[2, 1, 0, -1]]
    assert own.value[0].tolist() == pytest.approx([0.9, 0.41, 0.1, -np.inf], abs=1e-5)
    assert own.strength[0].tolist() == pytest.approx([1.0, 0.4, 0.0, 0.0])
    assert ordered(places, strength, trending, np.array([0.0], np.float32)).places.tolist() == [[0, 1, 2, -1]]
