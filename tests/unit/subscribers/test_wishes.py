"""What somebody chose, kept until he confirms."""

from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers.model import Interest, Preferences
from digest.subscribers.wishes import Wishes, from_json, to_json

ALL = Wishes(
    Preferences("Europe/Berlin", time(7, 30), frozenset({0, 4}), "weekly", 7, 0.3, "fr"),
    (
        Interest("topic", "protein folding"),
        Interest("keyword", "graph"),
        Interest("author", "Jane Doe"),
        Interest("category", "cs.CL"),
        Interest("mute", "survey"),
        Interest("liked", "arxiv:2401.00001"),
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["zone", "hour", "days", "cadence", "size", "share", "topic", "mute", "liked"]) | st.text()


def test_wishes_are_the_same_after_they_were_kept() -> None:
    assert from_json(to_json(ALL)) == ALL


def test_nothing_chosen_is_hardly_anything_kept() -> None:
    assert to_json(Wishes()) == {"zone": "UTC", "days": "daily", "cadence": "daily"}
    assert from_json({}) == Wishes()


def test_what_cannot_be_read_takes_nothing_else_with_it() -> None:
    kept = {"zone": "Mars/Olympus", "hour": "99", "size": "5", "topic": ["???", "graphs"], "liked": "arxiv:2401.00001"}
    assert from_json(kept) == Wishes(Preferences(size=5), (Interest("topic", "graphs"),))


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_whatever_was_kept_can_be_read(kept: dict[str, object]) -> None:
    wishes = from_json(kept)
    assert from_json(to_json(wishes)) == wishes
