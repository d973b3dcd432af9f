from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from contract.world import HOUR, NOW, Side, World, outcome
from sqlalchemy import Connection, Table, insert

from digest.outbox.retry import KEEP_TRYING_FOR, State
from digest.store import deliveries, groups, ledger, subscribers, workers
from digest.store.schema import delivery, notice, worker

STATES: tuple[State, ...] = get_args(State)
RETRIED: tuple[State, ...] = ("rejected", "expired", "parked", "held", "skipped")
MINE, ANOTHER = 1, 2
LATER = NOW + timedelta(days=3)

Action = Callable[[Connection, Table, list[int]], object]


def end(state: str, worker: int = MINE) -> Action:
    """An outcome."""
    return lambda connection, table, rows: groups.write(
        connection, worker, [outcome(row, state, table=table) for row in rows], [], NOW
    )


def mark(worker: int) -> Action:
    return lambda connection, table, rows: groups.write(connection, worker, [], [(table, row) for row in rows], NOW)


def each(act: Callable[[Connection, Table, int], object]) -> Action:
    return lambda connection, table, rows: [act(connection, table, row) for row in rows]


ACTIONS: dict[str, tuple[Action, dict[State, State]]] = {
    "claim": (
        lambda connection, table, _: ledger.claim(connection, table, ANOTHER, NOW, 100),
        {"queued": "claimed"},
    ),
    "mark": (mark(MINE), {"claimed": "submitting"}),
    "another's mark": (mark(ANOTHER), {}),
    "submitted": (end("submitted"), {"submitting": "submitted", "in_doubt": "submitted"}),
    "rejected": (end("rejected"), {"claimed": "rejected", "submitting": "rejected", "in_doubt": "rejected"}),
    "deferred": (end("queued"), {"claimed": "queued", "submitting": "queued"}),
    "expired": (end("expired"), {"claimed": "expired", "submitting": "expired"}),
    "in doubt": (end("in_doubt"), {"submitting": "in_doubt"}),
    "skipped": (end("skipped"), {"claimed": "skipped"}),
    "parked": (end("parked"), {"claimed": "parked"}),
    "another's outcome": (end("submitted", ANOTHER), {}),
    "bury": (
        lambda connection, *_: workers.bury(connection, [MINE], NOW),
        {"claimed": "queued", "submitting": "in_doubt"},
    ),
    "settle": (
        lambda connection, *_: ledger.settle_doubts(connection, LATER, HOUR, "resend"),
        {"in_doubt": "queued"},
    ),
    "settle, and hold": (
        lambda connection, *_: ledger.settle_doubts(connection, LATER, HOUR, "hold"),
        {"in_doubt": "held"},
    ),
    "retry": (
        each(lambda connection, table, row: ledger.retry(connection, table, row, NOW, RETRIED)),
        dict.fromkeys(RETRIED, "queued"),
    ),
    "resolve": (
        each(lambda connection, table, row: ledger.resolve(connection, table, row, "submitted", NOW)),
        dict.fromkeys(("in_doubt", "held", "parked"), "submitted"),
    ),
    "beat": (lambda connection, *_: workers.beat(connection, MINE, NOW), {}),
}

LENIENT = {("submitted", "claimed"), ("in doubt", "claimed"), ("skipped", "submitting"), ("parked", "submitting")}
"""Reports that no worker makes. They are taken from the row's owner all the same, for what he says is the truth."""


def one_of_each(world: World, table: Table) -> dict[State, int]:
    """A row in every state, each of another reader; what a worker has is worker 1's."""
    with world.store.write() as connection:
        for number in (MINE, ANOTHER):
            row = {"id": number, "host": "x", "boot_id": "", "pid": 1, "born": 0, "started_at": NOW, "beat_at": NOW}
            connection.execute(insert(worker), row)
    issue = world.edition()
    rows: dict[State, int] = {}
    for state in STATES:
        columns: dict[str, Any] = {
            "state": state,
            "worker_id": MINE if state in ("claimed", "submitting", "in_doubt") else None,
            "doubts": {"in_doubt": 1, "held": 2}.get(state, 0),
            "in_doubt_at": NOW if state in ("in_doubt", "held") else None,
        }
        if table is delivery:
            rows[state] = world.mail(world.reader(state), issue, **columns)
        else:
            rows[state] = world.letter(state, **columns)
    return rows


