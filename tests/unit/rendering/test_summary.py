"""A summary is the abstract's own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.summary import LIMIT, first_sentences, sentences_from, two_sentences

ABSTRACT = (
    "Training is slow, e.g. on phones (see Smith et al. 2020, Fig. 3). In this paper, we propose SphereFlow, a method that "
    "is 2.5 times faster vs. the best known one. It needs no teacher. Code is public."
)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It gains 2.5 points. Qwen2.5 gains 3.", ["It gains 2.5 points.", "Qwen2.5 gains 3."]),
        ("See e.g. Fig. 3, cf. Eq. 2. Done.", ["See e.g. Fig. 3, cf. Eq. 2.", "Done."]),
        ("By J. R. Doe et al. in 2020. Yes.", ["By J. R. Doe et al. in 2020.", "Yes."]),
        ("We follow Doe et al. We add one thing.", ["We follow Doe et al.", "We add one thing."]),
        ("Apples, pears, etc. are fruit. So it is.", ["Apples, pears, etc. are fruit.", "So it is."]),
        ('He says "stop." Then he goes.', ['He says "stop."', "Then he goes."]),
        ("A blank got lost.We propose a cure.", ["A blank got lost.", "We propose a cure."]),
        ("No full stop", ["No full stop"]),
        ("", []),
    ],
)
def test_a_full_stop_ends_a_sentence_only_where_a_reader_would_stop(text: str, sentences: list[str]) -> None:
    assert sentences_from(text, 0, 9) == sentences
    assert sentences_from(text, 0, 1) == sentences[:1]
    assert sentences_from(text, len(text), 9) == sentences[-1:]


def test_the_summary_begins_with_what_the_authors_did() -> None:
    assert two_sentences(ABSTRACT) == (
        "We propose SphereFlow, a method that is 2.5 times faster vs. the best known one. It needs no teacher."
    )


def test_what_was_made_says_more_than_what_was_found() -> None:
    text = "We show that size matters. Then, we present Huge, a larger network."
    assert two_sentences(text) == "We present Huge, a larger network."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Gangs act. Moreover, to scale it up, we construct a codebook.", "To scale it up, we construct a codebook."),
        ("Trials fail. To fill this gap, this paper proposes Retrial, an agent.", "This paper proposes Retrial, an agent."),
        ("Stones wear. With this in mind, we present Patches.", "We present Patches."),
        ("Judges err. Guided by this insight, we propose a check.", "We propose a check."),
        ("Size matters. However, in this work we introduce Small.", "We introduce Small."),
    ],
)
def test_a_summary_does_not_begin_by_pointing_back_at_what_is_not_shown(text: str, shown: str) -> None:
    assert two_sentences(text) == shown


def test_without_such_a_sentence_the_first_ones_are_taken() -> None:
    assert two_sentences("Abstract: Cities are networks. Streets are edges. Squares are nodes.") == (
        "Cities are networks. Streets are edges."
    )


def test_a_long_sentence_is_cut_at_a_word_and_marked() -> None:
    text = "We propose " + "a very long thing " * 40 + "indeed."
    shown = two_sentences(text)
    assert len(shown) <= LIMIT
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])


def test_a_second_sentence_that_does_not_fit_is_left_out_when_the_first_says_enough() -> None:
    first = "We propose a method that " + "is better and " * 9 + "cheap."
    assert two_sentences(f"{first} {'It is also long ' * 20}.") == first


def test_no_abstract_gives_no_summary() -> None:
    assert two_sentences("") == two_sentences("  ") == ""


@given(st.lists(st.sampled_from([*ABSTRACT.split(" "), "we", "propose", "e.g.", "We", "3.", "…", "Here,"]), max_size=60))
def test_a_summary_is_one_piece_of_the_abstract_within_the_limit(words: list[str]) -> None:
    text = " ".join(words)
    shown = two_sentences(text)
    assert len(shown) <= LIMIT
    assert shown.removesuffix("…")[1:] in text


def test_a_written_summary_keeps_its_own_beginning() -> None:
    assert first_sentences("A flow. In this work, we do. More.") == "A flow. In this work, we do."


def test_a_word_that_may_label_an_abstract_stays_where_it_labels_nothing() -> None:
    text = "Readers want a summary. Writers give one."
    assert two_sentences(text) == text
    assert two_sentences(f"Abstract: {text}") == text
