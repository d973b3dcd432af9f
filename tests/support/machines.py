"""Workers on machines of their own: processes with hosts of different names, over one PostgreSQL, in a quick rhythm."""

import argparse
import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Self

from contract.databases import Cluster
from sqlalchemy import make_url

TESTS = Path(__file__).resolve().parents[1]
SILENT = 4.0
"""Seconds without a beat after which a machine is given up for dead; a busy one may need more to say anything."""
PATIENT = 60.0
"""The same where none of them dies."""


class Machines:
    """Starts workers whose clocks show the same time, and ends them all."""

    def __init__(self, settings: Mapping[str, str], now: datetime, log: Path) -> None:
        self._settings, self._start, self._began = dict(settings), now, time.monotonic()
        self._log, self._names = log, count(1)
        self.all: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.all:
            process.kill()
            process.wait(30)

    @property
    def now(self) -> datetime:
        """What their clocks show."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)

    def later(self, by: timedelta) -> None:
        """The clocks of machines that are started from now on show a later time."""
        self._start += by

    def start(self, **rhythm: float) -> "subprocess.Popen[str]":
        """Switch one on; what it says is added to the log."""
        environ = {name: text for name, text in os.environ.items() if not name.startswith("DIGEST_")}
        options = [f"--{name}={value}" for name, value in rhythm.items()]
        with self._log.open("a") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "support.machines",
                    f"--host=machine{next(self._names)}",
                    f"--now={self.now.isoformat()}",
                    *options,
                ],
                env=environ | self._settings | {"PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS)))},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.all.append(process)
        return process

    def said(self) -> str:
        """What all of them said."""
        return self._log.read_text()

    @staticmethod
    def freeze(process: "subprocess.Popen[str]") -> None:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)

    @staticmethod
    def wake(process: "subprocess.Popen[str]") -> None:
        process.send_signal(signal.SIGCONT)


def with_jobs(cluster: Cluster) -> str:
    """The address of a new database with every table that workers need, as libraries and settings take it."""
    from digest.scheduling import jobs
    from digest.store import migrate

    def make(url: str) -> None:
        migrate.upgrade(url)
        jobs.upgrade(url)

    url = cluster.like("with jobs", make)
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def main() -> None:
    """`digest worker`, but for its rhythm and the name of its host."""
    from digest import loop
    from digest.cli.daemon import start_log
    from digest.scheduling import attempts, jobs
    from digest.scheduling.notify import Notifier
    from digest.scheduling.worker import Rhythm, Worker
    from digest.store import engine, workers
    from digest.wiring import open_app

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--now", type=datetime.fromisoformat, required=True)
    parser.add_argument("--turn", type=float, default=5.0)
    parser.add_argument("--silent", type=float, default=SILENT)
    given = parser.parse_args()
    platform.node = lambda: given.host
    workers.BEAT_EVERY, workers.SILENT_AFTER = timedelta(seconds=SILENT / 8), timedelta(seconds=given.silent)
    engine.SILENT_AT_MOST = given.silent
    attempts.TICK = timedelta(seconds=0.2)
    start_log()
    app = open_app(now=given.now)
    try:
        url = app.settings.database_url
        jobs.require(url)
        plan = app.plan

        async def work() -> None:
            rhythm = Rhythm(look=0.2, turn=given.turn, beat=SILENT / 8, silent=given.silent, check=0.3, cron="* * * * * *")
            one = Worker(plan, url, Notifier({}), rhythm)
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, one.stop)
            await one.run()

        loop.run(work())
    finally:
        app.close()


if __name__ == "__main__":
    main()