@pytest.mark.parametrize("table", [delivery, notice], ids=lambda table: str(table.name))
@pytest.mark.parametrize("action", list(ACTIONS))
def test_an_action_moves_the_rows_that_it_may_and_no_other(world: World, table: Table, action: str) -> None:
    rows = one_of_each(world, table)
    act, legal = ACTIONS[action]
    with world.store.write() as connection:
        act(connection, table, list(rows.values()))
    found = {state: world.state(number, table) for state, number in rows.items()}
    expected = {state: legal.get(state, state) for state in rows}
    for state in STATES:
        if (action, state) not in LENIENT:
            assert found[state] == expected[state], f"{state} became {found[state]} by {action}"
    for state in ("in_doubt", "held"):
        assert world.row(rows[state], table).in_doubt_at == NOW


@pytest.mark.parametrize("action", ["skip_open", "skip_late"])
def test_withdrawing_an_edition_moves_what_is_not_on_the_wire(world: World, action: str) -> None:
    rows = one_of_each(world, delivery)
    readers = [world.row(number).subscriber_id for number in rows.values()]
    with world.store.write() as connection:
        if action == "skip_open":
            assert deliveries.skip_open(connection, readers, "he left", NOW) == 2
        else:
            assert ledger.skip_late(connection, LATER, 12 * HOUR) == 1
    moved = {"queued": "skipped", "claimed": "skipped" if action == "skip_open" else "claimed"}
    assert {state: world.state(number) for state, number in rows.items()} == {
        state: moved.get(state, state) for state in STATES
    }
    withdrawn = world.row(rows["claimed" if action == "skip_open" else "queued"])
    assert withdrawn.worker_id is None
    assert withdrawn.reply == ("he left" if action == "skip_open" else "too late: more than schedule.catch_up after it was due")


def submitting(world: World, **columns: Any) -> tuple[int, int, int]:
    """A reader, his row, and the worker who is submitting it."""
    reader, worker = world.reader(), world.worker()
    row = world.mail(reader, world.edition(), **columns)
    assert world.claim(worker) == [row]
    assert world.mark(worker, row) == {row}
    return reader, row, worker


def test_what_was_submitted_is_remembered_once(world: World) -> None:
    reader, row, worker = submitting(world)
    for _ in range(2):
        world.finish(worker, row, "submitted", subscriber_id=reader, seen="20779:1,2;", reply="250 ok")
    found = world.row(row)
    assert (found.state, found.attempts, found.worker_id, found.reply) == ("submitted", 1, None, "250 ok")
    assert world.seen(reader) == "20779:1,2;"


def test_memories_of_several_mails_are_appended_in_one_go(world: World) -> None:
    reader, worker = world.reader(seen="20770:9;"), world.worker()
    rows = [world.mail(reader, world.edition(NOW.date() - timedelta(days=n))) for n in range(2)]
    world.claim(worker)
    world.mark(worker, *rows)
    with world.store.write() as connection:
        ended = [outcome(row, "submitted", subscriber_id=reader, seen=f"2077{n}:{n};") for n, row in enumerate(rows)]
        groups.write(connection, worker, ended, [], NOW)
    assert world.seen(reader) == "20770:9;20770:0;20771:1;"


@pytest.mark.parametrize("state", ["rejected", "queued", "expired", "in_doubt", "skipped", "parked"])
def test_nothing_is_remembered_of_what_was_not_submitted(world: World, state: str) -> None:
    reader, row, worker = submitting(world)
    world.finish(worker, row, state, subscriber_id=reader, seen="20779:1,2;")
    assert world.seen(reader) == ""


