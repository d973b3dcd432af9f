"""Processes that deliver side by side, or are stopped, woken and killed: nobody twice, nobody missed."""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, func, select
from support.operator import Operator
from support.sink import Session
from support.site import MONDAY, Site
from support.waiting import until

from digest.clock import SteppedClock
from digest.flows.terms import Report
from digest.store import workers
from digest.store.schema import delivery, worker

VICTIM = "reader2@example.org"


class Gate:
    """Something that a server does not answer until it may."""

    def __init__(self) -> None:
        self.waiting = 0
        self._open = threading.Event()

    async def __call__(self, _session: Session, _word: str) -> None:
        self.waiting += 1
        await asyncio.to_thread(self._open.wait, 60)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(site: Site) -> Gate:
    """Two mails are on the wire, and the server does not say what it thinks of them before this is opened."""
    made = Gate()
    site.sink.on["CONTENT"] = made
    return made


def test_two_processes_share_the_work_and_nobody_gets_two(site: Site, operator: Operator) -> None:
    addresses = site.readers(60)
    site.publish()
    operator.set(delivery__chunk="10")
    both = threading.Event()

    async def until_both_work(*_: object) -> None:
        def working() -> bool:
            if _workers_with_rows(site) >= 2:
                both.set()
            return both.is_set()

        await asyncio.to_thread(until, working, "two workers with rows")

    site.sink.on["RCPT"] = until_both_work
    processes = [operator.start("deliver", "--json", now=MONDAY) for _ in range(2)]
    counts = [_submitted(process) for process in processes]
    assert sum(counts) == 60
    assert all(counts)
    assert site.sink.recipients == sorted(addresses)
    assert set(site.states().values()) == {"submitted"}


def test_a_worker_that_slept_for_a_minute_loses_its_rows_and_submits_nothing_of_them_when_it_wakes(
    site: Site, operator: Operator
) -> None:
    addresses = site.readers(6)
    site.publish()
    operator.set(smtp__connections="1")
    sleeper_at_victim, sleeper_may = threading.Event(), threading.Event()
    other_at_victim, other_may = threading.Event(), threading.Event()

    async def at_victim(session: Session, recipient: str) -> None:
        if recipient == VICTIM:
            reached, may = (other_at_victim, other_may) if sleeper_at_victim.is_set() else (sleeper_at_victim, sleeper_may)
            reached.set()
            await asyncio.to_thread(may.wait, 60)

    site.sink.on["RCPT"] = at_victim
    sleeper = operator.start("deliver", "--json", now=MONDAY)
    assert sleeper_at_victim.wait(30)
    sleeper.send_signal(signal.SIGSTOP)
    os.waitpid(sleeper.pid, os.WUNTRACED)
    before = len(site.sink.accepted)

    other = operator.start("deliver", "--json", now=MONDAY + timedelta(minutes=2))
    assert other_at_victim.wait(30)
    # Both are at the same reader now, and the other has his row.
    sleeper_may.set()
    sleeper.send_signal(signal.SIGCONT)
    assert _submitted(sleeper) == before
    other_may.set()
    assert _submitted(other) == 6 - before
    assert site.sink.recipients == sorted(addresses)
    # What the sleeper had submitted and not yet written down was in doubt, until it woke and told.
    assert set(site.states().values()) == {"submitted"}
    assert len([row for row in site.rows() if row.in_doubt_at]) <= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_mails_on_the_wire_and_ends_well(
    site: Site, operator: Operator, gate: Gate, number: signal.Signals
) -> None:
    addresses = site.readers(12)
    site.publish()
    process = operator.start("deliver", "--json", now=MONDAY)
    until(lambda: gate.waiting == 2, "two mails on the wire")
    process.send_signal(number)
    assert process.stderr is not None
    assert process.stderr.readline() == "Stopping: the mails on the wire are finished first.\n"
    gate.open()
    assert _submitted(process) == 2
    assert sorted(site.states().values()) == ["queued"] * 10 + ["submitted"] * 2
    assert _workers(site) == 0
    assert operator.run("deliver", now=MONDAY).code == 0
    assert site.sink.recipients == sorted(addresses)


def test_a_second_signal_ends_it_at_once_and_leaves_in_doubt_what_is(site: Site, operator: Operator, gate: Gate) -> None:
    site.readers(12)
    site.publish()
    process = operator.start("deliver", now=MONDAY)
    until(lambda: gate.waiting == 2, "two mails on the wire")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "stopped\n")
    assert sorted(site.states().values()) == ["in_doubt"] * 2 + ["queued"] * 10
    gate.open()


