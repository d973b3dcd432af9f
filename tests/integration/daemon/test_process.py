"""The daemon as systemd runs it: a process of its own, told by signals, telling by datagrams."""

import asyncio
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from support.operator import Operator
from support.sink import Sink, free_port
from support.site import MONDAY, Site
from support.waiting import until


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self._heard: list[str] = []

    def heard(self) -> list[str]:
        """Every datagram so far."""
        try:
            while True:
                self._heard.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return self._heard


@pytest.fixture
def manager() -> Iterator[Manager]:
    # The path of a socket is at most some hundred bytes long.
    with tempfile.TemporaryDirectory() as folder:
        made = Manager(Path(folder) / "notify")
        with closing(made.socket):
            yield made


def test_a_day_of_the_daemon(site: Site, operator: Operator, sink: Sink, manager: Manager) -> None:
    addresses = site.readers(5)
    site.subscribe("later@example.org", hour="09:30")
    bind = f"127.0.0.1:{free_port()}"
    operator.set(web__bind=bind)
    daemon = operator.start("daemon", now=MONDAY, environ={"NOTIFY_SOCKET": str(manager.path)})

    assert sink.wait_for(5, 60)
    assert sink.recipients == addresses
    until(lambda: len(manager.heard()) >= 2, "a word to the manager")
    assert manager.heard()[0].startswith("READY=1\nSTATUS=next edition ")
    assert manager.heard()[1].startswith("STATUS=next edition Tue 2026-03-03 06:00Z, next mail Mon 09:30Z")

    answer = httpx2.get(f"http://{bind}/healthz", trust_env=False)
    assert (answer.status_code, answer.text) == (200, "ok\n")

    beside = operator.run("run", "--json", now=MONDAY)
    assert beside.code == 0
    assert beside.json["deliveries"]["states"] == {}

    daemon.send_signal(signal.SIGTERM)
    _, err = daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    assert manager.heard()[-1] == "STOPPING=1"
    assert sink.recipients == addresses
    assert _said(err, "edition 2026-03-02: 60 candidates")
    assert _said(err, "mails: 5 submitted")
    assert _said(err, "next edition Tue 2026-03-03 06:00Z, next mail Mon 09:30Z")
    assert _said(err, "stopping: the mails on the wire are finished first")
    assert "Traceback" not in err


def test_a_daemon_whose_port_is_taken_says_so_and_ends(operator: Operator, sink: Sink) -> None:
    operator.set(web__bind=f"127.0.0.1:{sink.port}")
    done = operator.run("daemon", now=MONDAY)
    assert done.code == 75
    assert "cannot listen" in done.err
    assert "Traceback" not in done.err


class SlowSink:
    """Has a mail server keep two mails on the wire until they may `go`."""

    def __init__(self, sink: Sink) -> None:
        self.go, self.recipients = threading.Event(), list[str]()
        sink.on["CONTENT"] = self._wait

    async def _wait(self, _session: object, recipient: str) -> None:
        self.recipients.append(recipient)
        await asyncio.to_thread(self.go.wait, 60)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("line", ["daemon --no-web", "run"])
def test_whoever_is_in_the_middle_of_a_mail_finishes_it_when_told_to_end_or_its_terminal_is_closed(
    site: Site, operator: Operator, sink: Sink, line: str, told: signal.Signals
) -> None:
    site.readers(10)
    slow = SlowSink(sink)
    process = operator.start(*line.split(), now=MONDAY)
    until(lambda: len(slow.recipients) == 2, "two mails on the wire")
    process.send_signal(told)
    _read_until(process, "topping")
    if told == signal.SIGHUP:
        process.send_signal(told)  # by the shell, and by the kernel
    slow.go.set()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert sorted(site.states().values()) == ["queued"] * 8 + ["submitted"] * 2


def test_a_run_that_is_to_outlive_its_terminal_does(site: Site, operator: Operator, sink: Sink) -> None:
    addresses = site.readers(10)
    slow = SlowSink(sink)
    line = f"trap '' HUP; exec {shlex.quote(sys.executable)} -m digest run --now {MONDAY.isoformat()}"
    process = subprocess.Popen(["/bin/sh", "-c", line], env=operator.environ, stdout=subprocess.DEVNULL)
    try:
        until(lambda: len(slow.recipients) == 2, "two mails on the wire")
        process.send_signal(signal.SIGHUP)
        slow.go.set()
        assert process.wait(60) == 0
    finally:
        process.kill()
    assert sink.recipients == addresses


def _said(err: str, words: str) -> bool:
    return re.search(rf"^INFO \S+: (ready; )?{re.escape(words)}", err, re.MULTILINE) is not None


def _read_until(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended without saying {words}")
