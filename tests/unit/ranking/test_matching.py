import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking.matching import ROOM, Matching, same_author
from digest.subscribers.model import INTEREST_KINDS

WORKS = [
    Work("Sparse attention for long documents", "We make attention sparse.", ("Ann Author", "Bo Berg"), ("cs.CL", "cs.LG")),
    Work("Robot arms that learn from one video", "A policy, learned from a video of a person.", ("Author, A. B.",), ("cs.RO",)),
    Work(
        "Poincaré embeddings", "Trees fit in hyperbolic space.", ("Anna Author",), ("q-bio.BM",), ("state-space models", "C++")
    ),
    Work("A letter", "", ("OpenAI",), ("CS.AI", "hep-th")),
]


def found(kind: str, value: str) -> list[int]:
    return Matching(WORKS).places(kind, value).tolist()  # type: ignore[arg-type]


def test_a_work_that_is_another_is_found_where_that_stands() -> None:
    matching = Matching([*WORKS, WORKS[0]], np.array([0, 1, 2, 3, 0]))
    assert set(matching.places("keyword", "sparse").tolist()) == {0}
    assert set(matching.places("author", "Ann Author").tolist()) == set(found("author", "Ann Author"))


@pytest.mark.parametrize("kind", ["keyword", "topic", "mute"])
@pytest.mark.parametrize(
    ("phrase", "places"),
    [
        ("sparse", [0]),
        ("SPARSE   Attention", [0]),
        ("poincare", [2]),
        ("Poincaré", [2]),
        ("state space models", [2]),
        ("video", [1]),
        ("spars", []),
        ("attention sparse for", []),
        ("documents We", []),
        ("space state", []),
        ("gardening", []),
        ("...", []),
        ("", []),
    ],
)
def test_a_phrase_must_stand_whole_in_one_part_of_the_paper_whatever_its_case_and_accents(
    kind: str, phrase: str, places: list[int]
) -> None:
    assert found(kind, phrase) == places


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann Author", "Author, A."),
        ("Ann Author", "A. Author"),
        ("A. B. Author", "Ann Author"),
        ("Ann B. Author", "Author, Ann Beth"),
        ("José Álvarez", "alvarez, jose"),
        ("Jan van der Berg", "van der Berg, Jan"),
        ("Geoffrey E. Hinton Jr.", "Hinton, G."),
        ("OpenAI", "openai"),
    ],
)
def test_two_spellings_of_a_name_find_each_other(one: str, other: str) -> None:
    assert same_author(one, other)
    assert same_author(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann Author", "Anna Author"),
        ("Ann Author", "B. Author"),
        ("Ann B. Author", "Ann C. Author"),
        ("Author", "Ann Author"),
        ("Ann Author", "Ann Autor"),
        ("", "Ann Author"),
        ("Wei Li", "Li Wei"),
    ],
)
def test_two_names_that_disagree_are_two_people(one: str, other: str) -> None:
    assert not same_author(one, other)
    assert not same_author(other, one)


def test_an_author_is_found_in_any_spelling_that_can_be_his() -> None:
    assert found("author", "Ann Author") == [0, 1]
    assert found("author", "Author, A.") == [0, 1, 2]
    assert found("author", "Anna Author") == [1, 2]
    assert found("author", "Author") == []
    assert found("author", "OpenAI") == [3]


@pytest.mark.parametrize(
    ("category", "places"),
    [
        ("cs.CL", [0]),
        ("CS.cl", [0]),
        ("cs", [0, 1, 3]),
        ("cs.*", [0, 1, 3]),
        ("q-bio", [2]),
        ("hep-th", [3]),
        ("cs.C", []),
        ("c", []),
        ("bio", []),
        ("", []),
    ],
)
def test_a_category_is_itself_and_an_archive_all_of_its_categories(category: str, places: list[int]) -> None:
    assert found("category", category) == places


def test_an_archive_is_all_of_its_categories_also_where_a_paper_names_the_archive_itself() -> None:
    works = [
        Work("One", categories=("cs.CL",)),
        Work("Two", categories=("cs",)),
        Work("Three", categories=("math.CO", "cs.RO")),
    ]
    matching = Matching(works)
    assert matching.places("category", "cs").tolist() == [0, 1, 2]
    assert matching.places("category", "cs.CL").tolist() == [0]


def test_what_is_muted_may_be_a_word_an_author_or_a_category() -> None:
    assert found("mute", "attention") == [0]
    assert found("mute", "Author, Anna") == [1, 2]
    assert found("mute", "cs.RO") == [1]


def test_places_are_kept_as_long_as_there_is_room_however_many_interests_readers_make_up() -> None:
    matching = Matching([Work("A title", categories=("cs.RO",))] * 2000)
    values = ["cs.RO" + " " * blanks for blanks in range(1200)]
    assert all(len(matching.places("category", value)) == 2000 for value in values)
    assert 0 < sum(places.nbytes for places in matching._known.values()) <= ROOM


def test_what_he_liked_or_disliked_is_looked_up_nowhere() -> None:
    assert found("liked", "arxiv:2511.00001") == found("disliked", "sparse") == []


@given(
    st.sampled_from(INTEREST_KINDS), st.text(max_size=30), st.lists(st.builds(Work, st.text(max_size=20), st.text(max_size=20)))
)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_anything_may_be_looked_up_in_anything_and_twice_alike(kind: str, value: str, works: list[Work]) -> None:
    matching = Matching(works)
    first = matching.places(kind, value).tolist()  # type: ignore[arg-type]
    assert first == sorted(set(first))
    assert all(0 <= place < len(works) for place in first)
    assert matching.places(kind, value).tolist() == first == Matching(works).places(kind, value).tolist()  # type: ignore[arg-type]
