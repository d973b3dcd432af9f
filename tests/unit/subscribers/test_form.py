"""The form of choices, as browsers and their enemies send it."""

import re
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers.form import LISTS, MAX_IDS, PAPERS, WORDS, filled, sent, with_likes
from digest.subscribers.model import MAX_INTERESTS, Interest, Preferences
from digest.subscribers.wishes import Wishes

NAMES = st.sampled_from([*LISTS, *WORDS, PAPERS, "topic", "day", "forget", "email", "act"])
PAIRS = st.lists(st.tuples(NAMES | st.text(max_size=5), st.text(max_size=200)), max_size=12)


def words(kind: str, text: str) -> list[str]:
    return [one.value for one in sent([(kind, text)]).wishes.interests]


def test_each_line_is_an_interest() -> None:
    assert words("topics", "protein folding\r\n\r\n  graphs \nprotein folding") == ["protein folding", "graphs"]


def test_topics_and_keywords_may_stand_in_one_line() -> None:
    assert words("topics", "protein folding, graphs") == ["protein folding", "graphs"]
    assert words("keywords", "a robot;a graph, ") == ["a robot", "a graph"]


def test_the_comma_of_a_name_is_its_own() -> None:
    assert words("authors", "Doe, Jane\nRoe, Max") == ["Jane Doe", "Max Roe"]
    assert words("categories", "Biochemistry, Genetics and Molecular Biology") == [
        "Biochemistry, Genetics and Molecular Biology"
    ]
    assert words("categories", "cs.cl, q-bio.NC, math") == ["cs.CL", "q-bio.NC", "math"]


def test_a_ticked_suggestion_is_a_topic_beside_those_that_were_typed() -> None:
    form = sent([("topics", "graphs"), ("topic", "language model"), ("topic", "graphs")])
    assert form.typed["topics"] == "graphs\nlanguage model"
    assert [one.value for one in form.wishes.interests] == ["graphs", "language model"]


def test_what_was_left_out_is_not_chosen() -> None:
    assert sent([]).wishes == Wishes()
    assert sent([(name, " ") for name in (*LISTS, *WORDS, PAPERS)]).wishes == Wishes()
    assert sent([]).fields == []


def test_everything_chosen_is_read() -> None:
    form = sent([("zone", "Europe/Berlin"), ("hour", "07:30"), ("day", "0"), ("day", "4"), ("cadence", "weekly")])
    assert form.wishes.preferences == Preferences("Europe/Berlin", time(7, 30), frozenset({0, 4}), "weekly")
    form = sent([("size", "7"), ("share", "25"), ("mutes", "survey")])
    assert form.wishes == Wishes(Preferences(size=7, share=0.25), (Interest("mute", "survey"),))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("topics", "???", "'???' is not a topic."),
        ("authors", "a@example.org", "'a@example.org' is not an author: write the name as papers have it, such as Jane Doe."),
        ("categories", "c#", "'c#' is not a category: write it like cs.CL, cs or q-bio.NC."),
        ("zone", "Berlin", "'Berlin' is not a time zone: did you mean Europe/Berlin?"),
        ("hour", "25:00", "'25:00' is not an hour: write it like 8 or 07:30."),
        ("size", "26", "'26' is not a size: a number from 1 to 25."),
        ("share", "101", "'101%' is not a share: a number from 0 (trending alone) to 1 (interests alone)."),
        ("cadence", "hourly", "'hourly' is not a cadence: daily or weekly."),
        ("language", "kl", "'kl' is not a language of the mails: one of en, de, fr, es."),
        (PAPERS, "no paper", "No paper is named in this: write arXiv ids or DOIs."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_is_kept(name: str, text: str, told: str) -> None:
    form = sent([(name, text), ("keywords", "graph")])
    assert form.wrong == {name: told}
    assert (form.typed[name], form.typed["keywords"]) == (text, "graph")


def test_more_interests_than_a_reader_may_have_are_refused() -> None:
    assert not sent([("topics", "\n".join(f"topic {n}" for n in range(MAX_INTERESTS)))]).wrong
    form = sent([("topics", "\n".join(f"topic {n}" for n in range(MAX_INTERESTS))), ("keywords", "one more")])
    assert form.wrong == {"topics": "More than 50 interests: leave out those that matter least."}


def test_papers_are_found_by_their_ids_wherever_these_stand() -> None:
    form = sent([(PAPERS, "https://arxiv.org/abs/2401.00001v2 and\n10.1000/x.y.\nbut this says nothing")])
    assert [like.ids[0] for like in form.likes] == ["arxiv:2401.00001", "doi:10.1000/x.y"]
    assert with_likes(form).interests == (Interest("liked", "arxiv:2401.00001"), Interest("liked", "doi:10.1000/x.y"))


def test_bibtex_is_read_for_readers_alone() -> None:
    entry = "@article{x, title={On the folding of graphs}, author={Doe, Jane}}"
    (like,) = sent([(PAPERS, entry)], bibtex=True).likes
    assert like.work is not None
    assert like.work.title == "On the folding of graphs"
    assert sent([(PAPERS, entry)]).wrong[PAPERS]


def test_a_visitor_names_no_more_papers_than_fit() -> None:
    assert len(sent([(PAPERS, "2401.00001 " * 1000)]).typed[PAPERS]) <= MAX_IDS


def test_choices_fill_the_form_and_come_back_from_it() -> None:
    chosen = Wishes(
        Preferences("Europe/Berlin", time(7, 30), frozenset({0, 4}), "weekly", 7, 0.35),
        (
            Interest("topic", "graphs"),
            Interest("author", "Jane Doe"),
            Interest("category", "cs.CL"),
            Interest("mute", "survey"),
        ),
    )
    assert sent(filled(chosen).fields).wishes == chosen


@given(PAIRS)
def test_anything_is_a_form_and_can_be_sent_again(pairs: list[tuple[str, str]]) -> None:
    form = sent(pairs)
    again = sent(form.fields)
    assert (again.wishes, again.likes, again.wrong) == (form.wishes, form.likes, form.wrong)
    assert set(form.wrong) <= set(form.typed)
    typed = "".join(form.typed.values())
    typed.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", typed)
