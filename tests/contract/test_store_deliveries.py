from datetime import time, timedelta
from typing import Any

import pytest
from contract.world import HOUR, NOW, TODAY, World, together
from sqlalchemy import Row, select

from digest.edition.model import Pick
from digest.store import deliveries, upsert
from digest.store.schema import delivery, edition, subscriber

DAY = timedelta(days=1)
PICKS = (Pick(7, "card", "topic", "robot arms"), Pick(9, "also"))
UNDER_WAY = {"claimed", "submitting", "in_doubt", "held"}


def issue_row(world: World, number: int) -> "Row[tuple[object, ...]]":
    with world.store.read() as connection:
        return connection.execute(select(edition).where(edition.c.id == number)).one()


def enqueue_for_all(world: World, number: int) -> int:
    with world.store.write() as connection:
        return deliveries.enqueue_for_all(connection, issue_row(world, number), NOW)


def rows(world: World) -> list[tuple[int, int, object]]:
    """(edition, subscriber, due_at) of every delivery."""
    with world.store.read() as connection:
        query = delivery.select().order_by(delivery.c.id)
        return [(row.edition_id, row.subscriber_id, row.due_at) for row in connection.execute(query)]


def test_a_reader_has_one_row_for_an_edition_however_often_he_is_queued(world: World) -> None:
    ann, bob, issue = world.reader("ann"), world.reader("bob"), world.edition()
    with world.store.write() as connection:
        assert deliveries.enqueue(connection, [(issue, ann, NOW)], NOW) == 1
        assert deliveries.enqueue(connection, [(issue, ann, NOW + HOUR), (issue, bob, NOW)], NOW) == 1
        assert deliveries.enqueue(connection, [], NOW) == 0
    assert rows(world) == [(issue, ann, NOW), (issue, bob, NOW)]
    found = world.row(1)
    assert (found.state, found.attempts, found.doubts, found.failures, found.picks) == ("queued", 0, 0, 0, None)


def test_an_edition_goes_to_readers_without_an_hour_who_were_active_and_read_on_that_day(world: World) -> None:
    issue = world.edition(frozen_at=NOW)
    expected = [
        world.reader("ann"),
        world.reader("just", active_since=NOW),
        world.reader("sundays", days=[6]),
    ]
    world.reader("hour", hour=time(8))
    world.reader("mondays", days=[0])
    world.reader("weekly", cadence="weekly")
    world.reader("later", active_since=NOW + timedelta(seconds=1))
    for state in ("pending", "paused", "unsubscribed", "bounced", "complained"):
        world.reader(state, state=state)
    world.reader("never", active_since=None)
    assert enqueue_for_all(world, issue) == 3
    assert sorted(rows(world)) == [(issue, reader, NOW) for reader in expected]
    assert issue_row(world, issue).queued_at == NOW
    assert enqueue_for_all(world, issue) == 0


def test_a_weekly_edition_goes_to_weekly_readers_whatever_their_days(world: World) -> None:
    issue = world.edition(cadence="weekly", frozen_at=NOW)
    weekly = world.reader("weekly", cadence="weekly", days=[2])
    world.reader("daily")
    assert enqueue_for_all(world, issue) == 1
    assert rows(world) == [(issue, weekly, NOW)]


def test_who_has_a_row_already_is_not_queued_again(world: World) -> None:
    issue = world.edition(frozen_at=NOW)
    ann, bob = world.reader("ann"), world.reader("bob")
    world.mail(ann, issue, NOW - HOUR, state="skipped")
    assert enqueue_for_all(world, issue) == 1
    assert rows(world) == [(issue, ann, NOW - HOUR), (issue, bob, NOW)]


def test_an_edition_goes_to_all_readers_however_many_ids_lie_between_them(world: World) -> None:
    issue = world.edition(frozen_at=NOW)
    many = deliveries.READERS_AT_ONCE
    expected = [world.reader(f"r{id_}", id=id_) for id_ in (1, many, many + 1, 3 * many + 7)]
    assert enqueue_for_all(world, issue) == len(expected)
    assert rows(world) == [(issue, reader, NOW) for reader in expected]
    assert enqueue_for_all(world, issue) == 0


