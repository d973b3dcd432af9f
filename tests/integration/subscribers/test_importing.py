import io
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event as listening
from sqlalchemy import func, select

from digest.errors import BadInput, ConfigurationError
from digest.flows import importing, subscribe
from digest.flows.importing import Import, Tally
from digest.store import subscribers, suppressions
from digest.store.engine import Store
from digest.store.schema import event, interest, notice, subscriber
from digest.subscribers.address import EmailAddress
from digest.subscribers.csv import BadRow, Sheet
from digest.subscribers.model import SignUp

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SITE = "https://papers.example.org"


def take(store: Store, text: str, *, confirmed: bool = True, dry_run: bool = False, bad: list[BadRow] | None = None) -> Tally:
    tally = Tally()
    job = Import(store, NOW, confirmed, SITE, "an import of readers.csv", dry_run)
    job.run(Sheet(io.BytesIO(text.encode())), tally, (bad if bad is not None else []).append)
    return tally


def add(store: Store, address: str, *, confirmed: bool = True) -> None:
    subscribe.subscribe(store, NOW, SignUp(EmailAddress(address)), confirmed=confirmed, public_url=SITE, source="a test")


def states(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.address: row.state for row in connection.execute(select(subscriber).order_by(subscriber.c.id))}


def count(store: Store, table: object) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def rows(number: int) -> str:
    lines = "".join(f"r{n}@example.org,Reader {n},graphs;robots,Europe/Berlin,8\n" for n in range(number))
    return f"email,name,topics,zone,hour\n{lines}"


def test_good_rows_are_in_and_bad_ones_told(store: Store) -> None:
    bad: list[BadRow] = []
    tally = take(store, "email,hour\nann@example.org,8\nnobody,8\nbob@example.org,99\ncas@example.org,\n", bad=bad)
    assert states(store) == {"ann@example.org": "active", "cas@example.org": "active"}
    assert (tally.added, tally.bad, tally.line) == (2, 2, 5)
    assert [row.line for row in bad] == [3, 4]


@pytest.mark.parametrize("dry_run", [True, False])
def test_addresses_behind_which_nobody_reads_are_taken_in_and_counted(
    store: Store, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 2)
    add(store, "abuse@example.org")
    duties = ["abuse", "postmaster", "ann", "noreply", "postmaster", "root", "security", "info"]
    tally = take(store, "email\n" + "".join(f"{one}@example.org\n" for one in duties), dry_run=dry_run)
    assert (tally.added, tally.already, tally.repeated, tally.roles) == (6, 1, 1, 4)
    assert [one.text.partition("@")[0] for one in tally.some_roles] == ["postmaster", "noreply", "root"]
    assert len(states(store)) == (1 if dry_run else 7)


def test_whoever_signs_up_during_an_import_is_no_repeat_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 2)
    sheet = Sheet(io.BytesIO(b"email\nann@example.org\nbob@example.org\nweb@example.org\nann@example.org\ncas@example.org\n"))
    tally = Tally()

    def sign_up_first() -> None:
        if tally.line == 3:
            add(store, "web@example.org")

    Import(store, NOW, True, SITE, "an import of readers.csv").run(sheet, tally, print, sign_up_first)
    assert (tally.added, tally.already, tally.repeated) == (3, 1, 1)


def test_the_confirmed_are_mailed_nothing(store: Store) -> None:
    take(store, rows(3))
    assert count(store, notice) == 0
    assert count(store, interest) == 6
    with store.read() as connection:
        reader = subscribers.by_address(connection, EmailAddress("r1@example.org"))
    assert reader is not None
    assert reader.next_due_at == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert reader.consent["source"] == "an import of readers.csv"


def test_the_others_are_mailed_a_confirmation_that_works(store: Store) -> None:
    take(store, rows(3), confirmed=False)
    assert set(states(store).values()) == {"pending"}
    with store.read() as connection:
        contents = connection.execute(select(notice.c.content).where(notice.c.kind == "confirm")).scalars().all()
    assert len({content["confirm_url"] for content in contents}) == 3
    token = contents[1]["confirm_url"].rpartition("/")[2]
    found = subscribe.find_to_confirm(store, NOW, token)
    assert found is not None
    assert found.address.text == contents[1]["address"]


def test_confirmations_need_an_address_to_point_to(store: Store) -> None:
    with pytest.raises(ConfigurationError):
        Import(store, NOW, False, None, "a test").run(Sheet(io.BytesIO(b"email\nann@example.org\n")), Tally(), print)


