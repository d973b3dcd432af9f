"""Puts readers, papers, editions and mails into a store in one line each, and looks at what became of them."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Row, Table, func, insert, select, text, update

from digest.edition.model import Edition, Entry
from digest.papers.model import Metric, Paper, Reading, Sighting, Work
from digest.ranking.model import Term
from digest.store import deliveries, editions, groups, ledger, notices, papers, runs, workers
from digest.store.engine import Store
from digest.store.schema import delivery, notice, subscriber
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence
from digest.tokens import random_token

T = TypeVar("T")

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
"""A Sunday, at the hour of most readers here."""
TODAY = NOW.date()
LONG_AGO = NOW - timedelta(days=100)
HOUR = timedelta(hours=1)


class World:
    """A store and short ways to fill it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def reader(
        self, local: str = "ann", /, *, hour: time | None = None, days: Collection[int] = range(7), **columns: Any
    ) -> int:
        """A reader, active for long unless told otherwise; returns his id."""
        address = EmailAddress.parse(f"{local}@example.org")
        row = {
            "token": random_token(),
            "address": address.text,
            "address_key": address.key,
            "state": "active",
            "hour": hour and hour.strftime("%H:%M"),
            "days": sum(1 << day for day in days),
            "created_at": LONG_AGO,
            "active_since": LONG_AGO,
            "consent": {},
            **columns,
        }
        with self.store.write() as connection:
            return int(connection.execute(insert(subscriber).returning(subscriber.c.id), row).scalar_one())

    def edition(
        self,
        on: date = TODAY,
        cadence: Cadence = "daily",
        *,
        frozen_at: datetime | None = None,
        papers: Sequence[int] = (1, 2, 3),
        empty_because: str = "",
        vocabulary: int | None = None,
    ) -> int:
        """A frozen edition; returns its number."""
        with self.store.write() as connection:
            made, _ = editions.freeze(
                connection,
                on=on,
                cadence=cadence,
                frozen_at=frozen_at or datetime.combine(on, time(6), UTC),
                entries=[entry(paper, rank) for rank, paper in enumerate(papers, 1)],
                empty_because=empty_because,
                vocabulary=vocabulary,
            )
        return made.number

    def mail(self, reader: int, edition: int, due_at: datetime = NOW, **columns: Any) -> int:
        """A queued row, or one with other columns; returns its number."""
        with self.store.write() as connection:
            assert deliveries.enqueue(connection, [(edition, reader, due_at)], due_at) == 1
            query = select(delivery.c.id).where(delivery.c.edition_id == edition, delivery.c.subscriber_id == reader)
            number = int(connection.execute(query).scalar_one())
        self.put(delivery, number, **columns)
        return number

    def mails(self, readers: int, due_at: datetime = NOW) -> list[int]:
        """Queued rows of one edition for as many new readers."""
        edition = self.edition()
        return [self.mail(self.reader(f"reader{n}"), edition, due_at) for n in range(readers)]

    def letter(self, name: str = "ann", key: str = "1", due_at: datetime = NOW, **columns: Any) -> int:
        """A queued notice, or one with other columns; returns its number."""
        recipient = EmailAddress.parse(f"{name}@example.org")
        with self.store.write() as connection:
            assert notices.enqueue(connection, kind="confirm", recipient=recipient, key=key, content={}, now=due_at)
            number = int(connection.execute(select(func.max(notice.c.id))).scalar_one())
        self.put(notice, number, **columns)
        return number

    def put(self, table: Table, number: int, **columns: Any) -> None:
        """Set columns of a row, whatever the rules say."""
        if columns:
            with self.store.write() as connection:
                connection.execute(update(table).where(table.c.id == number).values(columns))

    def worker(self, now: datetime = NOW) -> int:
        with self.store.write() as connection:
            return workers.register(connection, now)

    def claim(
        self, worker: int, table: Table = delivery, now: datetime = NOW, limit: int = 100, only: str | None = None
    ) -> list[int]:
        """The numbers of the rows that a worker gets, in order."""
        address = EmailAddress.parse(only) if only else None
        with self.store.write() as connection:
            return ledger.claim(connection, table, worker, now, limit, address)

    def mark(self, worker: int, *rows: int, table: Table = delivery, now: datetime = NOW) -> set[int]:
        with self.store.write() as connection:
            return {row for _, row in groups.write(connection, worker, [], [(table, row) for row in rows], now)}

    def finish(self, worker: int, row: int, state: str, *, table: Table = delivery, now: datetime = NOW, **more: Any) -> None:
        """Write down one outcome."""
        with self.store.write() as connection:
            groups.write(connection, worker, [outcome(row, state, table=table, **more)], [], now)

    def bury(self, *ids: int, now: datetime = NOW) -> tuple[int, int]:
        with self.store.write() as connection:
            return workers.bury(connection, list(ids), now)

    def row(self, number: int, table: Table = delivery) -> Row[Any]:
        with self.store.read() as connection:
            return connection.execute(select(table).where(table.c.id == number)).one()

    def state(self, number: int, table: Table = delivery) -> str:
        return str(self.row(number, table).state)

    def states(self, *numbers: int, table: Table = delivery) -> list[str]:
        return [self.state(number, table) for number in numbers]

    def seen(self, reader: int) -> str:
        with self.store.read() as connection:
            return str(connection.execute(select(subscriber.c.seen).where(subscriber.c.id == reader)).scalar_one())

    def record(self, *sightings: Sighting) -> papers.Recorded:
        with self.store.write() as connection:
            return papers.record(connection, sightings)

    def retract(self, *ids: str, at: datetime = NOW) -> int:
        with self.store.write() as connection:
            return papers.retract(connection, ids, at)

    def run(self, source: str, verdict: str, ago: timedelta, **more: Any) -> None:
        """A run of a source, of a minute, that began so long ago."""
        began = NOW - ago
        with self.store.write() as connection:
            runs.record(
                connection,
                source=source,
                started_at=began,
                finished_at=began + timedelta(minutes=1),
                verdict=verdict,
                **more,
            )

    def papers(self) -> list[Paper]:
        """All papers, the newest first."""
        with self.store.read() as connection:
            return papers.listed(connection)

    def paper(self, key: str) -> Any:
        """The one paper that has this id."""
        with self.store.read() as connection:
            (found,) = papers.find(connection, [key])
        return found

    def load(self, number: int) -> Edition:
        with self.store.read() as connection:
            return editions.load(connection, number)


