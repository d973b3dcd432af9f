import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from digest.papers.model import METRICS, Metric, Paper, Work
from digest.ranking.model import Candidate, Ranked
from digest.ranking.prior import Growth, Prior
from digest.ranking.settings import RankingWeights
from digest.ranking.trending import SIGNALS, numbers, rank
from digest.rendering.environment import Environments
from digest.rendering.reasons import ranked as said
from digest.subscribers.model import Cadence

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ALL = dict.fromkeys(SIGNALS, 1.0)
HOUR = timedelta(hours=1)

GROWTH = Growth(waiting=1.5, hours=(6.0, 24.0, 168.0), factors=(4.0, 2.0, 1.0))
MODEL = Prior(
    words={"agent": (2.0, 1.0, 3.0), "survey": (2.0, -1.0, -3.0)},
    flags={"code": (0.5, 0.5)},
    bias=(2.0, -3.0),
    editor_votes=0.2,
    stars=(1.0, 0.5),
    growth=GROWTH,
    about={},
)
"""Expects e^2 - 1 = 6.4 votes of a paper of which it knows nothing, and e^3 - 1 = 19.1 of one about agents."""


def candidate(
    number: int,
    readings: Mapping[tuple[str, Metric], Sequence[tuple[datetime, int]]] | None = None,
    *,
    title: str = "",
    day: date = TODAY,
    first_seen_at: datetime = NOW,
    dated: bool = True,
    pinned: bool = False,
    key: str = "",
    field: str = "",
    **latest: int,
) -> Candidate:
    categories = (field,) if field else ()
    work = Work(title or f"Paper {number}", categories=categories, listed_on=day if dated else None)
    paper = Paper(number, key or f"arxiv:{number:04}", first_seen_at, work, pinned=pinned)
    values = {("hf", metric): [(NOW, value)] for metric, value in latest.items()}
    return Candidate(paper, {**values, **(readings or {})})  # type: ignore[dict-item]


def ranking(
    papers: Sequence[Candidate], weights: Mapping[str, float] = ALL, cadence: Cadence = "daily", now: datetime = NOW
) -> list[Ranked]:
    return rank(papers, now, TODAY, cadence, MODEL, weights)


def only(*signals: str) -> dict[str, float]:
    return dict.fromkeys(signals, 1.0)


def order(ranked: Sequence[Ranked]) -> list[int]:
    return [one.paper.id for one in ranked]


def term(ranked: Sequence[Ranked], paper_id: int, signal: str) -> tuple[Any, Any, str]:
    (one,) = [one for one in ranked if one.paper.id == paper_id]
    (found,) = [term for term in one.terms if term.signal == signal]
    return found.value, found.score, found.reason


def signals(ranked: Sequence[Ranked], paper_id: int) -> set[str]:
    return {term.signal for one in ranked if one.paper.id == paper_id for term in one.terms}


def trajectory(*points: tuple[float, int]) -> dict[tuple[str, Metric], list[tuple[datetime, int]]]:
    """Votes by hours before now."""
    return {("hf", "votes"): [(NOW - hours * HOUR, votes) for hours, votes in points]}


def test_more_votes_of_one_day_are_more() -> None:
    ranked = ranking([candidate(1, votes=3), candidate(2, votes=80), candidate(3, votes=20)], only("votes"))
    assert order(ranked) == [2, 3, 1]
    assert term(ranked, 2, "votes") == (80, 80.0, "80 upvotes")
    assert [one.rank for one in ranked] == [1, 2, 3]


def test_one_vote_is_said_in_the_singular_and_none_is_not_said() -> None:
    ranked = ranking([candidate(1, votes=1), candidate(2, votes=0)], only("votes"))
    assert term(ranked, 1, "votes")[2] == "1 upvote"
    assert term(ranked, 2, "votes") == (0, 0.0, "")


def test_the_prior_fades_while_the_list_is_open() -> None:
    # 19.1 votes expected, 1.5 / 6 hours of it after six hours.
    early = candidate(1, title="Agents", votes=3)
    assert term(ranking([early]), 1, "prior") == (
        pytest.approx(4.77, abs=0.01),
        pytest.approx(4.77, abs=0.01),
        "3 upvotes, 5 more expected",
    )
    later = candidate(1, {("hf", "votes"): [(NOW + 24 * HOUR, 30)]}, title="Agents")
    _, score, reason = term(ranking([later], now=NOW + 24 * HOUR), 1, "prior")
    assert (score, reason) == (pytest.approx(0.954, abs=0.01), "")


