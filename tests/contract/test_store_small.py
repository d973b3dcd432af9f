"""What is kept beside papers and mails: notices, the signing key."""

from datetime import timedelta

from contract.world import NOW, TODAY, World, together
from sqlalchemy import select

from digest.store import keys, notices
from digest.store.schema import notice, secret
from digest.subscribers.address import EmailAddress

ANN = EmailAddress("Ann@example.org")


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


def test_two_mails_of_each_edition_tell_how_they_are_named(world: World) -> None:
    readers = [world.reader(name, token=name * 22) for name in "abcd"]
    for days in (0, 1, 70):
        edition = world.edition(TODAY - timedelta(days=days))
        for number, reader in enumerate(readers):
            # The last reader's mail was not tried yet.
            world.mail(reader, edition, message_id=f"{days}.{number}@example.org" if number < 3 else None)
    world.edition(TODAY, "weekly")
    with world.store.read() as connection:
        found = keys.named_mails(connection, NOW - timedelta(days=61))
    today, yesterday = (f"{TODAY - timedelta(days=days)}" for days in (0, 1))
    assert [(one.what, one.whom[0], one.message_id) for one in found] == [
        (today, "a", "0.0@example.org"),
        (today, "c", "0.2@example.org"),
        (yesterday, "a", "1.0@example.org"),
        (yesterday, "c", "1.2@example.org"),
    ]
