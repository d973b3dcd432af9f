from datetime import timedelta
from threading import Barrier

import pytest
from contract.databases import Postgresql, Sqlite
from contract.world import HOUR, NOW, TODAY, Side, World, together
from sqlalchemy import Connection, Table, text

from digest.store import deliveries, ledger, workers
from digest.store.engine import Store
from digest.store.schema import delivery, notice

DAY = timedelta(days=1)


@pytest.mark.parametrize("table", [delivery, notice], ids=lambda table: str(table.name))
def test_a_row_is_claimed_once(world: World, table: Table) -> None:
    rows = world.mails(3) if table is delivery else [world.letter(f"r{n}") for n in range(3)]
    one, other = world.worker(), world.worker()
    assert world.claim(one, table, limit=2) == rows[:2]
    assert world.claim(other, table) == rows[2:]
    assert world.claim(one, table) == world.claim(other, table) == []
    assert [world.row(row, table).worker_id for row in rows] == [one, one, other]


def test_workers_that_claim_at_once_share_the_rows_between_them(world: World) -> None:
    rows = world.mails(60)
    ready = Barrier(4)
    ids = [world.worker() for _ in range(4)]

    def work(worker: int) -> list[int]:
        got: list[int] = []
        ready.wait(30)
        while chunk := world.claim(worker, limit=7):
            assert len(chunk) <= 7
            got += chunk
        return got

    shares = together(*[lambda worker=worker: work(worker) for worker in ids])
    assert sorted(row for share in shares for row in share) == rows
    for worker, share in zip(ids, shares, strict=True):
        assert {world.row(row).worker_id for row in share} <= {worker}


@pytest.mark.parametrize("table", [delivery, notice], ids=lambda table: str(table.name))
def test_those_never_in_doubt_go_first_and_then_by_due_time(world: World, table: Table) -> None:
    plan = [(2, 1), (0, 0), (1, 0), (3, 1), (0, 2), (1, 0)]
    issue = world.edition()
    rows = [
        world.mail(world.reader(f"r{n}"), issue, NOW - due * HOUR, doubts=doubts)
        if table is delivery
        else world.letter(f"r{n}", due_at=NOW - due * HOUR, doubts=doubts)
        for n, (due, doubts) in enumerate(plan)
    ]
    expected = [rows[n] for n in sorted(range(len(plan)), key=lambda n: (plan[n][1], -plan[n][0], n))]
    worker = world.worker()
    assert [row for _ in range(3) for row in world.claim(worker, table, limit=2)] == expected


def test_a_chunk_comes_in_the_order_in_which_it_is_to_be_served(world: World) -> None:
    issue = world.edition()
    rows = [world.mail(world.reader(f"r{n}"), issue, NOW - n * HOUR) for n in range(5)]
    assert world.claim(world.worker()) == rows[::-1]


def test_what_is_not_due_yet_is_not_claimed(world: World) -> None:
    reader, issue = world.reader(), world.edition()
    row = world.mail(reader, issue, NOW + timedelta(seconds=1))
    worker = world.worker()
    assert world.claim(worker) == []
    assert world.claim(worker, now=NOW + timedelta(seconds=1)) == [row]


def test_what_is_deferred_is_not_claimed_before_its_time(world: World) -> None:
    row = world.mail(world.reader(), world.edition(), NOW - HOUR, next_try_at=NOW + HOUR)
    worker = world.worker()
    assert world.claim(worker) == []
    assert world.claim(worker, now=NOW + HOUR) == [row]


def test_a_reader_is_served_by_one_worker_at_a_time(world: World) -> None:
    reader = world.reader()
    older = world.mail(reader, world.edition(TODAY - DAY), NOW - DAY)
    newer = world.mail(reader, world.edition(TODAY), NOW)
    one, other = world.worker(), world.worker()
    assert world.claim(one, limit=1) == [older]
    assert world.claim(other) == []
    world.mark(one, older)
    assert world.claim(other) == []
    world.finish(one, older, "submitted")
    assert world.claim(other) == [newer]


@pytest.mark.parametrize("state", ["in_doubt", "held", "parked", "skipped"])
def test_a_row_that_nobody_works_on_does_not_keep_a_reader_from_the_next_mail(world: World, state: str) -> None:
    reader = world.reader()
    world.mail(reader, world.edition(TODAY - DAY), NOW - DAY, state=state)
    newer = world.mail(reader, world.edition(TODAY), NOW)
    assert world.claim(world.worker()) == [newer]


