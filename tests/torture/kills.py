"""Kills the delivering process again and again while mails go out, and counts what arrived.

    python tests/torture/kills.py --readers 2000 --kills 30

Nobody may be missed but those who are `held` (in doubt twice); whoever got two copies must be listed as in doubt, and both
must have one Message-ID and the same bytes.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

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


class Operator:
    """Runs the program in a home of its own against one mail server."""

    def __init__(self, home: Path, smtp_url: str, database_url: str | None = None) -> None:
        self.home = home
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")},
            "DIGEST_HOME": str(home),
            "DIGEST_SITE__PUBLIC_URL": "https://papers.example.org",
            "DIGEST_SITE__SECRET_KEY": "k" * 40,
            "DIGEST_EMAIL__FROM": "Trending Papers <digest@example.org>",
            "DIGEST_SMTP__URL": smtp_url,
            "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS),
            "DIGEST_SOURCES__HUGGINGFACE__ENABLED": "false",
            **({"DIGEST_DATABASE__URL": database_url} if database_url else {}),
        }

    def start(self, *arguments: str, now: datetime) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "digest", *arguments, "--now", now.isoformat()]
        return subprocess.Popen(command, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def run(self, *arguments: str, now: datetime, stdin: str = "") -> str:
        command = [sys.executable, "-m", "digest", *arguments, "--now", now.isoformat()]
        done = subprocess.run(command, env=self.environ, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout


def torture(home: Path, readers: int, kills: int, seed: int) -> Result:
    """Mail `readers` readers and kill the process `kills` times on the way."""
    dice = random.Random(seed)
    result = Result(readers)
    started = time.monotonic()
    with Sink() as sink:
        operator = Operator(home, sink.url)
        yesterday = START - timedelta(hours=1)
        operator.run("db", "upgrade", now=yesterday)
        operator.run("collect", "--file", str(resource("seeds/trending-papers-page.txt")), "--format", "page", now=yesterday)
        addresses = [f"reader{n}@example.org" for n in range(readers)]
        operator.run("subscribers", "import", "-", "--confirmed", now=yesterday, stdin="email\n" + "\n".join(addresses))
        operator.run("publish", now=START)
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
            operator.run("deliver", now=now)
            now += STEP
        rows = json.loads(operator.run("deliveries", "list", "--json", now=now))["deliveries"]
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
    broken = result.missing or result.repeated_unlisted or result.repeated_differently or result.most_copies > 2
    return int(bool(broken) or result.integrity != "ok")


if __name__ == "__main__":
    raise SystemExit(main())
