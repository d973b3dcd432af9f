"""Connections that end, and servers that are not there: what is certain is tried again, what is not is in doubt."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from support.sink import DROP, Session, Sink, free_port
from support.site import MONDAY, Site

from digest.errors import ServerUnavailable
from digest.flows import knocking, subscribe
from digest.flows.deliver import deliver
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp

VICTIM = "reader3@example.org"


def once(answer: str, moment: Callable[[Session, str], bool]) -> Callable[[Session, str], str | None]:
    """Answers the first time that something is so, and never again."""
    spent = threading.Event()

    def hook(session: Session, word: str) -> str | None:
        if spent.is_set() or not moment(session, word):
            return None
        spent.set()
        return answer

    return hook


def for_victim(_session: Session, recipient: str) -> bool:
    return recipient == VICTIM


@pytest.mark.parametrize("phase", ["RCPT", "DATA"])
def test_a_connection_lost_before_the_content_costs_nothing_and_the_mail_goes_at_once(site: Site, phase: str) -> None:
    addresses = site.readers(8)
    site.publish()
    site.sink.on[phase] = once(DROP, for_victim)
    assert site.deliver().states == {"submitted": 8}
    assert site.sink.recipients == sorted(addresses)
    row = site.row(VICTIM)
    assert (row.attempts, row.in_doubt_at) == (1, None)


def test_a_connection_lost_between_the_mark_and_the_first_byte_costs_nothing_either(site: Site) -> None:
    addresses = site.readers(4)
    site.publish()
    HangsUpWhileTheMarkWaits(site)
    assert site.deliver().states == {"submitted": 4}
    assert site.sink.recipients == sorted(addresses)
    assert site.row(VICTIM).in_doubt_at is None


def test_a_message_that_breaks_connections_is_deferred_and_the_others_go(site: Site) -> None:
    site.readers(8)
    site.publish()
    site.sink.on["DATA"] = lambda session, recipient: DROP if for_victim(session, recipient) else None
    assert site.deliver().states == {"submitted": 7, "deferred": 1}
    row = site.row(VICTIM)
    assert (row.state, row.attempts) == ("queued", 1)
    assert row.reply.startswith("the connection broke 3 times")


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA"])
def test_a_server_that_breaks_every_connection_is_not_to_be_had_and_nobody_is_deferred(site: Site, phase: str) -> None:
    site.readers(12)
    site.publish()
    site.sink.on[phase] = lambda *_: DROP
    with pytest.raises(ServerUnavailable, match="keeps ending our connections") as raised:
        site.deliver()
    assert raised.value.exit_code == 69
    assert {(row.state, row.attempts) for row in site.rows()} == {("queued", 0)}


def test_a_connection_lost_after_the_content_leaves_the_mail_in_doubt(site: Site) -> None:
    site.readers(8)
    site.publish()
    site.sink.on["CONTENT"] = once(DROP, for_victim)
    report = site.deliver()
    assert report.states == {"submitted": 7, "in_doubt": 1}
    assert report.failed == 1
    row = site.row(VICTIM)
    assert (row.state, row.attempts, row.in_doubt_at) == ("in_doubt", 1, MONDAY)


def test_a_mail_in_doubt_goes_again_after_a_quarter_of_an_hour_with_the_same_name_and_bytes(site: Site) -> None:
    site.readers(4)
    site.publish()
    first: list[bytes] = []

    def lose(session: Session, recipient: str) -> str | None:
        if recipient != VICTIM or first:
            return None
        first.append(session.content)
        return DROP

    site.sink.on["CONTENT"] = lose
    site.deliver()
    site.later(minutes=14, seconds=59)
    assert site.deliver().states == {}
    site.later(seconds=1)
    report = site.deliver()
    assert report.states == {"submitted": 1}
    assert report.queued_again == 1
    assert [one.content for one in site.sink.by_recipient[VICTIM]] == first
    row = site.row(VICTIM)
    assert (row.state, row.in_doubt_at) == ("submitted", MONDAY)


def test_a_mail_in_doubt_twice_is_held_and_never_goes_again(site: Site) -> None:
    site.readers(4)
    site.publish()
    copies: list[bytes] = []

    def lose(session: Session, recipient: str) -> str | None:
        if recipient == VICTIM:
            copies.append(session.content)
            return DROP
        return None

    site.sink.on["CONTENT"] = lose
    site.deliver()
    for _ in range(5):
        site.later(minutes=16)
        report = site.deliver()
    row = site.row(VICTIM)
    assert (row.state, row.doubts, row.in_doubt_at) == ("held", 2, MONDAY)
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert report.states == {}


def test_a_single_mail_in_doubt_goes_again_like_an_edition_does(site: Site) -> None:
    asked = SignUp(EmailAddress.parse("new@example.org"))
    url = "https://papers.example.org"
    subscribe.subscribe(site.app.store, site.now, asked, confirmed=False, public_url=url, source="a test")
    first: list[bytes] = []

    def lose(session: Session, _recipient: str) -> str | None:
        if first:
            return None
        first.append(session.content)
        return DROP

    site.sink.on["CONTENT"] = lose
    assert site.deliver().states == {"in_doubt": 1}
    site.later(minutes=15)
    assert site.deliver().states == {"submitted": 1}
    assert [one.content for one in site.sink.accepted] == first
    (row,) = site.notices()
    assert (row.state, row.in_doubt_at) == ("submitted", MONDAY)


def test_an_operator_may_have_mails_in_doubt_held_at_once(make_site: Callable[..., Site]) -> None:
    site = make_site(delivery__in_doubt="hold", smtp__connections=2)
    site.readers(4)
    site.publish()
    site.sink.on["CONTENT"] = once(DROP, for_victim)
    site.deliver()
    site.later(minutes=16)
    report = site.deliver()
    assert (report.states, report.newly_held, report.failed) == ({}, 1, 1)
    assert site.row(VICTIM).state == "held"
    assert site.sink.by_recipient[VICTIM] == []


def test_a_mail_in_doubt_goes_after_those_that_never_were_however_old_it_is(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.sink.on["CONTENT"] = once(DROP, for_victim)
    site.deliver()
    doubtful = site.row(VICTIM)
    site.at(MONDAY + timedelta(days=1))
    site.publish()
    assert site.deliver().states == {"submitted": 5}
    assert site.sink.accepted[-1].message_id == f"<{doubtful.message_id}>"
    older, newer = (set(site.paper_ids(row)) for row in site.rows(VICTIM))
    assert not older & newer


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA"])
def test_a_421_closes_the_connection_and_nobody_is_deferred_for_it(site: Site, phase: str) -> None:
    addresses = site.readers(10)
    site.publish()
    site.sink.on[phase] = lambda session, _: "421 4.7.0 that was enough" if session.accepted == 3 else None
    assert site.deliver().states == {"submitted": 10}
    assert site.sink.recipients == sorted(addresses)
    assert {row.attempts for row in site.rows()} == {1}
    assert len(site.sink.sessions) >= 4


def test_a_421_for_everything_ends_the_run_and_nobody_is_deferred(site: Site) -> None:
    site.readers(10)
    site.publish()
    site.sink.on["MAIL"] = lambda *_: "421 4.3.2 shutting down"
    with pytest.raises(ServerUnavailable, match=r"421 4\.3\.2 shutting down"):
        site.deliver()
    assert {(row.state, row.attempts) for row in site.rows()} == {("queued", 0)}


def test_a_421_after_the_content_defers_that_mail_and_is_no_doubt(site: Site) -> None:
    site.readers(6)
    site.publish()
    site.sink.on["CONTENT"] = once("421 4.3.0 going down", for_victim)
    assert site.deliver().states == {"submitted": 5, "deferred": 1}
    assert site.row(VICTIM).in_doubt_at is None


def test_a_server_that_takes_few_connections_gets_all_mails_over_those(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=8)
    addresses = site.readers(40)
    site.publish()
    site.sink.on["CONNECT"] = lambda *_: "421 4.7.0 too many connections" if site.sink.open > 2 else None
    assert site.deliver().states == {"submitted": 40}
    assert site.sink.recipients == sorted(addresses)


def test_a_connection_that_was_turned_away_is_tried_again_and_carries_mail_when_there_is_room(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knocking, "FIRST_WAIT", 0.01)
    site = make_site(smtp__connections=2)
    addresses = site.readers(20)
    site.publish()
    there_is_another = threading.Event()

    async def wait_for_another(session: Session, _recipient: str) -> None:
        if session.number > 3:
            there_is_another.set()
        elif session.accepted == 8:
            await asyncio.to_thread(there_is_another.wait, 30)

    site.sink.on["CONTENT"] = wait_for_another
    site.sink.on["CONNECT"] = lambda session, _: "421 4.7.0 not now" if 1 < session.number < 4 else None
    assert site.deliver().states == {"submitted": 20}
    assert site.sink.recipients == sorted(addresses)
    assert there_is_another.is_set()
    assert len(site.sink.sessions) == 4


def test_a_server_that_is_slow_to_turn_a_connection_away_gets_all_mails_too(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=3)
    addresses = site.readers(3)
    site.publish()

    async def turn_away(session: Session, _word: str) -> str | None:
        if session.number == 1:
            return None
        # The first connection has nothing more to do by then.
        await asyncio.to_thread(site.sink.wait_for, 1, 10)
        return "421 4.7.0 too many connections"

    site.sink.on["CONNECT"] = turn_away
    assert site.deliver().states == {"submitted": 3}
    assert site.sink.recipients == sorted(addresses)


def test_a_connection_is_made_anew_after_so_many_mails(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=1)
    site.readers(23)
    site.publish()
    relay = replace(site.app.relay, per_connection=10)
    asyncio.run(deliver(site.app.store, site.clock, site.app.imprint, relay, site.app.rules))
    assert [session.accepted for session in site.sink.sessions] == [10, 10, 3]
    assert all(session.commands[-1] == "QUIT" for session in site.sink.sessions)


def test_a_server_that_is_not_there_costs_nobody_anything(make_site: Callable[..., Site], sink: Sink) -> None:
    site = make_site(smtp__url=f"smtp://127.0.0.1:{free_port()}")
    addresses = site.readers(10)
    site.publish()
    with pytest.raises(ServerUnavailable, match="is not to be had") as raised:
        site.deliver()
    assert raised.value.exit_code == 69
    assert "smtp.url" in raised.value.fix
    assert {(row.state, row.attempts, row.next_try_at) for row in site.rows()} == {("queued", 0, None)}
    site.later(minutes=10)
    make_site().deliver()
    assert sink.recipients == sorted(addresses)


def test_a_server_that_greets_with_a_refusal_is_not_to_be_had(site: Site) -> None:
    site.readers(3)
    site.publish()
    site.sink.on["CONNECT"] = lambda *_: "554 5.7.1 you are on a list"
    with pytest.raises(ServerUnavailable, match="you are on a list"):
        site.deliver()
    assert site.open_rows() == {"queued": 3}


def test_a_server_that_talks_nonsense_is_left_and_nobody_is_deferred(site: Site) -> None:
    site.readers(3)
    site.publish()
    site.sink.on["MAIL"] = lambda *_: "what do you mean?"
    with pytest.raises(ServerUnavailable):
        site.deliver()
    assert {(row.state, row.attempts) for row in site.rows()} == {("queued", 0)}


def test_nonsense_after_the_content_leaves_the_mail_in_doubt(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.sink.on["CONTENT"] = once("taken, I think", for_victim)
    assert site.deliver().states == {"submitted": 3, "in_doubt": 1}


def test_a_dot_at_the_start_of_a_line_arrives_as_it_was(make_site: Callable[..., Site]) -> None:
    folder = make_site().home / "templates" / "email" / "digest"
    folder.mkdir(parents=True)
    (folder / "body.txt").write_text(".\n..\n.one\n{{ digest.unsubscribe_url }}\n")
    site = make_site()
    site.readers(1)
    site.publish()
    site.deliver()
    text = site.sink.accepted[0].message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.splitlines()[:3] == [".", "..", ".one"]


class HangsUpWhileTheMarkWaits:
    """Holds the database from before 354 is said until the connection is closed, so that the mark comes after its end."""

    def __init__(self, site: Site) -> None:
        self._held = sqlite3.connect(site.home / "digest.db", isolation_level=None, check_same_thread=False)
        self._spent = False
        site.sink.on["DATA"], site.sink.on["BODY"] = self._hold, self._hang_up

    def _hold(self, _session: Session, recipient: str) -> None:
        if recipient == VICTIM and not self._spent:
            self._held.execute("BEGIN IMMEDIATE")

    async def _hang_up(self, session: Session, recipient: str) -> str | None:
        if recipient != VICTIM or self._spent:
            return None
        self._spent = True
        session.writer.write_eof()
        try:
            assert await session.reader.read(1) == b""  # the program has seen the end, and said nothing more
        finally:
            self._held.close()
        return DROP