def test_two_that_queue_an_edition_at_once_queue_it_once(world: World) -> None:
    issue = world.edition(frozen_at=NOW)
    for n in range(40):
        world.reader(f"r{n}")
    queued = together(*[lambda: enqueue_for_all(world, issue) for _ in range(4)])
    assert sum(queued) == 40
    assert len(rows(world)) == 40


def test_readers_who_are_due_come_in_order_a_page_at_a_time(world: World) -> None:
    due = [world.reader(f"r{n}", hour=time(8), next_due_at=NOW - n * HOUR) for n in range(5)]
    world.reader("later", hour=time(9), next_due_at=NOW + timedelta(seconds=1))
    world.reader("paused", hour=time(8), next_due_at=NOW, state="paused")
    world.reader("new", hour=time(8), next_due_at=NOW, active_since=NOW + HOUR)
    world.reader("nohour", next_due_at=NOW)
    with world.store.read() as connection:
        first = deliveries.readers_due(connection, NOW, after_id=0, limit=3)
        rest = deliveries.readers_due(connection, NOW, after_id=first[-1].subscriber_id, limit=3)
    assert [one.subscriber_id for one in first + rest] == due
    assert first[1] == deliveries.Due(due[1], NOW - HOUR, "UTC", "08:00", 127, "daily")


def test_a_due_time_moves_unless_it_was_changed_meanwhile(world: World) -> None:
    ann = world.reader("ann", hour=time(8), next_due_at=NOW)
    bob = world.reader("bob", hour=time(8), next_due_at=NOW + HOUR)
    cid = world.reader("cid", hour=time(8), next_due_at=NOW)
    with world.store.write() as connection:
        deliveries.move_due(connection, [(ann, NOW, NOW + DAY), (bob, NOW, NOW + DAY), (cid, NOW, None)])
        deliveries.move_due(connection, [])
    assert [world.row(one, subscriber).next_due_at for one in (ann, bob, cid)] == [NOW + DAY, NOW + HOUR, None]


def test_picks_are_stored_beside_the_rows_that_one_holds_and_come_back(world: World) -> None:
    mine, others, queued = world.mails(3)
    one, other = world.worker(), world.worker()
    world.claim(one, limit=1)
    world.claim(other, limit=1)
    with world.store.write() as connection:
        deliveries.store_picks(connection, one, {row: (PICKS, f"m{row}@example.org") for row in (mine, others, queued)})
        deliveries.store_picks(connection, one, {})
    assert [world.row(row).message_id for row in (mine, others, queued)] == [f"m{mine}@example.org", None, None]
    reader = world.row(mine).subscriber_id
    with world.store.read() as connection:
        assert deliveries.papers_under_way(connection, [reader]) == {reader: [(mine, PICKS)]}


@pytest.mark.parametrize(
    ("state", "columns", "counts"),
    [
        ("claimed", {}, True),
        ("submitting", {}, True),
        ("in_doubt", {"doubts": 1}, True),
        ("held", {"doubts": 2}, True),
        ("queued", {"attempts": 1}, True),
        ("queued", {"doubts": 1}, True),
        # Chosen by a worker that died before it could submit: he got nothing of it, and others are chosen.
        ("queued", {}, False),
        ("submitted", {"attempts": 1}, False),
        ("rejected", {"attempts": 1}, False),
        ("skipped", {}, False),
        ("expired", {"attempts": 9}, False),
        ("parked", {}, False),
    ],
)
def test_papers_are_under_way_while_they_may_reach_the_reader(
    world: World, state: str, columns: dict[str, Any], counts: bool
) -> None:
    ann, bob, issue = world.reader("ann"), world.reader("bob"), world.edition()
    row = world.mail(ann, issue, state=state, picks=[[7, 0, "robot arms"], [9, 1]], **columns)
    world.mail(bob, issue, state=state, **columns)
    with world.store.read() as connection:
        found = deliveries.papers_under_way(connection, [ann, bob])
        assert dict(found) == ({ann: [(row, PICKS)]} if counts else {})
        assert deliveries.papers_under_way(connection, [bob]) == {}