def test_what_a_killed_process_held_is_taken_over_at_once_and_only_what_was_on_the_wire_is_in_doubt(
    site: Site, operator: Operator, gate: Gate
) -> None:
    addresses = site.readers(12)
    site.publish()
    process = operator.start("deliver", now=MONDAY)
    until(lambda: gate.waiting == 2, "two mails on the wire")
    process.kill()
    process.wait(30)
    gate.open()
    # Both were taken by the server after their sender's death; nobody but the server knows.
    until(lambda: len(site.sink.accepted) == 2, "the server's mind")
    report = site.deliver()
    assert (report.taken_over, report.newly_in_doubt) == (10, 2)
    assert report.states == {"submitted": 10}
    assert sorted(site.states().values()) == ["in_doubt"] * 2 + ["submitted"] * 10
    site.later(minutes=15)
    assert site.deliver().states == {"submitted": 2}
    doubtful = [row.email for row in site.rows() if row.in_doubt_at]
    assert site.sink.recipients == sorted(addresses + doubtful)
    for address in doubtful:
        one, two = site.sink.by_recipient[address]
        assert (one.message_id, one.content) == (two.message_id, two.content)


def test_a_late_outcome_settles_what_was_in_doubt_and_nothing_goes_again(
    site: Site, make_site: Callable[..., Site], gate: Gate
) -> None:
    site.readers(2)
    site.publish()
    later = make_site(clock=SteppedClock(MONDAY + timedelta(minutes=2)))

    async def scenario() -> Report:
        slow = asyncio.create_task(site.delivering())
        await asyncio.to_thread(until, lambda: gate.waiting == 2, "two mails on the wire")
        report = await later.delivering()
        assert (report.newly_in_doubt, report.states) == (2, {})
        assert set(site.states().values()) == {"in_doubt"}
        gate.open()
        return await slow

    assert asyncio.run(scenario()).states == {"submitted": 2}
    assert {(row.state, row.attempts, bool(row.in_doubt_at)) for row in site.rows()} == {("submitted", 1, True)}
    later.later(minutes=20)
    assert later.deliver().states == {}
    assert len(site.sink.accepted) == 2


def test_a_worker_that_beats_keeps_its_rows_however_long_a_mail_takes(
    site: Site, make_site: Callable[..., Site], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT_EVERY", timedelta(milliseconds=20))
    site.readers(8)
    site.publish()

    async def scenario() -> Report:
        slow = asyncio.create_task(site.delivering())
        await asyncio.to_thread(until, lambda: gate.waiting == 2, "two mails on the wire")
        site.later(minutes=5)
        await asyncio.to_thread(until, lambda: _last_beat(site) == site.now, "a beat")
        report = await make_site().delivering()
        assert (report.taken_over, report.newly_in_doubt, report.states) == (0, 0, {})
        gate.open()
        return await slow

    assert asyncio.run(scenario()).states == {"submitted": 8}
    assert not any(row.in_doubt_at for row in site.rows())


def test_a_worker_that_learns_that_it_was_given_up_begins_no_other_mail(
    site: Site, make_site: Callable[..., Site], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT_EVERY", timedelta(milliseconds=20))
    addresses = site.readers(8)
    site.publish()
    beats: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE worker"):
            beats.append(statement)

    event.listen(site.app.store.engine, "after_cursor_execute", note)

    async def scenario() -> Report:
        slow = asyncio.create_task(site.delivering())
        await asyncio.to_thread(until, lambda: gate.waiting == 2, "two mails on the wire")
        with site.app.store.write() as connection:
            assert workers.bury(connection, [row.id for row in workers.listed(connection)], site.now) == (6, 2)
        beats.clear()
        await asyncio.to_thread(until, lambda: len(beats) >= 2, "beats in vain")
        gate.open()
        return await slow

    assert asyncio.run(scenario()).states == {"submitted": 2}
    assert len(site.sink.accepted) == 2
    make_site().deliver()
    assert site.sink.recipients == sorted(addresses)


def _last_beat(site: Site) -> datetime:
    with site.app.store.read() as connection:
        (row,) = workers.listed(connection)
    beat: datetime = row.beat_at
    return beat


def _submitted(process: "subprocess.Popen[str]") -> int:
    """How many mails a process that ran `deliver --json` submitted; it must end well."""
    import json

    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    states: dict[str, int] = json.loads(out)["deliveries"]["states"]
    assert set(states) <= {"submitted"}
    return states.get("submitted", 0)


def _workers(site: Site) -> int:
    with site.app.store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(worker)).scalar_one())


def _workers_with_rows(site: Site) -> int:
    held = select(func.count(func.distinct(delivery.c.worker_id))).where(delivery.c.state.in_(("claimed", "submitting")))
    with site.app.store.read() as connection:
        return int(connection.execute(held).scalar_one())