def entry(paper: int, rank: int = 1) -> Entry:
    """An entry of an edition."""
    return Entry(
        paper_id=paper,
        former_ids=frozenset(),
        rank=rank,
        score=1.5 - rank / 7,
        terms=(Term("votes", 12, 0.1 + rank / 3, "12 upvotes"), Term("stars", None, 0.25)),
        work=Work(
            f"Paper {paper}", "We show it.", ("Ann Lee",), published_at=LONG_AGO, listed_on=TODAY, links={"page": "https://x"}
        ),
        first_seen_on=TODAY,
        numbers={"votes": 12},
    )


def outcome(row: int, state: str, *, table: Table = delivery, reply: str = "said", **more: Any) -> ledger.Outcome:
    return ledger.Outcome(table, row, state, reply, **more)  # type: ignore[arg-type]


def sighting(
    title: str,
    *ids: str,
    authors: Sequence[str] = (),
    at: datetime = NOW,
    source: str = "hf",
    readings: dict[Metric, int] | None = None,
    announces: bool = True,
    **work: Any,
) -> Sighting:
    """A paper as a source showed it, with readings taken then."""
    taken = tuple(Reading(source, metric, value, at) for metric, value in (readings or {}).items())
    return Sighting(source, at, Work(title, authors=tuple(authors), **work), ids, taken, announces)


class Side(Thread):
    """Something done in another thread; `result` waits for it, and raises what it raised."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work, self._result = work, None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._error = error

    def waits_or_ends(self, store: Store) -> None:
        """Return when it has ended or stands before a lock; a writer of SQLite stands there before its first word."""
        while self.is_alive() and not store.is_sqlite:
            with store.read() as connection:
                if connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
                    return

    def result(self, seconds: float = 30) -> Any:
        self.join(seconds)
        assert not self.is_alive(), "it hangs"
        if self._error is not None:
            raise self._error
        return self._result


def together(*work: Callable[[], T]) -> list[T]:
    """What each gives, all begun at once in threads of their own."""
    return [side.result() for side in [Side(one) for one in work]]
