import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier

import pytest
from contract.databases import Postgresql, Sqlite
from contract.world import NOW, Side, together
from sqlalchemy import event, func, insert, make_url, select, text, update

from digest.errors import Busy, ConfigurationError, DigestError, NotPermitted, ServerUnavailable, TemporaryFailure
from digest.store import engine as engine_module
from digest.store import migrate
from digest.store.engine import Store, create, shown, sqlite_path
from digest.store.presence import Presence
from digest.store.presence import alone as replacing
from digest.store.schema import secret, worker
from digest.store.turns import alone

NOBODY = 65534


def keep(store: Store, name: str, value: str = "x") -> None:
    with store.write() as connection:
        connection.execute(insert(secret), {"name": name, "value": value})


def kept(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(secret.c.name).order_by(secret.c.name)).scalars())


def test_a_write_is_whole_or_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            connection.execute(insert(secret), {"name": "a", "value": "x"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kept(store) == []
    keep(store, "b")
    assert kept(store) == ["b"]


def test_a_read_sees_the_database_as_it_was_when_it_was_first_asked(store: Store) -> None:
    keep(store, "a")
    with store.read() as connection:
        before = connection.execute(select(func.count()).select_from(secret)).scalar_one()
        Side(lambda: keep(store, "b")).result()
        assert connection.execute(select(func.count()).select_from(secret)).scalar_one() == before == 1
    assert kept(store) == ["a", "b"]


def test_a_write_that_falls_silent_does_not_keep_others_waiting_for_ever(
    postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "SILENT_AT_MOST", 0.2)
    store = Store.open(postgresql.current())
    keep(store, "a")

    def rename() -> None:
        with store.write() as connection:
            connection.execute(update(secret).values(value="y"))

    def fall_silent() -> None:
        with store.write() as connection:
            connection.execute(update(secret).values(value="z"))
            Side(rename).result()
            connection.execute(select(func.count()).select_from(secret))

    with pytest.raises(ServerUnavailable, match="fallen silent"):
        fall_silent()
    with store.read() as connection:
        assert connection.execute(select(secret.c.value)).scalar_one() == "y"
    store.close()


def test_a_read_may_take_its_time(postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SILENT_AT_MOST", 0.001)
    store = Store.open(postgresql.current())
    with store.read() as connection:
        shown = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    assert shown == "0"
    store.close()


def test_after_a_read_a_write_works_as_ever(store: Store) -> None:
    for name in "abc":
        assert name not in kept(store)
        keep(store, name)
    with store.write() as connection:
        Side(lambda: kept(store)).result()
        connection.execute(update(secret).values(value="y"))


def test_writers_in_many_threads_lose_nothing(store: Store) -> None:
    keep(store, "n", "0")
    ready = Barrier(6)

    def count_up() -> None:
        ready.wait(30)
        for _ in range(5):
            with store.write() as connection:
                row = connection.execute(select(secret.c.value).where(secret.c.name == "n").with_for_update())
                connection.execute(update(secret).values(value=str(int(row.scalar_one()) + 1)))

    together(*[count_up] * 6)
    with store.read() as connection:
        assert connection.execute(select(secret.c.value)).scalar_one() == "30"


def test_a_moment_comes_back_as_the_same_moment_in_utc(store: Store) -> None:
    tokyo = datetime(2026, 11, 22, 17, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    row = {"host": "x", "boot_id": "", "pid": 1, "born": 2**62, "started_at": tokyo, "beat_at": NOW}
    with store.write() as connection:
        connection.execute(insert(worker), row)
    with store.read() as connection:
        found = connection.execute(select(worker)).one()
    assert found.started_at == tokyo
    assert found.started_at.tzinfo is UTC
    assert found.born == 2**62


def test_what_the_database_refuses_is_one_clear_line(store: Store) -> None:
    keep(store, "a")
    with pytest.raises(DigestError) as refused:
        keep(store, "a")
    assert "\n" not in str(refused.value)
    assert "the database refused" in str(refused.value)


# SQLite


def pragma(store: Store, name: str) -> object:
    with store.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_commit_survives_the_loss_of_power_and_keys_hold(sqlite: Sqlite) -> None:
    store = Store.open(sqlite.current())
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    assert {name: pragma(store, name) for name in wanted} == wanted
    store.close()


def test_every_write_begins_immediate_and_no_read_does(sqlite: Sqlite) -> None:
    store = Store.open(sqlite.current())
    said: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    keep(store, "a")
    assert said[0] == "BEGIN IMMEDIATE"
    said.clear()
    kept(store)
    assert said[0] == "BEGIN"
    store.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock."""
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_database_that_another_process_has_locked_is_a_temporary_failure(sqlite: Sqlite) -> None:
    url = sqlite.current()
    store = Store.open(url)
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryFailure, match="locked by another process") as failed:
        keep(store, "a")
    assert failed.value.exit_code == 75
    other.execute("ROLLBACK")
    other.close()
    keep(store, "a")
    assert kept(store) == ["a"]
    store.close()


def test_a_writer_waits_for_another(sqlite: Sqlite) -> None:
    store = Store.open(sqlite.current())
    with store.write() as connection:
        side = Side(lambda: keep(store, "b"))
        connection.execute(insert(secret), {"name": "a", "value": "x"})
    side.result()
    assert kept(store) == ["a", "b"]
    store.close()


def test_a_full_disk_is_a_temporary_failure_and_nothing_is_lost(sqlite: Sqlite) -> None:
    store = Store.open(sqlite.current())
    keep(store, "a")
    pages = pragma(store, "page_count")
    store.close()
    store = Store.open(str(store.engine.url))
    event.listen(store.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(TemporaryFailure, match="full") as failed, store.write() as connection:
        connection.execute(insert(secret), [{"name": f"b{n}", "value": "x" * 200} for n in range(1000)])
    assert failed.value.exit_code == 75
    assert "nothing was lost" in failed.value.fix
    assert kept(store) == ["a"]
    store.close()


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's rights, for as long as it lasts."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, in one that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="digest-modes-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


def read_only_file(file: Path) -> None:
    file.chmod(0o444)
    file.parent.chmod(0o555)


def unreadable_file(file: Path) -> None:
    file.chmod(0o000)
    file.parent.chmod(0o555)


@pytest.mark.parametrize("forbid", [read_only_file, unreadable_file])
def test_a_database_that_may_not_be_written_says_so(sqlite: Sqlite, folder: Path, forbid: Callable[[Path], None]) -> None:
    file = folder / "digest.db"
    shutil.copy(str(make_url(sqlite.current()).database), file)
    forbid(file)

    def use() -> None:
        store = Store.open(f"sqlite:///{file}")
        try:
            keep(store, "a")
        finally:
            store.close()

    with nobody(), pytest.raises(NotPermitted, match="cannot be written") as refused:
        use()
    assert refused.value.exit_code == 77
    assert "owner and mode" in refused.value.fix


def test_what_root_did_in_turns_the_owner_of_the_database_does_in_turns_too(sqlite: Sqlite, folder: Path) -> None:
    """As with `sudo digest collect` beside a service that has a user of its own."""
    file = folder / "digest.db"
    shutil.copy(str(make_url(sqlite.current()).database), file)
    if os.geteuid() == 0:
        for path in (folder, file):
            os.chown(path, NOBODY, NOBODY)

    def take() -> None:
        store = Store.open(f"sqlite:///{file}")
        presence = Presence(file)
        try:
            with alone(store, "one thing", 0), pytest.raises(Busy, match="in use by another process"), replacing(file):
                raise AssertionError
        finally:
            presence.end()
            store.close()

    take()
    with nobody():
        take()
    assert {path.stat().st_uid for path in folder.iterdir()} == {file.stat().st_uid}


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_beside_a_database_gives_nothing_else_away(
    sqlite: Sqlite, folder: Path, link: Callable[[Path, Path], None]
) -> None:
    file = folder / "digest.db"
    shutil.copy(str(make_url(sqlite.current()).database), file)
    other = folder / "not yours"
    other.touch()
    link(other, folder / "digest.db.turn-one-thing")
    before = other.stat().st_uid
    if os.geteuid() == 0:
        os.chown(file, NOBODY, NOBODY)
    with suppress(NotPermitted), closing(Store.open(f"sqlite:///{file}")) as store, alone(store, "one thing", 0):
        pass
    assert other.stat().st_uid == before


def test_a_folder_that_may_not_be_written_says_so_when_a_database_is_made(folder: Path) -> None:
    migrate.upgrade(f"sqlite:///{folder / 'first.db'}")  # it imports what nobody may not read
    folder.chmod(0o555)
    with nobody():
        for file in (folder / "digest.db", folder / "state" / "digest.db"):
            with pytest.raises(NotPermitted):
                migrate.upgrade(f"sqlite:///{file}")


@pytest.mark.parametrize(
    "content", [b"this is not a database, but long enough to be one\n" * 50, b"SQLite format 3\x00" + b"x" * 4080]
)
def test_a_file_that_is_no_database_says_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "digest.db"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="not a database") as refused:
        Store.open(f"sqlite:///{file}")
    assert refused.value.exit_code == 78
    assert file.read_bytes() == content


def test_a_folder_in_the_place_of_a_database_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotPermitted, match="unable to open"):
        Store.open(f"sqlite:///{tmp_path}")


def test_a_file_in_the_place_of_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(NotPermitted, match="cannot be made"):
        migrate.upgrade(f"sqlite:///{tmp_path / 'state' / 'digest.db'}")


# Addresses

WRONG = [
    "nonsense",
    "",
    "mysql://user:hush@host/digest",
    "oracle://user:hush@host/digest",
    "nothing://user:hush@host/digest",
    "postgresql+nothing://user:hush@host/digest",
    "postgresql://user:hush@host:port/digest",
    "postgresql://user:pass@word:hush@host/digest",
    "postgresql://user:hush@[::1/digest",
    "sqlite://user:hush@host/digest.db",
    "sqlite+nothing:///digest.db",
]


@pytest.mark.parametrize("url", WRONG)
@pytest.mark.parametrize("act", [create, Store.open, Store.schema_of, migrate.upgrade])
def test_a_wrong_address_is_an_error_of_configuration_that_tells_no_password(act: Callable[[str], object], url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        act(url)
    assert refused.value.exit_code == 78
    assert "hush" not in str(refused.value) + refused.value.fix
    assert "\n" not in str(refused.value)


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigurationError, match="aiosqlite"):
        create("sqlite+aiosqlite:///digest.db")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_server_that_does_not_answer_is_unavailable_and_no_password_is_told(scheme: str, tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable, match="does not answer") as failed:
        Store.open(f"{scheme}://user:hush@/digest?host={tmp_path}")
    assert failed.value.exit_code == 69
    assert "hush" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("postgresql://user:hush@host/digest") == "postgresql://user:***@host/digest"
    assert shown("nonsense") == shown("postgresql://user:hush@host:port/digest") == "database.url"


def test_the_file_of_an_address() -> None:
    assert sqlite_path("sqlite:////srv/digest.db") == Path("/srv/digest.db")
    assert sqlite_path("sqlite:///digest.db") == Path("digest.db")
    assert sqlite_path("sqlite://") is sqlite_path("sqlite:///:memory:") is sqlite_path("postgresql://host/digest") is None


# PostgreSQL


@pytest.fixture
def served(postgresql: Postgresql) -> Iterator[Store]:
    """A database on a server."""
    store = Store.open(postgresql.current())
    yield store
    store.close()


def test_every_session_commits_durably_whatever_the_servers_default(postgresql: Postgresql) -> None:
    url = postgresql.empty()
    migrate.upgrade(url)
    engine = create(url)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off"))
    engine.dispose()
    store = Store.open(url)
    with store.read() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
    with store.write() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
    store.close()


def test_a_database_that_is_not_there_is_named(postgresql: Postgresql) -> None:
    url = make_url(postgresql.current()).set(database="nowhere")
    with pytest.raises(ServerUnavailable, match="nowhere"):
        Store.open(url.render_as_string(hide_password=False))


def test_a_server_without_rights_for_us_says_so(postgresql: Postgresql) -> None:
    url = postgresql.empty()
    migrate.upgrade(url)
    engine = create(url)
    name = make_url(url).database
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    engine.dispose()
    store = Store.open(url)
    with pytest.raises(NotPermitted, match="cannot be written") as refused:
        keep(store, "a")
    assert refused.value.exit_code == 77
    store.close()


def test_two_that_wait_for_each_other_is_a_temporary_failure_of_one(served: Store) -> None:
    for name in "ab":
        keep(served, name)
    ready = Barrier(2)

    def change(*names: str) -> int:
        try:
            with served.write() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                for name in names:
                    connection.execute(update(secret).where(secret.c.name == name).values(value=names[0]))
                    if name == names[0]:
                        ready.wait(30)
        except TemporaryFailure as error:
            # The ledger waits for what is locked (`digest.flows.commit`).
            assert "locked" in str(error)  # noqa: PT017 - which of the two fails is the server's choice
            return error.exit_code
        return 0

    assert sorted(together(lambda: change("a", "b"), lambda: change("b", "a"))) == [0, 75]


def test_a_server_that_went_away_between_two_uses_is_found_again(served: Store) -> None:
    keep(served, "a")
    with served.read() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = create(served.engine.url.render_as_string(hide_password=False))
    with other.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    other.dispose()
    assert kept(served) == ["a"]
