"""Several machines mail one edition: everybody once, whoever is added, stopped, frozen or killed in the middle of it."""

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.gate import Gate
from support.machines import PATIENT, Machines
from support.sink import Sink
from support.site import Site
from support.waiting import until

from digest.store import workers
from digest.store.schema import delivery

CONNECTIONS = 4
Due = Callable[[int], list[str]]


@pytest.fixture
def gate(sink: Sink) -> Gate:
    """Mails are on the wire, and the server does not say what it thinks of them before this is opened."""
    made = Gate()
    sink.on["CONTENT"] = made
    return made


def everything_is(site: Site, *states: str) -> bool:
    return set(site.states().values()) == set(states)


def at_work(site: Site) -> int:
    """How many workers hold mails."""
    held = select(func.count(func.distinct(delivery.c.worker_id))).where(delivery.c.state.in_(("claimed", "submitting")))
    with site.app.store.read() as connection:
        return int(connection.execute(held).scalar_one())


def test_machines_that_are_added_share_the_work_and_one_that_is_stopped_gives_its_part_back(
    shared: Site, due: Due, park: Machines, sink: Sink, gate: Gate
) -> None:
    addresses = due(120)
    first = park.start(silent=PATIENT)
    until(lambda: gate.waiting == CONNECTIONS, park.said)
    park.start(silent=PATIENT)
    park.start(silent=PATIENT)
    until(lambda: at_work(shared) == 3, park.said)
    first.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in park.said())
    gate.opened.set()
    assert first.wait(30) == 0
    assert sink.wait_for(120, 30), park.said()
    until(lambda: everything_is(shared, "submitted"))
    assert sink.recipients == addresses
    assert not any(row.in_doubt_at for row in shared.rows())
    assert "Traceback" not in park.said()


def test_what_a_killed_machine_held_is_taken_over_and_only_what_was_on_its_wire_is_in_doubt(
    shared: Site, due: Due, park: Machines, sink: Sink, gate: Gate
) -> None:
    addresses = due(100)
    victim = park.start()
    until(lambda: gate.waiting == CONNECTIONS, park.said)
    victim.send_signal(signal.SIGKILL)
    gate.opened.set()
    park.start()
    park.start()
    until(lambda: everything_is(shared, "submitted", "in_doubt"), park.said)
    in_doubt = {row.email for row in shared.rows() if row.in_doubt_at}
    assert len(in_doubt) <= CONNECTIONS
    until(lambda: "of a worker that fell silent was taken over" in park.said())

    park.later(timedelta(minutes=20))
    park.start()
    until(lambda: everything_is(shared, "submitted"), park.said)
    assert sorted(set(sink.recipients)) == addresses
    for address, copies in sink.by_recipient.items():
        assert len(copies) == 1 or (address in in_doubt and len({copy.content for copy in copies}) == 1 and len(copies) == 2)


def test_a_machine_that_froze_and_wakes_mails_nothing_that_another_has_taken_over(
    shared: Site, due: Due, park: Machines, sink: Sink, gate: Gate
) -> None:
    addresses = due(100)
    zombie = park.start()
    until(lambda: gate.waiting == CONNECTIONS, park.said)
    park.freeze(zombie)
    gate.opened.set()
    park.start()
    until(lambda: everything_is(shared, "submitted", "in_doubt"), park.said)
    park.wake(zombie)
    # It tells what became of the mails that were on its wire, which nobody else could know.
    until(lambda: everything_is(shared, "submitted"), park.said)
    assert sink.recipients == addresses
    assert len([row for row in shared.rows() if row.in_doubt_at]) <= CONNECTIONS
    zombie.send_signal(signal.SIGTERM)
    assert zombie.wait(30) == 0
    assert "Traceback" not in park.said()
    with shared.app.store.read() as connection:
        assert zombie.pid not in [row.pid for row in workers.listed(connection)]
