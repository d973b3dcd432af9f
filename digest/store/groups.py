"""Groups of outcomes and marks, each one transaction, while mail goes out: the ledger's busiest statements.

They are given to the drivers as they stand: for a handful of rows, composing them would cost as much as all that follows.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from digest.store import workers
from digest.store.engine import Store, explained, silent_at_most
from digest.store.ledger import TABLES, LedgerTable, Outcome
from digest.store.schema import delivery

Mark: TypeAlias = tuple[LedgerTable, int]
"""A row whose content is to go out."""


class Groups:
    """One worker's own connection to its ledger, kept for as long as it works. For one thread.

    On PostgreSQL the session holds a lock under the worker's number: as long as it lives, its last group may be on its way.
    """

    def __init__(self, store: Store, worker_id: int) -> None:
        """Raises what `Store.write` raises."""
        self._store, self._worker = store, worker_id
        self._url = str(store.engine.url)
        with explained(self._url):
            self._connection = store.engine.connect()
            if not store.is_sqlite:
                self._connection.execution_options(isolation_level="AUTOCOMMIT")
            self._connection.detach()
            if not store.is_sqlite:
                # A plan made for given rows would be made anew for each group.
                self._connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
                self._connection.exec_driver_sql("SET enable_seqscan = off")
                self._connection.exec_driver_sql(f"SET {silent_at_most()}")
                workers.hold_session(self._connection, worker_id)

    def write(self, outcomes: Sequence[Outcome], marks: Sequence[Mark], now: datetime) -> set[Mark]:
        """Write down how attempts ended, and that content of other rows goes out now: all of it durable when this returns.

        Returns the marks of rows that are still this worker's to submit. Raises what `Store.write` raises.
        """
        return self._write(outcomes, marks, now)

    def write_again(self, outcomes: Sequence[Outcome], marks: Sequence[Mark], now: datetime) -> set[Mark]:
        """The same for a group of which nobody knows whether it was written, for the server was lost meanwhile. Outcomes that
        stand are not repeated; a mark that stands holds, for its content has not gone out."""
        held = self._write(outcomes, marks, now)
        with explained(self._url):
            for table in TABLES:
                rows = [row for marked, row in marks if marked is table]
                mine = (table.c.state == "submitting") & (table.c.worker_id == self._worker)
                found = self._connection.scalars(select(table.c.id).where(table.c.id.in_(rows), mine)) if rows else ()
                held.update((table, row) for row in found)
        return held

    def _write(self, outcomes: Sequence[Outcome], marks: Sequence[Mark], now: datetime) -> set[Mark]:
        with explained(self._url), self._drivers_errors():
            driver = self._driver
            if self._store.is_sqlite:
                driver.execute("BEGIN IMMEDIATE")
                try:
                    held = write(self._connection, self._worker, outcomes, marks, now)
                    driver.execute("COMMIT")
                finally:
                    if driver.in_transaction:
                        driver.execute("ROLLBACK")
                return held
            if len({table.name for table, _ in marks} | {outcome.table.name for outcome in outcomes}) > 1:
                with driver.transaction():
                    return write(self._connection, self._worker, outcomes, marks, now)
            return write(self._connection, self._worker, outcomes, marks, now)

    def close(self) -> None:
        with suppress(DBAPIError):  # one that is lost needs no closing
            self._connection.close()

    @property
    def _driver(self) -> Any:
        return self._connection.connection.dbapi_connection

    @contextmanager
    def _drivers_errors(self) -> Iterator[None]:
        errors = self._store.engine.dialect.loaded_dbapi.Error
        try:
            yield
        except errors as error:
            raise DBAPIError.instance(None, None, error, errors, dialect=self._store.engine.dialect) from error


def write(
    connection: Connection, worker_id: int, outcomes: Sequence[Outcome], marks: Sequence[Mark], now: datetime
) -> set[Mark]:
    """Write a group within the transaction that is open; see `Groups.write`.

    An outcome of a worker that lost its row changes nothing, unless the row is in doubt for want of it. What a submitted
    mail brought is added to its reader's memory.
    """
    stored = delivery.c.updated_at.type.bind_processor(connection.dialect)
    assert stored is not None
    write_table = _write_sqlite if connection.dialect.name == "sqlite" else _write_postgresql
    held: set[Mark] = set()
    for table in TABLES:
        ended = [_parameters(outcome, stored) for outcome in outcomes if outcome.table is table]
        rows = [row for marked, row in marks if marked is table]
        if ended or rows:
            driver = connection.connection.dbapi_connection
            held.update((table, row) for row in write_table(driver, table.name, worker_id, ended, rows, stored(now)))
    return held


_Ended: TypeAlias = tuple[int, str, str, Any, int, int, int | None, str]
"""Row, state, reply, next try, tried, failed, reader, what to remember."""


def _parameters(outcome: Outcome, stored: Any) -> _Ended:
    seen = outcome.seen if outcome.state == "submitted" else ""
    tried, failed = int(outcome.tried), int(outcome.failed)
    again = stored(outcome.next_try_at)
    return outcome.row, outcome.state, outcome.reply[:500], again, tried, failed, outcome.subscriber_id, seen


def _write_sqlite(driver: Any, table: str, worker_id: int, ended: list[_Ended], marks: list[int], now: str) -> Iterable[int]:
    driver.executemany(_SQLITE_OUTCOME.format(table=table), [(*one[:6], worker_id, now) for one in ended])
    driver.executemany(_SQLITE_MEMORY, [(row, reader, seen) for row, *_, reader, seen in ended if seen])
    if not marks:
        return ()
    marked = driver.execute(_SQLITE_MARK.format(table=table), (json.dumps(marks), worker_id, now)).fetchall()
    return [row for (row,) in marked]


# What came to be in doubt was counted then.
_SQLITE_OUTCOME = """
    UPDATE {table} SET
        state = ?2, reply = ?3, next_try_at = ?4, updated_at = ?8,
        worker_id = CASE ?2 WHEN 'in_doubt' THEN worker_id END,
        attempts = attempts + CASE state WHEN 'in_doubt' THEN 0 ELSE ?5 END,
        failures = failures + ?6,
        doubts = doubts + (?2 = 'in_doubt'),
        in_doubt_at = coalesce(in_doubt_at, CASE ?2 WHEN 'in_doubt' THEN ?8 END)
    WHERE id = ?1 AND worker_id = ?7
        AND (state IN ('claimed', 'submitting') OR state = 'in_doubt' AND ?2 IN ('submitted', 'rejected'))"""
# Appending is all that two outcomes of one reader can do without knowing of each other; what stands there is not repeated.
_SQLITE_MEMORY = """
    UPDATE subscriber SET seen = seen || ?3 WHERE id = ?2 AND instr(seen, ?3) = 0
        AND EXISTS (SELECT 1 FROM delivery WHERE id = ?1 AND state = 'submitted')"""
# With the signs before them, no index of these columns is taken for better than that of the numbers.
_SQLITE_MARK = """
    UPDATE {table} SET state = 'submitting', updated_at = ?3
    WHERE id IN (SELECT value FROM json_each(?1)) AND +state = 'claimed' AND +worker_id = ?2 RETURNING id"""


def _write_postgresql(
    driver: Any, table: str, worker_id: int, ended: list[_Ended], marks: list[int], now: datetime
) -> Iterable[int]:
    columns = [list(column) for column in zip(*ended, strict=True)] or [[]] * 8
    parameters = dict(zip("abcdefgh", columns, strict=True)) | {"worker": worker_id, "now": now, "marks": marks}
    marked = driver.execute(_POSTGRESQL.format(table=table), parameters, prepare=True).fetchall()
    return [row for (row,) in marked]


# One statement is one transaction, and one way to the server and back. `coalesce` keeps the indexes of states and workers out:
# to a server that has not looked at a table since it was filled, they seem as good as that of the numbers.
_POSTGRESQL = """
    WITH ended AS (
        UPDATE {table} AS mail SET
            state = x.state, reply = x.reply, next_try_at = x.again, updated_at = %(now)s,
            worker_id = CASE x.state WHEN 'in_doubt' THEN mail.worker_id END,
            attempts = mail.attempts + CASE mail.state WHEN 'in_doubt' THEN 0 ELSE x.tried END,
            failures = mail.failures + x.failed,
            doubts = mail.doubts + CASE x.state WHEN 'in_doubt' THEN 1 ELSE 0 END,
            in_doubt_at = coalesce(mail.in_doubt_at, CASE x.state WHEN 'in_doubt' THEN %(now)s END)
        FROM unnest(
            %(a)s::bigint[], %(b)s::text[], %(c)s::text[], %(d)s::timestamptz[], %(e)s::int[], %(f)s::int[],
            %(g)s::bigint[], %(h)s::text[]
        ) AS x (id, state, reply, again, tried, failed, reader, seen)
        WHERE mail.id = x.id AND coalesce(mail.worker_id, 0) = %(worker)s AND (
            coalesce(mail.state, '') IN ('claimed', 'submitting')
            OR coalesce(mail.state, '') = 'in_doubt' AND x.state IN ('submitted', 'rejected')
        )
        RETURNING mail.id, x.reader, x.seen
    ), remembered AS (
        UPDATE subscriber SET seen = subscriber.seen || new.seen
        FROM (SELECT reader, string_agg(seen, '' ORDER BY id) AS seen FROM ended WHERE seen <> '' GROUP BY reader) AS new
        WHERE subscriber.id = new.reader
    )
    UPDATE {table} SET state = 'submitting', updated_at = %(now)s
    WHERE id = ANY (%(marks)s::bigint[]) AND coalesce(state, '') = 'claimed' AND coalesce(worker_id, 0) = %(worker)s
    RETURNING id"""
