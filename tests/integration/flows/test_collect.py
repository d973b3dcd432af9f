"""Collecting when it is time, and not before; over a real database and a real server."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

import pytest
from support.hugging_face import HuggingFace
from support.site import MONDAY, Site
from support.waiting import until
from support.website import JSON, Answer, Website

from digest.clock import SteppedClock, SystemClock
from digest.errors import UsageError
from digest.flows import run
from digest.flows.collect import collect
from digest.store import papers, runs

TODAY = MONDAY.date()


@pytest.fixture
def collecting(make_site: Callable[..., Site], hugging_face: HuggingFace) -> Site:
    """A site that asks a Hugging Face which has three papers of today."""
    hugging_face.list(TODAY, [1, 2, 3])
    return make_site(sources__huggingface__enabled=True, sources__huggingface__url=hugging_face.url)


def verdicts(site: Site) -> list[str]:
    """Of the sources that a run asks now."""
    return [one.verdict for one in run.collect(site.app.plan)]


def by_hand(site: Site, **how: object) -> list[object]:
    app = site.app
    return list(collect(app.store, app.clock, app.web, app.settings.sources, **how))  # type: ignore[arg-type]


def last_run(site: Site) -> runs.SourceRun:
    with site.app.store.read() as connection:
        (one,) = [one for one in runs.last(connection, site.now) if one.source == "huggingface"]
    return one


def test_a_source_is_asked_once_an_hour_however_often_cron_calls(
    collecting: Site, hugging_face: HuggingFace, clock: SteppedClock
) -> None:
    assert verdicts(collecting) == ["fresh"]
    run.publish(collecting.app.plan)
    first = len(hugging_face.requests)
    for _ in range(5):
        clock.advance(timedelta(minutes=10))
        assert verdicts(collecting) == []
    assert len(hugging_face.requests) == first
    clock.advance(timedelta(minutes=10))
    assert verdicts(collecting) == ["fresh"]
    assert len(hugging_face.requests) > first


def test_before_an_edition_is_frozen_its_sources_are_asked_again(collecting: Site, clock: SteppedClock) -> None:
    clock.set(MONDAY - timedelta(minutes=20))
    run.publish(collecting.app.plan, on=(MONDAY - timedelta(days=1)).date())
    assert len(verdicts(collecting)) == 1
    clock.advance(timedelta(minutes=10))
    assert verdicts(collecting) == []
    clock.set(MONDAY)
    assert len(verdicts(collecting)) == 1


def test_a_source_that_failed_is_asked_again_after_ten_minutes(
    collecting: Site, hugging_face: HuggingFace, clock: SteppedClock
) -> None:
    run.publish(collecting.app.plan)
    hugging_face.status = 404
    assert verdicts(collecting) == ["failed"]
    clock.advance(timedelta(minutes=5))
    assert verdicts(collecting) == []
    hugging_face.status = 200
    clock.advance(timedelta(minutes=6))
    assert verdicts(collecting) == ["fresh"]


def test_a_source_that_is_stale_is_asked_again_after_half_an_hour(
    collecting: Site, hugging_face: HuggingFace, clock: SteppedClock
) -> None:
    run.publish(collecting.app.plan)
    hugging_face.lists.clear()
    clock.set(MONDAY + timedelta(hours=10))
    assert verdicts(collecting) == ["stale"]
    assert last_run(collecting).evidence
    clock.advance(timedelta(minutes=20))
    assert verdicts(collecting) == []
    clock.advance(timedelta(minutes=11))
    assert verdicts(collecting) == ["stale"]


def test_a_source_that_is_dead_stops_nothing(collecting: Site, hugging_face: HuggingFace) -> None:
    hugging_face.status = 404
    assert verdicts(collecting) == ["failed"]
    published = run.publish(collecting.app.plan)
    assert published[0].edition.missing_sources == ("Hugging Face",)
    assert published[0].new


def test_a_run_is_noted_with_its_verdict_its_evidence_and_where_the_next_one_goes_on(
    collecting: Site, hugging_face: HuggingFace, clock: SteppedClock
) -> None:
    verdicts(collecting)
    noted = last_run(collecting)
    assert (noted.verdict, noted.newest, noted.sightings, noted.error) == ("fresh", "arxiv:2603.00003", 3, "")
    assert noted.evidence == "the list of 2026-03-02 has 3 papers"
    assert noted.cursor[str(TODAY)] == MONDAY.isoformat()
    first = len(hugging_face.requests)
    clock.advance(timedelta(hours=1))
    by_hand(collecting)
    assert len(hugging_face.requests) < 2 * first, "lists of days ago were read again within an hour"


def test_all_back_to_a_day_is_asked_for_whatever_was_read_before(collecting: Site, hugging_face: HuggingFace) -> None:
    by_hand(collecting)
    before = len(hugging_face.requests)
    by_hand(collecting, since=TODAY - timedelta(days=20))
    assert len(hugging_face.requests) - before == 21


def test_a_back_fill_completes_the_past_and_is_no_news(collecting: Site, hugging_face: HuggingFace) -> None:
    long_ago = TODAY - timedelta(days=20)
    hugging_face.list(long_ago, [1, 2])
    hugging_face.list(TODAY, [3])
    by_hand(collecting, since=long_ago)
    with collecting.app.store.read() as connection:
        found = papers.listed(connection)
        candidates = papers.candidates(connection, collecting.now - timedelta(days=14), collecting.now)
    assert {long_ago, TODAY} <= {paper.first_seen_at.date() for paper in found}
    listed = {candidate.paper.work.title for candidate in candidates if "invented" in candidate.paper.work.title}
    assert listed == {"An invented paper, number 3"}


def test_readings_bear_the_moment_that_a_command_was_called_at(
    make_site: Callable[..., Site], hugging_face: HuggingFace
) -> None:
    hugging_face.list(TODAY, [1])
    called_at = MONDAY + timedelta(microseconds=789)
    clock = SystemClock(called_at)
    site = make_site(clock=clock, sources__huggingface__enabled=True, sources__huggingface__url=hugging_face.url)
    by_hand(site, at=clock.began)
    with site.app.store.read() as connection:
        (paper,) = papers.find(connection, ["arxiv:2603.00001"])
        assert {reading.taken_at for reading in papers.readings_of(connection, paper.id)} == {called_at}


def test_a_dry_run_says_what_is_new_and_what_is_known_and_leaves_no_trace(collecting: Site, hugging_face: HuggingFace) -> None:
    by_hand(collecting)
    hugging_face.list(TODAY, [1, 2, 3, 4, 5], votes=9)

    def everything() -> tuple[object, ...]:
        with collecting.app.store.read() as connection:
            return (*papers.listed(connection), *runs.last(connection, datetime.max.replace(tzinfo=MONDAY.tzinfo)))

    before, kept = everything(), sorted(collecting.app.answers.rglob("*"))
    assert kept
    collecting.later(hours=2)
    app = collecting.app
    (brought,) = collect(app.store, app.clock, app.forgetful_web, app.settings.sources, dry_run=True)
    assert (brought.verdict, brought.new, brought.known) == ("fresh", 2, 3)
    assert brought.readings
    assert everything() == before
    assert sorted(app.answers.rglob("*")) == kept


def test_a_source_that_is_not_there_is_an_error_with_the_one_that_was_meant(collecting: Site) -> None:
    with pytest.raises(UsageError, match="there is no source 'huggingfase'") as caught:
        by_hand(collecting, names=["huggingfase"])
    assert caught.value.fix.startswith("did you mean huggingface? ")


def test_what_another_process_has_just_brought_is_not_asked_for_again(
    collecting: Site, make_site: Callable[..., Site], hugging_face: HuggingFace
) -> None:
    hugging_face.open.clear()
    first = Thread(target=run.collect, args=(collecting.app.plan,))
    first.start()
    until(lambda: hugging_face.requests)
    other = make_site(sources__huggingface__enabled=True, sources__huggingface__url=hugging_face.url)
    second: list[object] = []
    waiting = Thread(target=lambda: second.append(run.collect(other.app.plan)))
    waiting.start()
    hugging_face.open.set()
    first.join(30)
    waiting.join(30)
    assert second == [[]]
    days = [path.split("date=")[1][:10] for path in hugging_face.paths]
    assert len(days) == len(set(days)), "a list was asked for twice"


def test_on_an_ordinary_tick_nobody_waits_for_what_another_process_is_collecting(
    collecting: Site, make_site: Callable[..., Site], hugging_face: HuggingFace
) -> None:
    run.publish(collecting.app.plan)  # no edition is due any more
    hugging_face.open.clear()
    first = Thread(target=run.collect, args=(collecting.app.plan,))
    first.start()
    until(lambda: hugging_face.requests)
    other = make_site(sources__huggingface__enabled=True, sources__huggingface__url=hugging_face.url)
    assert [(one.verdict, one.error) for one in run.collect(other.app.plan)] == [
        ("busy", "another process is asking Hugging Face")
    ]
    hugging_face.open.set()
    first.join(30)
    assert last_run(collecting).verdict == "fresh"


def test_attention_is_not_looked_up_when_an_edition_would_be_due_before_it_has_come(
    make_site: Callable[..., Site], clock: SteppedClock
) -> None:
    with Website() as scholar:
        scholar.respond = lambda asked: Answer(200, json.dumps([None] * len(json.loads(asked.body)["ids"])).encode(), JSON)
        site = make_site(sources__semantic_scholar__enabled=True, sources__semantic_scholar__url=scholar.url)
        assert run.collect_attention(site.app.plan) == [], "an edition is due now"
        run.publish(site.app.plan)
        clock.set(MONDAY + timedelta(hours=23, minutes=56))
        assert run.collect_attention(site.app.plan) == [], "one is due in four minutes"
        assert scholar.requests == []
        clock.set(MONDAY + timedelta(hours=1))
        (brought,) = run.collect_attention(site.app.plan)
        assert brought.source == "semantic_scholar"
        assert scholar.requests
        assert run.collect(site.app.plan) == [], "it is no source of papers"
        assert run.collect_attention(site.app.plan) == [], "it was asked within the hour"
