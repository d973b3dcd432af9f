"""A bench from its beginning to its end: a site is made, a sink and workers are started, and what they found is counted up."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from digest.bench.site import Scene, furnish, settle
from digest.errors import DigestError
from digest.outbox.dkim import Algorithm
from digest.outbox.dkim_keys import new_key
from digest.smtp.sink import Counts, Sink, self_made_certificate, sinking
from digest.store import crowd
from digest.store.engine import Store

Tls = Literal["off", "starttls", "tls"]
Dkim = Literal["off", "rsa", "both"]
WORKER = ("-m", "digest.bench.worker")
_SCHEMES: dict[Tls, str] = {"off": "smtp", "starttls": "smtp+starttls", "tls": "smtps"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured."""

    scene: Scene
    transport: str = "sink"
    """`sink`, or the address of a mail server."""
    connections: int = 32
    """Of each worker."""
    workers: int = 1
    dkim: Dkim = "off"
    tls: Tls = "off"
    """Towards the sink; the address of a mail server says it itself."""
    database: str = "sqlite"
    """`sqlite`, or the address of a PostgreSQL server."""
    delay: float = 0.0
    """Seconds that the sink holds back each reply."""
    one_core: bool = False
    """Each worker is kept to one core, the sink to the next."""


@dataclass(slots=True)
class Measured:
    """What a bench found. Making the site is not in it; all that delivering takes is, also what is done once for an edition."""

    messages: int
    messages_per_second: float
    cpu_us_per_message: float
    stages: dict[str, float]
    """CPU microseconds of each for a message."""
    peak_rss_mib: float
    """Of the worker that had most."""
    wall_seconds: float
    states: dict[str, int] = field(default_factory=dict)
    database_mib: float = 0.0
    """When all is over: readers, their profiles and one edition of deliveries."""
    bytes_per_message: float | None = None
    """None where the sink was somebody else's."""
    connections: int | None = None
    """How many were opened."""
    sink_cpu_us_per_message: float | None = None


def measure(
    wish: Wish,
    *,
    worker: Sequence[str] = WORKER,
    database: Path | None = None,
    furnished: Callable[[int], None] = lambda _n: None,
) -> Measured:
    """Deliver one edition to invented readers, and tell what it took.

    Args:
        wish: what is to be measured.
        worker: what Python is to run in the place of our worker, for a peer that delivers in another way.
        database: an SQLite database that was furnished with the same scene: a copy of it is delivered from.
        furnished: told how many readers are made.

    Raises:
        DigestError: a worker failed; or what it says is not what the database and the sink counted.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        url = "sqlite:///digest.db"
        if wish.database != "sqlite":
            url = stack.enter_context(crowd.database_of_its_own(wish.database))
        sink, server = _server(wish, folder, stack)
        settle(folder, settings_of(wish, url, server) | _signing(wish, folder))
        if database is None:
            furnish(folder, wish.scene, furnished)
        else:
            shutil.copyfile(database, folder / "digest.db")
        began = [stack.enter_context(_running(wish, folder, worker, number)) for number in range(wish.workers)]
        for process in began:
            _line(process)
        for process in began:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = [_end(process) for process in began]
        counts = sink.stop() if sink else None
        store = Store.open(url.replace(":///digest.db", f":///{folder / 'digest.db'}"))
        stack.callback(store.close)
        return _sum(found, counts, crowd.states(store), crowd.size(store))


def _server(wish: Wish, folder: Path, stack: ExitStack) -> tuple[Sink | None, str]:
    if wish.transport != "sink":
        return None, wish.transport
    certificate = self_made_certificate(folder) if wish.tls != "off" else None
    core = _cores()[-1:] if wish.one_core else None
    sink = stack.enter_context(sinking(delay=wish.delay, certificate=certificate, implicit=wish.tls == "tls", cores=core))
    return sink, f"{_SCHEMES[wish.tls]}://localhost:{sink.port}"


def settings_of(wish: Wish, url: str, server: str) -> dict[str, object]:
    """What the site of a bench sets."""
    return {
        "database.url": url,
        "site.public_url": "https://papers.example.org",
        "email.from": "Trending Papers <digest@example.org>",
        "smtp.url": server,
        "smtp.connections": wish.connections,
        "ranking.size": wish.scene.picks,
        "ranking.also": 0,
        "sources.huggingface.enabled": False,
    }


def _signing(wish: Wish, folder: Path) -> dict[str, object]:
    """Settings for fresh keys, and the keys where they are looked for."""
    algorithms: dict[Dkim, tuple[Algorithm, ...]] = {"off": (), "rsa": ("rsa",), "both": ("rsa", "ed25519")}
    (folder / "dkim").mkdir()
    for algorithm in algorithms[wish.dkim]:
        file = folder / "dkim" / f"bench-{algorithm}.pem"
        file.touch(mode=0o600)
        file.write_bytes(new_key(algorithm))
    names = {"rsa": "dkim.selector", "ed25519": "dkim.ed25519_selector"}
    return {names[algorithm]: f"bench-{algorithm}" for algorithm in algorithms[wish.dkim]}


@contextmanager
def _running(wish: Wish, folder: Path, worker: Sequence[str], number: int) -> Iterator["subprocess.Popen[str]"]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    if wish.tls != "off":
        environ["SSL_CERT_FILE"] = str(folder / "localhost.pem")
    process = subprocess.Popen(  # noqa: S603 - this program itself
        [sys.executable, *worker, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    )
    try:
        if wish.one_core:
            os.sched_setaffinity(process.pid, _cores()[number % len(_cores()) :][:1])
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said:
        raise DigestError("a worker of the bench ended before its time", fix="its own words above say why")
    return said


def _end(process: "subprocess.Popen[str]") -> dict[str, Any]:
    said, _ = process.communicate()
    if process.returncode:
        raise DigestError("a worker of the bench failed", fix="its own words above say why")
    found: dict[str, Any] = json.loads(said)
    return found


def _sum(found: Sequence[dict[str, Any]], counts: Counts | None, states: dict[str, int], size: int) -> Measured:
    messages = states.get("submitted", 0)
    told: Counter[str] = sum((Counter(one["states"]) for one in found), Counter())
    if not messages or told["submitted"] != messages or (counts and counts.messages != messages):
        taken = f", the sink {counts.messages}" if counts else ""
        raise DigestError(
            f"the workers tell of {told['submitted']} messages, the database of {messages}{taken}",
            fix="do not trust this bench",
        )
    wall = max(one["ended"] for one in found) - min(one["began"] for one in found)
    each = 1e6 / messages
    stages = sum((Counter(one["stages"]) for one in found), Counter())
    return Measured(
        messages=messages,
        messages_per_second=round(messages / wall, 1),
        cpu_us_per_message=round(sum(one["cpu"] for one in found) * each, 2),
        stages={name: round(stages[name] * each, 2) for name in found[0]["stages"]},
        peak_rss_mib=round(max(one["peak_rss"] for one in found), 1),
        wall_seconds=round(wall, 3),
        states=states,
        database_mib=round(size / 2**20, 1),
        bytes_per_message=round(counts.octets / messages) if counts else None,
        connections=counts.connections if counts else None,
        sink_cpu_us_per_message=round(counts.cpu_seconds * each, 2) if counts else None,
    )
