"""Moving to another database takes everything along: who reads, what he has got, who must never be mailed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from contract.databases import Postgresql, Sqlite
from sqlalchemy import select
from support.sink import Sink
from support.site import MONDAY, Site

from digest.clock import SteppedClock
from digest.errors import Busy, NotPermitted, UsageError
from digest.store import deliveries, suppressions
from digest.store.engine import Store, sqlite_path
from digest.store.moving import move
from digest.store.presence import Presence
from digest.store.schema import delivery, metadata, paper
from digest.subscribers.address import EmailAddress

ANN, BEN, CAT = (EmailAddress.parse(f"{name}@example.org") for name in ("ann", "ben", "cat"))


@pytest.fixture
def origin(tmp_path: Path, prepared_home: Path) -> Iterator[str]:
    """The database of a site that has mailed an edition, lost a reader, suppressed one, and has a mail waiting."""
    with Sink() as sink:
        site = Site(copytree(prepared_home, tmp_path / "origin"), sink, SteppedClock(MONDAY))
        site.subscribe(ANN.text, topics=["protein folding"])
        site.publish()
        site.deliver()
        site.subscribe(BEN.text, CAT.text, hour="08:00")
        with site.app.store.write() as connection:
            suppressions.add(connection, CAT, "operator", site.now)
            connection.execute(paper.update().where(paper.c.id == 1).values(merged_into=2))
        site.later(hours=3)
        with site.app.store.write() as connection:
            deliveries.enqueue(connection, [(1, site.reader(BEN.text).id, site.now)], site.now)
        site.app.close()
        yield site.app.settings.database_url


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    with closing(Store.open(url)) as store, store.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def test_every_row_is_there_as_it_was(origin: str, databases: Sqlite | Postgresql) -> None:
    target = databases.current()
    moved = move(origin, target)
    assert rows(target) == rows(origin)
    assert moved["paper"] == 60
    assert moved["delivery"] == 2


def test_what_was_not_chosen_yet_is_no_choice_of_nothing(origin: str, databases: Sqlite | Postgresql) -> None:
    target = databases.current()
    move(origin, target)
    with closing(Store.open(target)) as store, store.read() as connection:
        assert len(connection.execute(select(delivery.c.id).where(delivery.c.picks.is_(None))).all()) == 1


def test_new_rows_get_numbers_of_their_own(origin: str, databases: Sqlite | Postgresql) -> None:
    target = databases.current()
    move(origin, target)
    with closing(Store.open(target)) as store, store.write() as connection:
        last = max(number for (number,) in connection.execute(select(paper.c.id)))
        old = dict(connection.execute(select(paper).where(paper.c.id == last)).mappings().one())
        old |= {"key": "arxiv:9999.00001", "merged_into": None}
        del old["id"]
        assert connection.execute(paper.insert().returning(paper.c.id), old).scalar_one() > last


def test_a_suppressed_address_is_still_known(origin: str, databases: Sqlite | Postgresql) -> None:
    target = databases.current()
    move(origin, target)
    with closing(Store.open(target)) as store, store.read() as connection:
        assert suppressions.suppressed_among(connection, [CAT.text]) == {CAT.text}


def test_a_database_that_holds_something_is_not_moved_into(origin: str, databases: Sqlite | Postgresql) -> None:
    target = databases.current()
    move(origin, target)
    before = rows(target)
    with pytest.raises(NotPermitted, match="has rows in its table"):
        move(origin, target)
    assert rows(target) == before


def test_nothing_is_moved_into_itself_nor_while_mails_are_under_way(origin: str, sqlite: Sqlite) -> None:
    with pytest.raises(UsageError):
        move(origin, origin)
    with closing(Store.open(origin)) as store, store.write() as connection:
        connection.execute(delivery.update().values(state="submitting"))
    with pytest.raises(NotPermitted, match="under way"):
        move(origin, sqlite.current())


def test_a_database_that_others_have_open_is_not_moved(origin: str, sqlite: Sqlite) -> None:
    path = sqlite_path(origin)
    assert path is not None
    other = Presence(path)
    with pytest.raises(Busy):
        move(origin, sqlite.current())
    other.end()
