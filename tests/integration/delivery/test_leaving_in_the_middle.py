"""A reader who leaves while his mail is on its way: until its first byte, he gets nothing."""

from collections.abc import Callable

import pytest
from support.operator import Operator
from support.sink import DROP, Session
from support.site import Site

from digest.flows import subscribe
from digest.flows.links import Links
from digest.store import suppressions
from digest.subscribers.address import EmailAddress

LEAVER = EmailAddress.parse("reader3@example.org")
Leaving = Callable[[Site], None]


def unsubscribes(site: Site) -> None:
    Links(site.app.store, site.app.signer, "https://papers.example.org").leave(site.now, site.reader(LEAVER.text).token)


def is_erased(site: Site) -> None:
    subscribe.erase(site.app.store, site.now, LEAVER)


def is_paused(site: Site) -> None:
    subscribe.pause(site.app.store, site.now, LEAVER, None)


def is_suppressed(site: Site) -> None:
    with site.app.store.write() as connection:
        suppressions.suppress(connection, LEAVER, "complaint", site.now)


@pytest.mark.parametrize("leaves", [unsubscribes, is_erased, is_paused, is_suppressed])
def test_who_leaves_while_the_server_already_waits_for_the_content_gets_not_one_byte_of_it(site: Site, leaves: Leaving) -> None:
    addresses = site.readers(8)
    site.publish()
    left: list[str] = []
    content: list[bytes] = []

    def leave(_session: Session, recipient: str) -> None:
        # The mark comes after this answer.
        if recipient == LEAVER.text and not left:
            left.append(recipient)
            leaves(site)

    async def read(session: Session, recipient: str) -> str | None:
        if recipient != LEAVER.text or content:
            return None
        content.append(await session.reader.read(1))  # its end, or the first byte
        return DROP

    site.sink.on |= {"DATA": leave, "BODY": read}
    site.deliver()
    assert content == [b""]
    digests = [one.recipient for one in site.sink.accepted if "List-Id" in one.message]
    assert sorted(digests) == sorted(set(addresses) - {LEAVER.text})
    assert [row.state for row in site.rows(LEAVER.key)] == ([] if leaves is is_erased else ["skipped"])
    assert len(site.sink.by_recipient[LEAVER.text]) == (leaves is unsubscribes)  # a goodbye


def test_who_left_before_his_mail_was_claimed_is_never_named_to_the_server(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.deliver(only=EmailAddress.parse("nobody@example.org"))
    assert site.open_rows() == {"queued": 4}
    is_suppressed(site)
    site.deliver()
    assert not any(LEAVER.text in line for line in site.sink.commands("RCPT"))


def test_a_reader_who_leaves_by_another_process_gets_nothing_more(site: Site, operator: Operator) -> None:
    site.readers(6)
    site.publish()
    left: list[int] = []

    def leave(_session: Session, recipient: str) -> None:
        if recipient == LEAVER.text and not left:
            left.append(operator.run("subscribers", "unsubscribe", LEAVER.text, now=site.now).code)

    site.sink.on["RCPT"] = leave
    site.deliver()
    assert left == [0]
    assert [one.message["Subject"] for one in site.sink.by_recipient[LEAVER.text]] == ["You have left Trending Papers"]
    assert site.row(LEAVER.text).state == "skipped"
