"""A server that drops all sessions, as it does when it restarts, costs the ledger nothing; SQLite has none to drop."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from digest.clock import SteppedClock
from digest.errors import ServerUnavailable
from digest.flows import commit
from digest.flows.commit import GroupCommit
from digest.flows.mails import Job
from digest.flows.refusals import Refusals
from digest.flows.reserving import Reserving
from digest.outbox.verdict import Verdict
from digest.smtp.pace import Road
from digest.store import events
from digest.store.engine import Store
from digest.store.groups import Groups
from digest.store.schema import delivery
from digest.subscribers.address import EmailAddress
from tests.contract.world import NOW, World, outcome


def drop_sessions(world: World) -> None:
    if not world.store.is_sqlite:
        with world.store.write() as connection:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))


def test_the_ledger_goes_on_where_it_was_when_its_session_is_lost(world: World) -> None:
    first, second = world.mails(2)
    worker = world.worker()
    world.claim(worker)

    async def scenario() -> list[bool]:
        commits = GroupCommit(world.store, SteppedClock(NOW), worker)
        marked = [await commits.mark(delivery, first)]
        drop_sessions(world)
        marked.append(await commits.mark(delivery, second, outcome(first, "submitted")))
        await commits.close()
        return marked

    assert asyncio.run(scenario()) == [True, True]
    assert world.states(first, second) == ["submitted", "submitting"]


def test_a_group_that_was_written_before_its_session_was_lost_is_not_written_twice(world: World) -> None:
    reader = world.reader()
    first, second = world.mail(reader, world.edition()), world.mail(world.reader("bob"), world.edition())
    worker = world.worker()
    world.claim(worker)
    ended, marks = [outcome(first, "submitted", subscriber_id=reader, seen="20779:1;")], [(delivery, second)]
    groups = Groups(world.store, worker)
    assert groups.write(ended, marks, NOW) == {(delivery, second)}
    assert groups.write_again(ended, marks, NOW) == {(delivery, second)}
    groups.close()
    assert (world.states(first, second), world.seen(reader)) == (["submitted", "submitting"], "20779:1;")
    assert world.row(first).attempts == 1


def test_a_mark_of_a_worker_that_was_given_up_meanwhile_does_not_hold(world: World) -> None:
    (row,) = world.mails(1)
    worker = world.worker()
    world.claim(worker)
    groups = Groups(world.store, worker)
    groups.write([], [(delivery, row)], NOW)
    world.bury(worker)
    assert groups.write_again([], [(delivery, row)], NOW) == set()
    groups.close()


class Away(logging.Handler):
    """A server that lets nobody in until somebody says that he waits for it."""

    def __init__(self, store: Store) -> None:
        super().__init__(logging.WARNING)
        self._name = store.engine.url.database
        self._beside = create_engine(store.engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def leave(self) -> None:
        with self._beside.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
            others = "FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"), {"name": self._name})

    def emit(self, record: logging.LogRecord) -> None:
        if "waiting for it" in record.getMessage():
            self.come_back()

    def come_back(self) -> None:
        with self._beside.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")

    def close(self) -> None:
        self._beside.dispose()
        super().close()


@contextmanager
def comes_back(world: World) -> Iterator[Away | None]:
    """The server, away from when it is told to until it is waited for; None for a database that cannot be away."""
    if world.store.is_sqlite:
        yield None
        return
    away = Away(world.store)
    log = logging.getLogger(commit.__name__)
    log.addHandler(away)
    try:
        yield away
    finally:
        log.removeHandler(away)
        away.come_back()
        away.close()


def test_times_for_messages_are_reserved_when_the_server_is_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "LOOK_AGAIN", 0.01)

    async def scenario() -> int:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        reserving = Reserving(world.store, lambda _: 1, lambda _: over.set_result(None), over.set_exception)
        road: Road[Job] = Road("example.org", 10.0, 10.0, 1, None, 0.0)
        reserving.want(road, 0.0)
        await asyncio.wait_for(over, 30)
        reserving.end()
        return road.times.left()

    with comes_back(world) as server:
        if server is not None:
            server.leave()
        assert asyncio.run(scenario()) == 1


def test_a_refused_mailbox_is_noted_when_the_server_is_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "LOOK_AGAIN", 0.01)
    reader, edition = world.reader(), world.edition()
    row, worker = world.mail(reader, edition), world.worker()
    job = Job(delivery, row, NOW, 0, 0, EmailAddress("ann@example.org"), lambda: b"", reader, edition)

    async def scenario(server: Away | None) -> None:
        class Leaving(GroupCommit):
            async def flush(self) -> None:
                await super().flush()
                if server is not None:
                    server.leave()

        commits = Leaving(world.store, SteppedClock(NOW), worker)
        refusals = Refusals(world.store, SteppedClock(NOW), commits)
        refusals.add(job, Verdict("rejected", "rcpt", 550, "5.1.1 no such user"))
        await refusals.note()
        await commits.close()

    with comes_back(world) as server:
        asyncio.run(scenario(server))
    with world.store.read() as connection:
        assert [one.kind for one in events.history(connection, reader)] == ["refused"]


def test_a_server_that_is_away_for_long_is_complained_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(commit, "LOOK_AGAIN", 0)
    answers = iter(["is starting", "is starting", "refuses", None])

    async def ask() -> str:
        if said := next(answers):
            raise ServerUnavailable(said, fix="wait")
        return "here"

    assert asyncio.run(commit.when_back(ask)) == "here"
    assert [record.getMessage() for record in caplog.records] == ["is starting; waiting for it"]
