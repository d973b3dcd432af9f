"""Numbers, dates and lists as a reader says them."""

from collections.abc import Mapping, Sequence
from datetime import date

from digest.rendering.model import NumberView

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_COUNTED = {
    "votes": ("upvote", "upvotes"),
    "comments": ("comment", "comments"),
    "stars": ("star", "stars"),
    "citations": ("citation", "citations"),
}
WORDS_A_MINUTE = 220


def on(day: date) -> str:
    """`22 November 2026`, whatever the machine's locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def month(day: date) -> str:
    """`November 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def on_weekday(day: date) -> str:
    """`Sunday, 22 November 2026`."""
    return f"{_WEEKDAYS[day.weekday()]}, {on(day)}"


def figure(count: int) -> str:
    """A count as it is read at a glance.

    >>> figure(999), figure(1234), figure(12_345), figure(1_200_000)
    ('999', '1.2k', '12k', '1.2M')
    """
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        # From 999,500 on, thousands would be rounded to 1000k.
        if count >= size or (size > 1000 and count >= 999_500):
            short = f"{count / size:.1f}" if count < 9.95 * size else f"{count / size:.0f}"
            return short.removesuffix(".0") + unit
    return str(count)


def numbers(counts: Mapping[str, int]) -> tuple[NumberView, ...]:
    """The counts that a reader understands, in a fixed order; one that is nought says nothing."""
    return tuple(
        NumberView(figure(counts[metric]), words[counts[metric] != 1])
        for metric, words in _COUNTED.items()
        if counts.get(metric, 0) > 0
    )


def listing(items: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def minutes(words: int) -> int:
    """How long that many words take to read."""
    return max(1, round(words / WORDS_A_MINUTE))
