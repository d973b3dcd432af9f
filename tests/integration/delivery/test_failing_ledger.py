"""When the database fails in the middle, no mail goes that cannot be written down; afterwards nothing is lost."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from support.operator import Operator
from support.sink import Session, Sink
from support.site import Site
from support.waiting import until

from digest.errors import DigestError, NotPermitted, TemporaryFailure
from digest.flows import commit

READERS = 20


@contextmanager
def database(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / "digest.db", isolation_level=None, timeout=30)) as connection:
        yield connection


def losing_the_table(home: Path, after: int, sink: Sink) -> Callable[[Session, str], None]:
    """Takes the table of deliveries away once so many mails were accepted."""
    gone = threading.Event()

    def hook(_session: Session, _recipient: str) -> None:
        if len(sink.accepted) >= after and not gone.is_set():
            gone.set()
            with database(home) as connection:
                connection.execute("ALTER TABLE delivery RENAME TO lost")

    return hook


def give_it_back(home: Path) -> None:
    with database(home) as connection:
        connection.execute("ALTER TABLE lost RENAME TO delivery")


def test_when_the_ledger_fails_no_content_goes_without_a_durable_mark(site: Site) -> None:
    addresses = site.readers(READERS)
    site.publish()
    site.sink.on["RCPT"] = losing_the_table(site.home, 6, site.sink)
    with pytest.raises(DigestError, match="no such table"):
        site.deliver()
    give_it_back(site.home)
    marked = {row.email for row in site.rows() if row.state in ("submitting", "submitted")}
    arrived = set(site.sink.recipients)
    assert len(arrived) in (6, 7)
    assert arrived <= marked
    assert all(session.commands[-1] != "QUIT" for session in site.sink.sessions)

    site.later(minutes=2)
    site.deliver()
    site.later(minutes=16)
    site.deliver()
    assert set(site.sink.recipients) == set(addresses)
    doubtful = {row.email for row in site.rows() if row.in_doubt_at}
    twice = {address for address in addresses if len(site.sink.by_recipient[address]) == 2}
    assert twice <= doubtful
    assert len(site.sink.accepted) == READERS + len(twice)
    assert set(site.states().values()) == {"submitted"}


def test_a_command_whose_ledger_fails_ends_with_one_line(operator: Operator, site: Site) -> None:
    site.readers(READERS)
    site.publish()
    site.sink.on["RCPT"] = losing_the_table(site.home, 6, site.sink)
    done = operator.call("deliver", now=site.now)
    assert done.code == 1
    assert done.out == ""
    assert done.err == "error: the database refused: no such table: delivery\n"


def test_when_the_disk_is_full_the_run_ends_and_all_goes_when_there_is_room_again(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "PATIENCE", 0.1)
    site = make_site(delivery__chunk=20, smtp__connections=2)
    addresses = site.readers(120)
    site.publish()
    site.app.store.close()  # each connection is told anew how large the file may become
    with database(site.home) as connection:
        connection.execute("VACUUM")

    def no_room(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes that for: no larger than now

    event.listen(site.app.store.engine, "connect", no_room)
    with pytest.raises(TemporaryFailure, match="is full") as raised:
        site.deliver()
    assert raised.value.exit_code == 75
    assert raised.value.fix.startswith("make room")
    assert len(site.sink.accepted) < 120
    event.remove(site.app.store.engine, "connect", no_room)
    site.app.store.close()
    site.later(minutes=2)
    site.deliver()
    site.later(minutes=16)
    site.deliver()
    assert set(site.sink.recipients) == set(addresses)
    assert set(site.states().values()) == {"submitted"}
    doubtful = {row.email for row in site.rows() if row.in_doubt_at}
    assert {address for address in addresses if len(site.sink.by_recipient[address]) > 1} <= doubtful


def test_a_disk_that_is_full_for_a_moment_puts_no_mail_in_doubt(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(commit, "LOOK_AGAIN", 0.05)
    site = make_site(smtp__connections=2)
    addresses = site.readers(READERS)
    site.publish()
    filling: list[threading.Thread] = []

    def fill(_session: Session, _recipient: str) -> None:
        if len(site.sink.accepted) >= 6 and not filling:
            with database(site.home) as connection:
                refuse = "SELECT RAISE(ABORT, 'database or disk is full')"
                connection.execute(f"CREATE TRIGGER full BEFORE UPDATE OF state ON delivery BEGIN {refuse}; END")
            filling.append(threading.Thread(target=make_room))
            filling[0].start()

    def make_room() -> None:
        until(lambda: "waiting for it" in caplog.text, "a ledger that waits")
        with database(site.home) as connection:
            connection.execute("DROP TRIGGER full")

    site.sink.on["RCPT"] = fill
    assert site.deliver().states == {"submitted": READERS}
    filling[0].join()
    assert caplog.text.count("is full or failing") == 1
    assert site.sink.recipients == sorted(addresses)
    assert not any(row.in_doubt_at for row in site.rows())


def test_a_database_that_may_only_be_read_sends_nothing(site: Site, make_read_only: Callable[[Path], None]) -> None:
    site.readers(3)
    site.publish()
    site.app.store.close()
    make_read_only(site.home / "digest.db")
    with pytest.raises(NotPermitted, match="cannot be written") as raised:
        site.deliver()
    assert raised.value.exit_code == 77
    assert site.sink.sessions == []


def test_a_ledger_waits_for_a_lock_longer_than_one_command_would(
    make_site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(database__url="sqlite:///digest.db?timeout=0.1")
    addresses = site.readers(READERS)
    site.publish()
    holding: list[threading.Thread] = []

    def hold(_session: Session, _recipient: str) -> None:
        if not holding:
            other = sqlite3.connect(site.home / "digest.db", isolation_level=None, check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
            holding.append(threading.Thread(target=let_go, args=(other,)))
            holding[0].start()

    def let_go(other: sqlite3.Connection) -> None:
        with closing(other):
            until(lambda: caplog.text.count("is locked by another process; waiting for it") >= 3, "three waits")

    site.sink.on["DATA"] = hold
    assert site.deliver().states == {"submitted": READERS}
    assert site.sink.recipients == sorted(addresses)
    holding[0].join()
