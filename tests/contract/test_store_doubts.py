from datetime import timedelta

import pytest
from contract.world import HOUR, NOW, World
from sqlalchemy import Table

from digest.store import ledger
from digest.store.schema import delivery, notice

HOLD = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


def on_the_wire(world: World, table: Table = delivery) -> tuple[int, int]:
    """A row, and the worker that is submitting it."""
    row = world.mail(world.reader(), world.edition()) if table is delivery else world.letter()
    worker = world.worker()
    world.claim(worker, table)
    world.mark(worker, row, table=table)
    return row, worker


@pytest.mark.parametrize("table", [delivery, notice], ids=lambda table: str(table.name))
def test_a_worker_that_died_leaves_its_claims_to_others_and_its_mails_in_doubt(world: World, table: Table) -> None:
    row, worker = on_the_wire(world, table)
    claimed = world.mail(world.reader("bob"), world.edition(NOW.date() - timedelta(days=1)))
    letter = world.letter("bob", key="2")
    world.claim(worker)
    world.claim(worker, notice)
    assert world.bury(worker, now=NOW + MINUTE) == (2, 1)
    found = world.row(row, table)
    assert (found.state, found.doubts, found.attempts, found.in_doubt_at) == ("in_doubt", 1, 1, NOW + MINUTE)
    assert found.worker_id == worker
    for other, of in ((claimed, delivery), (letter, notice)):
        freed = world.row(other, of)
        assert (freed.state, freed.worker_id, freed.attempts, freed.doubts, freed.in_doubt_at) == ("queued", None, 0, 0, None)


def test_burying_one_worker_leaves_the_others_alone(world: World) -> None:
    first, second = world.mails(2)
    dead, alive = world.worker(), world.worker()
    world.claim(dead, limit=1)
    world.claim(alive, limit=1)
    world.mark(dead, first)
    world.mark(alive, second)
    assert world.bury(dead) == (0, 1)
    assert world.bury(dead) == (0, 0)
    assert world.bury() == (0, 0)
    assert world.states(first, second) == ["in_doubt", "submitting"]


@pytest.mark.parametrize("table", [delivery, notice], ids=lambda table: str(table.name))
def test_a_first_doubt_is_queued_again_after_the_hold_and_not_before(world: World, table: Table) -> None:
    row, worker = on_the_wire(world, table)
    world.bury(worker)
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, NOW + HOLD - timedelta(seconds=1), HOLD, "resend") == (0, 0)
    assert world.state(row, table) == "in_doubt"
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, NOW + HOLD, HOLD, "resend") == (1, 0)
    found = world.row(row, table)
    assert (found.state, found.worker_id, found.in_doubt_at, found.doubts) == ("queued", None, NOW, 1)
    second = world.worker()
    assert world.claim(second, table, now=NOW + HOLD) == [row]


def test_a_repeat_goes_out_however_late_the_hold_ends(world: World) -> None:
    row, worker = on_the_wire(world)
    world.bury(worker)
    week = NOW + timedelta(days=7)
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, week, HOLD, "resend") == (1, 0)
        assert ledger.expire(connection, week) == ledger.skip_late(connection, week, 12 * HOUR) == 0
    assert world.claim(world.worker(week), now=week) == [row]


def test_a_second_doubt_is_held_for_the_operator_and_both_stay_on_record(world: World) -> None:
    row, worker = on_the_wire(world)
    world.bury(worker)
    with world.store.write() as connection:
        ledger.settle_doubts(connection, NOW + HOLD, HOLD, "resend")
    second = world.worker()
    world.claim(second, now=NOW + HOUR)
    world.mark(second, row, now=NOW + HOUR)
    world.bury(second, now=NOW + HOUR)
    assert (world.row(row).doubts, world.row(row).in_doubt_at) == (2, NOW)
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, NOW + HOUR + HOLD - MINUTE, HOLD, "resend") == (0, 0)
        assert ledger.settle_doubts(connection, NOW + HOUR + HOLD, HOLD, "resend") == (0, 1)
    found = world.row(row)
    assert (found.state, found.doubts, found.attempts, found.in_doubt_at) == ("held", 2, 2, NOW)


def test_the_operator_may_have_every_doubt_held(world: World) -> None:
    row, worker = on_the_wire(world)
    world.bury(worker)
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, NOW + HOLD, HOLD, "hold") == (0, 1)
    assert world.state(row) == "held"


def test_without_a_hold_a_doubt_is_decided_at_once(world: World) -> None:
    row, worker = on_the_wire(world)
    world.bury(worker)
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, NOW, timedelta(0), "resend") == (1, 0)
    assert world.state(row) == "queued"


def test_a_refusal_of_the_repeat_ends_it_and_the_doubt_stays_on_record(world: World) -> None:
    row, worker = on_the_wire(world)
    world.finish(worker, row, "in_doubt")
    with world.store.write() as connection:
        ledger.settle_doubts(connection, NOW + HOLD, HOLD, "resend")
    world.claim(worker, now=NOW + HOLD)
    world.mark(worker, row)
    world.finish(worker, row, "rejected", now=NOW + HOUR)
    found = world.row(row)
    assert (found.state, found.attempts, found.doubts, found.in_doubt_at) == ("rejected", 2, 1, NOW)


def test_a_repeat_that_is_deferred_and_then_in_doubt_is_not_sent_a_third_time(world: World) -> None:
    row, worker = on_the_wire(world)
    world.finish(worker, row, "in_doubt")
    with world.store.write() as connection:
        ledger.settle_doubts(connection, NOW + HOLD, HOLD, "resend")
    world.claim(worker, now=NOW + HOLD)
    world.mark(worker, row)
    world.finish(worker, row, "queued", next_try_at=NOW + HOUR)
    world.claim(worker, now=NOW + HOUR)
    world.mark(worker, row)
    world.finish(worker, row, "in_doubt", now=NOW + HOUR)
    with world.store.write() as connection:
        assert ledger.settle_doubts(connection, NOW + 2 * HOUR, HOLD, "resend") == (0, 1)
    assert world.state(row) == "held"
