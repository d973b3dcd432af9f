"""How far a machine's clock is from the database server's."""

from datetime import timedelta

import pytest
from contract.databases import Postgresql, Sqlite

from digest.clock import SystemClock
from digest.store import clocks
from digest.store.engine import Store


@pytest.mark.parametrize("wrong", [timedelta(seconds=-70), timedelta(0), timedelta(hours=1)])
def test_a_clock_that_is_wrong_is_so_by_as_much_at_the_server(postgresql: Postgresql, wrong: timedelta) -> None:
    store = Store.open(postgresql.current())
    with store.read() as connection:
        apart = clocks.ahead(connection, lambda: SystemClock().now() + wrong)
    store.close()
    assert abs(apart - wrong) < clocks.NEAR


def test_a_database_in_a_file_has_no_clock_of_its_own(sqlite: Sqlite) -> None:
    store = Store.open(sqlite.current())
    with store.read() as connection:
        assert clocks.ahead(connection, SystemClock().now) == timedelta(0)
    store.close()