def test_hours_are_counted_to_the_reading_and_not_to_now() -> None:
    papers = [candidate(1, title="Agents", votes=3)]
    assert term(ranking(papers, now=NOW), 1, "prior") == term(ranking(papers, now=NOW + 12 * HOUR), 1, "prior")


def test_a_reading_from_before_the_list_began_counts_as_of_its_first_hour() -> None:
    early = candidate(1, {("hf", "votes"): [(NOW - 20 * HOUR, 3)]}, title="Agents")
    assert term(ranking([early]), 1, "prior")[0] == pytest.approx(1.5 * 19.086, abs=0.01)


def test_of_few_votes_the_paper_that_promises_more_comes_first_and_of_many_the_one_that_has_more() -> None:
    assert order(ranking([candidate(1, votes=3, title="A survey"), candidate(2, votes=2, title="Agents")])) == [2, 1]
    assert order(ranking([candidate(1, votes=30, title="A survey"), candidate(2, votes=20, title="Agents")])) == [1, 2]


def test_papers_of_different_ages_compare_by_what_they_will_have() -> None:
    yesterday = TODAY - timedelta(days=1)
    old, new = candidate(1, votes=30, day=yesterday), candidate(2, votes=20)
    ranked = ranking([old, new], only("votes", "prior", "outlook"))
    assert order(ranked) == [2, 1]
    more = 1.5 / 6 * (math.e**2 - 1)
    assert term(ranked, 2, "outlook")[:2] == (4.0, pytest.approx(3 * (20 + more), abs=1e-5))
    assert ranked[0].score == pytest.approx(4 * (20 + more), abs=1e-5)


def test_a_paper_that_nobody_voted_on_has_its_prior_and_says_nothing_of_votes() -> None:
    ranked = ranking([candidate(1, title="Agents")])
    assert signals(ranked, 1) == {"prior", "outlook", "editor", "freshness"}
    assert term(ranked, 1, "prior")[1] == pytest.approx(19.086, abs=0.01)


def test_missing_is_not_zero() -> None:
    assert order(ranking([candidate(1, votes=0), candidate(2)])) == [2, 1]


def test_a_paper_that_no_list_carries_is_worth_little() -> None:
    listed, ranked_by_a_page, unlisted = (
        candidate(1, title="Agents"),
        candidate(2, title="Agents", dated=False, rank=3),
        candidate(3, title="Agents", dated=False),
    )
    ranked = ranking([unlisted, listed, ranked_by_a_page], only("prior"))
    assert [one.score for one in ranked] == pytest.approx([19.086, 19.086, 1.9086], abs=0.01)
    assert ranked[-1].paper.id == 3


def test_undated_papers_without_a_reading_are_in_the_order_of_their_promise() -> None:
    ranked = ranking([candidate(n, title=title, dated=False) for n, title in enumerate(["A survey", "Agents", "Paper"])])
    assert order(ranked) == [1, 2, 0]
    assert all(one.score > 0 for one in ranked)


def test_a_weight_of_nothing_leaves_a_signal_out_and_so_does_its_absence() -> None:
    papers = [candidate(1, votes=5, stars=900), candidate(2, votes=9)]
    ranked = ranking(papers, {"votes": 1.0, "stars": 0.0})
    assert order(ranked) == [2, 1]
    assert signals(ranked, 1) == {"votes"}


def test_without_any_weight_everything_is_equal_and_the_newest_comes_first() -> None:
    ranked = ranking([candidate(1, day=TODAY - timedelta(days=3)), candidate(2)], {})
    assert [(one.paper.id, one.score, one.terms) for one in ranked] == [(2, 0, ()), (1, 0, ())]


def test_growth_is_half_of_what_came_faster_than_usual() -> None:
    fast, slow = candidate(1, trajectory((5, 10), (0, 100))), candidate(2, trajectory((5, 90), (0, 100)))
    ranked = ranking([fast, slow], only("growth"))
    assert order(ranked) == [1, 2]
    assert term(ranked, 1, "growth") == (pytest.approx(432), 45.0, "+90 votes in 5 h")


def test_what_is_usual_at_an_age_is_no_growth() -> None:
    day = TODAY - timedelta(days=1)  # at 6 h a factor of 4, at 30 h of less than 2: twice as many are usual
    usual = candidate(1, trajectory((24, 50), (0, 100)), day=day)
    assert term(ranking([usual], only("growth")), 1, "growth")[1:] == (0.0, "+50 votes in 24 h")


