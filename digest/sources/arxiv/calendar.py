"""When arXiv announces papers, as data and pure functions (https://info.arxiv.org/help/availability.html).

Announcements are made at 20:00 US Eastern time from Sunday to Thursday. The feed of an announcement is dated the day after it,
Monday to Friday, and is there from 00:00 Eastern time of that day on. On the days without mailing there is none.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")
SLACK = timedelta(hours=1)
"""How much later than midnight a feed may be built and is not late."""
DEADLINE = time(14)
"""Until when a paper must be submitted to be announced the same evening."""
NO_MAILING = (
    "2026-01-01",
    "2026-01-19",
    "2026-06-19",
    "2026-07-03",
    "2026-09-07",
    "2026-11-26",
    "2026-12-25",
    "2026-12-29",
    "2026-12-31",
    "2027-01-01",
)
_MONDAY, _TUESDAY, _SATURDAY = 0, 1, 5
_LONGEST_BREAK = 14
"""Days: no break of arXiv is longer."""


def today(now: datetime) -> date:
    """The day at arXiv."""
    return now.astimezone(ZONE).date()


def end_of_today(now: datetime) -> datetime:
    """The last moment of the day at arXiv."""
    return datetime.combine(today(now), time.max, ZONE)


def feeds_due(after: date | None, now: datetime, no_mailing: Collection[date]) -> list[date]:
    """The dates of the feeds later than `after` that should be there by `now`, oldest first; with None the latest alone.

    None is due on a day without mailing, nor on the day after it: whether the evening before it or its own is meant differs,
    and an alarm must never be false.
    """
    last = (now - SLACK).astimezone(ZONE).date()
    first = after + timedelta(days=1) if after else last - timedelta(days=_LONGEST_BREAK)
    due = [day for day in _days(first, last) if is_due(day, no_mailing)]
    return due if after else due[-1:]


def next_due(now: datetime, no_mailing: Collection[date]) -> date | None:
    """The date of the first feed that is due later than `now`; None if none is for weeks."""
    first = (now - SLACK).astimezone(ZONE).date() + timedelta(days=1)
    return next((day for day in _days(first, first + timedelta(days=_LONGEST_BREAK)) if is_due(day, no_mailing)), None)


def is_due(day: date, no_mailing: Collection[date]) -> bool:
    """Whether a feed of this date is surely to be expected."""
    return day.weekday() < _SATURDAY and day not in no_mailing and day - timedelta(days=1) not in no_mailing


def may_be_missed(after: date, before: date) -> bool:
    """Whether a feed may have been dated between the two days, expected or not."""
    return any(day.weekday() < _SATURDAY for day in _days(after + timedelta(days=1), before - timedelta(days=1)))


def submitted_since(day: date) -> datetime:
    """From when on most papers of this date's feed were submitted: over a weekend, or since the day before yesterday."""
    back = 4 if day.weekday() in (_MONDAY, _TUESDAY) else 2
    return datetime.combine(day - timedelta(days=back), DEADLINE, ZONE)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
