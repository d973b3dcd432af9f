"""One process of a bench: it delivers what is due in a home, as the program does, and tells what that took.

It says `ready`, waits for a line, delivers, and says what it found as JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from digest import loop
from digest.bench.site import NOW
from digest.bench.stages import MAIN, Stages
from digest.edition import compose
from digest.flows import deliver as delivering
from digest.flows import lanes, mails
from digest.outbox.dkim import Signing
from digest.outbox.splice import Splice
from digest.store import editions, vocabularies
from digest.wiring import open_app

LEDGER = "ledger"
"""The thread that records; the main one runs the connections, and all others prepare."""


def main(arguments: list[str]) -> None:
    """Deliver from the home that is named."""
    app = open_app(home=Path(arguments[0]), environ={}, now=NOW)
    parts = (app.store, app.clock, app.imprint, app.relay, app.rules)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    cpu, began = time.process_time(), time.monotonic()
    with Stages() as stages:
        _watch(stages)
        report = loop.run(delivering.deliver(*parts))
    found: dict[str, Any] = {
        "began": began,
        "ended": time.monotonic(),
        "cpu": time.process_time() - cpu,
        "states": dict(report.states),
        "peak_rss": peak_rss(),
    }
    found["stages"] = told(stages, found["cpu"])
    app.close()
    sys.stdout.write(json.dumps(found))


def _watch(stages: Stages) -> None:
    stages.watch(compose.Composer, "__init__", "edition")
    stages.watch(editions, "load", "edition")
    stages.watch(editions, "rows", "edition")
    stages.watch(vocabularies, "load", "edition")
    stages.watch(compose.Composer, "choose", "rank")
    stages.watch(Signing, "fields", "sign")
    for name in ("_frame", "_card", "_line"):
        stages.watch(Splice, name, "cards")
    stages.watch(lanes.Lanes, "_build", "build")
    stages.watch(mails.Mails, "_warm", "build")


def told(stages: Stages, cpu: float) -> dict[str, float]:
    """CPU seconds by stage; together they are the whole. `edition` and `cards` are done once in a process, whoever reads."""
    once, cards, rank, sign = (stages.of(name) for name in ("edition", "cards", "rank", "sign"))
    send = stages.total(MAIN) - stages.of("build", MAIN)
    record = stages.total(LEDGER) - stages.of("build", LEDGER)
    beside = stages.total() - stages.total(MAIN) - stages.total(LEDGER)
    built_beside = stages.of("build") - stages.of("build", MAIN) - stages.of("build", LEDGER)
    found = {
        "edition": once,
        "cards": cards,
        "prepare": beside - built_beside - once - rank,
        "rank": rank,
        "build": stages.of("build") - cards - sign,
        "sign": sign,
        "send": send,
        "record": record,
    }
    return found | {"other": cpu - sum(found.values())}


def peak_rss() -> float:
    """The most memory that this process ever had, in MiB. What the kernel says at a process's end counts also what its parent
    had when it was begun."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