def test_growth_looks_back_two_days_and_no_further() -> None:
    ranked = ranking([candidate(1, trajectory((72, 0), (48, 100), (24, 101), (0, 104)))])
    assert term(ranked, 1, "growth")[::2] == (2.0, "+4 votes in 48 h")


def test_growth_of_long_ago_is_no_news() -> None:
    old = candidate(1, trajectory((264, 0), (240, 90)), day=TODAY - timedelta(days=11))
    assert "growth" not in signals(ranking([old]), 1)


def test_one_reading_or_two_within_an_hour_tell_no_growth() -> None:
    assert "growth" not in signals(ranking([candidate(1, trajectory((0, 50)))]), 1)
    assert "growth" not in signals(ranking([candidate(1, trajectory((0.5, 0), (0, 50)))]), 1)


def test_votes_that_were_taken_back_are_no_growth_and_no_reason() -> None:
    ranked = ranking([candidate(1, trajectory((24, 10), (0, 4)))])
    assert term(ranked, 1, "growth") == (-6.0, 0.0, "")


def test_comments_count_a_little() -> None:
    ranked = ranking([candidate(1, votes=9, comments=8), candidate(2, votes=10, comments=1)], only("votes", "comments"))
    assert order(ranked) == [1, 2]
    assert term(ranked, 1, "comments") == (8, 2.0, "8 comments")
    assert term(ranked, 2, "comments")[2] == ""


def test_stars_are_worth_the_votes_that_go_with_them_where_nobody_votes() -> None:
    ranked = ranking([candidate(1, stars=99), candidate(2, stars=99, votes=5), candidate(3, stars=0)], only("stars"))
    assert term(ranked, 1, "stars") == (99, pytest.approx(24.46, abs=0.01), "99 GitHub stars")
    assert term(ranked, 2, "stars")[1] == pytest.approx(24.46 / 20, abs=0.01)
    assert term(ranked, 3, "stars") == (0, 0.0, "")


def test_stars_that_came_lately_count_twice() -> None:
    fast = candidate(1, {("github", "stars"): [(NOW - 24 * HOUR, 10), (NOW, 99)]})
    ranked = ranking([fast, candidate(2, stars=99)], only("stars"))
    assert order(ranked) == [1, 2]
    assert term(ranked, 1, "stars")[2] == "+89 GitHub stars in 24 h"


def test_what_an_editor_chose_before_counts_and_is_said_if_it_is_likely() -> None:
    ranked = ranking([candidate(1, title="Agents", votes=20), candidate(2, title="Survey", votes=20)], only("editor"))
    assert order(ranked) == [1, 2]
    assert term(ranked, 1, "editor")[2] == "of the kind that an editor chose"
    assert term(ranked, 2, "editor")[2] == ""


def test_the_best_of_a_small_field_competes_with_the_best_of_the_large_one() -> None:
    large = [candidate(n, votes=n, field="cs.CV") for n in range(1, 61)]
    small = [candidate(100 + n, votes=n, field="q-bio") for n in range(1, 11)]
    ranked = ranking(large + small, only("votes", "standing"))
    place = {one.paper.id: one.rank for one in ranked}
    assert place[110] < place[20]
    assert ranked[0].paper.id == 60
    assert [place[100 + n] for n in range(1, 11)] == sorted((place[100 + n] for n in range(1, 11)), reverse=True)


def test_what_nobody_voted_on_is_lifted_by_no_field() -> None:
    large = [candidate(n, votes=n, field="cs.CV") for n in range(1, 61)]
    unvoted = [candidate(100 + n, field="q-bio") for n in range(10)]
    ranked = ranking(large + unvoted)
    assert all("standing" not in signals(ranked, 100 + n) for n in range(10))


def test_the_best_of_a_field_with_many_papers_is_told_so_by_its_day() -> None:
    today = [candidate(n, votes=n, field="cs.CL") for n in range(40)]
    before = [candidate(100 + n, votes=n, field="cs.CL", day=TODAY - timedelta(days=1)) for n in range(40)]
    few = [candidate(200 + n, votes=n, field="cs.RO") for n in range(10)]
    ranked = ranking(today + before + few)
    assert term(ranked, 39, "standing")[2] == "top 3% of cs.CL today"
    assert term(ranked, 139, "standing")[2] == "top 3% of cs.CL of its day"
    assert {term.reason for one in ranked if one.paper.id >= 200 for term in one.terms if term.signal == "standing"} <= {""}


