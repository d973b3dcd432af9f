"""Runs of sources: which came last, which answered, and which an edition lacks."""

from datetime import datetime, timedelta

import pytest
from contract.world import HOUR, NOW, World

from digest.store import runs

MINUTE = timedelta(minutes=1)
BAD = ("failed", "stale")


def missing(world: World, *sources: str, at: datetime = NOW) -> list[str]:
    with world.store.read() as connection:
        return runs.missing(connection, at, sources)


def missing_since(world: World, source: str = "hf", at: datetime = NOW) -> datetime | None:
    with world.store.read() as connection:
        return runs.missing_since(connection, source, at)


def last_answer(world: World, source: str = "hf", at: datetime = NOW) -> runs.SourceRun | None:
    with world.store.read() as connection:
        return runs.last_answer(connection, source, at)


@pytest.mark.parametrize("verdict", BAD)
def test_a_source_that_failed_or_was_stale_lately_and_never_answered_is_missing(world: World, verdict: str) -> None:
    world.run("arxiv", verdict, HOUR)
    assert missing(world, "arxiv", "hf") == ["arxiv"]


def test_only_the_sources_asked_for_are_missing_and_by_name(world: World) -> None:
    for source in ("b", "c", "a"):
        world.run(source, "failed", HOUR)
    assert missing(world, "b", "a") == ["a", "b"]
    assert missing(world) == []


def test_a_source_that_was_last_asked_more_than_a_day_ago_is_not_missing_but_gone(world: World) -> None:
    world.run("hf", "failed", 24 * HOUR + MINUTE)
    assert missing(world, "hf") == []
    assert missing(world, "hf", at=NOW - MINUTE) == ["hf"]


@pytest.mark.parametrize("answer", ["fresh", "quiet"])
def test_a_source_that_has_answered_since_is_not_missing(world: World, answer: str) -> None:
    world.run("hf", "failed", 2 * HOUR)
    world.run("hf", answer, HOUR)
    assert missing(world, "hf") == []


@pytest.mark.parametrize("answer", ["fresh", "quiet"])
@pytest.mark.parametrize("verdict", BAD)
def test_a_source_that_fails_is_missing_when_its_answer_is_six_hours_old(world: World, answer: str, verdict: str) -> None:
    world.run("hf", answer, 6 * HOUR)
    world.run("hf", verdict, HOUR)
    assert missing(world, "hf") == []
    assert missing(world, "hf", at=NOW + MINUTE) == ["hf"]


def test_a_run_of_the_future_says_nothing_about_a_day_lived_again(world: World) -> None:
    world.run("hf", "failed", HOUR)
    world.run("hf", "fresh", -HOUR)
    assert missing(world, "hf") == ["hf"]
    assert last_answer(world) is None
    assert missing_since(world) == NOW - HOUR


def test_a_day_lived_again_says_nothing_about_today(world: World) -> None:
    world.run("hf", "fresh", 8 * HOUR)
    world.run("hf", "failed", 12 * HOUR)
    assert missing(world, "hf") == []
    assert missing_since(world) is None
    assert missing(world, "hf", at=NOW - 10 * HOUR) == ["hf"]


def test_the_last_runs_are_told_by_source(world: World) -> None:
    world.run("hf", "fresh", 2 * HOUR, sightings=7, newest="arxiv:2511.04321")
    world.run("hf", "stale", HOUR, sightings=9, problems=1, newest="x" * 999, error="e" * 9999, evidence="v" * 9999)
    world.run("arxiv", "fresh", HOUR)
    with world.store.read() as connection:
        arxiv, hf = runs.last(connection, NOW)
        assert (runs.last_of(connection, "hf", NOW), runs.last_of(connection, "none", NOW)) == (hf, None)
        assert runs.last_of(connection, "hf", NOW - 3 * HOUR) is None
    assert (arxiv.source, hf.source, hf.verdict, hf.sightings, hf.problems) == ("arxiv", "hf", "stale", 9, 1)
    assert (len(hf.newest), len(hf.error), len(hf.evidence)) == (520, 2000, 2000)
    assert hf.finished_at == NOW - HOUR + MINUTE


def test_a_run_keeps_what_the_next_one_goes_on_from(world: World) -> None:
    cursor = {"2026-11-21": "2026-11-21T06:00:00+00:00", "token": "ä"}
    world.run("hf", "fresh", HOUR, evidence="the list has 7 papers", cursor=cursor, not_before=NOW + HOUR)
    run = last_answer(world)
    assert run is not None
    assert (run.evidence, run.cursor, run.not_before) == ("the list has 7 papers", cursor, NOW + HOUR)
    world.run("arxiv", "fresh", HOUR)
    bare = last_answer(world, "arxiv")
    assert bare is not None
    assert (bare.evidence, bare.cursor, bare.not_before) == ("", {}, None)


def test_the_last_answer_is_the_last_run_that_was_no_failure(world: World) -> None:
    assert last_answer(world) is None
    for verdict, hours in (("fresh", 5), ("quiet", 4), ("stale", 3), ("failed", 2)):
        world.run("hf", verdict, hours * HOUR, newest=verdict)
    world.run("arxiv", "fresh", HOUR)
    answer = last_answer(world)
    assert answer is not None
    assert (answer.newest, answer.started_at) == ("quiet", NOW - 4 * HOUR)


def test_of_two_runs_at_one_time_the_later_noted_counts(world: World) -> None:
    world.run("hf", "failed", HOUR)
    world.run("hf", "fresh", HOUR)
    assert missing(world, "hf") == []
    assert missing_since(world) is None
    world.run("hf", "stale", HOUR)
    with world.store.read() as connection:
        assert [run.verdict for run in runs.last(connection, NOW)] == ["stale"]
    assert missing_since(world) == NOW - HOUR


def test_a_source_is_missing_since_its_first_bad_run_after_its_last_answer(world: World) -> None:
    assert missing_since(world) is None
    world.run("hf", "failed", 60 * HOUR)
    assert missing_since(world) == NOW - 60 * HOUR
    world.run("hf", "fresh", 50 * HOUR)
    assert missing_since(world) is None
    world.run("hf", "stale", 40 * HOUR)
    world.run("hf", "failed", HOUR)
    world.run("arxiv", "failed", 45 * HOUR)
    assert missing_since(world) == NOW - 40 * HOUR
