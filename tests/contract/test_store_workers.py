import os
import platform
import subprocess
import sys
from datetime import timedelta

from contract.world import NOW, World
from sqlalchemy import insert

from digest.store import workers
from digest.store.schema import delivery, worker

SECOND = timedelta(seconds=1)


def stranger(world: World, **columns: object) -> int:
    """A worker of another process."""
    row = {
        "host": "elsewhere",
        "boot_id": "another-boot",
        "pid": 4711,
        "born": 1,
        "started_at": NOW,
        "beat_at": NOW,
        **columns,
    }
    with world.store.write() as connection:
        return int(connection.execute(insert(worker).returning(worker.c.id), row).scalar_one())


def dead(world: World, after: timedelta = timedelta(0)) -> list[int]:
    with world.store.read() as connection:
        return workers.dead(connection, NOW + after, workers.is_alive)


def test_this_process_is_alive(world: World) -> None:
    number = world.worker()
    assert dead(world) == []
    with world.store.read() as connection:
        row = connection.execute(worker.select()).one()
    assert (row.id, row.host, row.pid, row.beat_at) == (number, platform.node(), os.getpid(), NOW)
    assert row.boot_id == workers.boot_id()
    assert row.born == workers.born(os.getpid())


def test_a_worker_elsewhere_is_dead_when_it_was_silent_for_more_than_a_minute(world: World) -> None:
    number = stranger(world)
    assert dead(world, 60 * SECOND) == []
    assert dead(world, 61 * SECOND) == [number]


def test_a_beat_keeps_a_worker_alive_and_tells_one_that_was_given_up(world: World) -> None:
    number = stranger(world)
    with world.store.write() as connection:
        assert workers.beat(connection, number, NOW + 50 * SECOND)
    assert dead(world, 110 * SECOND) == []
    world.bury(number)
    with world.store.write() as connection:
        assert not workers.beat(connection, number, NOW)


def test_a_process_of_this_machine_that_has_ended_is_dead_at_once(world: World) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        here = {"host": platform.node(), "boot_id": workers.boot_id(), "pid": process.pid}
        number = stranger(world, **here, born=workers.born(process.pid))
        assert dead(world) == []
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        assert dead(world) == [number]


def test_another_process_with_the_same_number_is_not_the_worker(world: World) -> None:
    here = {"host": platform.node(), "boot_id": workers.boot_id(), "pid": os.getpid()}
    number = stranger(world, **here, born=workers.born(os.getpid()) + 1)
    assert dead(world) == [number]


def test_a_worker_of_this_machine_before_it_was_booted_is_dead(world: World) -> None:
    number = stranger(world, host=platform.node(), pid=os.getpid(), born=workers.born(os.getpid()))
    assert dead(world) == [number]


def test_where_the_system_tells_nothing_about_processes_silence_must_tell() -> None:
    assert workers.is_alive(os.getpid(), 0)
    assert workers.born(2**22 + 1) == 0
    assert not workers.is_alive(2**22 + 1, 0)


def test_a_worker_that_ends_frees_what_it_holds(world: World) -> None:
    row, other = world.mails(2)
    number = world.worker()
    world.claim(number)
    world.mark(number, row)
    with world.store.write() as connection:
        workers.retire(connection, number, NOW)
    assert world.states(row, other) == ["in_doubt", "queued"]
    with world.store.read() as connection:
        assert connection.execute(worker.select()).all() == []


def test_no_worker_gets_the_number_of_one_that_is_gone(world: World) -> None:
    (row,) = world.mails(1)
    gone = world.worker()
    world.claim(gone)
    world.bury(gone)
    fresh = world.worker()
    assert fresh != gone
    world.claim(fresh)
    # The one that was given up wakes, and must not take the row for its own.
    assert world.mark(gone, row) == set()
    world.finish(gone, row, "rejected")
    assert world.row(row, delivery).worker_id == fresh
