"""A site as its operator has it: a database, a clock that stands until it is told the time, a mail server of its own."""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from support.sink import Sink

from digest.clock import SteppedClock
from digest.flows import learning, publish, subscribe
from digest.flows.collect import collect_file
from digest.flows.deliver import deliver
from digest.flows.importing import Import, Tally
from digest.flows.terms import Report
from digest.settings import load
from digest.store import deliveries, ledger, migrate
from digest.store.schema import notice
from digest.subscribers.address import EmailAddress
from digest.subscribers.csv import Sheet
from digest.subscribers.model import Interest, Preferences, SignUp, Subscriber, parse_hour
from digest.wiring import App

MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""The freezing of a Monday's editions, the weekly one among them."""
PAPERS = 60
SUBJECTS = ("graph", "quantum", "protein", "speech", "robot", "galaxy", "climate", "protein folding", "vision", "poetry")


def overrides(smtp_url: str, **more: object) -> dict[str, object]:
    """The settings of a site that works, with `section__key` for others."""
    return {
        "site.public_url": "https://papers.example.org",
        "site.secret_key": "k" * 40,
        "email.from": "Trending Papers <digest@example.org>",
        "smtp.url": smtp_url,
        "smtp.timeout": "10s",
        "sources.huggingface.enabled": False,
        "ranking.size": 3,
        "ranking.also": 2,
        **{name.replace("__", "."): value for name, value in more.items()},
    }


def write_papers(path: Path, number: int = PAPERS) -> Path:
    """A file of invented papers, each with an arXiv id."""
    lines = (
        {
            "title": f"A {SUBJECTS[n % len(SUBJECTS)]} study, number {n}",
            "abstract": f"We look at the {SUBJECTS[n % len(SUBJECTS)]} again. It is larger than we thought.",
            "authors": [f"Ann Author{n}"],
            "arxiv_id": f"2603.{10000 + n}",
            "rank": n + 1,
        }
        for n in range(number)
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def prepare_home(home: Path) -> Path:
    """A database with the current schema and sixty papers, seen an hour before Monday's edition."""
    url = f"sqlite:///{home / 'digest.db'}"
    migrate.upgrade(url)
    app = App(load(home=home, environ={}, overrides=overrides("smtp://127.0.0.1:1")), SteppedClock(MONDAY))
    collect_file(app.store, MONDAY - timedelta(hours=1), write_papers(home / "papers.jsonl"), "jsonl")
    app.close()
    return home


def learn_words(home: Path) -> Path:
    """The vocabulary of a home's papers, as it is an hour before Monday's edition."""
    app = App(load(home=home, environ={}, overrides=overrides("smtp://127.0.0.1:1")), SteppedClock(MONDAY))
    learning.ready(app.store, MONDAY - timedelta(hours=1))
    app.close()
    return home


class Site:
    """What tests do with a site. Times are told by `at` and `later`."""

    def __init__(self, home: Path, sink: Sink, clock: SteppedClock, **settings: object) -> None:
        self.home, self.sink, self.clock = home, sink, clock
        given = {"smtp__url": sink.url, **settings}
        self.app = App(load(home=home, environ={}, overrides=overrides("", **given)), clock)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def at(self, moment: datetime) -> None:
        self.clock.set(moment)

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def subscribe(self, *addresses: str, topics: Iterable[str] = (), **preferences: Any) -> list[Subscriber]:
        """Sign people up at once; `preferences` are fields of `Preferences`, `hour` also as text."""
        if isinstance(preferences.get("hour"), str):
            preferences["hour"] = parse_hour(preferences["hour"])
        wish = Preferences(**preferences)
        wanted = tuple(Interest("topic", topic) for topic in topics)
        done = (
            subscribe.subscribe(
                self.app.store,
                self.now,
                SignUp(EmailAddress.parse(address), "", wish, wanted),
                confirmed=True,
                public_url=None,
                source="a test",
            )
            for address in addresses
        )
        return [one.subscriber for one in done]

    def readers(self, number: int) -> list[str]:
        """So many readers without an hour of their own, who signed up an hour ago; returns their addresses."""
        addresses = [f"reader{n}@example.org" for n in range(number)]
        file = BytesIO("\n".join(["email", *addresses]).encode())
        enter = Import(self.app.store, self.now - timedelta(hours=1), confirmed=True, public_url=None, source="a test")
        enter.run(Sheet(file), Tally(), on_bad=print)
        return addresses

    def publish(self) -> None:
        publish.publish(self.app.store, self.app.schedule, self.app.settings.ranking, self.app.settings.sources, self.now)

    def deliver(self, **how: Any) -> Report:
        """Deliver until nothing more is due."""
        return asyncio.run(self.delivering(**how))

    async def delivering(self, **how: Any) -> Report:
        app = self.app
        return await deliver(app.store, app.clock, app.imprint, app.relay, app.rules, **how)

    def row(self, address: str) -> Any:
        """The only delivery to an address."""
        (row,) = self.rows(address)
        return row

    def rows(self, address: str | None = None) -> list[Any]:
        """Deliveries, the latest due first."""
        with self.app.store.read() as connection:
            return deliveries.listed(connection, address_key=address)

    def states(self) -> dict[str, str]:
        """The state of each address's latest delivery."""
        return {row.email: row.state for row in reversed(self.rows())}

    def notices(self) -> list[Any]:
        with self.app.store.read() as connection:
            return list(connection.execute(notice.select().order_by(notice.c.id)))

    def open_rows(self) -> dict[str, int]:
        """How many rows are in which state that is not an end."""
        with self.app.store.read() as connection:
            return ledger.waiting(connection)

    def paper_ids(self, row: Any) -> set[int]:
        return {pick[0] for pick in row.picks or ()}

    def reader(self, address: str) -> Subscriber:
        from digest.store import subscribers

        with self.app.store.read() as connection:
            found = subscribers.by_address(connection, EmailAddress.parse(address))
        assert found is not None
        return found
