"""How fast public pages are answered while mails go out: a daemon on one core, asked by wrk.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/serving.py --readers 5000 --seconds 30

The landing page, the archive and the page of an edition are asked for in turn. Needs wrk (Debian's package of that name). The
daemon has the first core; wrk and the mail server share the others.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from digest.bench.measure import Wish, settings_of
from digest.bench.site import NOW, Scene, furnish, settle
from digest.smtp.sink import sinking
from digest.store import crowd
from digest.store.engine import Store

_PATHS = ("/", "/archive", f"/archive/{NOW:%Y-%m-%d}")
_ASK_IN_TURN = """
local paths, turn = { %s }, 0
request = function()
  turn = turn %% #paths + 1
  return wrk.format("GET", paths[turn])
end
"""
_WITHIN = 60.0
"""Seconds that a daemon has to answer for the first time."""


def main() -> None:
    asked = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: install the package of that name")
    first, *others = sorted(os.sched_getaffinity(0))
    with TemporaryDirectory(prefix="digest-serving-") as name, sinking(cores=others[-1:] or None) as sink:
        home, port = Path(name), _free_port()
        scene = Scene(asked.readers)
        settings = settings_of(Wish(scene), "sqlite:///digest.db", f"smtp://localhost:{sink.port}")
        settle(home, settings | {"site.public_url": f"http://localhost:{port}", "web.bind": f"127.0.0.1:{port}"})
        furnish(home, scene)
        script = home / "ask.lua"
        script.write_text(_ASK_IN_TURN % ", ".join(f'"{path}"' for path in _PATHS))
        with _daemon(home, first):
            _until_it_answers(port)
            command = ["wrk", "--latency", "-t1", f"-c{asked.connections}", f"-d{asked.seconds}s", "-s", str(script)]
            pinned = ["taskset", "-c", ",".join(map(str, others))] if others else []
            began = time.monotonic()
            said = subprocess.run(
                [*pinned, *command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True
            ).stdout
            took = time.monotonic() - began
            _see_pages(port)
        counts = sink.stop()
        store = Store.open(f"sqlite:///{home / 'digest.db'}")
        states = crowd.states(store)
        store.close()
    print(said)
    print(f"{counts.messages} mails taken by the server; deliveries: {states}; {took:.0f} s")
    if wrong := re.search(r"(Non-2xx.*|Socket errors.*)", said):
        sys.exit(f"not every request was answered: {wrong[1]}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--connections", type=int, default=8)
    return parser.parse_args()


@contextmanager
def _daemon(home: Path, core: int) -> Iterator[None]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")} | {"DIGEST_HOME": str(home)}
    command = [sys.executable, "-m", "digest", "--now", NOW.isoformat(), "daemon"]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env=environ, stderr=log)
        os.sched_setaffinity(process.pid, [core])
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + _WITHIN
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except (URLError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _see_pages(port: int) -> None:
    for path in _PATHS:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            print(f"{path}: {answer.status}, {len(answer.read())} octets")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
