"""BENCHMARKS.md: what the cases came to, as tables and ratios, with the machine and the versions."""

import os
import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

LIBRARIES = ("aiosmtplib", "uvloop", "sqlalchemy", "numpy", "cryptography", "dkimpy")


class Run(Protocol):
    """One case, in the round of the middle."""

    @property
    def each(self) -> float: ...
    @property
    def octets(self) -> float | None: ...
    @property
    def more(self) -> dict[str, Any]: ...


class Peers(Protocol):
    @property
    def versions(self) -> dict[str, str]: ...
    @property
    def missing(self) -> dict[str, str]: ...


CHAINS = {
    "chain by digest": "digest: claim, rank, build, send, record (SQLite, synchronous=FULL)",
    "chain by aiosmtplib": "the same, sent by plain aiosmtplib calls",
    "chain by nodemailer": "nodemailer's pool, given HTML and text; it neither ranks, renders nor records",
    "chain by django": "Django: render, `EmailMultiAlternatives`, one connection; it neither ranks nor records",
}
VARIANTS = {
    "chain, starttls": "over STARTTLS",
    "chain, rsa": "signed with RSA-2048",
    "chain, two workers": "two workers on SQLite, not kept to cores",
    "chain, postgresql": "two workers on PostgreSQL, not kept to cores",
}
STEPS = (
    ("send by digest", "Sending a ready message", {"send by digest": "digest", "send by smtp-source": "smtp-source"}),
    (
        "far by digest",
        "The same, each reply 20 ms late, over ten connections",
        {"far by digest": "digest", "far by aiosmtplib": "aiosmtplib", "far by nodemailer": "nodemailer"},
    ),
    (
        "build by digest",
        "Building a message",
        {
            "build by digest": "digest, by splicing",
            "build by premailer": "the same templates rendered, premailer, `EmailMessage`",
        },
    ),
    (
        "sign by digest",
        "Signing it with RSA-2048",
        {
            "sign by digest": "digest",
            "sign by dkimpy": "dkimpy, relaxed/simple as ours",
            "sign by dkimpy, relaxed": "dkimpy, relaxed/relaxed",
        },
    ),
)


SCOPE = (
    "{readers:,} invented readers, 15 of 2,000 papers for each, mailed to a sink on the last core; each client is kept to the "
    "first. A digest worker has 32 connections, and so has nodemailer. What they want was learned before, as on any day; what "
    "is done once for an edition is counted."
)
CAVEATS = """\
- The sink answers at once and keeps nothing: a real mail server and a real network are slower, and are the limit
  ([scale](docs/explanation/scale.md)).
- CPU of the sink and of a PostgreSQL server is not counted.
- nodemailer is given one ready text and HTML for all, and Django draws from papers that are chosen already: both do less than
  digest does.
- A sleeping disk or a busy machine changes messages a second much more than CPU.
"""
MOST = 0.5
"""Processes that want a core, from which on they are in the way."""
BUSY = (
    "**The machine was busy** when this began (load {load:.1f}): CPU is up to twice what it is on a quiet one, and messages a "
    "second say nothing. To be written again."
)
REPEAT = """\
```
make bench
digest bench --readers 20000
```

The first writes this page, in some minutes; the second measures the chain alone, on any machine. How each peer is set up stands
in [tests/benchmarks](tests/benchmarks/README.md).
"""


