"""Small charts of bars, as numbers for `templates/web/operator/bars.html` to draw; every bar has its number."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 132
TOP, BOTTOM = 22, 108
"""Between which bars stand; numbers are above them, names below."""
ROOM = 5
"""For so many bars there is room at least: a lone one is a bar still, and no wall."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. Lengths are in units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    shown: str
    """The number, as it is written above."""
    name: str
    """What it is of, as it is written below."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, and the same in words for who cannot see it."""

    id: str
    title: str
    said: str
    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = BOTTOM


def chart(name: str, title: str, values: Sequence[tuple[str, float | None, str]]) -> Chart:
    """A chart of (name, number, the number as it is written), in this order.

    Args:
        name: tells its drawing from others of the page: a word.
        title: what the numbers are.
        values: a number that is None is not known, and has no bar. None is below nought.
    """
    step = WIDTH / max(len(values), ROOM)
    most = max((number for _, number, _ in values if number), default=0)
    bars = []
    for at, (of, number, shown) in enumerate(values):
        # What is more than nought is seen, however little it is beside the others.
        height = max((BOTTOM - TOP) * number / most, 1.5) if number and most else 0.0
        left = at * step
        bars.append(
            Bar(
                x=round(left + step * 0.14, 1),
                y=round(BOTTOM - height, 1),
                width=round(step * 0.72, 1),
                height=round(height, 1),
                middle=round(left + step / 2, 1),
                shown=shown,
                name=of,
            )
        )
    return Chart(name, title, "; ".join(f"{of}: {shown}" for of, _, shown in values), tuple(bars))
