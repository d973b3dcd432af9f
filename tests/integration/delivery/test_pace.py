"""The pace of a run, with a real relay: limits are kept, whoever stalls delays nobody, and what is learned stays."""

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from sqlalchemy import select
from support.sink import Session
from support.site import Site

from digest.flows import roads
from digest.store import pacing
from digest.store.schema import pace


def readers(site: Site, **of: int) -> dict[str, list[str]]:
    """So many readers at each domain `NAME.example.org`, mixed."""
    addresses = {name: [f"r{number}@{name}.example.org" for number in range(many)] for name, many in of.items()}
    now = site.now
    site.later(hours=-1)
    for turn in range(max(of.values())):
        site.subscribe(*(one[turn] for one in addresses.values() if turn < len(one)))
    site.at(now)
    return addresses


def note_arrivals(site: Site) -> list[tuple[float, str]]:
    """When the relay got which recipient's message, in order."""
    arrivals: list[tuple[float, str]] = []

    def note(_session: Session, recipient: str) -> None:
        arrivals.append((time.monotonic(), recipient))

    site.sink.on["CONTENT"] = note
    return arrivals


def paces(site: Site) -> dict[str, float]:
    with site.app.store.read() as connection:
        return {row.key: row.free_at for row in connection.execute(select(pace))}


def stall_for(site: Site, domain: str) -> list[str]:
    """The relay says nothing when it is told of a recipient there; returns whom it was told of."""
    stalled: list[str] = []

    async def stall(_session: Session, recipient: str) -> None:
        if recipient.endswith(f"@{domain}.example.org"):
            stalled.append(recipient)
            await asyncio.Event().wait()

    site.sink.on["RCPT"] = stall
    return stalled


def test_a_domain_that_stalls_delays_no_other(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=8, smtp__timeout="5s", delivery__chunk=40)
    wanted = readers(site, dead=10, a=30, b=30, c=30)
    site.publish()
    stalled = stall_for(site, "dead")
    others = sorted(wanted["a"] + wanted["b"] + wanted["c"])

    async def scenario() -> None:
        stop = asyncio.Event()
        run = asyncio.create_task(site.delivering(stop=stop))
        assert await asyncio.to_thread(site.sink.wait_for, len(others), 30)
        # All others have theirs, and not even the first silence has been given up.
        assert len(set(stalled)) == len(stalled) == 1
        stop.set()
        await run

    asyncio.run(scenario())
    assert site.sink.recipients == others
    assert set(site.states().values()) == {"submitted", "queued"}


def test_a_domain_that_keeps_silent_is_left_alone_and_its_readers_get_theirs_later(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=4, smtp__timeout="1s")
    wanted = readers(site, dead=10, a=20)
    site.publish()
    stalled = stall_for(site, "dead")
    report = site.deliver()
    assert report.states["submitted"] == 20
    assert site.sink.recipients == sorted(wanted["a"])
    assert site.open_rows() == {"queued": 10}
    assert len(set(stalled)) < 10
    site.sink.on.clear()
    site.later(hours=1)
    assert site.deliver().states == {"submitted": 10}


def test_without_a_limit_nothing_is_reserved(make_site: Callable[..., Site]) -> None:
    site = make_site()
    readers(site, a=5, b=5)
    site.publish()
    assert site.deliver().states == {"submitted": 10}
    assert paces(site) == {}


def test_a_limit_of_the_relay_and_one_of_a_domain_are_kept(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__rate=60.0, smtp__per_domain={"slow.example.org": 10.0})
    readers(site, slow=8, a=30)
    site.publish()
    arrivals = note_arrivals(site)
    assert site.deliver().states == {"submitted": 38}
    slow = [at for at, recipient in arrivals if "@slow." in recipient]
    assert slow[-1] - slow[0] > 7 / 10 * 0.9
    assert arrivals[-1][0] - arrivals[0][0] > 37 / 60 * 0.9
    # The others did not wait for the slow one.
    assert "@slow." in arrivals[-1][1]
    assert len(paces(site)) == 2


def test_the_pace_is_kept_across_restarts(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__rate=2.0)
    readers(site, a=3)
    site.publish()
    arrivals = note_arrivals(site)
    for _ in range(3):
        assert site.deliver(limit=1).states == {"submitted": 1}
    assert all(later[0] - earlier[0] > 0.7 / 2 for earlier, later in pairwise(arrivals))


def test_a_domain_that_throttles_is_written_to_more_slowly_and_a_restart_does_not_forget_it(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(smtp__connections=6)
    wanted = readers(site, strict=8, a=8)
    site.publish()
    refused: list[str] = []

    def throttle(_session: Session, recipient: str) -> str | None:
        if recipient.endswith("@strict.example.org") and not refused:
            refused.append(recipient)
            return "450 4.7.1 you send too fast"
        return None

    site.sink.on["RCPT"] = throttle
    arrivals = note_arrivals(site)
    assert site.deliver(limit=14).states == {"submitted": 13, "deferred": 1}
    with site.app.store.read() as connection:
        learned = pacing.learned(connection)
    assert list(learned) == ["strict.example.org"]
    assert 0 < learned["strict.example.org"] < 6
    assert site.deliver().states == {"submitted": 2}
    slow = [at for at, recipient in arrivals if "@strict." in recipient]
    assert len(slow) == len(wanted["strict"]) - 1
    assert slow[-1] - slow[1] > 0.5


def test_a_long_queue_before_a_limit_waits_in_the_database_and_not_in_memory(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roads, "KEPT", 5)
    site = make_site(smtp__per_domain={"slow.example.org": 50.0}, delivery__chunk=20)
    wanted = readers(site, slow=30, a=30)
    site.publish()
    report = site.deliver()
    put_off = [row for row in site.rows() if row.state == "queued"]
    assert report.states == {"submitted": 60 - len(put_off)}
    assert put_off
    assert all(row.attempts == 0 and row.next_try_at > site.now for row in put_off)
    site.later(minutes=1)
    while site.open_rows():
        site.deliver()
        site.later(minutes=1)
    assert site.sink.recipients == sorted(wanted["slow"] + wanted["a"])
