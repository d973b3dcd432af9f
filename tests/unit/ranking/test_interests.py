import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking.interests import Vocabulary
from digest.subscribers.model import Interest

WORKS = [
    Work("Sparse attention for long documents", "We make attention sparse, so that long documents fit."),
    Work("Robot arms that learn from one video", "A policy for robot arms, learned from a single video of a person."),
    Work("Graph neural networks for chemistry", "Message passing on graphs of molecules."),
    Work("A survey of diffusion policies", "Diffusion policies in robotics, surveyed."),
    Work("Poincaré embeddings", "Trees fit in hyperbolic space.", keywords=("state-space models", "C++")),
    Work("Large language models as judges", "Language models grade the answers of other models."),
]


def matched(kind: str, value: str, works: list[Work] = WORKS) -> dict[int, float]:
    found = Vocabulary(works).match([Interest(kind, value)])  # type: ignore[arg-type]
    assert all(match.interest == value for match in found.values())
    return {place: match.score for place, match in found.items()}


@pytest.mark.parametrize("topic", ["robot arms", "Robot Arm", "ROBOT-ARMS", "arms of a robot", "the robot's arms robot"])
def test_a_topic_finds_its_paper_in_any_spelling_and_number(topic: str) -> None:
    assert matched("topic", topic).get(1) == 1.0


def test_the_nearest_paper_of_a_topic_counts_in_full_and_others_less() -> None:
    works = [*WORKS, Work("On robots", "Robot arms are mentioned here, among many other things that this text is about.")]
    found = matched("topic", "robot arms", works)
    assert found[1] == 1.0
    assert 0 < found[6] < 1


def test_one_common_word_of_a_topic_is_not_the_topic() -> None:
    works = [Work(f"Models of thing number {n}", "models") for n in range(30)] + [Work("Graph neural networks")]
    assert matched("topic", "graph models", works) == {30: 1.0}
    assert matched("topic", "graph learning", [*WORKS, *works]).keys() <= {2, 36}


def test_words_that_stand_everywhere_match_nothing() -> None:
    assert matched("topic", "the use of new and more") == {}


def test_a_topic_of_words_that_nobody_wrote_matches_nothing() -> None:
    assert matched("topic", "gardening") == {}


def test_words_side_by_side_are_nearer_than_words_apart() -> None:
    works = [
        Work("Neural fields and the network of roads", "roads"),
        Work("Neural network pruning and fields", "roads"),
        Work("Something else", "roads"),
    ]
    found = matched("topic", "neural network", works)
    assert found[1] == 1.0
    assert found.get(0, 0.0) < 1.0


@pytest.mark.parametrize("keyword", ["sparse", "SPARSE", "Sparse attention", "poincare", "Poincaré", "state space models"])
def test_a_keyword_must_stand_in_the_paper_whatever_its_case_and_accents(keyword: str) -> None:
    assert list(matched("keyword", keyword).values()) == [1.0]


@pytest.mark.parametrize("keyword", ["spars", "parse", "attention sparse for", "rob", "", "...", "gardening"])
def test_a_part_of_a_word_is_no_keyword(keyword: str) -> None:
    assert matched("keyword", keyword) == {}


def test_a_keyword_may_stand_in_title_abstract_or_the_papers_own_keywords() -> None:
    assert matched("keyword", "surveyed") == {3: 1.0}
    assert matched("keyword", "embeddings") == {4: 1.0}
    assert matched("keyword", "state-space") == {4: 1.0}


def test_singular_and_plural_are_one_word() -> None:
    works = [Work("Policies"), Work("Policy"), Work("Buses"), Work("Bias analysis"), Work("Loss")]
    assert matched("topic", "policy", works).keys() == {0, 1} == matched("topic", "policies", works).keys()
    assert matched("topic", "loss", works).keys() == {4}
    assert matched("topic", "biases", works).keys() <= {3}


def test_the_interest_that_speaks_loudest_is_named() -> None:
    wanted = [Interest("topic", "robot arms", 0.4), Interest("keyword", "video", 0.9)]
    found = Vocabulary(WORKS).match(wanted)
    assert (found[1].score, found[1].interest) == (0.9, "video")


def test_a_weight_scales_but_never_beyond_one() -> None:
    found = Vocabulary(WORKS).match([Interest("keyword", "video", 5.0)])
    assert found[1].score == 1.0


def test_who_wants_nothing_matches_nothing() -> None:
    assert Vocabulary(WORKS).match([]) == {}


def test_no_candidates_match_nothing() -> None:
    assert Vocabulary([]).match([Interest("topic", "robot arms"), Interest("keyword", "robot")]) == {}


WORDS = st.sampled_from("robot arms sparse attention video graphs models survey the gardening trees".split())
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
WISHES = st.lists(
    st.builds(Interest, st.sampled_from(["topic", "keyword"]), TEXTS, st.floats(0, 2)),
    max_size=4,
)


@given(st.lists(st.builds(Work, TEXTS, TEXTS), max_size=8), st.lists(WISHES, min_size=2, max_size=3))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_readers_who_share_a_vocabulary_do_not_change_what_others_get(works: list[Work], readers: list[list[Interest]]) -> None:
    shared = Vocabulary(works)
    for wanted in [*readers, *reversed(readers)]:
        alone = Vocabulary(works).match(wanted)
        assert shared.match(wanted) == alone
        assert all(0 <= match.score <= 1 and 0 <= place < len(works) for place, match in alone.items())
