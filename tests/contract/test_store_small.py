"""What is kept beside papers and mails: runs of sources, notices, the signing key."""

from datetime import timedelta

from contract.world import HOUR, NOW, World, together
from sqlalchemy import select

from digest.store import keys, notices, runs
from digest.store.schema import notice, secret
from digest.subscribers.address import EmailAddress

ANN = EmailAddress("Ann@example.org")
MINUTE = timedelta(minutes=1)


def run(world: World, source: str, verdict: str, ago: timedelta, **more: object) -> None:
    with world.store.write() as connection:
        runs.record(
            connection,
            source=source,
            started_at=NOW - ago,
            finished_at=NOW - ago + MINUTE,
            verdict=verdict,
            **more,  # type: ignore[arg-type]
        )


def missing(world: World) -> list[str]:
    with world.store.read() as connection:
        return list(runs.missing(connection, NOW))


def test_a_source_whose_last_run_failed_lately_is_missing(world: World) -> None:
    run(world, "arxiv", "failed", HOUR)
    run(world, "hf", "fresh", HOUR)
    run(world, "old", "failed", 25 * HOUR)
    assert missing(world) == ["arxiv"]


def test_a_source_that_has_answered_since_is_not_missing(world: World) -> None:
    run(world, "hf", "failed", 2 * HOUR)
    run(world, "hf", "quiet", HOUR)
    assert missing(world) == []


def test_a_run_of_the_future_says_nothing_about_a_day_lived_again(world: World) -> None:
    run(world, "hf", "failed", HOUR)
    run(world, "hf", "fresh", -HOUR)
    assert missing(world) == ["hf"]


def test_the_last_runs_are_told_by_source(world: World) -> None:
    run(world, "hf", "fresh", 2 * HOUR, sightings=7, newest="arxiv:2511.04321")
    run(world, "hf", "stale", HOUR, sightings=9, problems=1, newest="x" * 999, error="e" * 9999)
    run(world, "arxiv", "fresh", HOUR)
    with world.store.read() as connection:
        arxiv, hf = runs.last(connection, NOW)
    assert (arxiv.source, hf.source, hf.verdict, hf.sightings, hf.problems) == ("arxiv", "hf", "stale", 9, 1)
    assert (len(hf.newest), len(hf.error), hf.finished_at) == (520, 2000, NOW - HOUR + MINUTE)


def test_a_notice_is_queued_once_for_its_key(world: World) -> None:
    def queue(recipient: str, key: str, kind: str = "welcome") -> bool:
        with world.store.write() as connection:
            address = EmailAddress(recipient)
            return notices.enqueue(connection, kind=kind, recipient=address, key=key, content={"n": 1}, now=NOW)

    assert queue("Ann@example.org", "1")
    assert not queue("ann@example.org", "1")
    assert queue("ann@example.org", "2")
    assert queue("ann@example.org", "1", "goodbye")
    assert queue("bob@example.org", "1")
    first = world.row(1, notice)
    assert (first.recipient, first.state, first.due_at, first.content, first.attempts) == (
        "Ann@example.org",
        "queued",
        NOW,
        {"n": 1},
        0,
    )


def test_many_who_queue_a_notice_at_once_queue_one(world: World) -> None:
    def queue() -> bool:
        with world.store.write() as connection:
            return notices.enqueue(connection, kind="operator", recipient=ANN, key="2026-11-22", content={}, now=NOW)

    assert sorted(together(*[queue] * 4)) == [False, False, False, True]


def test_notices_to_an_address_are_forgotten_whatever_their_state(world: World) -> None:
    world.letter("ann", "1", state="submitted")
    world.letter("ann", "2")
    kept = world.letter("bob")
    with world.store.write() as connection:
        assert notices.forget(connection, ANN) == 2
        assert connection.execute(select(notice.c.id)).scalars().all() == [kept]


def test_a_site_without_a_key_gets_one_and_keeps_it(world: World) -> None:
    def key() -> str:
        with world.store.write() as connection:
            return keys.signing_key(connection)

    first, *others = together(*[key] * 4)
    assert others == [first] * 3
    assert len(first) >= 32
    with world.store.read() as connection:
        assert connection.execute(select(secret.c.value)).scalars().all() == [first]
