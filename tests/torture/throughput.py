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
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Sink() as sink:
        overrides = {
            "site.public_url": "https://papers.example.org",
            "email.from": "Trending Papers <digest@example.org>",
            "smtp.url": sink.url,
            "sources.huggingface.enabled": False,
            "ranking.size": 10,
            "ranking.also": 5,
        }
        app = App(load(home=Path(folder), environ={}, overrides=overrides), SteppedClock(START - timedelta(hours=1)))
        app.upgrade_store()
        collect_file(app.store, app.clock.now(), resource("seeds/trending-papers-page.txt"), "page")
        listed = Path(folder) / "readers.csv"
        rows = (f"reader{n}@example.org,{TOPICS[n % 5]}" for n in range(options.readers))
        listed.write_text("email,topics\n" + "\n".join(rows))
        with listed.open("rb") as file:
            Import(app.store, app.clock.now(), confirmed=True, public_url=None, source="bench").run(
                Sheet(file), Tally(), lambda bad: print(bad)
            )
        app.clock.set(START)
        flow.publish(app.plan)
        statements = 0

        def count(*_: object) -> None:
            nonlocal statements
            statements += 1

        event.listen(app.store.engine, "before_cursor_execute", count)
        profile = cProfile.Profile()
        wall, cpu = time.perf_counter(), time.process_time()
        with profile if options.profile else nullcontext():
            report = asyncio.run(deliver(app.store, app.clock, app.imprint, app.relay, app.rules))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(len(one.content) for one in sink.accepted) / max(1, len(sink.accepted))
        app.close()
    print(f"{dict(report.states)} in {wall:.1f} s: {options.readers / wall:.0f} messages/s of {size / 1024:.0f} KiB")
    print(f"CPU {1e6 * cpu / options.readers:.0f} us a message, with the mail server in this process")
    print(f"{statements} SQL statements: {statements / options.readers:.2f} a message")
    print(f"peak memory {limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
