"""The pace that workers share: whoever asks when, all of them together keep the limits."""

import subprocess
import sys
import time
from threading import Thread

import pytest
from sqlalchemy import func, select

from digest.outbox.pacing import AHEAD, SHARE, Ask, Grant
from digest.store import pacing
from digest.store.engine import Store
from digest.store.schema import pace

ASKS = """
import sys, time
from digest.outbox.pacing import Ask
from digest.store import pacing
from digest.store.engine import Store
store = Store.open(sys.argv[1])
for _ in range(20):
    with store.write() as connection:
        (grant,) = pacing.reserve(connection, [Ask("example.org", 3, 40.0)], time.monotonic)
    print(grant.number)
"""


def reserve(store: Store, *asks: Ask) -> list[Grant]:
    with store.write() as connection:
        return pacing.reserve(connection, asks, time.monotonic)


def shared_clock(store: Store) -> float:
    julian = (func.julianday("now") - 2440587.5) * 86400.0
    now = julian if store.is_sqlite else func.extract("epoch", func.clock_timestamp())
    with store.read() as connection:
        return float(connection.execute(select(now)).scalar_one())


def taken_until(store: Store, key: str) -> float:
    with store.read() as connection:
        return float(connection.execute(select(pace.c.free_at).where(pace.c.key == key)).scalar_one())


def room(store: Store, key: str, rate: float, since: float) -> float:
    """How many times one after the other there are in what is taken, if nobody got what another has."""
    return (taken_until(store, key) - since) * rate * SHARE + 0.1


def test_threads_that_ask_at_once_never_get_the_same_times(store: Store) -> None:
    grants: list[Grant] = []
    began = shared_clock(store)

    def ask() -> None:
        for _ in range(10):
            grants.extend(reserve(store, Ask("example.org", 5, 50.0), Ask("relay:25", 1, 10.0)))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key, rate in (("example.org", 50.0), ("relay:25", 10.0)):
        held = sum(grant.number for grant in grants if grant.key == key)
        assert int(rate * AHEAD * SHARE) <= held <= room(store, key, rate, began)


def test_processes_that_ask_at_once_never_get_the_same_times(store: Store, url: str) -> None:
    began = shared_clock(store)
    workers = [subprocess.Popen([sys.executable, "-c", ASKS, url], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [worker.communicate(timeout=60)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    held = sum(int(line) for line in "".join(said).split())
    assert int(40 * AHEAD * SHARE) <= held <= room(store, "example.org", 40.0, began)


def test_a_worker_that_begins_anew_does_not_begin_with_a_full_measure(store: Store, url: str) -> None:
    began = time.monotonic()
    (first,) = reserve(store, Ask("example.org", 1000, 10.0))
    again = Store.open(url)
    (second,) = reserve(again, Ask("example.org", 1000, 10.0))
    again.close()
    assert first.number == 10
    assert first.start + 9 * first.gap < second.start
    assert second.number <= 1 + (time.monotonic() - began) / first.gap


def test_what_one_worker_learns_the_others_learn_and_a_later_one_knows(store: Store) -> None:
    reserve(store, Ask("a.org", 1, 20.0), Ask("b.org", 1))
    with store.read() as connection:
        assert pacing.learned(connection) == {}
    (lowered,) = reserve(store, Ask("a.org", 1, 20.0, 20.0, refused_at=12.0))
    assert lowered.rate == 6.0
    (other,) = reserve(store, Ask("a.org", 1, 20.0, 20.0, refused_at=19.0))
    assert other.rate == 6.0
    with store.read() as connection:
        assert pacing.learned(connection) == {"a.org": 6.0}


def test_a_domain_that_has_no_limit_any_more_is_told_so(store: Store) -> None:
    (grant,) = reserve(store, Ask("a.org", 4, None, 6.0))
    assert (grant.rate, grant.number) == (None, 4)
    assert grant.start == pytest.approx(time.monotonic(), abs=5)
