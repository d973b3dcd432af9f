"""One at a time: within a transaction, or for as long as a block runs; between threads, processes and machines."""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from contract.databases import Postgresql
from contract.world import Side
from sqlalchemy import text

from digest.errors import Busy
from digest.store.engine import Store
from digest.store.turns import LOOK_AGAIN, alone, take_turn

HOLDS = """
import sys, time
from digest.store.engine import Store
from digest.store.turns import alone
with alone(Store.open(sys.argv[1]), "one thing", 0):
    print("mine", flush=True)
    time.sleep(600)
"""


class TookTooLong(Exception):
    pass


def turn(store: Store, what: str) -> Callable[[], str]:
    def work() -> str:
        with store.write() as connection:
            take_turn(connection, what)
            return what

    return work


def test_who_does_the_same_waits_for_its_turn_and_who_does_something_else_does_not(postgresql: Postgresql) -> None:
    store = Store.open(postgresql.current())
    with store.write() as connection:
        take_turn(connection, "one thing")
        take_turn(connection, "one thing")
        assert Side(turn(store, "another")).result() == "another"
        same = Side(turn(store, "one thing"))
        same.waits_or_ends(store)
        assert same.is_alive()
    assert same.result() == "one thing"
    store.close()


def test_a_store_with_one_writer_needs_no_turns(store: Store) -> None:
    assert [turn(store, "one thing")() for _ in range(2)] == ["one thing", "one thing"]


def test_who_is_alone_keeps_out_those_who_want_the_same_and_nobody_else(store: Store) -> None:
    with alone(store, "one thing", 0):
        with (
            alone(store, "another", 0),
            pytest.raises(Busy, match="another process is at it: one thing"),
            alone(store, "one thing", 0),
        ):
            pass
        assert turn(store, "one thing else")()
    with alone(store, "one thing", 0):
        pass


def test_a_turn_that_ends_in_time_is_waited_for(store: Store) -> None:
    waited: list[float] = []
    with ExitStack() as first:
        first.enter_context(alone(store, "one thing", 0))

        def wait(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 3:
                first.close()

        with alone(store, "one thing", 60, sleep=wait):
            assert waited == [LOOK_AGAIN] * 3


def test_patience_has_an_end(store: Store) -> None:
    waited: list[float] = []
    with alone(store, "one thing", 0), pytest.raises(Busy), alone(store, "one thing", 2.0, sleep=waited.append):
        pass
    assert sum(waited) == pytest.approx(2.0)


def test_who_is_told_to_end_while_he_waits_ends(store: Store) -> None:
    def wait(_seconds: float) -> None:
        raise TookTooLong

    with alone(store, "one thing", 0):
        with pytest.raises(TookTooLong), alone(store, "one thing", 60, sleep=wait):
            pass
        with pytest.raises(Busy), alone(store, "one thing", 0):
            pass
    with alone(store, "one thing", 0):
        pass


def test_a_turn_ends_with_what_is_done_in_it_though_that_fails(store: Store) -> None:
    with pytest.raises(TookTooLong), alone(store, "one thing", 0):
        raise TookTooLong
    with alone(store, "one thing", 0):
        pass


def test_the_turn_of_a_process_that_was_killed_is_free(store: Store, url: str) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, url], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(Busy), alone(store, "one thing", 0):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
    with alone(store, "one thing", 20):
        pass


def test_many_who_are_alone_leave_room_for_others_in_the_database(store: Store) -> None:
    with ExitStack() as stack:
        for number in range(20):
            stack.enter_context(alone(store, f"thing {number}", 0))
        with store.write() as connection:
            take_turn(connection, "one thing")


def test_a_server_that_ends_the_session_ends_the_turn_and_no_more(postgresql: Postgresql) -> None:
    store = Store.open(postgresql.current())
    with alone(store, "one thing", 0), store.write() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        assert connection.execute(text(others)).scalar_one()
    with alone(store, "one thing", 20):
        pass
    store.close()
