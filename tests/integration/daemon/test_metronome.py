"""What the daemon does from tick to tick; here the metronome is quick, and everything else is real."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from support.sink import Sink, free_port
from support.site import MONDAY, Site

from digest.clock import SystemClock
from digest.errors import DigestError
from digest.scheduling.daemon import Daemon
from digest.scheduling.notify import Notifier

pytestmark = pytest.mark.usefixtures("quick")
Run = Callable[..., None]


def test_a_reader_is_mailed_when_his_hour_comes(make_site: Callable[..., Site], sink: Sink, run_until: Run) -> None:
    site = make_site(clock=SystemClock(MONDAY + timedelta(hours=2, minutes=59, seconds=58)))
    site.subscribe("nine@example.org", hour="09:00")
    site.subscribe("ten@example.org", hour="10:00")
    run_until(Daemon(site.app.plan, Notifier({})), lambda: sink.accepted)
    assert sink.recipients == ["nine@example.org"]
    assert site.now >= MONDAY + timedelta(hours=3)


def test_an_edition_is_frozen_when_its_hour_comes(make_site: Callable[..., Site], sink: Sink, run_until: Run) -> None:
    site = make_site(clock=SystemClock(MONDAY - timedelta(seconds=1)))
    site.subscribe("ann@example.org")
    run_until(Daemon(site.app.plan, Notifier({})), lambda: sink.accepted)
    assert site.row("ann@example.org").due_at >= MONDAY


def test_an_empty_inbox_of_work_is_said_once_and_not_at_each_tick(
    make_site: Callable[..., Site], caplog: pytest.LogCaptureFixture, run_until: Run
) -> None:
    site = make_site(clock=SystemClock(MONDAY))
    ticks: list[str] = []

    class Counting(Notifier):
        def status(self, status: str) -> None:
            ticks.append(status)

    run_until(Daemon(site.app.plan, Counting({})), lambda: len(ticks) >= 5)
    said = [record.getMessage() for record in caplog.records if record.name == "digest"]
    assert said[0].startswith("ready; next edition ")
    assert len(said) == len(set(said))


def test_a_mail_server_that_is_away_is_complained_of_once_and_mailed_to_when_it_is_back(
    make_site: Callable[..., Site], sink: Sink, caplog: pytest.LogCaptureFixture, run_until: Run
) -> None:
    site = make_site(clock=SystemClock(MONDAY), smtp__connections=1)
    site.subscribe("ann@example.org", hour="06:00")
    with site.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE subscriber SET next_due_at = '2026-03-02 06:00:00.000000'")
    refused = []

    def away(*_: object) -> str | None:
        if len(refused) < 3:
            refused.append("421 4.3.2 come back later")
            return refused[-1]
        return None

    sink.on["CONNECT"] = away
    run_until(Daemon(site.app.plan, Notifier({})), lambda: sink.accepted)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "come back later" in errors[0]
    assert site.row("ann@example.org").attempts == 1


def test_a_clock_that_is_set_back_stops_neither_mails_nor_the_watchdog(
    make_site: Callable[..., Site], sink: Sink, run_until: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wall(datetime):
        """The clock of this machine, as an operator would set it."""

        ahead = timedelta(0)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + cls.ahead

    for module in ("apscheduler.schedulers.base", "apscheduler.triggers.interval", "digest.clock"):
        monkeypatch.setattr(f"{module}.datetime", Wall)
    site = make_site(clock=SystemClock(MONDAY))
    site.subscribe("ann@example.org")
    alive: list[int] = []

    class Manager(Notifier):
        def alive(self) -> None:
            alive.append(len(sink.accepted))

    steps = [timedelta(hours=-1), timedelta(days=-1), timedelta(days=1)]

    def looked_each_time() -> bool:
        if steps and len(alive) >= 3:
            Wall.ahead += steps.pop(0)
            alive.clear()
        return not steps and len(alive) >= 3

    run_until(Daemon(site.app.plan, Manager({})), looked_each_time)
    assert sink.recipients == ["ann@example.org"]


def test_a_database_that_fails_does_not_end_the_daemon(
    make_site: Callable[..., Site], sink: Sink, caplog: pytest.LogCaptureFixture, run_until: Run
) -> None:
    site = make_site(clock=SystemClock(MONDAY - timedelta(seconds=2)))
    site.subscribe("ann@example.org")
    # The table is taken away when the daemon is ready, and given back when it has complained.
    steps = [
        ("ready;", "ALTER TABLE delivery RENAME TO lost"),
        ("no such table", "ALTER TABLE lost RENAME TO delivery"),
    ]

    def mailed() -> bool:
        if steps and steps[0][0] in caplog.text:
            with site.app.store.write() as connection:
                connection.exec_driver_sql(steps.pop(0)[1])
        return bool(sink.accepted)

    run_until(Daemon(site.app.plan, Notifier({})), mailed)
    assert sink.recipients == ["ann@example.org"]
    assert caplog.text.count("no such table") == 1


def test_the_manager_hears_that_it_is_ready_lives_and_stops(
    make_site: Callable[..., Site], run_until: Run, inbox: Path
) -> None:
    site = make_site(clock=SystemClock(MONDAY))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(inbox))
        manager.setblocking(False)
        heard: list[str] = []

        def hears_of_life() -> bool:
            with suppress(BlockingIOError):
                heard.append(manager.recv(4096).decode())
            return "WATCHDOG=1" in heard

        run_until(Daemon(site.app.plan, Notifier({"NOTIFY_SOCKET": str(inbox)})), hears_of_life)
        assert heard[0].startswith("READY=1\nSTATUS=next edition")
        while not heard[-1].startswith("STOPPING"):
            heard.append(manager.recv(4096).decode())


def test_a_manager_that_does_not_listen_is_no_reason_to_stop(
    make_site: Callable[..., Site], sink: Sink, run_until: Run
) -> None:
    site = make_site(clock=SystemClock(MONDAY - timedelta(seconds=1)))
    site.subscribe("ann@example.org")
    run_until(Daemon(site.app.plan, Notifier({"NOTIFY_SOCKET": "/nowhere/at/all"})), lambda: sink.accepted)


def test_when_the_web_part_breaks_the_daemon_ends_with_its_error(make_site: Callable[..., Site]) -> None:
    site = make_site(clock=SystemClock(MONDAY))

    async def breaks(stop: asyncio.Event) -> None:
        stop.set()
        raise DigestError("the port is taken")

    with pytest.raises(DigestError, match="the port is taken"):
        asyncio.run(asyncio.wait_for(Daemon(site.app.plan, Notifier({})).run(breaks), 60))


def test_the_daemon_answers_on_the_web_as_long_as_it_runs(make_site: Callable[..., Site]) -> None:
    import httpx2

    from digest.web.server import serve_until

    bind = f"127.0.0.1:{free_port()}"
    site = make_site(clock=SystemClock(MONDAY), web__bind=bind)
    worker = Daemon(site.app.plan, Notifier({}))

    async def scenario() -> httpx2.Response:
        running = asyncio.create_task(worker.run(lambda stop: serve_until(site.app, stop)))
        async with httpx2.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    answer = await client.get(f"http://{bind}/healthz")
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.01)
        worker.stop()
        await running
        return answer

    assert asyncio.run(asyncio.wait_for(scenario(), 60)).text == "ok\n"


@pytest.fixture
def inbox() -> Iterator[Path]:
    """Where a manager may listen: such a path is at most some hundred bytes long."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "notify"