def test_freshness_goes_by_the_day_and_never_by_the_hour() -> None:
    early = candidate(1, first_seen_at=datetime(2026, 11, 21, 0, 1, tzinfo=UTC), dated=False)
    late = candidate(2, first_seen_at=datetime(2026, 11, 21, 23, 59, tzinfo=UTC), dated=False)
    ranked = ranking([early, late])
    assert term(ranked, 1, "freshness") == term(ranked, 2, "freshness")
    assert term(ranked, 1, "freshness")[::2] == (1, "first seen yesterday")


def test_age_takes_away_half_in_two_days_and_a_date_in_the_future_is_today() -> None:
    ages = [0, 1, 2, 7, 13]
    ranked = ranking([candidate(n, day=TODAY - timedelta(days=n)) for n in ages])
    assert order(ranked) == ages
    assert [term(ranked, n, "freshness")[2] for n in ages] == ["new today", "new yesterday", "", "", ""]
    assert ranked[2].score == pytest.approx(ranked[0].score / 2, abs=1e-5)
    tomorrow = ranking([candidate(1, day=TODAY + timedelta(days=1))])
    assert term(tomorrow, 1, "freshness") == (0, 0.0, "new today")


def test_the_weekly_edition_does_not_ask_for_the_day() -> None:
    papers = [candidate(1, votes=80, day=TODAY - timedelta(days=6)), candidate(2, votes=12)]
    assert order(ranking(papers)) == [2, 1]
    weekly = ranking(papers, cadence="weekly")
    assert order(weekly) == [1, 2]
    assert "freshness" not in signals(weekly, 1)


def test_a_paper_that_takes_off_on_day_five_is_as_fresh_as_a_new_one() -> None:
    day = TODAY - timedelta(days=4)
    blooming = candidate(1, trajectory((90, 2), (24, 4), (0, 40)), day=day)
    known = candidate(2, trajectory((90, 30), (24, 36), (0, 40)), day=day)
    ranked = ranking([known, blooming])
    assert order(ranked) == [1, 2]
    assert term(ranked, 1, "growth")[2] == "took off on day 5: +36 votes in 24 h"
    assert term(ranked, 1, "freshness")[1] == 0.0
    assert term(ranked, 2, "growth")[2] == "+4 votes in 24 h"
    assert term(ranked, 2, "freshness")[1] < 0


@pytest.mark.parametrize(
    ("points", "days"),
    [(((24, 4), (0, 40)), 2), (((24, 0), (0, 9)), 5), (((24, 50), (0, 99)), 5), (((70, 4), (60, 40)), 5)],
    ids=["too young", "too few", "less than half", "not now"],
)
def test_what_only_grows_did_not_take_off(points: tuple[tuple[float, int], ...], days: int) -> None:
    grown = candidate(1, trajectory(*points), day=TODAY - timedelta(days=days))
    assert not any("took off" in term.reason for one in ranking([grown]) for term in one.terms)


def test_the_latest_reading_counts_and_of_several_sources_the_highest() -> None:
    one = candidate(1, {("hf", "votes"): [(NOW - 24 * HOUR, 99), (NOW, 4)], ("alphaxiv", "votes"): [(NOW, 7)]})
    assert numbers(one) == {"votes": 7}
    assert term(ranking([one]), 1, "votes")[0] == 7


def test_numbers_name_no_metric_that_nobody_measured() -> None:
    assert numbers(candidate(1, votes=0, citations=3, rank=1)) == {"votes": 0, "citations": 3}


def test_a_pinned_paper_comes_first_whatever_its_score() -> None:
    ranked = ranking([candidate(1, votes=500), candidate(2, pinned=True, votes=0)])
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
    assert order(ranking(papers, {})) == [2, 1, 4, 3]


def test_no_count_is_too_large_to_be_ranked() -> None:
    papers = [candidate(1, votes=10**400, stars=10**400, comments=10**400), candidate(2, votes=5)]
    ranked = ranking(papers)
    assert order(ranked) == [1, 2]
    assert all(isfinite(term.score) for one in ranked for term in one.terms)


