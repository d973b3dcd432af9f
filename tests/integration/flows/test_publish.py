"""Publishing over a real database."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.site import MONDAY, Site

from digest.clock import SteppedClock
from digest.flows import publish, run
from digest.flows.choosing import rows_of
from digest.flows.collect import collect_file
from digest.ranking.settings import RankingSettings
from digest.sources.settings import SourcesSettings
from digest.store import editions, notices, retention, runs, vocabularies
from digest.store.schema import delivery, notice, subscriber
from digest.subscribers.address import EmailAddress

LONG_AFTER = MONDAY + timedelta(days=40)
"""When no paper of the prepared home is in the window any more."""


@pytest.fixture
def later(make_site: Callable[..., Site], clock: SteppedClock) -> Site:
    clock.set(LONG_AFTER)
    return make_site()


def freeze(site: Site) -> list[publish.Published]:
    return publish.publish(site.app.store, site.app.schedule, RankingSettings(), SourcesSettings(), site.app.clock.now())


def say(site: Site, verdict: str) -> None:
    with site.app.store.write() as connection:
        now = site.app.clock.now()
        runs.record(connection, source="huggingface", started_at=now, finished_at=now, verdict=verdict)


def test_publishing_twice_changes_nothing_whatever_was_collected_between(site: Site, tmp_path: Path) -> None:
    first = freeze(site)
    late = tmp_path / "late.jsonl"
    late.write_text('{"title": "A paper that came too late", "votes": 5000}\n')
    collect_file(site.app.store, site.app.clock.now(), late, "jsonl")
    second = freeze(site)
    assert [one.new for one in first] == [True, True]
    assert [one.new for one in second] == [False, False]
    assert [one.edition for one in first] == [one.edition for one in second]


def test_on_a_quiet_day_the_edition_is_empty_and_says_why(later: Site) -> None:
    (published,) = freeze(later)
    assert published.new
    assert published.edition.empty_because == "no paper was seen in the last 14 days"


def test_on_a_broken_day_an_edition_without_papers_waits_for_its_sources(later: Site, tmp_path: Path) -> None:
    say(later, "failed")
    (published,) = freeze(later)
    assert published.waits
    assert "Hugging Face could not be read" in published.edition.empty_because
    papers = tmp_path / "papers.jsonl"
    papers.write_text('{"title": "It is back"}\n')
    say(later, "fresh")
    collect_file(later.app.store, later.app.clock.now(), papers, "jsonl")
    (published,) = freeze(later)
    assert published.new
    assert [entry.work.title for entry in published.edition.entries] == ["It is back"]


def test_a_source_that_failed_is_missing_from_an_edition_made_without_it(site: Site) -> None:
    say(site, "failed")
    assert freeze(site)[0].edition.missing_sources == ("Hugging Face",)


def test_a_source_that_answered_since_is_not_missing(site: Site) -> None:
    say(site, "failed")
    say(site, "fresh")
    assert freeze(site)[0].edition.missing_sources == ()


def test_the_editions_of_a_date_are_frozen_on_demand_before_their_hour(site: Site, clock: SteppedClock) -> None:
    clock.set(MONDAY - timedelta(hours=3))
    assert freeze(site) == []
    on_demand = publish.publish(
        site.app.store, site.app.schedule, RankingSettings(), SourcesSettings(), clock.now(), MONDAY.date()
    )
    assert [(one.edition.cadence, one.new) for one in on_demand] == [("daily", True), ("weekly", True)]


def test_nothing_later_than_now_is_ranked(site: Site, clock: SteppedClock, tmp_path: Path) -> None:
    tomorrow = tmp_path / "tomorrow.jsonl"
    tomorrow.write_text('{"title": "From the future", "votes": 9}\n')
    collect_file(site.app.store, MONDAY + timedelta(hours=1), tomorrow, "jsonl")
    assert "From the future" not in [entry.work.title for entry in freeze(site)[0].edition.entries]


def test_old_notices_are_forgotten_when_an_edition_is_frozen_and_waiting_ones_are_not(later: Site) -> None:
    recipient = EmailAddress.parse("ann@example.org")
    with later.app.store.write() as connection:
        for key, state in (("done", "submitted"), ("waiting", "queued")):
            notices.enqueue(connection, kind="operator", recipient=recipient, key=key, content={}, now=MONDAY)
            connection.execute(notice.update().where(notice.c.key == key).values(state=state))
    run.publish(later.app.plan)
    with later.app.store.read() as connection:
        assert connection.execute(notice.select()).one().key == "waiting"


def test_pruning_again_finds_nothing(later: Site) -> None:
    with later.app.store.write() as connection:
        retention.prune(connection, LONG_AFTER)
        assert not any(retention.prune(connection, LONG_AFTER).values())


def test_an_edition_is_loaded_as_it_was_frozen(site: Site) -> None:
    frozen = freeze(site)[0].edition
    with site.app.store.read() as connection:
        assert editions.load(connection, frozen.number) == frozen


def test_the_papers_of_an_edition_are_counted_when_it_is_frozen_and_anew_when_that_is_forgotten(site: Site) -> None:
    edition = freeze(site)[0].edition
    assert edition.vocabulary is not None
    with site.app.store.write() as connection:
        words = vocabularies.load(connection, edition.vocabulary)
        stored = rows_of(connection, edition, lambda: None)
        assert editions.prune_rows(connection, LONG_AFTER) == 2  # a daily and a weekly one
        assert rows_of(connection, edition, lambda: None) is None
        anew = rows_of(connection, edition, lambda: words)
    assert stored is not None
    assert stored.nnz > 0
    assert (stored != anew).nnz == 0


def test_picks_of_long_ago_are_forgotten_once(site: Site, clock: SteppedClock) -> None:
    (row,) = due_for_one_reader(site)
    clock.set(MONDAY + retention.PICKS + timedelta(days=1))
    with site.app.store.write() as connection:
        assert retention.prune(connection, clock.now())["picks"] == 1
        assert retention.prune(connection, clock.now())["picks"] == 0
        assert connection.execute(delivery.select()).one().id == row


def due_for_one_reader(site: Site) -> list[int]:
    """One delivery that was submitted, with its picks."""
    frozen = freeze(site)[0].edition
    site.subscribe("ann@example.org")
    with site.app.store.write() as connection:
        reader = connection.execute(subscriber.select()).one().id
        row = {"edition_id": frozen.number, "subscriber_id": reader, "due_at": MONDAY, "updated_at": MONDAY}
        connection.execute(delivery.insert(), row | {"state": "submitted", "picks": [[1, 0]]})
        return [one.id for one in connection.execute(delivery.select())]
