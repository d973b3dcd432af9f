"""Mails and sources go on side by side: neither holds up the other, but that an edition waits for its papers a while."""

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from support.hugging_face import HuggingFace
from support.sink import Sink
from support.site import MONDAY, Site
from support.waiting import until
from support.website import JSON, Answer, Asked, Website

from digest.clock import SystemClock
from digest.flows import learning
from digest.scheduling.daemon import Daemon
from digest.scheduling.notify import Notifier
from digest.store import editions, runs, turns

pytestmark = pytest.mark.usefixtures("quick")
SECOND = timedelta(seconds=1)
Run = Callable[..., None]


@pytest.fixture
def asking(make_site: Callable[..., Site], hugging_face: HuggingFace) -> Callable[..., Site]:
    """Makes a site that asks a Hugging Face with a paper of Monday, which keeps everybody waiting."""
    hugging_face.list(MONDAY.date(), [1], votes=900)
    hugging_face.open.clear()

    def make(start: Any, **settings: object) -> Site:
        url = {"sources__huggingface__enabled": True, "sources__huggingface__url": hugging_face.url}
        return make_site(clock=SystemClock(start), **url, **settings)

    return make


def frozen(site: Site) -> bool:
    with site.app.store.read() as connection:
        return editions.exists(connection, MONDAY.date(), "daily")


def titles(sink: Sink) -> str:
    return " ".join(sink.accepted[0].message.get_body(("plain",)).get_content().split())


def test_a_source_that_keeps_us_waiting_delays_no_mail(
    asking: Callable[..., Site], hugging_face: HuggingFace, sink: Sink, run_until: Run
) -> None:
    site = asking(MONDAY + timedelta(hours=2, minutes=59, seconds=58))
    site.subscribe("nine@example.org", hour="09:00")  # before nine; all that follows may take its time
    site.publish()

    def mailed_while_it_waits() -> bool:
        return bool(hugging_face.requests and sink.accepted and not hugging_face.open.is_set())

    run_until(Daemon(site.app.plan, Notifier({})), mailed_while_it_waits)
    assert sink.recipients == ["nine@example.org"]


def test_an_edition_that_is_due_waits_for_its_sources(
    asking: Callable[..., Site], hugging_face: HuggingFace, sink: Sink, run_until: Run
) -> None:
    site = asking(MONDAY - SECOND)
    site.subscribe("ann@example.org")

    def mailed() -> bool:
        if site.now > MONDAY + SECOND and not hugging_face.open.is_set():
            assert hugging_face.requests
            assert not frozen(site)
            hugging_face.open.set()
        return bool(sink.accepted)

    run_until(Daemon(site.app.plan, Notifier({})), mailed)
    assert "An invented paper, number 1" in titles(sink)


def test_an_edition_waits_no_longer_than_a_run_of_a_source_may_take(
    asking: Callable[..., Site], hugging_face: HuggingFace, sink: Sink, run_until: Run
) -> None:
    site = asking(MONDAY)
    site.subscribe("ann@example.org")
    plan = site.app.plan
    impatient = replace(plan, sources=plan.sources.model_copy(update={"budget": SECOND}))
    run_until(Daemon(impatient, Notifier({})), lambda: sink.accepted)
    assert not hugging_face.open.is_set()
    assert site.now >= MONDAY + SECOND


def test_a_daemon_that_is_told_to_end_waits_for_no_source_and_notes_no_failure(
    asking: Callable[..., Site], hugging_face: HuggingFace, run_until: Run
) -> None:
    site = asking(MONDAY)
    site.publish()
    worker = Daemon(site.app.plan, Notifier({}))

    async def scenario() -> float:
        running = asyncio.create_task(worker.run())
        await asyncio.to_thread(until, lambda: hugging_face.requests)
        told_at = monotonic()
        worker.stop()
        await running
        return monotonic() - told_at

    assert asyncio.run(asyncio.wait_for(scenario(), 60)) < 10
    with site.app.store.read() as connection:
        assert "huggingface" not in [run.source for run in runs.last(connection, site.now)]


def test_an_edition_is_not_frozen_without_its_sources_because_the_daemon_is_told_to_end(
    asking: Callable[..., Site], hugging_face: HuggingFace, run_until: Run
) -> None:
    site = asking(MONDAY)
    run_until(Daemon(site.app.plan, Notifier({})), lambda: hugging_face.requests)
    assert not frozen(site)


def test_a_daemon_that_is_told_to_end_waits_for_no_vocabulary_that_another_process_fits(
    tmp_path: Path, unread_home: Path, sink: Sink, run_until: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "PATIENCE", 10 * SECOND)
    site = Site(shutil.copytree(unread_home, tmp_path / "unread"), sink, SystemClock(MONDAY))

    def both_are_at_the_lock() -> bool:
        opened = [one.resolve().name for one in Path("/proc/self/fd").iterdir()]
        return opened.count("digest.db.turn-fit-a-vocabulary") == 2

    with closing(site.app):
        with turns.alone(site.app.store, "fit a vocabulary", 0):
            run_until(Daemon(site.app.plan, Notifier({})), both_are_at_the_lock)
        assert not frozen(site)


def test_attention_is_looked_up_when_the_mails_are_out(make_site: Callable[..., Site], sink: Sink, run_until: Run) -> None:
    mails_before: list[int] = []

    def nothing_known(asked: Asked) -> Answer:
        mails_before.append(len(sink.accepted))
        return Answer(200, json.dumps([None] * len(json.loads(asked.body)["ids"])).encode(), JSON)

    with Website() as scholar:
        scholar.respond = nothing_known
        site = make_site(
            clock=SystemClock(MONDAY),
            sources__semantic_scholar__enabled=True,
            sources__semantic_scholar__url=scholar.url,
        )
        site.subscribe("ann@example.org", "bob@example.org")
        run_until(Daemon(site.app.plan, Notifier({})), lambda: scholar.requests)
    assert mails_before[0] == 2


def test_a_daemon_that_can_collect_no_more_ends_with_the_error_and_does_not_live_on_without(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(clock=SystemClock(MONDAY))
    broken = replace(site.app.plan, sources=None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        asyncio.run(asyncio.wait_for(Daemon(broken, Notifier({})).run(), 60))


def test_when_collecting_breaks_the_web_part_still_ends_in_order(make_site: Callable[..., Site]) -> None:
    site = make_site(clock=SystemClock(MONDAY))
    broken = replace(site.app.plan, sources=None)  # type: ignore[arg-type]
    ended: list[str] = []

    async def web(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.1)  # the last answer is on its way
        ended.append("in order")

    with pytest.raises(AttributeError):
        asyncio.run(asyncio.wait_for(Daemon(broken, Notifier({})).run(web), 60))
    assert ended == ["in order"]