def test_an_outcome_of_a_worker_that_lost_its_row_changes_nothing(world: World) -> None:
    reader, row, worker = submitting(world)
    world.bury(worker)
    with world.store.write() as connection:
        ledger.settle_doubts(connection, LATER, HOUR, "resend")
    before = world.row(row)
    world.finish(worker, row, "submitted", subscriber_id=reader, seen="20779:1,2;")
    assert world.row(row) == before
    assert world.seen(reader) == ""


def test_an_outcome_that_comes_when_another_has_submitted_the_mail_adds_nothing(world: World) -> None:
    reader, row, worker = submitting(world)
    world.bury(worker)
    with world.store.write() as connection:
        ledger.settle_doubts(connection, LATER, HOUR, "resend")
    second = world.worker()
    world.claim(second)
    world.mark(second, row)
    world.finish(second, row, "submitted", subscriber_id=reader, seen="20779:1,2;", reply="second")
    world.finish(worker, row, "submitted", subscriber_id=reader, seen="20779:1,2;", reply="first")
    assert world.row(row).reply == "second"
    assert world.seen(reader) == "20779:1,2;"


@pytest.mark.parametrize("state", ["submitted", "rejected"])
def test_a_late_outcome_settles_a_row_in_doubt(world: World, state: str) -> None:
    reader, row, worker = submitting(world)
    world.bury(worker)
    world.finish(worker, row, state, subscriber_id=reader, seen="20779:1,2;")
    found = world.row(row)
    assert (found.state, found.attempts, found.doubts, found.in_doubt_at) == (state, 1, 1, NOW)
    assert world.seen(reader) == ("20779:1,2;" if state == "submitted" else "")


def test_a_deferral_that_comes_late_does_not_settle_a_doubt(world: World) -> None:
    _, row, worker = submitting(world)
    world.bury(worker)
    world.finish(worker, row, "queued", next_try_at=LATER)
    assert (world.row(row).state, world.row(row).next_try_at) == ("in_doubt", None)


def test_a_deferred_row_waits_and_counts(world: World) -> None:
    _, row, worker = submitting(world)
    world.finish(worker, row, "queued", next_try_at=NOW + HOUR, reply="451 4.7.1 later")
    found = world.row(row)
    assert (found.state, found.attempts, found.next_try_at, found.worker_id) == ("queued", 1, NOW + HOUR, None)
    assert world.claim(worker, now=NOW + HOUR - timedelta(seconds=1)) == []
    assert world.claim(worker, now=NOW + HOUR) == [row]


def test_an_attempt_that_was_none_does_not_count(world: World) -> None:
    _, row, worker = submitting(world)
    world.finish(worker, row, "queued", tried=False, failed=True)
    assert (world.row(row).attempts, world.row(row).failures) == (0, 1)


def test_a_lost_connection_before_an_answer_leaves_a_doubt(world: World) -> None:
    _, row, worker = submitting(world)
    world.finish(worker, row, "in_doubt", now=NOW + HOUR)
    found = world.row(row)
    assert (found.state, found.doubts, found.attempts, found.in_doubt_at, found.worker_id) == (
        "in_doubt",
        1,
        1,
        NOW + HOUR,
        worker,
    )


def test_a_long_reply_is_cut(world: World) -> None:
    _, row, worker = submitting(world)
    world.finish(worker, row, "rejected", reply="x" * 9999)
    assert len(world.row(row).reply) == 500


def test_outcomes_of_both_tables_are_written_together(world: World) -> None:
    _, row, worker = submitting(world)
    letter = world.letter()
    assert world.claim(worker, notice) == [letter]
    with world.store.write() as connection:
        ended = [outcome(row, "submitted"), outcome(letter, "rejected", table=notice)]
        groups.write(connection, worker, ended, [], NOW)
        groups.write(connection, worker, [], [], NOW)
    assert (world.state(row), world.state(letter, notice)) == ("submitted", "rejected")


def test_a_mark_tells_which_rows_are_still_ones_own(world: World) -> None:
    first, second = world.mails(2)
    mine, others = world.worker(), world.worker()
    world.claim(mine, limit=1)
    world.claim(others)
    assert world.mark(mine, first, second, 999) == {first}
    assert world.mark(mine) == set()
    assert world.states(first, second) == ["submitting", "claimed"]


