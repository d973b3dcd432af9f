from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import METRICS, Metric, Paper, Work
from digest.ranking.model import Candidate, Ranked
from digest.ranking.trending import SIGNALS, numbers, rank

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ALL = dict.fromkeys(SIGNALS, 1.0)


def candidate(
    number: int,
    readings: Mapping[tuple[str, Metric], Sequence[tuple[datetime, int]]] | None = None,
    *,
    day: date = TODAY,
    first_seen_at: datetime = NOW,
    dated: bool = True,
    pinned: bool = False,
    key: str = "",
    **latest: int,
) -> Candidate:
    work = Work(f"Paper {number}", listed_on=day if dated else None)
    paper = Paper(number, key or f"arxiv:{number:04}", first_seen_at, work, pinned=pinned)
    values = {("hf", metric): [(NOW, value)] for metric, value in latest.items()}
    return Candidate(paper, {**values, **(readings or {})})  # type: ignore[dict-item]


def order(ranked: Sequence[Ranked]) -> list[int]:
    return [one.paper.id for one in ranked]


def term(ranked: Sequence[Ranked], paper_id: int, signal: str) -> tuple[Any, Any, str]:
    (one,) = [one for one in ranked if one.paper.id == paper_id]
    (found,) = [term for term in one.terms if term.signal == signal]
    return found.value, found.score, found.reason


def test_more_votes_of_one_day_are_more() -> None:
    ranked = rank([candidate(1, votes=3), candidate(2, votes=80), candidate(3, votes=20)], TODAY, {"votes": 1.0})
    assert order(ranked) == [2, 3, 1]
    assert term(ranked, 2, "votes") == (80, 1.0, "80 upvotes")
    assert [one.rank for one in ranked] == [1, 2, 3]


def test_votes_count_against_the_papers_of_the_same_day() -> None:
    yesterday = TODAY - timedelta(days=1)
    ranked = rank(
        [candidate(1, votes=1000), candidate(2, votes=100), candidate(3, votes=100, day=yesterday)], TODAY, {"votes": 1.0}
    )
    assert term(ranked, 3, "votes")[1] == 1.0 > term(ranked, 2, "votes")[1]


def test_a_quiet_day_makes_no_sensation_of_one_vote() -> None:
    ranked = rank([candidate(1, votes=1), candidate(2, votes=0)], TODAY, {"votes": 1.0})
    assert term(ranked, 1, "votes")[1] < 0.3
    assert term(ranked, 1, "votes")[2] == "1 upvote"
    assert term(ranked, 2, "votes") == (0, 0.0, "")


def test_missing_is_not_zero() -> None:
    ranked = rank([candidate(1, votes=0), candidate(2), candidate(3, votes=30), candidate(4, votes=10)], TODAY, {"votes": 1.0})
    assert order(ranked) == [3, 2, 4, 1] or order(ranked) == [3, 4, 2, 1]
    value, score, reason = term(ranked, 2, "votes")
    assert (value, reason) == (None, "")
    assert score == pytest.approx(term(ranked, 4, "votes")[1])


def test_what_nobody_measured_counts_for_nobody() -> None:
    ranked = rank([candidate(1), candidate(2)], TODAY, ALL)
    assert {term.signal for one in ranked for term in one.terms} == {"recency"}


def test_a_weight_of_nothing_leaves_a_signal_out_and_so_does_its_absence() -> None:
    papers = [candidate(1, votes=5, stars=900), candidate(2, votes=9)]
    ranked = rank(papers, TODAY, {"votes": 1.0, "stars": 0.0})
    assert order(ranked) == [2, 1]
    assert {term.signal for one in ranked for term in one.terms} == {"votes"}


def test_without_any_weight_everything_is_equal_and_the_newest_comes_first() -> None:
    ranked = rank([candidate(1, day=TODAY - timedelta(days=3)), candidate(2)], TODAY, {})
    assert [(one.paper.id, one.score, one.terms) for one in ranked] == [(2, 0, ()), (1, 0, ())]