def test_nobody_is_brought_back_and_nobody_changed(store: Store) -> None:
    for name in ("active", "gone", "bounced", "angry"):
        add(store, f"{name}@example.org")
    add(store, "pending@example.org", confirmed=False)
    subscribe.unsubscribe(store, NOW, EmailAddress("gone@example.org"))
    with store.write() as connection:
        for name, reason in (("bounced", "bounce"), ("angry", "complaint")):
            address = EmailAddress(f"{name}@example.org")
            suppressions.suppress(connection, address, reason, NOW)  # type: ignore[arg-type]
            suppressions.remove(connection, address)
        suppressions.suppress(connection, EmailAddress("never@example.org"), "operator", NOW)
    before = states(store)
    names = ("Active", "gone", "bounced", "angry", "pending", "never", "new")
    tally = take(store, "email\n" + "".join(f"{name}@example.org\n" for name in names))
    assert states(store) == before | {"new@example.org": "active"}
    assert (tally.added, tally.already, tally.suppressed) == (1, 2, 1)
    assert tally.gone == Counter(unsubscribed=1, bounced=1, complained=1)


def test_an_export_s_readers_who_left_are_not_brought_in(store: Store) -> None:
    tally = take(store, "email,state\nann@example.org,unsubscribed\nbob@example.org,active\ncas@example.org,paused\n")
    assert states(store) == {"bob@example.org": "active"}
    assert tally.gone == Counter(unsubscribed=1, paused=1)


@pytest.mark.parametrize("dry_run", [False, True])
def test_who_stands_twice_in_the_file_is_in_once(store: Store, dry_run: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 2)
    text = "email\nann@example.org\nANN@example.org\nbob@example.org\nann@example.org\n"
    tally = take(store, text, dry_run=dry_run)
    assert (tally.added, tally.repeated, tally.already) == (2, 2, 0)


def test_a_dry_run_counts_and_writes_nothing(store: Store) -> None:
    tally = take(store, rows(3), dry_run=True)
    assert tally.added == 3
    assert states(store) == {}


def test_a_second_import_finds_everybody_there(store: Store) -> None:
    take(store, rows(2500))
    assert take(store, rows(2500)) == Tally(line=2501, already=2500)
    assert (count(store, subscriber), count(store, interest), count(store, event)) == (2500, 5000, 2500)


@pytest.mark.parametrize("text", ["email\n", "email\nnobody\n@\n"])
def test_a_file_with_nothing_to_use_is_refused(store: Store, text: str) -> None:
    with pytest.raises(BadInput):
        take(store, text)


def test_a_file_of_none_but_the_suppressed_is_no_error(store: Store) -> None:
    with store.write() as connection:
        suppressions.suppress(connection, EmailAddress("ann@example.org"), "operator", NOW)
    assert take(store, "email\nann@example.org\n").suppressed == 1


def test_an_interrupted_import_is_whole_as_far_as_it_got_and_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 100)
    tally = Tally()

    def interrupt() -> None:
        if tally.line > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Import(store, NOW, True, SITE, "a test").run(Sheet(io.BytesIO(rows(1000).encode())), tally, print, interrupt)
    assert tally.added == 500
    assert (count(store, subscriber), count(store, interest)) == (500, 1000)
    again = take(store, rows(1000))
    assert (again.added, again.already) == (500, 500)


_IMPORT = """
import sys
from datetime import UTC, datetime
from digest.flows.importing import Import, Tally
from digest.store.engine import Store
from digest.subscribers.csv import Sheet
store = Store.open(sys.argv[1])
tally = Tally()
print("ready", flush=True)
with open(sys.argv[2], "rb") as file:
    job = Import(store, datetime(2026, 11, 22, tzinfo=UTC), False, "https://papers.example.org", "a test")
    job.run(Sheet(file), tally, print, lambda: print(tally.added, flush=True))
"""


def test_a_killed_import_leaves_whole_rows_and_a_repeat_ends_it(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(rows(6000))
    chance = random.Random(1)
    for _ in range(6):
        call = [sys.executable, "-c", _IMPORT, str(store.engine.url), str(path)]
        with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 4)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        there = count(store, subscriber)
        assert (count(store, interest), count(store, event), count(store, notice)) == (2 * there, there, there)
    take(store, rows(6000), confirmed=False)
    assert (count(store, subscriber), count(store, notice)) == (6000, 6000)


def test_an_import_needs_few_statements_however_many_rows(store: Store) -> None:
    statements: list[str] = []
    listening.listen(store.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    take(store, rows(5000), confirmed=False)
    assert len(statements) < 100
