from math import exp, isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking.prior import FITTED, Growth, Prior, fitted, flags, words


def test_the_file_that_comes_along_is_small_and_reads_back_as_it_was_written() -> None:
    text = FITTED.read_text(encoding="utf-8")
    assert len(text) < 150_000
    assert Prior.from_json(text).to_json() == text
    assert fitted() is fitted()


def test_code_and_a_project_page_promise_votes() -> None:
    bare = Work("Agents: planning with tools", "We present agents that plan. " * 20, authors=("A. Author",) * 5)
    shown = Work(
        bare.title, bare.abstract, bare.authors, links={"code": "https://example.org", "project": "https://example.org"}
    )
    (less, more), _ = fitted().expected([bare, shown])
    assert more > less > 0


def test_words_are_compared_by_their_plain_form_and_those_of_the_title_stand_twice() -> None:
    found = words(Work("Large Agents", "An agent acts.", keywords=("Tool Use",)))
    assert found["agent"] == 2
    assert {"t:agent", "t:large", "large agent", "k:tool use"} <= set(found)


def test_words_come_in_the_order_of_the_text_so_that_their_sum_is_the_same_in_every_process() -> None:
    title = "Robots grasp unknown tools beside people while cameras watch hands"
    keywords = ("grasping", "robotics", "vision", "tools", "safety", "hands", "learning", "motion")
    found = list(words(Work(title, keywords=keywords)))
    assert [word for word in found if word.startswith("t:")] == [f"t:{word}" for word in found if word.isalpha()]
    assert [word for word in found if word.startswith("k:")] == [f"k:{word}" for word in keywords]


def test_a_word_weighs_by_its_share_of_the_paper() -> None:
    model = Prior(
        {"agent": (3.0, 1.0, 0.0), "survey": (4.0, 0.0, 2.0)}, {}, (0.5, -1.0), 0.0, (0.0, 0.0), Growth(1.0, (1.0,), (1.0,)), {}
    )
    (mu,), (odds,) = model.expected([Work("", "agent survey other")])
    assert mu == pytest.approx(exp(3 / 5 + 0.5) - 1)
    assert odds == pytest.approx(4 / 5 * 2 - 1)


def test_a_flag_is_what_the_paper_shows() -> None:
    found = flags(Work("DeepThing: is it open-source?", "A technical report.", authors=("A",), organization="Org"))
    assert {name for name, value in found.items() if value == 1} == {
        "colon",
        "few authors",
        "named",
        "open",
        "organization",
        "question",
        "report",
    }


def test_growth_goes_along_the_logarithm_of_time_and_never_below_one() -> None:
    growth = Growth(1.0, (4.0, 16.0, 64.0), (5.0, 3.0, 1.0))
    assert [growth.factor(hours) for hours in (-3, 0, 4, 8, 16, 64, 1e9)] == pytest.approx([5, 5, 5, 4, 3, 1, 1])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"words": {"a": [1]}}', "null"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Prior.from_json(text)


@given(st.builds(Work, st.text(max_size=300), st.text(max_size=600), st.lists(st.text(max_size=20), max_size=40).map(tuple)))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_of_any_text_something_finite_is_expected(work: Work) -> None:
    (mu,), (odds,) = fitted().expected([work])
    assert 0 <= mu <= 500.001
    assert isfinite(odds)
    assert all(0 <= value < 10 for value in flags(work).values())
