"""What an operator asks of the whole, and his word that digests wait."""

from datetime import timedelta
from typing import Any

from contract.world import HOUR, NOW, TODAY, World, together

from digest.store import backlog, events, holding, overview
from digest.store.schema import HEAD, delivery, notice

DAY = timedelta(days=1)
FROZEN = NOW - 2 * HOUR


def course(world: World) -> overview.Course:
    with world.store.read() as connection:
        return overview.courses(connection, NOW, 1)[0]


def leave(world: World, reader: int, ago: timedelta) -> None:
    with world.store.write() as connection:
        events.record(connection, "unsubscribed", reader, NOW - ago, {"by": "the reader"})


def hold(world: World, *, back: bool = True) -> bool:
    with world.store.write() as connection:
        return (holding.pause if back else holding.resume)(connection, NOW, "ann")


def test_an_edition_tells_how_its_mails_went(world: World) -> None:
    number = world.edition(papers=[1, 2, 3])
    states = ("submitted", "submitted", "rejected", "held", "queued")
    readers = [world.reader(f"reader{n}") for n in range(6)]
    for reader, state in zip(readers, states, strict=False):
        world.mail(reader, number, state=state)
    world.mail(readers[5], number, attempts=1)
    found = course(world)
    assert (found.number, found.date, found.cadence, found.papers) == (number, TODAY, "daily", 3)
    assert found.states == {"submitted": 2, "rejected": 1, "held": 1, "queued": 2}
    assert found.deferred == 1


def test_it_took_until_the_last_who_are_mailed_at_once_had_it(world: World) -> None:
    number = world.edition()
    assert course(world).last_at is None
    for n, (due_at, state, minutes) in enumerate(
        [(FROZEN, "submitted", 5), (FROZEN, "submitted", 9), (FROZEN, "rejected", 30), (NOW, "submitted", 125)]
    ):
        world.mail(world.reader(f"reader{n}"), number, due_at, state=state, updated_at=FROZEN + timedelta(minutes=minutes))
    assert course(world).last_at == FROZEN + timedelta(minutes=9)


def test_who_left_is_counted_with_the_edition_that_he_left_after(world: World) -> None:
    before, now = world.edition(TODAY - DAY), world.edition()
    readers = [world.reader(f"reader{n}") for n in range(4)]
    for reader in readers[:3]:
        world.mail(reader, before, state="submitted")
        world.mail(reader, now, state="submitted")
    leave(world, readers[0], DAY)  # between the two
    leave(world, readers[1], HOUR)
    leave(world, readers[1], HOUR / 2)  # the same reader, who came back meanwhile
    leave(world, readers[3], HOUR)  # he had neither
    with world.store.read() as connection:
        assert [(one.number, one.left) for one in overview.courses(connection, NOW, 9)] == [(now, 1), (before, 1)]


def test_the_newest_edition_is_asked_for_by_cadence(world: World) -> None:
    world.edition(TODAY - DAY)
    world.edition(TODAY, "weekly")
    with world.store.read() as connection:
        daily, weekly = (overview.newest(connection, cadence, NOW) for cadence in ("daily", "weekly"))
        assert daily is not None
        assert weekly is not None
        assert (daily.date, weekly.date) == (TODAY - DAY, TODAY)
        assert overview.newest(connection, "daily", NOW - 3 * DAY) is None


def test_the_schema_is_told_as_it_stands_in_the_database(world: World) -> None:
    with world.store.read() as connection:
        assert overview.schema_version(connection) == HEAD


def test_failures_are_told_with_the_servers_words_the_latest_first(world: World) -> None:
    number = world.edition()
    mails = [world.mail(world.reader(f"reader{n}"), number) for n in range(5)]
    ends: list[tuple[str, int, dict[str, Any]]] = [
        ("rejected", 3, {"reply": "550 no such user", "attempts": 1}),
        ("queued", 2, {"reply": "451 come back", "attempts": 2}),
        ("queued", 1, {}),
        ("submitted", 1, {"attempts": 1}),
        ("expired", 24 * 20, {}),
    ]
    for row, (state, hours, columns) in zip(mails, ends, strict=True):
        world.put(delivery, row, state=state, updated_at=NOW - hours * HOUR, **columns)
    letter = world.letter("cy", state="held", updated_at=NOW, reply="it broke")
    with world.store.read() as connection:
        found = overview.failures(connection, NOW - 14 * DAY, 10)
        assert overview.failures(connection, NOW - 14 * DAY, 1) == found[:1]
    assert [(one.table, one.number, one.address, one.state, one.attempts, one.reply) for one in found] == [
        ("notice", letter, "cy@example.org", "held", 0, "it broke"),
        ("delivery", mails[1], "reader1@example.org", "queued", 2, "451 come back"),
        ("delivery", mails[0], "reader0@example.org", "rejected", 1, "550 no such user"),
    ]
    assert [one.what for one in found] == ["confirm", "2026-11-22 daily", "2026-11-22 daily"]


def test_while_digests_are_held_back_none_is_given_out_and_letters_are(world: World) -> None:
    world.mails(2)
    letter = world.letter()
    worker = world.worker()
    assert hold(world)
    assert world.claim(worker) == []
    assert world.claim(worker, notice) == [letter]
    assert hold(world, back=False)
    assert len(world.claim(worker)) == 2


def test_what_was_claimed_goes_back_and_does_not_come_on_the_wire(world: World) -> None:
    one, two = world.mails(2)
    worker = world.worker()
    assert world.claim(worker) == [one, two]
    assert world.mark(worker, one) == {one}
    hold(world)
    assert world.mark(worker, two) == set()
    assert world.states(one, two) == ["submitting", "queued"]
    world.finish(worker, one, "submitted")
    assert world.state(one) == "submitted"


def test_who_claims_while_digests_are_stopped_has_nothing_afterwards(world: World) -> None:
    mails = world.mails(20)
    ids = [world.worker() for _ in range(4)]
    together(*(lambda worker=worker: world.claim(worker, limit=5) for worker in ids), lambda: hold(world))
    assert set(world.states(*mails)) == {"queued"}


def test_digests_are_held_back_once_and_it_is_known_since_when(world: World) -> None:
    assert not hold(world, back=False)
    assert hold(world)
    assert not hold(world)
    with world.store.read() as connection:
        assert holding.since(connection) == NOW
    assert hold(world, back=False)
    with world.store.read() as connection:
        assert holding.since(connection) is None


def test_the_last_word_holds_though_it_comes_from_a_clock_that_is_behind(world: World) -> None:
    assert hold(world)
    with world.store.write() as connection:
        assert holding.resume(connection, NOW - timedelta(seconds=1), "bob")
    with world.store.read() as connection:
        assert holding.since(connection) is None


def test_mails_that_are_held_back_are_not_due(world: World) -> None:
    world.mails(2)
    world.letter()
    hold(world)
    with world.store.read() as connection:
        assert backlog.due(connection, NOW, 10) == 1