def trajectory(*points: tuple[float, int]) -> dict[tuple[str, Metric], list[tuple[datetime, int]]]:
    """Votes by hours before now."""
    return {("hf", "votes"): [(NOW - timedelta(hours=hours), votes) for hours, votes in points]}


def test_growth_is_what_came_between_readings() -> None:
    ranked = rank(
        [candidate(1, trajectory((24, 100), (0, 110))), candidate(2, trajectory((24, 10), (0, 60)))], TODAY, {"growth": 1.0}
    )
    assert order(ranked) == [2, 1]
    assert term(ranked, 2, "growth")[0] == 50
    assert term(ranked, 2, "growth")[2] == "+50 votes in 24 h"


def test_growth_looks_back_two_days_and_no_further() -> None:
    ranked = rank([candidate(1, trajectory((72, 0), (48, 100), (24, 101), (0, 104)))], TODAY, {"growth": 1.0})
    assert term(ranked, 1, "growth")[::2] == (2.0, "+4 votes in 48 h")


def test_growth_of_long_ago_is_no_news() -> None:
    old = candidate(1, trajectory((264, 0), (240, 90)), day=TODAY - timedelta(days=11))
    assert term(rank([old, candidate(2, trajectory((24, 1), (0, 3)))], TODAY, {"growth": 1.0}), 1, "growth")[::2] == (None, "")


def test_one_reading_or_two_within_an_hour_tell_no_growth() -> None:
    assert rank([candidate(1, trajectory((0, 50)))], TODAY, {"growth": 1.0})[0].terms == ()
    assert rank([candidate(1, trajectory((0.5, 0), (0, 50)))], TODAY, {"growth": 1.0})[0].terms == ()


def test_votes_that_were_taken_back_are_no_growth_and_no_reason() -> None:
    ranked = rank([candidate(1, trajectory((24, 10), (0, 4)))], TODAY, {"growth": 1.0})
    assert term(ranked, 1, "growth") == (-6.0, 0.0, "")


def test_recency_goes_by_the_day_and_never_by_the_hour() -> None:
    early = candidate(1, first_seen_at=datetime(2026, 11, 21, 0, 1, tzinfo=UTC), dated=False)
    late = candidate(2, first_seen_at=datetime(2026, 11, 21, 23, 59, tzinfo=UTC), dated=False)
    ranked = rank([early, late], TODAY, {"recency": 1.0})
    assert (
        term(ranked, 1, "recency")
        == term(ranked, 2, "recency")
        == (1, pytest.approx(0.5**0.5, abs=1e-6), "first seen yesterday")
    )


def test_newer_is_better_and_a_date_in_the_future_is_today() -> None:
    ages = [0, 1, 2, 7, 13]
    ranked = rank([candidate(n, day=TODAY - timedelta(days=n)) for n in ages], TODAY, {"recency": 1.0})
    assert order(ranked) == ages
    assert [term(ranked, n, "recency")[2] for n in ages] == ["new today", "new yesterday", "", "", ""]
    tomorrow = rank([candidate(1, day=TODAY + timedelta(days=1))], TODAY, {"recency": 1.0})
    assert term(tomorrow, 1, "recency") == (0, 1.0, "new today")


def test_the_first_place_in_a_list_counts_in_full_and_each_doubling_takes_away() -> None:
    places = (1, 2, 8, 200)
    scores = [term(rank([candidate(1, rank=place)], TODAY, {"rank": 1.0}), 1, "rank")[1] for place in places]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert term(rank([candidate(1, rank=8)], TODAY, {"rank": 1.0}), 1, "rank")[2] == "no. 8 of its list"


def test_the_best_place_of_several_lists_counts() -> None:
    both = candidate(1, {("page", "rank"): [(NOW, 9)], ("hf", "rank"): [(NOW, 2)]})
    assert term(rank([both], TODAY, {"rank": 1.0}), 1, "rank")[0] == 2