def test_readers_come_by_id_with_what_their_mail_depends_on(world: World) -> None:
    ann = world.reader("ann", name="Ann", size=5, share=0.25, confirmed_at=NOW, seen="20779:1;", language="de")
    world.reader("bob")
    with world.store.read() as connection:
        found = deliveries.readers(connection, [ann, 999])
    token = world.row(ann, subscriber).token
    assert found == {ann: deliveries.Reader(ann, token, "ann@example.org", "Ann", "active", 5, 0.25, NOW, "20779:1;", "de")}


def test_withdrawing_touches_nobody_else(world: World) -> None:
    first, second, third = world.mails(3)
    with world.store.write() as connection:
        leaving = [world.row(row).subscriber_id for row in (first, third)]
        assert deliveries.skip_open(connection, leaving, "he left", NOW + HOUR) == 2
        assert deliveries.skip_open(connection, [], "nobody", NOW) == 0
    assert world.states(first, second, third) == ["skipped", "queued", "skipped"]
    assert world.row(first).updated_at == NOW + HOUR


def test_lists_name_reader_and_edition_and_can_be_narrowed(world: World) -> None:
    issue = world.edition()
    ann = world.mail(world.reader("ann"), issue, NOW - HOUR, state="submitted")
    bob = world.mail(world.reader("bob"), issue, NOW)
    with world.store.read() as connection:
        every = deliveries.listed(connection)
        assert [(row.id, row.email, row.edition_date, row.edition_cadence) for row in every] == [
            (bob, "bob@example.org", TODAY, "daily"),
            (ann, "ann@example.org", TODAY, "daily"),
        ]
        assert [row.id for row in deliveries.listed(connection, state="submitted")] == [ann]
        assert [row.id for row in deliveries.listed(connection, address_key="bob@example.org")] == [bob]
        assert [row.id for row in deliveries.listed(connection, limit=1)] == [bob]
        found = deliveries.find(connection, ann)
        assert found is not None
        assert found.email == "ann@example.org"
        assert deliveries.find(connection, 999) is None


def test_the_rows_of_an_edition_are_counted_by_state_and_doubts_for_good(world: World) -> None:
    issue, before = world.edition(), world.edition(TODAY - DAY)
    for n, (state, in_doubt_at) in enumerate([("submitted", NOW), ("submitted", None), ("held", NOW), ("queued", None)]):
        world.mail(world.reader(f"r{n}"), issue, state=state, in_doubt_at=in_doubt_at)
    with world.store.read() as connection:
        assert deliveries.counts(connection, issue) == {"submitted": 2, "held": 1, "queued": 1}
        assert deliveries.ever_in_doubt(connection, issue) == 2
        assert deliveries.counts(connection, before) == {}


def test_what_is_due_now_is_queued_mails_and_readers_whose_hour_has_come(world: World) -> None:
    world.mails(2)
    world.mail(world.reader("later"), world.edition(TODAY - DAY), NOW + HOUR)
    world.letter()
    world.reader("hour", hour=time(8), next_due_at=NOW)
    world.reader("pause", hour=time(8), next_due_at=NOW, state="paused")
    with world.store.read() as connection:
        # The edition of yesterday was not queued for the two who have today's, nor today's for the one who has that.
        assert deliveries.due_now(connection, NOW) == {"queued": 3, "readers": 4}
    with world.store.write() as connection:
        connection.execute(edition.update().values(queued_at=NOW))
        assert deliveries.due_now(connection, NOW) == {"queued": 3, "readers": 1}


def test_ids_come_in_chunks_that_a_statement_can_hold() -> None:
    chunks = list(upsert.chunks(range(1200)))
    assert [len(chunk) for chunk in chunks] == [500, 500, 200]
    assert [number for chunk in chunks for number in chunk] == list(range(1200))


