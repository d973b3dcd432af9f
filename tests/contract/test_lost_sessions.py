"""A server that drops all sessions, as it does when it restarts, costs the ledger nothing; SQLite has none to drop."""

import asyncio

from sqlalchemy import text

from digest.clock import SteppedClock
from digest.flows.commit import GroupCommit
from digest.store.groups import Groups
from digest.store.schema import delivery
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
