from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.papers.merge import merge
from digest.papers.model import Work

WORDS = st.text("abc …", max_size=6)
TUPLES = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3).map(tuple)
INSTANTS = st.dates(date(2020, 1, 1), date(2027, 1, 1)).map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
WORKS = st.builds(
    Work,
    title=st.just("A Title"),
    abstract=WORDS,
    authors=TUPLES,
    categories=TUPLES,
    keywords=TUPLES,
    organization=WORDS,
    summary=WORDS,
    summary_by=WORDS,
    published_at=st.none() | INSTANTS,
    listed_on=st.none() | st.dates(date(2020, 1, 1), date(2027, 1, 1)),
    links=st.dictionaries(st.sampled_from(["page", "pdf", "code"]), WORDS),
)


@given(WORKS)
def test_a_work_merged_with_itself_is_itself(work: Work) -> None:
    assert merge(work, work) == work


@given(WORKS, WORKS)
def test_seeing_the_same_again_adds_nothing(known: Work, seen: Work) -> None:
    once = merge(known, seen)
    assert merge(once, seen) == once


@given(WORKS, WORKS)
def test_nothing_is_lost_and_nothing_is_made_up(known: Work, seen: Work) -> None:
    both = merge(known, seen)
    assert set(both.categories) == {*known.categories, *seen.categories}
    assert both.links.keys() == known.links.keys() | seen.links.keys()
    assert both.published_at in (known.published_at, seen.published_at)
    assert both.organization == (known.organization or seen.organization)
    assert len(both.authors) == max(len(known.authors), len(seen.authors))


@given(WORKS, WORKS)
def test_the_abstract_is_the_longest_that_is_whole(known: Work, seen: Work) -> None:
    told = {known.abstract, seen.abstract}
    whole = [one for one in told if one and not one.endswith("…")]
    assert len(merge(known, seen).abstract) == max(map(len, whole or told))


@pytest.mark.parametrize("cut", ["We show that sparse attention …", "We show that sparse attention..."])
def test_an_abstract_that_is_cut_off_gives_way_to_a_shorter_whole_one(cut: str) -> None:
    assert merge(Work("T", cut), Work("T", "We show it.")).abstract == "We show it."
    assert merge(Work("T", "We show it."), Work("T", cut)).abstract == "We show it."
    assert merge(Work("T", cut), Work("T")).abstract == cut


def test_links_of_every_kind_are_kept_and_those_known_stay() -> None:
    known = Work("T", links={"arxiv": "https://arxiv.org/abs/2511.04321", "page": "https://a.example"})
    both = merge(known, Work("T", links={"doi": "https://doi.org/10.1/a", "page": "https://b.example"}))
    assert both.links == {**known.links, "doi": "https://doi.org/10.1/a"}


def test_a_summary_keeps_its_author() -> None:
    both = merge(Work("T", summary="Ours.", summary_by="us"), Work("T", summary="Theirs.", summary_by="them"))
    assert (both.summary, both.summary_by) == ("Ours.", "us")


def test_the_earliest_dates_win() -> None:
    early, late = (
        Work("T", published_at=datetime(2026, 1, day, 12, tzinfo=UTC), listed_on=date(2026, 1, day + 1)) for day in (5, 6)
    )
    assert merge(early, late) == merge(late, early) == early
