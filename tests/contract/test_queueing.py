"""Who gets a row when: the store's part of being due, through the flow that asks it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from contract.world import HOUR, NOW, TODAY, World, together

from digest.edition.calendar import Schedule, next_due
from digest.flows.queueing import queue_due
from digest.store.schema import delivery, subscriber
from digest.subscribers.model import Preferences

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SIX = datetime.combine(TODAY, time(6), UTC)
SCHEDULE = Schedule(publish_at=time(6), weekly_on=0)


def queue(world: World, now: datetime, schedule: Schedule = SCHEDULE) -> int:
    return queue_due(world.store, schedule, now)


def rows(world: World) -> list[tuple[int, int, datetime]]:
    """(edition, subscriber, due_at) of every row."""
    with world.store.read() as connection:
        found = connection.execute(delivery.select().order_by(delivery.c.id))
        return [(row.edition_id, row.subscriber_id, row.due_at) for row in found]


def next_due_at(world: World, reader: int) -> datetime | None:
    found: datetime | None = world.row(reader, subscriber).next_due_at
    return found


def at_eight(world: World, name: str = "ann", due: datetime = NOW, **columns: Any) -> int:
    return world.reader(name, hour=time(8), next_due_at=due, **columns)


def test_a_reader_is_queued_at_his_hour_and_his_next_due_time_is_tomorrow(world: World) -> None:
    ann, issue = at_eight(world), world.edition()
    assert queue(world, NOW - MINUTE) == 0
    assert next_due_at(world, ann) == NOW
    assert queue(world, NOW) == 1
    assert rows(world) == [(issue, ann, NOW)]
    assert next_due_at(world, ann) == NOW + DAY


def test_queueing_again_queues_nothing(world: World) -> None:
    at_eight(world)
    world.reader("nohour")
    world.edition(frozen_at=SIX)
    assert queue(world, NOW) == 2
    assert [queue(world, NOW + n * MINUTE) for n in range(3)] == [0, 0, 0]
    assert len(rows(world)) == 2


def test_a_reader_whose_edition_is_not_frozen_yet_waits_for_it(world: World) -> None:
    ann = at_eight(world)
    assert queue(world, NOW) == 0
    assert queue(world, NOW + 3 * HOUR) == 0
    assert next_due_at(world, ann) == NOW
    issue = world.edition(frozen_at=NOW + 3 * HOUR)
    assert queue(world, NOW + 3 * HOUR) == 1
    assert rows(world) == [(issue, ann, NOW)]
    assert next_due_at(world, ann) == NOW + DAY


def test_a_reader_waits_no_longer_than_there_is_time_to_catch_up(world: World) -> None:
    ann = at_eight(world)
    assert queue(world, NOW + 12 * HOUR) == 0
    assert next_due_at(world, ann) == NOW
    assert queue(world, NOW + 12 * HOUR + MINUTE) == 0
    assert next_due_at(world, ann) == NOW + DAY
    world.edition(frozen_at=NOW + 13 * HOUR)
    assert queue(world, NOW + 13 * HOUR) == 0


def test_an_empty_edition_is_handled_and_gives_no_row(world: World) -> None:
    ann = at_eight(world)
    world.reader("nohour")
    world.edition(papers=(), empty_because="no paper was seen", frozen_at=SIX)
    assert queue(world, NOW) == 0
    assert next_due_at(world, ann) == NOW + DAY
    assert rows(world) == []


def test_after_an_outage_only_the_latest_due_time_counts(world: World) -> None:
    ann = at_eight(world, due=NOW - 5 * DAY)
    issues = [world.edition(TODAY - n * DAY) for n in (2, 1, 0)]
    assert queue(world, NOW + HOUR) == 1
    assert rows(world) == [(issues[-1], ann, NOW)]
    assert next_due_at(world, ann) == NOW + DAY


def test_a_late_riser_before_publishing_gets_yesterdays_edition(world: World) -> None:
    early = SIX - 3 * HOUR
    ann = world.reader("ann", hour=time(3), next_due_at=early)
    yesterday = world.edition(TODAY - DAY)
    assert queue(world, early) == 1
    assert rows(world) == [(yesterday, ann, early)]


def test_a_reader_gets_an_edition_at_his_own_hour_in_his_own_zone(world: World) -> None:
    issue = world.edition()
    wish = Preferences(zone="Asia/Tokyo", hour=time(8))
    due = next_due(wish, SIX)
    assert due == datetime(2026, 11, 22, 23, tzinfo=UTC)
    tokyo = world.reader("tokyo", hour=time(8), zone="Asia/Tokyo", next_due_at=due)
    assert queue(world, due - MINUTE) == 0
    assert queue(world, due) == 1
    assert rows(world) == [(issue, tokyo, due)]


def test_a_reader_in_two_zones_days_of_change_is_due_once_a_day(world: World) -> None:
    berlin = world.reader(
        "berlin", hour=time(2, 30), zone="Europe/Berlin", next_due_at=datetime(2026, 10, 24, 0, 30, tzinfo=UTC)
    )
    for day in range(22, 28):
        world.edition(date(2026, 10, day))
    start = datetime(2026, 10, 24, tzinfo=UTC)
    for step in range(3 * 24 * 4):
        queue(world, start + step * timedelta(minutes=15))
    assert [due for _, reader, due in rows(world) if reader == berlin] == [
        datetime(2026, 10, 24, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_reader_is_not_due_on_days_on_which_he_does_not_read(world: World) -> None:
    weekdays = world.reader("ann", hour=time(8), days=range(5), next_due_at=NOW - 2 * DAY)
    friday = world.edition(TODAY - 2 * DAY)
    world.edition(TODAY - DAY)
    world.edition(TODAY)
    assert queue(world, NOW - 2 * DAY) == 1
    assert next_due_at(world, weekdays) == NOW + DAY
    assert queue(world, NOW) == 0
    assert rows(world) == [(friday, weekdays, NOW - 2 * DAY)]


def test_a_weekly_reader_gets_each_weekly_edition_once_at_his_next_due_time(world: World) -> None:
    monday = TODAY - 6 * DAY
    weekly = world.reader("ann", hour=time(8), cadence="weekly", next_due_at=NOW - 6 * DAY)
    issue = world.edition(monday, "weekly")
    for day in range(7):
        world.edition(monday + day * DAY)
    assert [queue(world, NOW + (day - 6) * DAY) for day in range(7)] == [1, 0, 0, 0, 0, 0, 0]
    assert rows(world) == [(issue, weekly, NOW - 6 * DAY)]
    assert next_due_at(world, weekly) == NOW + DAY


def test_a_weekly_reader_of_one_day_gets_the_edition_on_that_day(world: World) -> None:
    issue = world.edition(TODAY - 6 * DAY, "weekly")
    sundays = world.reader("ann", hour=time(8), days=[6], cadence="weekly", next_due_at=NOW)
    assert queue(world, NOW - DAY) == 0
    assert queue(world, NOW) == 1
    assert rows(world) == [(issue, sundays, NOW)]
    assert next_due_at(world, sundays) == NOW + 7 * DAY


def test_a_reader_without_an_hour_is_due_at_the_moment_of_freezing(world: World) -> None:
    ann = world.reader("ann")
    issue = world.edition(frozen_at=SIX + MINUTE)
    assert queue(world, SIX) == 0
    assert queue(world, NOW) == 1
    assert rows(world) == [(issue, ann, SIX + MINUTE)]


def test_who_was_not_active_when_an_edition_was_frozen_does_not_get_it(world: World) -> None:
    issue = world.edition(frozen_at=SIX)
    new = world.reader("new", active_since=SIX + MINUTE)
    assert queue(world, NOW) == 0
    late = world.edition(TODAY + DAY, frozen_at=SIX + DAY)
    assert queue(world, NOW + DAY) == 1
    assert rows(world) == [(late, new, SIX + DAY)]
    assert issue != late


def test_who_signs_up_later_than_a_day_lived_again_is_not_due_on_it(world: World) -> None:
    world.edition(frozen_at=SIX)
    at_eight(world, active_since=NOW + 5 * DAY)
    world.reader("nohour", active_since=NOW + 5 * DAY)
    assert queue(world, NOW) == 0


def test_an_edition_of_the_future_is_nobodys(world: World) -> None:
    at_eight(world)
    world.reader("nohour")
    world.edition(frozen_at=NOW + MINUTE)
    assert queue(world, NOW) == 0
    assert queue(world, NOW + MINUTE) == 2


def test_who_changes_his_hour_after_he_got_the_edition_does_not_get_it_again(world: World) -> None:
    ann, issue = at_eight(world), world.edition()
    assert queue(world, NOW) == 1
    world.put(subscriber, ann, hour="20:00", next_due_at=NOW + 12 * HOUR)
    assert queue(world, NOW + 12 * HOUR) == 0
    assert rows(world) == [(issue, ann, NOW)]
    assert next_due_at(world, ann) == NOW + 36 * HOUR


def test_many_readers_are_queued_page_by_page_each_once(world: World) -> None:
    world.edition()
    with world.store.write() as connection:
        connection.execute(
            subscriber.insert(),
            [
                {
                    "token": f"t{n}",
                    "address": f"r{n}@example.org",
                    "address_key": f"r{n}@example.org",
                    "state": "active",
                    "hour": "08:00",
                    "created_at": SIX,
                    "active_since": SIX - DAY,
                    "next_due_at": NOW,
                    "consent": {},
                }
                for n in range(2100)
            ],
        )
    assert queue(world, NOW) == 2100
    assert len({reader for _, reader, _ in rows(world)}) == 2100


def test_two_that_queue_at_once_queue_everybody_once(world: World) -> None:
    for n in range(30):
        at_eight(world, f"hour{n}")
        world.reader(f"nohour{n}")
    world.edition(frozen_at=SIX)
    assert sum(together(*[lambda: queue(world, NOW) for _ in range(3)])) == 60
    assert len({reader for _, reader, _ in rows(world)}) == len(rows(world)) == 60
