"""How fast mails go out, and where the time goes: readers, picks, one local mail server.

python tests/torture/throughput.py --readers 2000 [--profile]
"""

import argparse
import asyncio
import cProfile
import pstats
import resource as limits
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import event
from support.sink import Sink

from digest.clock import SteppedClock
from digest.flows import run as flow
from digest.flows.collect import collect_file
from digest.flows.deliver import deliver
from digest.flows.importing import Import, Tally
from digest.resources import resource
from digest.settings import load
from digest.subscribers.csv import Sheet
from digest.wiring import App

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
TOPICS = ("quantum networks", "network pruning", "graph neural networks", "neural architecture search", "quantization")


@dataclass(frozen=True)
class Measured:
    """One delivery to many readers. CPU includes the mail server, which runs in this process."""

    readers: int
    states: Counter[str]
    wall: float
    cpu: float
    statements: int
    size: float
    """Bytes of a mail, on average."""

    @property
    def statements_per_mail(self) -> float:
        return self.statements / self.readers


def measure(folder: Path, readers: int, profile: cProfile.Profile | None = None) -> Measured:
    """Mail so many readers with interests, fifteen picks each, to a local server."""
    with Sink() as sink, closing(prepared(folder, readers, sink.url)) as app:
        statements = 0

        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            nonlocal statements
            statements += not statement.startswith("BEGIN")  # COMMIT is not seen here either

        event.listen(app.store.engine, "before_cursor_execute", count)
        wall, cpu = time.perf_counter(), time.process_time()
        with profile or nullcontext():
            report = asyncio.run(deliver(app.store, app.clock, app.imprint, app.relay, app.rules))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(len(one.content) for one in sink.accepted) / max(1, len(sink.accepted))
        return Measured(readers, report.states, wall, cpu, statements, size)


def prepared(folder: Path, readers: int, smtp_url: str) -> App:
    """A site whose edition is due for so many readers."""
    overrides = {
        "site.public_url": "https://papers.example.org",
        "email.from": "Trending Papers <digest@example.org>",
        "smtp.url": smtp_url,
        "sources.huggingface.enabled": False,
        "ranking.size": 10,
        "ranking.also": 5,
    }
    clock = SteppedClock(START - timedelta(hours=1))
    app = App(load(home=folder, environ={}, overrides=overrides), clock)
    app.upgrade_store()
    collect_file(app.store, clock.now(), resource("seeds/trending-papers-page.txt"), "page")
    rows = (f"reader{n}@example.org,{TOPICS[n % 5]}" for n in range(readers))
    sheet = Sheet(BytesIO(("email,topics\n" + "\n".join(rows)).encode()))
    Import(app.store, clock.now(), confirmed=True, public_url=None, source="bench").run(sheet, Tally(), print)
    clock.set(START)
    flow.publish(app.plan)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    profile = cProfile.Profile() if options.profile else None
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.readers, profile)
    rate, size = found.readers / found.wall, found.size / 1024
    print(f"{dict(found.states)} in {found.wall:.1f} s: {rate:.0f} messages/s of {size:.0f} KiB")
    print(f"CPU {1e6 * found.cpu / found.readers:.0f} us a message, with the mail server in this process")
    print(f"{found.statements} SQL statements: {found.statements_per_mail:.2f} a message")
    print(f"peak memory {limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
