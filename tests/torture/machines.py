"""Kills and freezes workers on several machines again and again while they mail one edition, and counts what arrived.

    python tests/torture/machines.py --readers 3000 --machines 3 --kills 300 --frozen 10

Each that is killed is replaced at once, each that is frozen is woken when others have taken over what it held. Nobody may be
missed but those who are `held` (in doubt twice); whoever got two copies must be listed as in doubt.
"""

import argparse
import asyncio
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from contract.databases import a_server
from sqlalchemy import create_engine
from support import machines
from support.machines import SILENT, Machines
from support.operator import Operator
from support.sink import Session, Sink
from torture.kills import CONNECTIONS, Result, must, prepare, weigh

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
HOLD = timedelta(seconds=3 * SILENT)
"""More than a machine is silent before it is given up, and little, so that doubts are decided in the midst of it."""


@dataclass
class Found(Result):
    """What a torture of several machines found besides."""

    freezes: int = 0
    taken_over: list[float] = field(default_factory=list)
    """Seconds from each death until the mails that the dead had claimed were free."""
    tracebacks: int = 0


class Rationed:
    """A server that takes no more mails than it may, so that each kill finds some on the wire."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self.may = sink, 0
        sink.on["CONTENT"] = self._wait

    async def _wait(self, _session: Session, _word: str) -> None:
        while len(self._sink.accepted) >= self.may:  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.005)


def torture(home: Path, readers: int, number: int, kills: int, frozen: int, seed: int) -> Found:
    """Mail `readers` readers by `number` machines, kill `kills` times and freeze `frozen` times on the way."""
    dice = random.Random(seed)
    result = Found(readers)
    addresses = [f"reader{n}@example.org" for n in range(readers)]
    blows = ["kill"] * kills + ["freeze"] * frozen
    dice.shuffle(blows)
    with a_server() as cluster, Sink() as sink:
        url = machines.with_jobs(cluster)
        settings = {"database__url": url, "smtp__connections": str(CONNECTIONS), "ranking__size": "10"}
        settings |= {"delivery__in_doubt_hold": f"{HOLD.seconds}s", "delivery__chunk": "50"}
        with Operator(home, sink.url, **settings) as operator:
            prepare(operator, addresses, START - timedelta(hours=1))
            started = time.monotonic()
            with Machines(operator.settings, START, home / "log") as park:
                _mistreat(park, sink, url, blows, number, dice, result)
                deadline = time.monotonic() + 120
                while _open_rows(url) and time.monotonic() < deadline:
                    time.sleep(0.2)
                result.seconds = time.monotonic() - started
                result.tracebacks = park.said().count("Traceback")
                now = park.now
            rows = must(operator.call("deliveries", "list", "--json", now=now)).json["deliveries"]
    result.integrity = "ok"
    weigh(result, sink, rows, addresses)
    return result


def _mistreat(park: Machines, sink: Sink, url: str, blows: list[str], number: int, dice: random.Random, result: Found) -> None:
    running = [park.start() for _ in range(number)]
    asleep: list[tuple[float, Popen[str]]] = []
    server = Rationed(sink)
    beside = ThreadPoolExecutor()
    noticed: list[Future[float]] = []
    share = result.readers / (len(blows) + 1)
    for count, blow in enumerate(blows, 1):
        server.may = int(count * share)
        sink.wait_for(server.may - dice.randint(0, int(share / 2)), 30)
        time.sleep(dice.uniform(0, 0.05))
        victim = running.pop(dice.randrange(len(running)))
        if blow == "kill":
            holds = _entries(url, victim.pid)
            victim.send_signal(signal.SIGKILL)
            victim.wait(30)
            result.kills += 1
            running.append(park.start())
            if holds:
                noticed.append(beside.submit(_until_gone, url, holds))
        else:
            park.freeze(victim)
            result.freezes += 1
            asleep.append((time.monotonic() + dice.uniform(0.5, 3) * SILENT, victim))
            running.append(park.start())
        for since, one in list(asleep):
            if time.monotonic() > since:
                park.wake(one)
                asleep.remove((since, one))
                running.pop(0).send_signal(signal.SIGTERM)
                running.append(one)
    server.may = sys.maxsize
    time.sleep(SILENT if asleep else 0)
    for _, one in asleep:
        park.wake(one)
    result.taken_over = [future.result() for future in noticed]


def _entries(url: str, pid: int) -> list[int]:
    return [row[0] for row in _ask(url, f"SELECT id FROM worker WHERE pid = {pid}")]


def _until_gone(url: str, workers: list[int]) -> float:
    """Seconds until others have noticed."""
    since = time.monotonic()
    listed = ",".join(map(str, [0, *workers]))
    while _ask(url, f"SELECT 1 FROM worker WHERE id IN ({listed})") and time.monotonic() < since + 60:
        time.sleep(0.05)
    return time.monotonic() - since


def _open_rows(url: str) -> bool:
    states = "'queued', 'claimed', 'submitting', 'in_doubt'"
    return bool(_ask(url, f"SELECT 1 FROM delivery WHERE state IN ({states}) LIMIT 1"))


def _ask(url: str, query: str) -> list[tuple[int, ...]]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with contextlib.closing(engine.connect()) as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=3000)
    parser.add_argument("--machines", type=int, default=3)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--frozen", type=int, default=10)
    parser.add_argument("--log", type=Path, help="Where to keep what the machines said.")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            result = torture(home, options.readers, options.machines, options.kills, options.frozen, options.seed)
        finally:
            if options.log:
                shutil.copy(home / "log", options.log)
    most = CONNECTIONS * (result.kills + result.freezes)
    waits = sorted(result.taken_over) or [0.0]
    print(f"seed                    {options.seed}")
    print(f"readers                 {result.readers} by {options.machines} machines")
    print(f"kills, freezes          {result.kills}, {result.freezes} in {result.seconds:.0f} s")
    print(f"taken over after        {waits[len(waits) // 2]:.1f} s, at most {waits[-1]:.1f} (silent for {SILENT:.1f})")
    print(f"states                  {dict(result.states)}")
    print(f"missing (not held)      {len(result.missing)}")
    print(f"held                    {len(result.held)}")
    print(f"ever in doubt           {result.in_doubt} (at most {CONNECTIONS} each time: {most})")
    print(f"got two copies          {len(result.repeated)}, most copies {result.most_copies}")
    print(f"  not listed in doubt   {len(result.repeated_unlisted)}")
    print(f"  with other bytes      {len(result.repeated_differently)}")
    print(f"tracebacks in the log   {result.tracebacks}")
    broken = result.missing or result.repeated_unlisted or result.repeated_differently or result.most_copies > 2
    return int(bool(broken) or result.in_doubt > most)


if __name__ == "__main__":
    raise SystemExit(main())
