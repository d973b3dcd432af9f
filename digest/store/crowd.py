"""A crowd in a database that is thrown away: many readers who are copies of a few, and a PostgreSQL database of its own."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Table, func, insert, select, text, update
from sqlalchemy.engine import make_url

from digest.errors import NotPermitted
from digest.store.engine import Store, create, explained, shown
from digest.store.schema import delivery, interest, profile, subscriber
from digest.tokens import random_token

AT_ONCE = 5_000
"""Readers in one transaction."""


def remember(store: Store, memories: Mapping[int, str]) -> None:
    """Give readers by id their memory of papers (`digest.subscribers.seen`)."""
    with store.write() as connection:
        for number, memory in memories.items():
            connection.execute(update(subscriber).where(subscriber.c.id == number).values(seen=memory))


def multiply(store: Store, count: int, address: Callable[[int], str], done: Callable[[int], None] = lambda _n: None) -> None:
    """Copy all readers, with their interests, profiles and memories, until there are `count`.

    Args:
        store: a database that nobody else writes to; on PostgreSQL its next own reader would get an id that is taken.
        count: how many there are to be.
        address: the address of the n-th reader, from 0; those who are there have the first ones.
        done: told how many there are.
    """
    with store.read() as connection:
        models = [row._asdict() for row in connection.execute(select(subscriber).order_by(subscriber.c.id))]
        hanging = {table: _by_reader(connection.execute(select(table)).all()) for table in (interest, profile)}
    last = max(model["id"] for model in models)
    for begin in range(len(models), count, AT_ONCE):
        rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        for number in range(begin, min(count, begin + AT_ONCE)):
            model = models[number % len(models)]
            new = last + 1 + number - len(models)
            said = {"id": new, "token": random_token(), "address": address(number), "address_key": address(number)}
            rows[subscriber].append(model | said)
            for table, of in hanging.items():
                rows[table] += [one | {"subscriber_id": new} for one in of.get(model["id"], ())]
        with store.write() as connection:
            for table, its in rows.items():
                connection.execute(insert(table), its)
        done(begin + len(rows[subscriber]))


def _by_reader(rows: Sequence[Any]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.subscriber_id].append({name: value for name, value in row._asdict().items() if name != "id"})
    return found


def states(store: Store) -> dict[str, int]:
    """How many deliveries are in which state."""
    with store.read() as connection:
        query = select(delivery.c.state, func.count()).group_by(delivery.c.state)
        return dict(connection.execute(query).all())


def size(store: Store) -> int:
    """Bytes of the database with all its indexes."""
    query = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if store.is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    with store.read() as connection:
        return int(connection.execute(text(query)).scalar_one())


@contextmanager
def database_of_its_own(url: str) -> Iterator[str]:
    """The address of a new, empty database on the PostgreSQL server of `url`; it is gone when the block ends.

    Raises:
        NotPermitted: the user may not make databases.
        ServerUnavailable: the server does not answer.
    """
    name = f"digest_bench_{secrets.token_hex(6)}"
    engine = create(url).execution_options(isolation_level="AUTOCOMMIT")

    def say(statement: str) -> None:
        with explained(url), engine.connect() as connection:
            connection.execute(text(statement))

    try:
        try:
            say(f"CREATE DATABASE {name}")
        except NotPermitted:
            raise NotPermitted(
                f"the user of {shown(url)} may not make databases", fix="grant it: ALTER ROLE name CREATEDB"
            ) from None
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            say(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
