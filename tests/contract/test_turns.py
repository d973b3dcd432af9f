from collections.abc import Callable

from contract.databases import Postgresql
from contract.world import Side

from digest.store.engine import Store
from digest.store.turns import take_turn


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
