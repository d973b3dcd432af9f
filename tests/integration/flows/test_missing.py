"""A source that is down: the mail says so, its papers follow once, and the operator is told, though not every hour."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support.hugging_face import HuggingFace
from support.sink import Sink
from support.site import MONDAY, Site

from digest.clock import SteppedClock
from digest.flows import run

DAY = timedelta(days=1)


@pytest.fixture
def down(make_site: Callable[..., Site], hugging_face: HuggingFace) -> Site:
    """A site with one reader and sixty papers of its own, whose Hugging Face is down."""
    hugging_face.status = 404
    site = make_site(
        sources__huggingface__enabled=True,
        sources__huggingface__url=hugging_face.url,
        operator__email="operator@example.org",
        ranking__size=3,
        ranking__also=20,
    )
    site.subscribe("ann@example.org")
    return site


def live(site: Site) -> None:
    """A run, as cron has it."""
    plan = site.app.plan
    run.collect(plan)
    run.publish(plan)
    asyncio.run(run.send_out(plan))


def text_of(accepted: Any) -> str:
    return " ".join(accepted.message.get_body(("plain",)).get_content().split())


def subjects(sink: Sink) -> list[str]:
    return [str(one.message["Subject"]) for one in sink.by_recipient["operator@example.org"]]


def test_a_mail_names_the_source_that_was_missing_and_its_papers_follow_the_next_day_once(
    down: Site, hugging_face: HuggingFace, clock: SteppedClock, sink: Sink
) -> None:
    live(down)
    (first,) = sink.by_recipient["ann@example.org"]
    assert "Hugging Face could not be read today; its papers follow." in text_of(first)

    hugging_face.status = 200
    hugging_face.list(MONDAY.date(), [1, 2], votes=90)
    hugging_face.list((MONDAY + DAY).date(), [3], votes=90)
    for day in (1, 2):
        clock.set(MONDAY + day * DAY)
        live(down)
    _, second, third = sink.by_recipient["ann@example.org"]
    titles = [f"An invented paper, number {number}" for number in (1, 2, 3)]
    assert all(title in text_of(second) for title in titles)
    assert not any(title in text_of(first) + text_of(third) for title in titles)
    assert "could not be read" not in text_of(second) + text_of(third)


def test_a_source_that_answered_this_morning_is_not_missing_though_its_last_run_failed(
    down: Site, hugging_face: HuggingFace, clock: SteppedClock, sink: Sink
) -> None:
    clock.set(MONDAY - timedelta(hours=2))
    hugging_face.status = 200
    hugging_face.list(MONDAY.date(), [1])
    run.collect(down.app.plan)
    hugging_face.status = 404
    clock.set(MONDAY)
    live(down)
    (mail,) = sink.by_recipient["ann@example.org"]
    assert "could not be read" not in text_of(mail)


def test_a_source_that_is_not_enabled_any_more_is_not_missing(down: Site, make_site: Callable[..., Site], sink: Sink) -> None:
    run.collect(down.app.plan)
    live(make_site())
    (mail,) = sink.by_recipient["ann@example.org"]
    assert "could not be read" not in text_of(mail)


def test_the_operator_is_told_after_a_day_each_week_again_and_when_it_is_back(
    down: Site, hugging_face: HuggingFace, clock: SteppedClock, sink: Sink
) -> None:
    told: list[tuple[int, str]] = []

    def pass_hours(first: int, last: int) -> None:
        for hour in range(first, last, 4):
            clock.set(MONDAY + timedelta(hours=hour))
            before = len(subjects(sink))
            live(down)
            told.extend((hour, subject) for subject in subjects(sink)[before:] if "Hugging Face" in subject)

    pass_hours(0, 24 * 9)
    hugging_face.status = 200
    hugging_face.list((MONDAY + timedelta(days=9)).date(), [1, 2])
    pass_hours(24 * 9, 24 * 9 + 30)
    assert [(hour, subject.partition(": ")[2]) for hour, subject in told] == [
        (24, "Hugging Face is missing since Mon 2026-03-02 06:00Z"),
        (24 * 8, "Hugging Face is missing since Mon 2026-03-02 06:00Z"),
        (24 * 9, "Hugging Face is back"),
    ]
    alarm = next(one for one in sink.by_recipient["operator@example.org"] if "missing" in str(one.message["Subject"]))
    said = text_of(alarm)
    assert "last good answer: never" in said
    assert "it answered 404" in said
    assert "digest collect huggingface" in said
    assert str(down.app.answers / "huggingface") in said.replace(" ", ""), "its lines are wrapped"


def test_the_threshold_is_the_operators(
    make_site: Callable[..., Site], hugging_face: HuggingFace, clock: SteppedClock, sink: Sink
) -> None:
    hugging_face.status = 404
    site = make_site(
        sources__huggingface__enabled=True,
        sources__huggingface__url=hugging_face.url,
        sources__alarm_after="2h",
        operator__email="operator@example.org",
    )
    for hour in range(4):
        clock.set(MONDAY + timedelta(hours=hour))
        live(site)
        assert len(subjects(sink)) == (hour >= 2)


def test_a_short_outage_is_never_told(down: Site, hugging_face: HuggingFace, clock: SteppedClock, sink: Sink) -> None:
    live(down)
    hugging_face.status = 200
    clock.set(MONDAY + timedelta(hours=3))
    live(down)
    assert subjects(sink) == []


def test_without_an_address_nobody_is_told_and_nothing_is_queued(
    make_site: Callable[..., Site], hugging_face: HuggingFace, clock: SteppedClock
) -> None:
    hugging_face.status = 404
    site = make_site(sources__huggingface__enabled=True, sources__huggingface__url=hugging_face.url)
    for day in range(3):
        clock.set(MONDAY + day * DAY)
        live(site)
    assert site.notices() == []
