"""What goes over one connection after another, and what is written down before it goes."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import event
from support.sink import DROP, Session, Sink
from support.site import MONDAY, Site
from support.waiting import until

from digest.errors import DigestError
from digest.flows.commit import GroupCommit
from digest.flows.queueing import queue_due
from digest.store import deliveries, groups, ledger, workers
from digest.store.schema import delivery

CONNECTIONS = 4


def submitting(site: Site) -> int:
    """How many rows are marked and have no outcome, as anybody sees it."""
    with closing(sqlite3.connect(site.home / "digest.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM delivery WHERE state = 'submitting'").fetchone()[0])


def test_an_outcome_and_the_mark_of_the_next_message_are_one_transaction(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=1)
    site.readers(6)
    site.publish()
    seen: list[tuple[int, int]] = []

    def look(_session: Session, _recipient: str) -> None:
        with closing(sqlite3.connect(site.home / "digest.db")) as connection:
            states = [state for (state,) in connection.execute("SELECT state FROM delivery")]
        seen.append((states.count("submitted"), states.count("submitting")))

    site.sink.on["CONTENT"] = look
    site.deliver()
    # With each content but the first, the outcome of the one before is as durable as its own mark.
    assert seen == [(n, 1) for n in range(6)]


def test_no_connection_ever_has_two_marks_without_an_outcome(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=CONNECTIONS, delivery__chunk=10)
    site.readers(60)
    site.publish()
    most: list[int] = []
    moments = ("MAIL", "RCPT", "DATA", "CONTENT")
    site.sink.on |= dict.fromkeys(moments, lambda *_: most.append(submitting(site)))
    assert site.deliver().states == {"submitted": 60}
    assert 1 <= max(most) <= CONNECTIONS


def test_the_end_of_one_message_and_the_envelope_of_the_next_go_out_together(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=1)
    site.readers(5)
    site.publish()
    marks: list[int] = []
    site.sink.on["RCPT"] = lambda *_: marks.append(submitting(site))
    site.deliver()
    # The second envelope comes before the mark of its message, with the content of the first.
    assert marks == [0, 1, 1, 1, 1]
    assert len(site.sink.sessions) == 1


@pytest.mark.parametrize("victim", ["reader0@example.org", "reader2@example.org", "reader5@example.org"])
def test_who_leaves_while_the_server_waits_for_his_mail_gets_none_and_no_empty_one(
    make_site: Callable[..., Site], victim: str
) -> None:
    site = make_site(smtp__connections=1)
    addresses = site.readers(6)
    site.publish()

    def leave(_session: Session, recipient: str) -> None:
        if recipient == victim:
            with site.app.store.write() as connection:
                assert deliveries.skip_open(connection, [site.row(victim).subscriber_id], "he left", MONDAY) == 1

    site.sink.on["DATA"] = leave
    assert site.deliver().states == {"submitted": 5}
    assert site.sink.recipients == sorted(set(addresses) - {victim})
    assert site.row(victim).state == "skipped"
    assert len(site.sink.sessions) == (1 if victim == "reader5@example.org" else 2)


def test_an_innocent_message_behind_one_in_doubt_goes_at_once_and_counts_no_loss(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=1)
    site.readers(12)
    site.publish()
    site.sink.on["CONTENT"] = lambda _session, recipient: DROP if recipient[6] in "2468" else None
    report = site.deliver()
    assert report.states == {"submitted": 8, "in_doubt": 4}
    assert {row.attempts for row in site.rows()} == {1}


def test_a_relay_that_hangs_up_when_something_comes_behind_a_message_leaves_one_in_doubt_and_no_more(
    make_site: Callable[..., Site],
) -> None:
    with Sink(pipelining=True) as sink:
        site = make_site(sink=sink, smtp__connections=1)
        site.readers(12)
        site.publish()
        sink.on["CONTENT"] = lambda session, _: DROP if session.reader._buffer else None  # type: ignore[attr-defined]
        assert site.deliver().states == {"submitted": 11, "in_doubt": 1}


def test_a_relay_that_breaks_every_connection_after_the_content_is_left_before_all_are_in_doubt(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(smtp__connections=2)
    site.readers(40)
    site.publish()
    site.sink.on["CONTENT"] = lambda *_: DROP
    with pytest.raises(DigestError, match="keeps ending our connections"):
        site.deliver()
    states = list(site.states().values())
    assert states.count("in_doubt") <= 8
    assert set(states) == {"in_doubt", "queued"}


def test_when_the_ledger_dies_all_connections_are_aborted_and_the_run_ends_with_its_error(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(smtp__connections=CONNECTIONS)
    addresses = site.readers(20)
    site.publish()
    let_go = threading.Event()
    write = groups.Groups.write

    def dying(self: groups.Groups, outcomes: list[ledger.Outcome], marks: list[groups.Mark], now: object) -> object:
        if len(site.sink.accepted) >= 6:
            raise MemoryError("no more of it")
        return write(self, outcomes, marks, now)  # type: ignore[arg-type]

    async def silent(session: Session, _recipient: str) -> None:
        if session.number == 1:
            # This one would be waited for for ten minutes.
            await asyncio.to_thread(let_go.wait, 60)

    monkeypatch.setattr(groups.Groups, "write", dying)
    site.sink.on["CONTENT"] = silent
    with pytest.raises(MemoryError, match="no more of it"):
        site.deliver()
    let_go.set()
    assert all(session.commands[-1] != "QUIT" for session in site.sink.sessions)
    monkeypatch.undo()
    site.sink.on.clear()
    site.deliver()
    site.later(minutes=16)
    site.deliver()
    assert set(site.sink.recipients) == set(addresses)
    assert set(site.states().values()) == {"submitted"}
    doubtful = {row.email for row in site.rows() if row.in_doubt_at}
    assert len(doubtful) <= CONNECTIONS
    assert {address for address in addresses if len(site.sink.by_recipient[address]) > 1} <= doubtful


def test_marks_that_come_while_a_group_is_written_are_the_next_group(site: Site) -> None:
    site.readers(12)
    site.publish()
    queue_due(site.app.store, site.app.schedule, site.now)
    with site.app.store.write() as connection:
        worker = workers.register(connection, site.now)
        rows = ledger.claim(connection, delivery, worker, site.now, 12)
    said: list[str] = []

    def listen(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(said.append)

    async def scenario() -> list[bool]:
        writer = GroupCommit(site.app.store, site.clock, worker)
        with closing(sqlite3.connect(site.home / "digest.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = writer.mark(delivery, rows[0])
            await asyncio.to_thread(until, lambda: "BEGIN IMMEDIATE" in said, "the first group")
            rest = [writer.mark(delivery, row) for row in (*rows[1:], 4711)]
            assert not any(answer.done() for answer in (first, *rest))
        answers = await asyncio.gather(first, *rest)
        await writer.close()
        return answers

    site.app.store.close()  # each connection is made anew
    event.listen(site.app.store.engine, "connect", listen)
    assert asyncio.run(scenario()) == [True] * 12 + [False]
    assert said.count("BEGIN IMMEDIATE") == said.count("COMMIT") == 2