def test_leaving_between_claim_and_mark_wins(world: World) -> None:
    reader, worker = world.reader(), world.worker()
    row = world.mail(reader, world.edition())
    world.claim(worker)
    with world.store.write() as connection:
        assert deliveries.skip_open(connection, [reader], "he left", NOW) == 1
    assert world.mark(worker, row) == set()
    world.finish(worker, row, "submitted", subscriber_id=reader, seen="20779:1;")
    assert (world.state(row), world.seen(reader)) == ("skipped", "")


def test_leaving_after_the_mark_is_too_late_for_this_mail(world: World) -> None:
    reader, row, worker = submitting(world)
    with world.store.write() as connection:
        assert deliveries.skip_open(connection, [reader], "he left", NOW) == 0
    world.finish(worker, row, "submitted")
    assert world.state(row) == "submitted"


def test_a_mark_that_comes_while_the_reader_leaves_waits_and_is_refused(world: World) -> None:
    reader, worker = world.reader(), world.worker()
    row = world.mail(reader, world.edition())
    world.claim(worker)
    with world.store.write() as connection:
        assert deliveries.skip_open(connection, [reader], "he left", NOW) == 1
        side = Side(lambda: world.mark(worker, row))
        side.waits_or_ends(world.store)
    assert side.result() == set()
    assert world.state(row) == "skipped"


def test_a_reader_who_leaves_while_his_mail_is_marked_waits_and_gets_this_one(world: World) -> None:
    reader, worker = world.reader(), world.worker()
    row = world.mail(reader, world.edition())
    world.claim(worker)

    def leave() -> int:
        with world.store.write() as connection:
            return deliveries.skip_open(connection, [reader], "he left", NOW)

    with world.store.write() as connection:
        assert groups.write(connection, worker, [], [(delivery, row)], NOW) == {(delivery, row)}
        side = Side(leave)
        side.waits_or_ends(world.store)
    assert side.result() == 0
    assert world.state(row) == "submitting"


def test_a_reader_who_leaves_while_a_letter_and_a_mail_of_his_are_marked_waits_and_gets_both(world: World) -> None:
    reader, worker = world.reader(), world.worker()
    letter, row = world.letter(subscriber_id=reader), world.mail(reader, world.edition())
    world.claim(worker, notice)
    world.claim(worker)

    def leave() -> str:
        with world.store.write() as connection:
            return subscribers.become(connection, reader, "unsubscribed", NOW).state

    with world.store.write() as connection:
        assert groups.write(connection, worker, [], [(notice, letter)], NOW) == {(notice, letter)}
        side = Side(leave)
        side.waits_or_ends(world.store)
        assert groups.write(connection, worker, [], [(delivery, row)], NOW) == {(delivery, row)}
    assert side.result() == "unsubscribed"
    assert (world.state(letter, notice), world.state(row)) == ("submitting", "submitting")


def test_only_a_row_that_was_never_tried_is_too_late(world: World) -> None:
    issue = world.edition()
    due = NOW - 12 * HOUR
    late = world.mail(world.reader("late"), issue, due - timedelta(seconds=1))
    just = world.mail(world.reader("just"), issue, due)
    deferred = world.mail(world.reader("deferred"), issue, due - HOUR, attempts=1)
    doubted = world.mail(world.reader("doubted"), issue, due - 99 * HOUR, doubts=1)
    failed = world.mail(world.reader("failed"), issue, due - HOUR, failures=2)
    with world.store.write() as connection:
        assert ledger.skip_late(connection, NOW, 12 * HOUR) == 2
    assert world.states(late, just, deferred, doubted, failed) == ["skipped", "queued", "queued", "queued", "skipped"]