def text(
    found: Mapping[str, Run], rates: Mapping[str, float], peers: Peers, readers: int, rounds: int, on: str, load: float = 0.0
) -> str:
    """The page.

    Args:
        found: by the name of the case, the run that took the middle CPU time.
        rates: messages a second of each, the median.
        peers: what there was to compare with.
        readers, rounds: of each chain.
        on: the day, as it is to be shown.
        load: how many processes wanted a core before it began.
    """
    written = f"Written by `make bench`{f' on {on}' if on else ''}: every case once in each round, medians of {rounds}."
    parts = [
        "# Benchmarks",
        f"{written} Ratios hold within this page; messages a second are this machine's.",
        _machine(peers),
        BUSY.format(load=load) if load > MOST else "",
        "## The whole chain",
        SCOPE.format(readers=readers),
        _table(found, rates, CHAINS, "chain by digest"),
        _stages(found),
    ]
    if any(name in found for name in VARIANTS):
        parts += [
            "The chain in other circumstances:",
            _table(found, rates, {"chain by digest": "as above"} | VARIANTS, "chain by digest"),
        ]
    for first, title, names in STEPS:
        if first in found:
            parts += [f"## {title}", _table(found, rates, names, first)]
    parts += [_many(found)]
    parts += ["## What this does not say", CAVEATS + _left_out(peers), "## Once more", REPEAT]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _table(found: Mapping[str, Run], rates: Mapping[str, float], names: Mapping[str, str], first: str) -> str:
    sent = any(found[name].octets for name in names if name in found)
    head = ["", "CPU us a message", "ratio", "a second", "ratio", *(["bytes"] if sent else [])]
    rows = [head, ["---"] * len(head)]
    for name, what in names.items():
        if name not in found:
            continue
        run, rate = found[name], rates[name]
        times = f"{_short(run.each / found[first].each)}x"
        faster = f"1/{_short(rates[first] / rate)}" if rate < rates[first] else f"{_short(rate / rates[first])}x"
        size = [f"{run.octets:,.0f}" if run.octets else ""] if sent else []
        rows.append([what, f"{run.each:,.1f}", times, f"{rate:,.0f}", faster, *size])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _stages(found: Mapping[str, Run]) -> str:
    if "chain by digest" not in found:
        return ""
    chain = found["chain by digest"]
    stages = ", ".join(f"{name} {spent:.1f}" for name, spent in chain.more["stages"].items())
    return (
        f"Where the {chain.each:.1f} us go: {stages}. `edition` and `cards` are done once, for it and for each paper: a "
        f"further reader takes {_further(chain):.1f} us. {chain.more['peak_rss_mib']:.0f} MiB of memory at most."
    )


def _further(run: Run) -> float:
    """CPU microseconds for one reader more."""
    stages: dict[str, float] = run.more["stages"]
    return run.each - stages.get("edition", 0.0) - stages.get("cards", 0.0)


MILLION = 1_000_000


def _many(found: Mapping[str, Run]) -> str:
    """What the figures come to for many readers."""
    chain = found.get("chain by digest")
    if chain is None or not chain.octets:
        return ""
    rows = [["", "1,000,000 readers", "50,000,000 readers"], ["---"] * 3]

    def add(what: str, seconds: float) -> None:
        """Seconds for a message."""
        rows.append([what, _long(seconds * MILLION), _long(seconds * 50 * MILLION)])

    rows.append(["volume", *(f"{chain.octets * readers / 1e9:,.0f} GB" for readers in (MILLION, 50 * MILLION))])
    add("wire, 1 Gbit/s", 8 * chain.octets / 1e9)
    add("wire, 10 Gbit/s", 8 * chain.octets / 1e10)
    add("a relay that takes 200 a second", 1 / 200)
    add("CPU of workers, on one core", _further(chain) / 1e6)
    for name, what in (("chain, starttls", "the same over STARTTLS"), ("chain, rsa", "the same signed with RSA-2048")):
        if name in found:
            add(what, _further(found[name]) / 1e6)
    postgresql = found.get("chain, postgresql")
    if postgresql is not None:
        add("CPU of workers, on PostgreSQL", _further(postgresql) / 1e6)
        if postgresql.more["server"]:
            add("CPU of PostgreSQL itself, on one core", postgresql.more["server"] / 1e6)
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return (
        "## Many readers\n\nComputed from the figures above, and not measured: how long each thing takes if it is all there is "
        f"to wait for. What follows from it: [past one machine](docs/explanation/scale.md).\n\n{table}"
    )


def _long(seconds: float) -> str:
    hours = seconds / 3600
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} min" if hours < 3 else f"{hours:,.1f} h"


def _machine(peers: Peers) -> str:
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    ours = [f"{name} {found}" for name in LIBRARIES if (found := _version(name))]
    theirs = [f"{name} {found}" for name, found in peers.versions.items()]
    return (
        f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}; {', '.join(ours + theirs)}."
    )


def _left_out(peers: Peers) -> str:
    return "\n".join(f"- Left out: {name} ({_plain(why)})." for name, why in sorted(peers.missing.items()))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _plain(why: str) -> str:
    """A reason without paths of this machine, in a line."""
    return re.sub(r"/\S+/", "", " ".join(why.split()))[:160].rstrip(".")


def _short(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 3 else f"{ratio:.2f}"
