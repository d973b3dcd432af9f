"""What attention a paper got, over time: a line for the eye, and the same numbers in a table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.papers.model import Metric, Reading
from digest.ranking.model import Trajectory
from digest.rendering.words import on

SHOWN: Mapping[Metric, str] = {"votes": "Upvotes", "comments": "Comments", "stars": "GitHub stars", "citations": "Citations"}
"""The metrics that are counts, in their order."""
WIDTH, HEIGHT, MARGIN = 600, 180, 6
"""Of the drawing, in units of its own; it is as wide as the page."""
ROWS = 24
STEPS = (1, 3600, 6 * 3600, DAY := 24 * 3600)
"""Seconds that a row stands for: the fewest of these that make no more than so many rows, and else a day."""
DOTS = 40
"""Where there are more readings, the line is enough."""


@dataclass(frozen=True, slots=True)
class ChartView:
    """A line from the first reading to the last, above nought; `top` tells its height."""

    title: str
    description: str
    top: str
    begins: str
    ends: str
    points: str
    dots: tuple[tuple[str, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = HEIGHT - MARGIN
    ceiling: int = MARGIN


@dataclass(frozen=True, slots=True)
class AttentionView:
    """`rows`: when, and a cell for each of `heads`; empty where nobody counted then. The latest stands first."""

    chart: ChartView | None
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    daily: bool
    """Whether a row is the last count of a day."""


def attention_view(readings: Iterable[Reading]) -> AttentionView | None:
    """What is shown of the readings of a paper; None where nobody counted anything. Times are in UTC."""
    trajectories = _telling(readings)
    if not trajectories:
        return None
    drawn = next((metric for metric, line in trajectories.items() if len(line) > 1), None)
    moments = {at for line in trajectories.values() for at, _ in line}
    step = next((step for step in STEPS if len({_part(at, step) for at in moments}) <= ROWS), DAY)
    last = {_part(at, step): at for at in sorted(moments)}
    table = {metric: {_part(at, step): value for at, value in line} for metric, line in trajectories.items()}
    return AttentionView(
        chart=_chart(SHOWN[drawn], trajectories[drawn]) if drawn else None,
        heads=tuple(SHOWN[metric] for metric in trajectories),
        rows=tuple(
            (_label(at, daily=step == DAY), tuple(_cell(cells.get(part)) for cells in table.values()))
            for part, at in reversed(last.items())
        ),
        daily=step == DAY,
    )


def _telling(readings: Iterable[Reading]) -> dict[Metric, Trajectory]:
    """Of each metric, the readings of the source that counted most in the end: the one that is ranked by."""
    lines: dict[tuple[Metric, str], list[tuple[datetime, int]]] = {}
    for one in sorted(readings, key=lambda one: (one.taken_at, one.source)):
        lines.setdefault((one.metric, one.source), []).append((one.taken_at, max(0, one.value)))
    found: dict[Metric, Trajectory] = {}
    for metric in SHOWN:
        mine = [line for (of, _), line in sorted(lines.items()) if of == metric]
        if mine:
            found[metric] = max(mine, key=lambda line: line[-1][1])
    return found


def _chart(what: str, line: Trajectory) -> ChartView:
    (first, least), (last, most) = line[0], line[-1]
    top = max(value for _, value in line)
    points = list(_placed(line, top))
    return ChartView(
        title=f"{what} over time",
        description=f"From {least:,} on {on(first.date())} to {most:,} on {on(last.date())}.",
        top=f"{what}, up to {top:,}",
        begins=on(first.date()),
        ends=on(last.date()),
        points=" ".join(f"{x},{y}" for x, y in points),
        dots=tuple(points) if len(points) <= DOTS else tuple(points[-1:]),
    )


def _placed(line: Trajectory, top: int) -> Iterable[tuple[str, str]]:
    """Where each reading lies in the drawing, whose ground is nought."""
    begin = line[0][0]
    span = (line[-1][0] - begin).total_seconds() or 1.0
    for at, value in line:
        x = MARGIN + (WIDTH - 2 * MARGIN) * (at - begin).total_seconds() / span
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / max(1, top)
        yield f"{x:.1f}", f"{y:.1f}"


def _part(at: datetime, step: int) -> int:
    """The number of the row that a moment falls into."""
    return int(at.timestamp() // step)


def _label(at: datetime, *, daily: bool) -> str:
    return on(at.date()) if daily else f"{on(at.date())}, {at:%H:%M}"


def _cell(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