def test_a_reader_is_not_shared_by_two_workers_that_claim_at_once(world: World) -> None:
    reader = world.reader()
    older = world.mail(reader, world.edition(TODAY - DAY), NOW - DAY)
    world.mail(reader, world.edition(TODAY), NOW)
    one, other = world.worker(), world.worker()
    with world.store.write() as connection:
        claimed = ledger.claim(connection, delivery, one, NOW, 1)
        side = Side(lambda: world.claim(other))
        side.waits_or_ends(world.store)
    assert claimed == [older]
    assert side.result() == []


def test_the_mails_of_one_address_can_be_claimed_alone(world: World) -> None:
    _, wanted, *_ = world.mails(3)
    letters = [world.letter("reader0"), world.letter("reader1")]
    worker = world.worker()
    assert world.claim(worker, only="Reader1@example.org") == [wanted]
    assert world.claim(worker, notice, only="READER1@EXAMPLE.ORG") == letters[1:]
    assert world.claim(worker, only="nobody@example.org") == []


def test_a_worker_that_was_given_up_for_dead_claims_nothing(world: World) -> None:
    (row,) = world.mails(1)
    letter = world.letter()
    worker = world.worker()
    world.bury(worker)
    assert world.claim(worker) == world.claim(worker, notice) == []
    assert (world.state(row), world.state(letter, notice)) == ("queued", "queued")


def test_what_a_worker_claims_while_it_is_buried_does_not_stay_claimed(world: World) -> None:
    (row,) = world.mails(1)
    worker = world.worker()
    with world.store.write() as connection:
        assert ledger.claim(connection, delivery, worker, NOW, 10) == [row]
        side = Side(lambda: world.bury(worker))
        side.waits_or_ends(world.store)
    assert side.result() == (1, 0)
    assert world.state(row) == "queued"


def test_what_a_reader_who_leaves_just_now_would_get_is_not_claimed(world: World) -> None:
    row, other = world.mails(2)
    worker = world.worker()

    def leave(connection: Connection) -> None:
        deliveries.skip_open(connection, [world.row(row).subscriber_id], "he left", NOW)

    if world.store.is_sqlite:
        with world.store.write() as connection:
            leave(connection)
        assert world.claim(worker) == [other]
    else:
        with world.store.write() as connection:
            leave(connection)
            # Nobody waits for him.
            assert world.claim(worker) == [other]
    assert world.states(row, other) == ["skipped", "claimed"]


def test_a_claim_of_nothing_is_nothing(world: World) -> None:
    world.mails(2)
    assert world.claim(world.worker(), limit=0) == []


def test_a_claim_never_takes_more_than_it_was_told_to(postgresql: Postgresql) -> None:
    store = Store.open(postgresql.current())
    world = World(store)
    try:
        world.mails(30)
        worker = world.worker()
        with store.write() as connection:
            # Where a plan runs the subquery anew for every row, each time others are found.
            for setting in ("enable_hashjoin", "enable_mergejoin", "enable_hashagg", "enable_material", "enable_sort"):
                connection.execute(text(f"SET LOCAL {setting} = off"))
            assert len(ledger.claim(connection, delivery, worker, NOW, 4)) == 4
        with store.write() as connection:
            assert workers.bury(connection, [worker], NOW) == (4, 0)
    finally:
        store.close()


def test_the_work_of_a_chunk_does_not_grow_with_the_queue(sqlite: Sqlite) -> None:
    store = Store.open(sqlite.current())
    world = World(store)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def prepare() -> int:
        """In hundreds of steps of SQLite's machine."""
        nonlocal steps
        worker, steps = world.worker(), 0
        with store.write() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.set_progress_handler(count, 100)
            rows = ledger.claim(connection, delivery, worker, NOW, 10)
            whom = [mail.reader.id for mail in deliveries.claimed(connection, rows)]
            deliveries.papers_under_way(connection, whom)
            driver.set_progress_handler(None, 0)
        assert len(whom) == 10
        return steps

    try:
        edition = world.edition()
        readers = [world.reader(f"reader{n}") for n in range(220)]
        for reader in readers[:20]:
            world.mail(reader, edition)
        before = prepare()
        for reader in readers[20:]:
            world.mail(reader, edition)
        assert prepare() <= before + 2
    finally:
        store.close()