def test_a_worker_gets_what_it_claimed_with_the_readers_and_in_its_order(world: World) -> None:
    ann = world.reader("ann", name="Ann", seen="20779:1;", confirmed_at=NOW - DAY, share=0.5)
    bob = world.reader("bob")
    edition = world.edition()
    first = world.mail(bob, edition, NOW - HOUR, attempts=1, failures=2, reply="later", next_try_at=NOW)
    second = world.mail(ann, edition, NOW)
    with world.store.read() as connection:
        later, sooner = deliveries.claimed(connection, [second, first, 99])
        readers = deliveries.readers(connection, [ann, bob])
    assert later == deliveries.Claimed(second, edition, NOW, 0, 0, 0, None, "", readers[ann])
    assert sooner == deliveries.Claimed(first, edition, NOW - HOUR, 1, 0, 2, NOW, "later", readers[bob])
    assert (readers[ann].name, readers[ann].seen, readers[ann].confirmed_at) == ("Ann", "20779:1;", NOW - DAY)


def test_what_was_chosen_and_how_it_was_named_can_be_asked_for_again(world: World) -> None:
    row, other = world.mails(2)
    worker = world.worker()
    world.claim(worker)
    with world.store.write() as connection:
        deliveries.store_picks(connection, worker, {row: (PICKS, "m@example.org")})
        assert deliveries.fixed(connection, [row, other]) == {row: (PICKS, "m@example.org")}
        assert deliveries.fixed(connection, []) == {}


def test_what_was_withdrawn_for_one_reason_at_one_time_is_queued_again(world: World) -> None:
    ann, bob, gone = world.reader("ann"), world.reader("bob"), "the reader is unsubscribed"
    picks = [[7, 0]]
    new = world.mail(ann, world.edition(), picks=picks)
    doubted = world.mail(ann, world.edition(TODAY - DAY), picks=picks, doubts=1, attempts=1)
    submitted = world.mail(ann, world.edition(TODAY - 2 * DAY), state="submitted")
    other = world.mail(bob, world.edition(TODAY - 3 * DAY))
    late = world.mail(ann, world.edition(TODAY - 4 * DAY), state="skipped", reply="too late")
    before = world.mail(ann, world.edition(TODAY - 5 * DAY), state="skipped", reply=gone, updated_at=NOW - HOUR)
    with world.store.write() as connection:
        deliveries.skip_open(connection, [ann, bob], gone, NOW)
        assert deliveries.reopen(connection, ann, gone, NOW, NOW + HOUR) == 2
        assert deliveries.reopen(connection, ann, gone, NOW, NOW + HOUR) == 0
    assert world.states(new, doubted, submitted, other, late, before) == [
        "queued",
        "queued",
        "submitted",
        "skipped",
        "skipped",
        "skipped",
    ]
    assert [(world.row(one).picks, world.row(one).reply) for one in (new, doubted)] == [(None, ""), (picks, "")]
    assert world.row(other).picks is None


def test_only_what_is_being_submitted_is_on_its_way(world: World) -> None:
    ann, bob = world.reader("ann"), world.reader("bob")
    for days, state in enumerate(("queued", "claimed", "submitting", "in_doubt", "submitted", "skipped")):
        world.mail(ann, world.edition(TODAY - days * DAY), state=state)
    with world.store.read() as connection:
        assert [deliveries.on_its_way(connection, one) for one in (ann, bob)] == [1, 0]


def test_readers_refused_since_a_mail_was_last_taken_are_known_and_of_many_a_few(world: World) -> None:
    readers = [world.reader(f"reader{n}") for n in range(5)]
    today, before = world.edition(), world.edition(TODAY - DAY)

    def refused(at_most: int = 9) -> set[int]:
        with world.store.read() as connection:
            return deliveries.refused_since_taken(connection, at_most)

    assert refused() == set()
    for reader in readers[:3]:
        world.mail(reader, before, NOW - DAY, state="rejected")
        world.mail(reader, today, NOW, state="rejected")
    assert refused() == set(readers[:3])
    assert len(refused(2)) == 2
    world.mail(readers[3], before, NOW - HOUR, state="submitted")
    world.mail(readers[3], today, NOW + HOUR, state="queued")
    assert refused() == set(readers[:3])
    world.mail(readers[4], today, NOW, state="submitted")
    assert refused() == set()
