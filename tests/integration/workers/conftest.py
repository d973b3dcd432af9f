"""A site on PostgreSQL with an edition that is due, and workers to mail it: processes, or quicker, within this one."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from contract.databases import Cluster, a_server
from support import machines
from support.machines import Machines
from support.sink import Sink
from support.site import MONDAY, Site, overrides, write_papers
from support.waiting import until

from digest.clock import SteppedClock, SystemClock
from digest.flows.collect import collect_file
from digest.scheduling import attempts
from digest.scheduling.notify import Notifier
from digest.scheduling.worker import Rhythm, Worker

QUICK = Rhythm(look=0.1, turn=5.0, beat=0.25, silent=2.0, check=0.2, cron="* * * * * *")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with a_server() as one:
        yield one


@pytest.fixture
def database(cluster: Cluster) -> str:
    """The address of a database with every table that workers need."""
    return machines.with_jobs(cluster)


@pytest.fixture
def settings(database: str) -> dict[str, object]:
    return {"database__url": database, "smtp__connections": 4, "delivery__chunk": 20}


@pytest.fixture
def make_shared(tmp_path: Path, sink: Sink, settings: dict[str, object]) -> Iterator[Callable[..., Site]]:
    """Makes sites over one database; settings are given as `section__key`."""
    home = tmp_path / "home"
    home.mkdir()
    made: list[Site] = []

    def make(**more: object) -> Site:
        made.append(Site(home, sink, SteppedClock(MONDAY), **settings, **more))
        return made[-1]

    yield make
    for site in made:
        site.app.close()


@pytest.fixture
def shared(make_shared: Callable[..., Site]) -> Site:
    """A site whose papers came an hour ago; nobody is subscribed."""
    site = make_shared()
    papers = write_papers(site.home / "papers.jsonl")
    collect_file(site.app.store, MONDAY - timedelta(hours=1), papers, "jsonl")
    return site


@pytest.fixture
def due(shared: Site) -> Callable[[int], list[str]]:
    """Subscribes so many readers and freezes their edition; returns their addresses."""

    def make(number: int) -> list[str]:
        addresses = shared.readers(number)
        shared.publish()
        return sorted(addresses)

    return make


@pytest.fixture
def park(tmp_path: Path, shared: Site, sink: Sink, settings: dict[str, object]) -> Iterator[Machines]:
    """Machines to be switched on, all with the settings of the site."""
    given = overrides(sink.url, **settings)
    environ = {f"DIGEST_{name.replace('.', '__').upper()}": str(value) for name, value in given.items()}
    environ |= {"DIGEST_SOURCES__HUGGINGFACE__ENABLED": "false", "DIGEST_HOME": str(shared.home)}
    with Machines(environ, MONDAY, tmp_path / "log") as some:
        yield some


@pytest.fixture
def work_until(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has workers of one site work within this process until something is so, and fails when that takes too long."""
    monkeypatch.setattr(attempts, "TICK", timedelta(milliseconds=100))

    def work(site: Site, condition: Callable[[], object], *, number: int = 1) -> None:
        site.app.clock = SystemClock(site.now)  # the time goes on

        async def all_of_them() -> None:
            url = site.app.settings.database_url
            crew = [Worker(site.app.plan, url, Notifier({}), QUICK) for _ in range(number)]
            running = [asyncio.create_task(one.run()) for one in crew]
            waiting = asyncio.create_task(asyncio.to_thread(until, condition))
            await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
            for one in crew:
                one.stop()
            await asyncio.gather(*running)
            await waiting

        asyncio.run(all_of_them())

    return work
