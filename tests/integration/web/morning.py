"""A site on the morning of an edition, for what shows editions: papers, and issues in which everything is a card."""

from datetime import timedelta
from typing import Any

from contract.world import NOW, TODAY, World, sighting
from sqlalchemy import select

from digest.edition.model import Entry, Pick
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.store import editions, issues
from digest.store.schema import allowance, metadata
from digest.subscribers.model import Cadence
from digest.wiring import App

DAY = timedelta(days=1)
URL = "https://papers.example.org"


def edition(world: World, days: int, *works: tuple[str, Work], cadence: Cadence = "daily") -> int:
    """An edition of so many days ago with these papers, by id; returns its number."""
    world.record(*(sighting(work.title, key, authors=work.authors, abstract=work.abstract) for key, work in works))
    ids = [world.paper(key).id for key, _ in works]
    with world.store.write() as connection:
        made, _ = editions.freeze(
            connection,
            on=TODAY - days * DAY,
            cadence=cadence,
            frozen_at=NOW - days * DAY - timedelta(hours=2),
            entries=[
                Entry(id_, frozenset(), rank, 1.0, (Term("votes", 3, 1.0, "+3 <b>votes</b>"),), work, TODAY, {"votes": 3})
                for rank, (id_, (_, work)) in enumerate(zip(ids, works, strict=True), start=1)
            ],
        )
        issues.store_picks(connection, made.number, [Pick(id_, "card") for id_ in ids])
    return made.number


def everything(app: App) -> list[Any]:
    """Every row of the database."""
    with app.store.read() as connection:
        return [connection.execute(select(table)).all() for table in metadata.sorted_tables]


def kept(app: App) -> list[Any]:
    """The same, but for what counts visitors: a POST that comes to nothing is counted too."""
    with app.store.read() as connection:
        return [connection.execute(select(table)).all() for table in metadata.sorted_tables if table is not allowance]
