"""When is an edition due, and when is a reader? Pure functions of zones, hours, days and cadence.

A local time that does not exist (the clock jumps over it) means the first valid minute after it; one that comes twice
means the first. All instants are UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.subscribers.model import CADENCES, Cadence, Preferences

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When editions are frozen: each date at `publish_at` in `zone`, the weekly one on weekday `weekly_on` (0 is Monday)."""

    zone: str = "UTC"
    publish_at: time = time(6)
    weekly_on: int = 0
    catch_up: timedelta = timedelta(hours=12)

    def freezing_of(self, on: date) -> datetime:
        """The instant from which the editions of a date are due to be frozen."""
        return instant(on, self.publish_at, self.zone)

    def appears(self, on: date, cadence: Cadence) -> bool:
        """Whether an edition of this cadence appears on a date."""
        return cadence == "daily" or on.weekday() == self.weekly_on

    def date_at(self, now: datetime) -> date:
        """The date that it is where editions are made."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def due_editions(self, now: datetime, on: date | None = None) -> list[tuple[date, Cadence]]:
        """The editions of today that should be frozen by now, or those of `on` whatever the hour; whether or not they are."""
        day = on or self.date_at(now)
        if on is None and now < self.freezing_of(day):
            return []
        return [(day, cadence) for cadence in CADENCES if self.appears(day, cadence)]

    def next_freezing(self, now: datetime) -> datetime:
        """The first freezing after now."""
        today = self.date_at(now)
        return next(at for n in range(3) if (at := self.freezing_of(today + timedelta(days=n))) > now)

    def edition_for(self, due_at: datetime, cadence: Cadence) -> date:
        """The date of the edition that a due time belongs to: the last whose freezing is at or before it."""
        on = self.date_at(due_at) + timedelta(days=1)
        while not (self.appears(on, cadence) and self.freezing_of(on) <= due_at):
            on -= timedelta(days=1)
        return on


def instant(on: date, at: time, zone: str) -> datetime:
    """The instant at which a clock in `zone` first shows `at` on a date, or the first valid minute after it (RFC 5545 3.3.5
    differs for the gap: it would move by the length of the gap)."""
    local = datetime.combine(on, at.replace(second=0, microsecond=0, fold=0), ZoneInfo(zone))
    utc = local.astimezone(UTC)
    if utc.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return utc
    # The time lies in a gap: its two readings (with the offset after and before the jump) enclose the jump itself.
    low, high = int(local.replace(fold=1).timestamp()), int(local.timestamp())
    before = datetime.fromtimestamp(low, local.tzinfo).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if datetime.fromtimestamp(middle, local.tzinfo).utcoffset() == before else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def due_times(preferences: Preferences, after: datetime) -> Iterator[datetime]:
    """A reader's due times after an instant, in order; none for a reader without an hour or without a day."""
    if preferences.hour is None or not preferences.days:
        return
    zone = ZoneInfo(preferences.zone)
    on = after.astimezone(zone).date()
    last = after
    while True:
        if on.weekday() in preferences.days:
            due = instant(on, preferences.hour, preferences.zone)
            if due > last:
                last = due
                yield due
        on += timedelta(days=1)


def next_due(preferences: Preferences, after: datetime) -> datetime | None:
    """The first due time after an instant; None where there is none."""
    return next(due_times(preferences, after), None)


def latest_due(preferences: Preferences, first: datetime, now: datetime) -> datetime:
    """The latest due time not after now, given one (`first <= now`) that is known to be due."""
    latest = first
    for due in due_times(preferences, max(first, now - 2 * WEEK)):
        if due > now:
            break
        latest = due
    return latest


def reads_on(preferences: Preferences, on: date) -> bool:
    """Whether an edition's date is one of a reader's days; a weekly edition is for every weekly reader."""
    return preferences.cadence == "weekly" or on.weekday() in preferences.days
