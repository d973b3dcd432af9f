"""Attention over time, drawn and in a table."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.papers.model import METRICS, Metric, Reading
from digest.rendering.attention import HEIGHT, MARGIN, ROWS, WIDTH, attention_view

BEGIN = datetime(2026, 11, 20, 6, tzinfo=UTC)


def at(hours: float, value: int, metric: Metric = "votes", source: str = "hf") -> Reading:
    return Reading(source, metric, value, BEGIN + timedelta(hours=hours))


def test_what_nobody_counted_is_not_shown() -> None:
    assert attention_view([]) is None
    assert attention_view([at(0, 1, "rank")]) is None


def test_one_count_is_a_row_and_no_line() -> None:
    view = attention_view([at(0, 3)])
    assert view is not None
    assert view.chart is None
    assert view.rows == (("20 November 2026, 06:00", ("3",)),)


def test_the_line_goes_from_the_first_count_to_the_last_above_nought() -> None:
    view = attention_view([at(0, 0), at(24, 50), at(48, 100)])
    assert view is not None
    assert view.chart is not None
    assert view.chart.points == f"6.0,{HEIGHT - MARGIN:.1f} 300.0,{HEIGHT / 2:.1f} 594.0,6.0"
    assert view.chart.title == "Upvotes over time"
    assert view.chart.description == "From 0 on 20 November 2026 to 100 on 22 November 2026."


def test_the_table_has_a_column_for_each_metric_and_the_latest_first() -> None:
    view = attention_view([at(0, 3), at(1, 1200), at(1, 40, "stars", "github"), at(2, 7, "rank")])
    assert view is not None
    assert view.heads == ("Upvotes", "GitHub stars")
    assert view.rows == (("20 November 2026, 07:00", ("1,200", "40")), ("20 November 2026, 06:00", ("3", "")))


def test_of_two_sources_the_one_that_counted_most_is_shown() -> None:
    view = attention_view([at(0, 5), at(1, 6), at(0, 50, source="s2"), at(1, 60, source="s2")])
    assert view is not None
    assert [cells for _, cells in view.rows] == [("60",), ("50",)]


def test_many_counts_are_told_by_the_day() -> None:
    view = attention_view([at(hour, hour) for hour in range(24 * 10)])
    assert view is not None
    assert view.daily
    assert view.rows[0] == ("30 November 2026", ("239",))
    assert view.rows[-1] == ("20 November 2026", ("17",))
    assert len(view.rows) == 11


def test_more_counts_than_rows_within_some_days_are_told_by_hours() -> None:
    view = attention_view([at(hour, hour) for hour in range(30)])
    assert view is not None
    assert not view.daily
    assert view.rows[0] == ("21 November 2026, 11:00", ("29",))
    assert len(view.rows) == 5


@given(
    st.lists(
        st.builds(
            at,
            st.floats(-1000, 1000),
            st.integers(-5, 2**63 - 1),
            st.sampled_from(METRICS),
            st.sampled_from(["a", "b"]),
        ),
        max_size=60,
    )
)
def test_whatever_was_counted_stays_within_the_drawing(readings: list[Reading]) -> None:
    view = attention_view(readings)
    counted = [one for one in readings if one.metric != "rank"]
    assert (view is None) == (not counted)
    if view is None:
        return
    assert view.rows
    assert len(view.rows) <= ROWS or view.daily
    assert all(len(cells) == len(view.heads) for _, cells in view.rows)
    if view.chart:
        for point in view.chart.points.split(" "):
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
