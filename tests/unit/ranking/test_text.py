import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking.text import LONGEST_WORD, TITLE_WEIGHT, counts, terms


@pytest.mark.parametrize("spelled", ["robot arm", "Robot Arm", "ROBOT-ARM", "the robot's arm", "robot, (arm)"])
def test_a_text_has_the_same_words_however_it_is_spelled(spelled: str) -> None:
    assert terms(spelled) == ["robot", "arm", "robot arm"]


def test_singular_and_plural_share_a_word_and_the_plural_has_one_more() -> None:
    assert set(terms("policy")) < set(terms("policies")) == {"policy", "policies"}
    assert terms("loss analysis") == ["loss", "analysis", "loss analysis"]


def test_neighbours_are_pairs_over_words_that_tell_nothing() -> None:
    assert "arm robot" in terms("arms of a robot")


def test_words_that_stand_everywhere_tell_nothing() -> None:
    assert terms("the use of these and more, with which we are") == []


def test_accents_and_tex_hide_no_word() -> None:
    assert terms(r"Poincaré $\alpha$-nets")[:2] == ["poincare", "alpha"]


def test_what_is_too_long_for_a_word_is_none() -> None:
    assert terms("a" * LONGEST_WORD) == ["a" * LONGEST_WORD]
    assert terms("a" * (LONGEST_WORD + 1)) == []


def test_title_and_keywords_count_more_than_the_abstract() -> None:
    found = counts(Work("Sparse attention", "attention attention graphs", keywords=("graph",)))
    assert found["attention"] == TITLE_WEIGHT + 2
    assert found["graph"] == TITLE_WEIGHT + 1
    assert found["sparse attention"] == TITLE_WEIGHT


def test_no_pair_reaches_from_the_title_into_the_abstract() -> None:
    assert "attention graph" not in counts(Work("Sparse attention", "Graph networks"))


@given(st.text(max_size=200))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_any_text_gives_words_without_blanks_and_pairs_with_one(text: str) -> None:
    for term in terms(text):
        assert 1 <= len(term.split(" ")) <= 2
        assert term == term.strip()
        assert "\n" not in term
