"""Scores in words."""

from datetime import UTC, date, datetime

import pytest

from digest.edition.model import Appearance, Entry
from digest.papers.model import Work
from digest.ranking import trending
from digest.ranking.model import Term
from digest.ranking.settings import RankingWeights
from digest.rendering.scores import MEANINGS, NAMES, appearance_view, measured, signal_views, signed


def test_every_signal_has_a_name_and_a_meaning() -> None:
    assert tuple(NAMES) == tuple(MEANINGS) == trending.SIGNALS


def test_the_meanings_say_the_numbers_that_ranking_goes_by() -> None:
    hours = trending.GROWTH_WITHIN.total_seconds() / 3600
    assert f"last {hours:.0f} hours" in MEANINGS["growth"]
    assert (trending.GOES_ON, trending.VOTES_A_COMMENT, trending.FROM_STARS) == (1 / 2, 1 / 4, 1 / 20)
    assert (trending.EDITORS_CHOICE, trending.HALF_LIFE_DAYS) == (10, 2)


def test_a_signal_that_does_not_count_is_not_explained() -> None:
    weights = RankingWeights(stars=0, growth=0.5).model_dump()
    shown = {one.name: one.weight for one in signal_views(weights)}
    assert "GitHub stars" not in shown
    assert shown["Growth"] == "0.5"
    assert shown["Upvotes"] == "1"


@pytest.mark.parametrize(
    ("signal", "value", "shown"),
    [
        ("votes", 1234, "1,234"),
        ("prior", 4.24, "4.2"),
        ("outlook", 1.94, "× 1.9"),
        ("growth", 90.4, "90 a day"),
        ("editor", 0.29, "29%"),
        ("standing", 0.0201, "top 3%"),
        ("freshness", 0, "0 days"),
        ("freshness", 1, "1 day"),
        ("of an older program", 3, "3"),
        ("stars", None, ""),
    ],
)
def test_what_was_measured_is_told_in_its_own_unit(signal: str, value: float | None, shown: str) -> None:
    assert measured(Term(signal, value, 1.0)) == shown


@pytest.mark.parametrize(("score", "shown"), [(12.34, "+12.3"), (-4.2, "−4.2"), (0.0, "0"), (-0.04, "0"), (1234.5, "+1,234.5")])
def test_an_addend_has_its_sign(score: float, shown: str) -> None:
    assert signed(score) == shown


def test_an_appearance_tells_every_term_in_words() -> None:
    terms = (Term("votes", 12, 12.0, "12 upvotes"), Term("freshness", 2, -4.0), Term("other", None, 0.5, "$\\alpha$\x07"))
    entry = Entry(7, frozenset(), 3, 8.46, terms, Work("On graphs"), date(2026, 11, 20), {})
    frozen_at = datetime(2026, 11, 22, 6, tzinfo=UTC)
    view = appearance_view(Appearance(date(2026, 11, 22), "weekly", frozen_at, 1480, entry), "/archive/week/2026-11-22")
    assert (view.date, view.weekly, view.place, view.score) == ("Sunday, 22 November 2026", True, "no. 3 of 1,480", "8.5")
    assert [(one.name, one.measured, one.score, one.reason) for one in view.terms] == [
        ("Upvotes", "12", "+12.0", "12 upvotes"),
        ("Age", "2 days", "−4.0", ""),
        ("other", "", "+0.5", "α"),
    ]
