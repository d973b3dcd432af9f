"""Signing up, as several settle it at once."""

from contract.world import NOW, World, together
from sqlalchemy import func, select

from digest.flows import joining
from digest.store import sign_ups
from digest.store.schema import subscriber
from digest.subscribers.address import EmailAddress
from digest.tokens import Signer


def test_two_who_settle_the_same_addresses_in_another_order_do_not_wait_for_each_other_for_ever(world: World) -> None:
    there = [EmailAddress(f"reader{number}@example.org") for number in range(joining.AT_ONCE)]
    with world.store.write() as connection:
        for address in [*there, *reversed(there)]:
            sign_ups.note(connection, address, {}, "192.0.2.0/24", NOW)

    def settle() -> int:
        return joining.settle(world.store, NOW, Signer(["k" * 40]), "https://papers.example.org")

    assert sum(together(settle, settle)) == 2 * len(there)
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(subscriber)).scalar_one() == len(there)
