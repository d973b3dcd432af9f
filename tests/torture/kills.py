"""Kills the delivering process again and again while mails go out, and counts what arrived.

    python tests/torture/kills.py --readers 2000 --kills 30

Nobody may be missed but those who are `held` (in doubt twice); whoever got two copies must be listed as in doubt, and both
must have one Message-ID and the same bytes.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.operator import Done, Operator
from support.sink import Sink

from digest.resources import resource

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
STEP = timedelta(minutes=16)
"""More than `delivery.in_doubt_hold`, so that each doubt is decided by the next run."""
CONNECTIONS = 8


@dataclass
class Result:
    """What a torture found; all lists are of addresses."""

    readers: int
    kills: int = 0
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
        return not broken and self.in_doubt <= CONNECTIONS * self.kills and self.integrity == "ok"


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


def torture(home: Path, readers: int, kills: int, seed: int) -> Result:
    """Mail `readers` readers and kill the process `kills` times on the way."""
    dice = random.Random(seed)
    result = Result(readers)
    started = time.monotonic()
    with Sink() as sink, Operator(home, sink.url, smtp__connections=str(CONNECTIONS), ranking__size="10") as operator:
        yesterday = START - timedelta(hours=1)
        addresses = [f"reader{n}@example.org" for n in range(readers)]
        prepare(operator, addresses, yesterday)
        now = START
        for number in range(kills):
            if len(sink.accepted) >= readers:
                break
            process = operator.start("deliver", now=now)
            before = len(sink.accepted)
            # Most die while mails are on the wire; some while they start, choose or build.
            left = max(1, (readers - before) // (kills - number))
            if dice.random() < 0.15:
                time.sleep(dice.uniform(0.1, 1.2))
            else:
                sink.wait_for(before + dice.randint(1, 2 * left), 30)
                time.sleep(dice.uniform(0, 0.01))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            result.kills += 1
            now += STEP
        for _ in range(4):
            must(operator.call("deliver", now=now))
            now += STEP
        rows = must(operator.call("deliveries", "list", "--json", now=now)).json["deliveries"]
        result.integrity = _integrity(home)
    result.seconds = time.monotonic() - started
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
    return result


def _integrity(home: Path) -> str:
    import sqlite3

    connection = sqlite3.connect(home / "digest.db")
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = torture(Path(folder), options.readers, options.kills, options.seed)
    print(f"seed                    {options.seed}")
    print(f"readers                 {result.readers}")
    print(f"kills                   {result.kills} in {result.seconds:.0f} s")
    print(f"states                  {dict(result.states)}")
    print(f"missing (not held)      {len(result.missing)}")
    print(f"held                    {len(result.held)}")
    print(f"ever in doubt           {result.in_doubt} (at most {CONNECTIONS} a kill: {CONNECTIONS * result.kills})")
    print(f"got two copies          {len(result.repeated)}, most copies {result.most_copies}")
    print(f"  not listed in doubt   {len(result.repeated_unlisted)}")
    print(f"  with other bytes      {len(result.repeated_differently)}")
    print(f"integrity               {result.integrity}")
    return int(not result.kept)


if __name__ == "__main__":
    raise SystemExit(main())