def test_the_latest_reading_counts_and_of_several_sources_the_highest() -> None:
    one = candidate(1, {("hf", "votes"): [(NOW - timedelta(days=1), 99), (NOW, 4)], ("alphaxiv", "votes"): [(NOW, 7)]})
    assert numbers(one) == {"votes": 7}
    assert term(rank([one], TODAY, {"votes": 1.0}), 1, "votes")[0] == 7


def test_numbers_name_no_metric_that_nobody_measured() -> None:
    assert numbers(candidate(1, votes=0, citations=3, rank=1)) == {"votes": 0, "citations": 3}


def test_a_pinned_paper_comes_first_whatever_its_score() -> None:
    ranked = rank([candidate(1, votes=500), candidate(2, pinned=True, votes=0)], TODAY, ALL)
    assert order(ranked) == [2, 1]
    assert ranked[0].score < ranked[1].score


def test_ties_go_to_the_more_recent_and_then_to_the_key() -> None:
    yesterday = TODAY - timedelta(days=1)
    papers = [
        candidate(1, key="arxiv:2"),
        candidate(2, key="arxiv:1"),
        candidate(3, key="arxiv:0", day=yesterday),
        candidate(4, key="doi:10.1/a"),
    ]
    assert order(rank(papers, TODAY, {})) == [2, 1, 4, 3]


def test_a_tie_is_one_though_the_terms_are_added_up_in_another_order() -> None:
    # As binary fractions, 0.1 + 0.2 and 0.3 differ in the last place.
    yesterday = TODAY - timedelta(days=1)
    old = candidate(1, day=yesterday, rank=4, stars=10_000)
    new = candidate(2, rank=1, stars=0)
    both = rank([old, new], TODAY, {"rank": 0.3, "stars": 0.2})
    assert order(both) == [2, 1]
    assert both[0].score == both[1].score


POINTS = st.lists(
    st.tuples(st.integers(0, 20 * 24).map(lambda hours: NOW - timedelta(hours=hours)), st.integers(0, 10**7)),
    min_size=1,
    max_size=4,
    unique_by=lambda point: point[0],
).map(sorted)
READINGS = st.dictionaries(st.tuples(st.sampled_from(["hf", "page"]), st.sampled_from(METRICS)), POINTS, max_size=4)


@st.composite
def cohorts(draw: st.DrawFn) -> list[Candidate]:
    return [
        candidate(
            number,
            draw(READINGS),
            day=TODAY - timedelta(days=draw(st.integers(-1, 14))),
            dated=draw(st.booleans()),
            pinned=draw(st.sampled_from([False, False, False, True])),
        )
        for number in range(draw(st.integers(0, 7)))
    ]


WEIGHTS = st.fixed_dictionaries(dict.fromkeys(SIGNALS, st.sampled_from([0.0, 0.2, 1.0, 3.0])))


@given(cohorts(), WEIGHTS, st.randoms(use_true_random=False))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_a_ranking_is_total_and_forgets_the_order_of_its_input(
    papers: list[Candidate], weights: dict[str, float], random: object
) -> None:
    ranked = rank(papers, TODAY, weights)
    shuffled = list(papers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(shuffled, TODAY, weights) == ranked
    assert sorted(order(ranked)) == sorted(one.paper.id for one in papers)
    assert [one.rank for one in ranked] == list(range(1, len(papers) + 1))


@given(cohorts(), WEIGHTS)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_a_score_is_the_sum_of_terms_that_are_each_within_their_weight(
    papers: list[Candidate], weights: dict[str, float]
) -> None:
    ranked = rank(papers, TODAY, weights)
    unpinned = [one.score for one in ranked if not one.paper.pinned]
    assert unpinned == sorted(unpinned, reverse=True)
    for one in ranked:
        assert one.score == pytest.approx(sum(term.score for term in one.terms), abs=1e-6)
        assert all(0 <= term.score <= weights[term.signal] + 1e-6 for term in one.terms)
        assert all(term.value is not None for term in one.terms if term.reason)
        assert [term.score for term in one.terms] == sorted((term.score for term in one.terms), reverse=True)
