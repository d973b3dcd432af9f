"""The two nights of a year on which clocks are changed, lived through by a program called before, at and after an hour."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.sink import Sink
from support.site import Site, write_papers

from digest.clock import SteppedClock
from digest.flows import run as flow
from digest.flows.collect import collect_file
from digest.store import migrate


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hour", "night", "mailed_at"),
    [
        # Two o'clock becomes three: 02:30 does not exist, and the first minute after the gap is 03:00 summer time.
        ("Europe/Berlin", "02:30", date(2026, 3, 29), ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
        ("America/New_York", "02:30", date(2026, 3, 8), ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"]),
        # Three o'clock becomes two: 02:30 comes twice, and the first counts.
        ("Europe/Berlin", "02:30", date(2026, 10, 25), ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]),
        ("America/New_York", "01:30", date(2026, 11, 1), ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"]),
        # The gap may be half an hour, and lie on the other side of the earth.
        ("Australia/Lord_Howe", "02:15", date(2026, 10, 4), ["2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15"]),
        # A reader by day sees the same local time before and after.
        ("Europe/Berlin", "08:00", date(2026, 3, 29), ["2026-03-28 07:00", "2026-03-29 06:00", "2026-03-30 06:00"]),
    ],
)
def test_a_reader_is_mailed_once_a_day_at_his_hour(
    calendar: Site, zone: str, hour: str, night: date, mailed_at: list[str]
) -> None:
    expected = [utc(text) for text in mailed_at]
    site = calendar
    site.at(expected[0] - timedelta(hours=10))
    collect_file(site.app.store, site.now, site.home / "papers.jsonl", "jsonl")
    site.subscribe("ann@example.org", zone=zone, hour=hour)
    found: list[datetime] = []
    for moment in (at + timedelta(minutes=after) for at in expected for after in (-61, -31, -1, 0, 1, 30, 60, 120)):
        site.at(moment)
        asyncio.run(_cron(site))
        found += [moment] * (len(site.sink.accepted) - len(found))
    assert found == expected
    assert [row.due_at for row in reversed(site.rows())] == expected
    assert {at.astimezone(ZoneInfo(zone)).date() for at in found} == {night + timedelta(days=n) for n in (-1, 0, 1)}


@pytest.fixture
def calendar(empty_home: Path, sink: Sink) -> Iterator[Site]:
    """A site whose editions are frozen at midnight in Greenwich."""
    migrate.upgrade(f"sqlite:///{empty_home / 'digest.db'}")
    write_papers(empty_home / "papers.jsonl")
    clock = SteppedClock(datetime(2026, 1, 1, tzinfo=UTC))
    made = Site(empty_home, sink, clock, schedule__publish_at="00:00", schedule__timezone="UTC", schedule__catch_up="30h")
    yield made
    made.app.close()


async def _cron(site: Site) -> None:
    plan = site.app.plan
    flow.collect(plan)
    flow.publish(plan)
    await flow.send_out(plan)
