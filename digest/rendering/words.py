"""Numbers, dates and lists as a reader says them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from digest.rendering.model import NumberView
from digest.rendering.tongue import ENGLISH, Tongue, counted, messages

_WEEKDAYS = messages("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = messages(
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
    "votes": counted("upvote", "upvotes"),
    "comments": counted("comment", "comments"),
    "stars": counted("star", "stars"),
    "citations": counted("citation", "citations"),
}
_THOUSANDS, _MILLIONS = messages("%(number)sk", "%(number)sM")
WORDS_A_MINUTE = 220


def on(day: date, tongue: Tongue = ENGLISH) -> str:
    """`22 November 2026`, whatever the machine's locale."""
    month = tongue.say(_MONTHS[day.month - 1])
    if day.day == 1:  # French has a word of its own for it
        return tongue.say("1 %(month)s %(year)s", month=month, year=day.year)
    return tongue.say("%(day)s %(month)s %(year)s", day=day.day, month=month, year=day.year)


def month(day: date) -> str:
    """`November 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def on_weekday(day: date, tongue: Tongue = ENGLISH) -> str:
    """`Sunday, 22 November 2026`."""
    return tongue.say("%(weekday)s, %(date)s", weekday=tongue.say(_WEEKDAYS[day.weekday()]), date=on(day, tongue))


def at_hour(moment: datetime, zone: str = "", tongue: Tongue = ENGLISH) -> str:
    """`on Monday at 07:30`, and `on Monday at 07:30 (Europe/Berlin)` where the zone is told."""
    said = tongue.say("on %(weekday)s at %(time)s", weekday=tongue.say(_WEEKDAYS[moment.weekday()]), time=f"{moment:%H:%M}")
    return f"{said} ({zone})" if zone else said


def figure(count: int, tongue: Tongue = ENGLISH) -> str:
    """A count as it is read at a glance.

    >>> figure(999), figure(1234), figure(12_345), figure(1_200_000)
    ('999', '1.2k', '12k', '1.2M')
    """
    for size, unit in ((1_000_000, _MILLIONS), (1000, _THOUSANDS)):
        # From 999,500 on, thousands would be rounded to 1000k.
        if count >= size or (size > 1000 and count >= 999_500):
            short = f"{count / size:.1f}" if count < 9.95 * size else f"{count / size:.0f}"
            return tongue.say(unit, number=tongue.number(short.removesuffix(".0")))
    return str(count)


def numbers(counts: Mapping[str, int], tongue: Tongue = ENGLISH) -> tuple[NumberView, ...]:
    """The counts that a reader understands, in a fixed order; one that is nought says nothing."""
    return tuple(
        NumberView(figure(counts[metric], tongue), tongue.count(*words, counts[metric]))
        for metric, words in _COUNTED.items()
        if counts.get(metric, 0) > 0
    )


def listing(items: Sequence[str], tongue: Tongue = ENGLISH) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(items) < 2:
        return "".join(items)
    return tongue.say("%(some)s and %(last)s", some=", ".join(items[:-1]), last=items[-1])


def minutes(words: int) -> int:
    """How long that many words take to read."""
    return max(1, round(words / WORDS_A_MINUTE))
