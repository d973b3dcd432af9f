"""Copies of the database."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from support.site import Site

from digest.errors import BadInput, Busy, ConfigurationError, NotPermitted, UsageError
from digest.store import backup, papers
from digest.store.engine import Store
from digest.store.presence import Presence, alone


def test_a_backup_made_in_the_midst_of_a_transaction_is_whole(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with site.app.store.write() as connection:
        papers.set_hidden(connection, 1, site.app.clock.now())
        backup.backup(site.app.store, target)
    backup.check(target)
    copy = Store.open(f"sqlite:///{target}")
    with copy.read() as connection:
        assert len(papers.listed(connection)) == 60
        assert papers.hidden_among(connection, [1]) == set()
    copy.close()


def test_a_backup_never_replaces_a_file(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        backup.backup(site.app.store, target)
    assert target.read_text() == "mine"


def test_restoring_keeps_the_former_database_beside_it(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    with site.app.store.write() as connection:
        papers.set_hidden(connection, 1, site.app.clock.now())
    site.app.close()
    kept = backup.restore(site.app.settings.database_url, target)
    restored, former = Store.open(site.app.settings.database_url), Store.open(f"sqlite:///{kept}")
    with restored.read() as now, former.read() as before:
        assert papers.hidden_among(now, [1]) == set()
        assert papers.hidden_among(before, [1]) == {1}
    restored.close()
    former.close()


def test_no_restore_takes_the_place_of_what_an_earlier_one_kept(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    site.app.close()
    kept = [backup.restore(site.app.settings.database_url, target) for _ in range(3)]
    names = ["digest.db.before-restore", "digest.db.before-restore-2", "digest.db.before-restore-3"]
    assert kept == [site.app.settings.home / name for name in names]


def test_what_is_no_database_any_more_is_replaced_and_kept_as_it_is(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    site.app.close()
    (site.app.settings.home / "digest.db").write_bytes(b"what a disk made of it" * 500)
    kept = backup.restore(site.app.settings.database_url, target)
    assert kept is not None
    assert kept.read_bytes() == b"what a disk made of it" * 500
    backup.check(site.app.settings.home / "digest.db")


def test_looking_at_a_backup_leaves_nothing_beside_it(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    site.app.close()
    backup.check(target)
    backup.restore(site.app.settings.database_url, target)
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith("copy")) == ["copy.db"]


def test_what_a_log_beside_a_backup_holds_is_restored_too(site: Site, tmp_path: Path) -> None:
    with site.app.store.write() as connection:
        papers.set_hidden(connection, 1, site.app.clock.now())
    target = tmp_path / "copied by hand.db"
    for end in ("", "-wal"):
        shutil.copy(site.app.settings.home / f"digest.db{end}", f"{target}{end}")
    site.app.close()
    backup.check(target)
    backup.restore(site.app.settings.database_url, target)
    restored = Store.open(site.app.settings.database_url)
    with restored.read() as connection:
        assert papers.hidden_among(connection, [1]) == {1}
    restored.close()


def test_a_backup_is_found_whatever_its_name(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "of today? #1, 50%41.db"
    backup.backup(site.app.store, target)
    site.app.close()
    backup.check(target)
    assert backup.restore(site.app.settings.database_url, target)
    assert not (tmp_path / "of today").exists()


def test_a_restore_that_was_killed_is_in_nobodys_way(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    site.app.close()
    (site.app.settings.home / "digest.db.restoring").write_text("half a database" * 100)
    assert backup.restore(site.app.settings.database_url, target)


def test_what_cannot_be_written_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotPermitted, match="cannot be written"):
        backup.backup(site.app.store, tmp_path / "file" / "copy.db")
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    site.app.close()
    (site.app.settings.home / "digest.db.restoring").mkdir()
    with pytest.raises(NotPermitted, match="cannot be written"):
        backup.restore(site.app.settings.database_url, target)
    Store.open(site.app.settings.database_url).close()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database" * 100)
    with pytest.raises(BadInput, match="is not a digest database"):
        backup.check(text)
    with pytest.raises(UsageError, match="there is no file"):
        backup.check(tmp_path / "nothing.db")


def test_a_backup_of_a_newer_program_is_refused(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    connection = sqlite3.connect(target)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigurationError, match="newer"):
        backup.check(target)


def test_a_database_that_somebody_uses_is_not_replaced(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.backup(site.app.store, target)
    with pytest.raises(Busy, match="in use by another process"):
        backup.restore(site.app.settings.database_url, target)


def test_while_a_database_is_replaced_nobody_opens_it(site: Site) -> None:
    path = site.app.settings.home / "digest.db"
    site.app.close()
    with alone(path), pytest.raises(Busy, match="is being restored"):
        Presence(path)