def test_readings_of_the_future_and_papers_of_the_future_are_ranked() -> None:
    far = NOW + timedelta(days=900)
    papers = [candidate(1, {("hf", "votes"): [(NOW, 3), (far, 9)]}, day=date(2030, 1, 1)), candidate(2, votes=1)]
    assert all(isfinite(one.score) for one in ranking(papers))


POINTS = st.lists(
    st.tuples(
        st.integers(-48, 20 * 24).map(lambda hours: NOW - hours * HOUR),
        st.one_of(st.integers(0, 200), st.integers(-5, 10**7), st.just(10**400)),
    ),
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
            title=draw(st.sampled_from(["Agents", "A survey", "", "Code"])),
            day=TODAY - timedelta(days=draw(st.integers(-1, 14))),
            dated=draw(st.booleans()),
            pinned=draw(st.sampled_from([False, False, False, True])),
            field=draw(st.sampled_from(["", "cs.CL", "cs.CV"])),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


WEIGHTS = st.fixed_dictionaries(dict.fromkeys(SIGNALS, st.sampled_from([0.0, 0.2, 1.0, 3.0])))
CADENCE: st.SearchStrategy[Cadence] = st.sampled_from(["daily", "weekly"])


@given(cohorts(), WEIGHTS, CADENCE, st.randoms(use_true_random=False))
@settings(max_examples=80, derandomize=True, deadline=None)
def test_a_ranking_is_total_and_forgets_the_order_of_its_input(
    papers: list[Candidate], weights: dict[str, float], cadence: Cadence, random: object
) -> None:
    ranked = ranking(papers, weights, cadence)
    shuffled = list(papers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ranking(shuffled, weights, cadence) == ranked
    assert sorted(order(ranked)) == sorted(one.paper.id for one in papers)
    assert [one.rank for one in ranked] == list(range(1, len(papers) + 1))


@given(cohorts(), WEIGHTS, CADENCE)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_a_score_is_the_finite_sum_of_its_terms_and_only_age_takes_away(
    papers: list[Candidate], weights: dict[str, float], cadence: Cadence
) -> None:
    ranked = ranking(papers, weights, cadence)
    unpinned = [one.score for one in ranked if not one.paper.pinned]
    assert unpinned == sorted(unpinned, reverse=True)
    for one in ranked:
        assert isfinite(one.score)
        assert one.score == pytest.approx(sum(term.score for term in one.terms), rel=1e-9, abs=1e-5)
        assert one.score >= -1e-5
        assert all(term.score >= 0 or term.signal == "freshness" for term in one.terms)
        assert all(term.value is not None for term in one.terms if term.reason)
        assert len({term.signal for term in one.terms}) == len(one.terms)
        assert [term.score for term in one.terms] == sorted((term.score for term in one.terms), reverse=True)


GERMAN = Environments().tongue("de")


@given(cohorts(), CADENCE)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_every_reason_is_one_that_mails_can_say_in_other_languages(papers: list[Candidate], cadence: Cadence) -> None:
    reasons = {term.reason for one in ranking(papers, ALL, cadence) for term in one.terms if term.reason}
    assert [reason for reason in reasons if said(reason, GERMAN) == reason] == []


def test_nobody_is_told_the_place_of_a_paper_that_nobody_voted_for_yet() -> None:
    announced = [candidate(100 + n, field="cs.CL") for n in range(60)]
    ranked = ranking([candidate(n, votes=0, comments=n, field="cs.CL") for n in range(1, 13)] + announced)
    assert {term.reason for one in ranked for term in one.terms if term.signal == "standing"} <= {""}


def test_the_first_of_a_days_list_are_told_their_places() -> None:
    ranked = ranking([candidate(n, votes=n) for n in range(1, 13)])
    assert term(ranked, 12, "standing")[2] == "no. 1 of 12 listed today"
    assert term(ranked, 8, "standing")[2] == "no. 5 of 12 listed today"
    assert "standing" not in signals(ranked, 7)
    few = ranking([candidate(n, votes=n) for n in range(1, 5)])
    assert "standing" not in signals(few, 4)


def test_the_greatest_weights_that_may_be_set_make_no_score_that_is_none() -> None:
    with pytest.raises(ValidationError):
        RankingWeights(votes=1e308)
    weights = RankingWeights(**dict.fromkeys(SIGNALS, 1e6)).model_dump()
    papers = [candidate(number, votes=10**30, comments=10**30, stars=10**30) for number in range(3)]
    assert all(isfinite(one.score) and one.score > 0 for one in ranking(papers, weights))
