import os
import platform
import signal
import subprocess
import sys
from datetime import timedelta

from contract.databases import Postgresql
from contract.world import NOW, Side, World
from sqlalchemy import insert

from digest.store import workers
from digest.store.engine import Store
from digest.store.process import boot_id, born, is_alive
from digest.store.schema import delivery, worker

SECOND = timedelta(seconds=1)
AMID_A_PIPELINE = """
import sys
from datetime import datetime
from digest.store import ledger, workers
from digest.store.engine import Store
from digest.store.schema import delivery

store, now = Store.open(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
with store.write() as connection:
    number = workers.register(connection, now)
with store.write() as connection:
    ledger.claim(connection, delivery, number, now, 10)
with store.write() as connection:
    driver = connection.connection.driver_connection
    with driver.pipeline(), driver.cursor() as cursor:
        cursor.execute("UPDATE delivery SET reply = 'locked' RETURNING id")
        cursor.fetchall()
        print(number, flush=True)
        sys.stdin.read()
"""


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
        return workers.dead(connection, NOW + after, is_alive)


def test_this_process_is_alive(world: World) -> None:
    number = world.worker()
    assert dead(world) == []
    with world.store.read() as connection:
        row = connection.execute(worker.select()).one()
    assert (row.id, row.host, row.pid, row.beat_at) == (number, platform.node(), os.getpid(), NOW)
    assert row.boot_id == boot_id()
    assert row.born == born(os.getpid())


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
        here = {"host": platform.node(), "boot_id": boot_id(), "pid": process.pid}
        number = stranger(world, **here, born=born(process.pid))
        assert dead(world) == []
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        assert dead(world) == [number]


def test_another_process_with_the_same_number_is_not_the_worker(world: World) -> None:
    here = {"host": platform.node(), "boot_id": boot_id(), "pid": os.getpid()}
    number = stranger(world, **here, born=born(os.getpid()) + 1)
    assert dead(world) == [number]


def test_a_worker_of_this_machine_before_it_was_booted_is_dead(world: World) -> None:
    number = stranger(world, host=platform.node(), pid=os.getpid(), born=born(os.getpid()))
    assert dead(world) == [number]


def test_where_the_system_tells_nothing_about_processes_silence_must_tell() -> None:
    assert is_alive(os.getpid(), 0)
    assert born(2**22 + 1) == 0
    assert not is_alive(2**22 + 1, 0)


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


def test_what_a_worker_locked_that_froze_amid_its_statements_is_free_when_it_is_given_up(postgresql: Postgresql) -> None:
    url = postgresql.current()
    store = Store.open(url)
    world = World(store)
    rows = world.mails(2)
    frozen = subprocess.Popen(
        [sys.executable, "-c", AMID_A_PIPELINE, url, NOW.isoformat()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with frozen:
        try:
            assert frozen.stdout is not None
            number = int(frozen.stdout.readline())
            frozen.send_signal(signal.SIGSTOP)
            Side(lambda: world.bury(number)).result()
        finally:
            frozen.kill()
    assert world.states(*rows) == ["queued", "queued"]
    store.close()


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
