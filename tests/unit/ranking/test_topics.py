"""Topics that are offered: what trends, in words."""

from hypothesis import given
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking.topics import trending


def test_what_most_papers_are_about_comes_first() -> None:
    works = [Work(f"{word} of a protein folding") for word in ("Study", "Theory", "Proof")]
    works += [Work("Graph networks at work"), Work("On graph networks")]
    assert trending(works, 9) == ("protein folding", "graph network")
    assert trending(works, 1) == ("protein folding",)


def test_what_only_one_paper_is_about_is_no_trend() -> None:
    assert trending([Work("Protein folding"), Work("Graph networks")], 9) == ()


def test_a_paper_counts_once_however_often_it_says_a_thing() -> None:
    assert trending([Work("Protein folding by protein folding", keywords=("protein folding",))], 9) == ()


def test_keywords_count_like_titles() -> None:
    assert trending([Work("One", keywords=("flow matching",)), Work("Flow matching")], 9) == ("flow matching",)


def test_two_words_that_always_stand_in_three_are_no_topic_of_their_own() -> None:
    works = [Work("Large language models"), Work("A large language model")]
    assert trending(works, 9) == ("large language model",)


def test_three_words_that_are_seldom_the_whole_of_two_are_left_out() -> None:
    works = [Work(title) for title in ("Protein folding", "Folding robots", "Protein folding", "Folding robots")]
    works += [Work("Protein folding robots")] * 2
    assert trending(works, 9) == ("folding robot", "protein folding")


def test_of_two_that_are_near_to_each_other_the_more_frequent_is_offered() -> None:
    works = [Work(title) for title in ("Neural networks at work", "On neural networks", "Why neural networks", "Graphs")]
    works += [Work("Deep neural networks"), Work("Of deep neural networks"), Work("Flow matching"), Work("On flow matching")]
    assert trending(works, 9) == ("neural network", "flow matching")


def test_four_words_are_offered_as_a_whole_and_never_in_overlapping_pieces() -> None:
    works = [Work(f"{word} group relative policy optimization") for word in ("On", "Of", "With")]
    assert trending(works, 9) == ("group relative policy optimization",)


def test_a_word_with_hyphens_is_no_topic_alone_and_is_never_torn() -> None:
    works = [Work("Long-horizon planning from text-to-image models"), Work("On long-horizon planning, text-to-image models")]
    works += [
        Work("Zero-shot"),
        Work("A zero-shot"),
        Work("Vision-language-action model"),
        Work("Vision language action models"),
    ]
    assert trending(works, 9) == ("long horizon planning", "text to image model", "vision language action model")


def test_what_a_title_says_of_the_paper_is_no_topic() -> None:
    assert trending([Work("Kimi: technical report"), Work("Olmo: a technical report")], 9) == ()


def test_numbers_are_not_offered() -> None:
    assert trending([Work("CIFAR 10"), Work("CIFAR 10")], 9) == ()
    assert trending([Work("3D scenes"), Work("On 3D scenes")], 9) == ("3d scene",)


@given(st.lists(st.builds(Work, st.text(), keywords=st.lists(st.text(), max_size=3).map(tuple)), max_size=20))
def test_any_papers_have_trends_or_none(works: list[Work]) -> None:
    found = trending(works, 5)
    assert len(found) == len(set(found)) <= 5
    assert trending(works, 5) == found