def test_what_was_deferred_for_twenty_hours_expires_and_a_doubt_keeps_its_one_repeat(world: World) -> None:
    issue = world.edition()
    due = NOW - KEEP_TRYING_FOR
    just = world.mail(world.reader("just"), issue, due, attempts=5)
    over = world.mail(world.reader("over"), issue, due - timedelta(seconds=1), attempts=5)
    doubted = world.mail(world.reader("doubted"), issue, due - HOUR, attempts=5, doubts=1)
    letter = world.letter(due_at=due - HOUR, attempts=1)
    new_letter = world.letter(key="2", due_at=due - HOUR)
    with world.store.write() as connection:
        assert ledger.expire(connection, NOW) == 2
    assert world.states(just, over, doubted) == ["queued", "expired", "queued"]
    assert world.states(letter, new_letter, table=notice) == ["expired", "queued"]


@pytest.mark.parametrize("state", RETRIED)
def test_the_operator_may_have_tried_again_what_ended(world: World, state: str) -> None:
    row = world.mail(world.reader(), world.edition(), state=state, attempts=2, failures=3, next_try_at=NOW)
    with world.store.write() as connection:
        assert ledger.retry(connection, delivery, row, LATER, RETRIED)
        assert not ledger.retry(connection, delivery, row, LATER, RETRIED)
    found = world.row(row)
    assert (found.state, found.due_at, found.next_try_at, found.failures) == ("queued", LATER, None, 0)


def test_a_repeat_of_what_was_in_doubt_keeps_its_due_time_and_so_its_bytes(world: World) -> None:
    row = world.mail(world.reader(), world.edition(), state="held", doubts=2, attempts=2, in_doubt_at=NOW)
    with world.store.write() as connection:
        assert ledger.retry(connection, delivery, row, LATER, RETRIED)
    assert (world.row(row).due_at, world.row(row).in_doubt_at) == (NOW, NOW)


@pytest.mark.parametrize("state", ["queued", "claimed", "submitting", "submitted"])
def test_the_operator_cannot_repeat_what_is_under_way_or_done(world: World, state: str) -> None:
    row = world.mail(world.reader(), world.edition(), state=state)
    with world.store.write() as connection:
        assert not ledger.retry(connection, delivery, row, LATER, RETRIED)
        assert not ledger.resolve(connection, delivery, row, "rejected", LATER)
    assert world.state(row) == state


@pytest.mark.parametrize("to", ["submitted", "rejected"])
def test_the_operator_may_say_what_became_of_a_row_in_doubt(world: World, to: State) -> None:
    row = world.mail(world.reader(), world.edition(), state="held", doubts=2, in_doubt_at=NOW)
    with world.store.write() as connection:
        assert ledger.resolve(connection, delivery, row, to, LATER)
    found = world.row(row)
    assert (found.state, found.reply, found.in_doubt_at) == (to, "settled by the operator", NOW)


def test_a_memory_is_added_only_for_a_row_that_was_submitted(world: World) -> None:
    reader = world.reader()
    row = world.mail(reader, world.edition(), state="held")
    with world.store.write() as connection:
        ledger.remember(connection, row, reader, "20779:1;")
        assert ledger.resolve(connection, delivery, row, "submitted", NOW)
        ledger.remember(connection, row, reader, "20779:1;")
        ledger.remember(connection, row, reader, "20779:1;")
    assert world.seen(reader) == "20779:1;"


def test_what_waits_is_counted_over_both_tables(world: World) -> None:
    one_of_each(world, delivery)
    world.letter("bob")
    with world.store.read() as connection:
        waiting = ledger.waiting(connection)
    assert waiting == {"queued": 2, "claimed": 1, "submitting": 1, "in_doubt": 1, "held": 1, "parked": 1}


def test_the_next_try_is_the_earliest_of_both_tables(world: World) -> None:
    with world.store.read() as connection:
        assert ledger.earliest_open(connection) is None
    issue = world.edition()
    world.mail(world.reader("ann"), issue, NOW - HOUR, next_try_at=NOW + 2 * HOUR, attempts=1)
    world.mail(world.reader("bob"), issue, NOW - HOUR, state="submitted")
    with world.store.read() as connection:
        assert ledger.earliest_open(connection) == NOW + 2 * HOUR
    world.letter(due_at=NOW + HOUR)
    with world.store.read() as connection:
        assert ledger.earliest_open(connection) == NOW + HOUR
