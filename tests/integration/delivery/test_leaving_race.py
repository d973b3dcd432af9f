"""A thousand readers who unsubscribe while their mails go out, each at a moment of its own: what was not on its way when he was
answered never begins."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import select
from support.sink import Session
from support.site import Site

from digest.flows.links import Links
from digest.store.schema import subscriber

READERS = 1000
MOMENTS = ("RCPT", "DATA", "BODY", "CONTENT")
"""When he leaves: his address was named; the content may come; it begins; it is there and not yet accepted."""


@dataclass(frozen=True)
class Left:
    """How it stood when he had been answered: what the page said, and what his row was."""

    on_its_way: int
    state: str


def test_no_mail_begins_after_its_reader_was_told_that_he_is_unsubscribed(site: Site) -> None:
    choose = random.Random(6)
    addresses = site.readers(READERS)
    moment = {address: choose.choice(MOMENTS) for address in addresses}
    is_patient = {address: choose.random() < 0.3 for address in addresses}
    with site.app.store.read() as connection:
        token = {row.address: row.token for row in connection.execute(select(subscriber.c.address, subscriber.c.token))}
    links = Links(site.app.store, site.app.signer, "https://papers.example.org")
    leaving: dict[str, Future[Left]] = {}

    def leave(address: str) -> Left:
        acted = links.leave(site.now, token[address])
        return Left(acted.on_its_way, site.row(address).state)

    def at(this: str) -> Callable[[Session, str], Awaitable[None]]:
        async def hook(_session: Session, address: str) -> None:
            if moment.get(address) == this and address not in leaving:
                leaving[address] = pool.submit(leave, address)
                if is_patient[address]:  # else the server goes on at once, and the two race
                    await asyncio.wrap_future(leaving[address])

        return hook

    site.publish()
    with ThreadPoolExecutor(4) as pool:
        site.sink.on |= {this: at(this) for this in MOMENTS}
        site.deliver()
    left = {address: one.result() for address, one in leaving.items()}
    got = Counter(mail.recipient for mail in site.sink.accepted if b"\r\nList-Id: " in mail.content)
    assert left.keys() == set(addresses)
    assert max(got.values()) == 1
    for address, one in left.items():
        assert (one.state, got[address]) in (("skipped", 0), ("submitting", 1), ("submitted", 1))
        # Whose mail was going out when the page was made is told so.
        assert one.on_its_way == 1 or one.state != "submitting"
        assert one.state == "skipped" or moment[address] != "RCPT" or not is_patient[address]
        assert one.on_its_way == 1 or moment[address] != "CONTENT" or not is_patient[address]
    assert len(Counter((one.state, one.on_its_way) for one in left.values())) > 2
