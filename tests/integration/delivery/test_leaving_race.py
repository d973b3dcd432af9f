"""A thousand readers who unsubscribe while their mails go out, each at a moment of its own: what was not on its way when he was
answered never begins."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from support.site import Site

from digest.flows.links import Links
from digest.store.schema import delivery, subscriber

READERS = 1000


@dataclass(frozen=True)
class Left:
    """How it stood when he had been answered: what the page said, and what his row was."""

    on_its_way: int
    state: str


def test_no_mail_begins_after_its_reader_was_told_that_he_is_unsubscribed(site: Site) -> None:
    addresses = site.readers(READERS)
    site.publish()
    site.deliver(only=site.reader(addresses[0]).address)  # so that all are queued
    with site.app.store.read() as connection:
        readers = dict(connection.execute(subscriber.select().with_only_columns(subscriber.c.token, subscriber.c.id)).all())
    tokens = sorted(readers)
    random.Random(6).shuffle(tokens)
    links = Links(site.app.store, site.app.signer, "https://papers.example.org")
    begun = threading.Event()

    async def begin(*_: object) -> None:
        begun.set()

    def leave(token: str) -> Left:
        begun.wait(60)
        acted = links.leave(site.now, token)
        with site.app.store.read() as connection:
            row = connection.execute(delivery.select().where(delivery.c.subscriber_id == readers[token])).one()
        return Left(acted.on_its_way, row.state)

    site.sink.on["RCPT"] = begin
    with ThreadPoolExecutor(2) as pool:
        leaving = {token: pool.submit(leave, token) for token in tokens}
        site.deliver()
    left = {token: one.result() for token, one in leaving.items()}
    got = dict.fromkeys(tokens, 0)
    for mail in site.sink.accepted:
        if "List-Id" in mail.message:
            got[str(mail.message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]] += 1
    assert {one.state for one in left.values()} <= {"skipped", "submitting", "submitted"}
    assert {token for token, one in left.items() if one.state == "skipped"} == {token for token in tokens if not got[token]}
    assert max(got.values()) == 1
    # Whose mail was going out when the page was made is told so.
    assert all(one.on_its_way == 1 for one in left.values() if one.state == "submitting")
    assert {len(left), sum(one.state == "skipped" for one in left.values()) > 0} == {READERS, True}
