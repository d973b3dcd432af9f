"""Vocabularies and profiles over a real database: when they are made, and that they are not made again."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.site import MONDAY, Site

from digest.errors import Busy
from digest.flows import drafts, learning, publish, run, subscribe
from digest.flows.collect import collect_file
from digest.papers.model import Work
from digest.ranking.profile import Profile
from digest.store import profiles, ratings, subscribers, turns, vocabularies
from digest.store.schema import profile, vocabulary
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Interest

DAY = timedelta(days=1)
ANN = "ann@example.org"


@pytest.fixture
def home(tmp_path: Path, unread_home: Path) -> Path:
    """Nothing was learned in it."""
    return shutil.copytree(unread_home, tmp_path / "home")


def fit(site: Site) -> int | None:
    return learning.fit_vocabulary(site.app.store, site.now)


def fitted(site: Site) -> list[int]:
    """The versions that there are."""
    with site.app.store.read() as connection:
        return list(connection.scalars(select(vocabulary.c.id).order_by(vocabulary.c.id)))


def made(site: Site) -> dict[tuple[int, int], datetime]:
    """When each profile was made, by reader and vocabulary."""
    with site.app.store.read() as connection:
        rows = connection.execute(select(profile.c.subscriber_id, profile.c.vocabulary_id, profile.c.made_at))
        return {(row.subscriber_id, row.vocabulary_id): row.made_at for row in rows}


def stored(site: Site, reader: int, version: int) -> Profile:
    with site.app.store.read() as connection:
        return profiles.of(connection, [reader], version)[reader]


def change_topics(site: Site, *topics: str) -> None:
    wanted = [Interest("topic", topic) for topic in topics]
    subscribe.change(site.app.store, site.now, EmailAddress.parse(ANN), interests={"topic": wanted})


def tomorrow(site: Site, tmp_path: Path) -> None:
    """It is six o'clock of the next day, and there are new papers."""
    site.at(site.now + DAY)
    papers = tmp_path / f"{site.now:%d}.jsonl"
    papers.write_text(
        "".join(
            f'{{"title": "A {subject} paper of day {site.now:%d}", "abstract": "On {subject}.", "rank": {n}}}\n'
            for n, subject in enumerate(("robot", "poetry", "galaxy", "speech", "vision", "climate"), 1)
        )
    )
    collect_file(site.app.store, site.now - timedelta(minutes=30), papers, "jsonl")


def test_the_first_edition_is_written_in_a_vocabulary_of_the_papers_that_are_there(site: Site) -> None:
    site.publish()
    with site.app.store.read() as connection:
        current = vocabularies.current(connection)
        assert current is not None
        words = vocabularies.load(connection, current.version)
    assert current.papers == 60
    assert words is not None
    assert "galaxy" in words.terms
    assert drafts.standing(site.app.store, site.app.settings.ranking, site.now, MONDAY.date()).vocabulary == current.version


def test_without_a_paper_there_is_no_vocabulary_and_the_edition_says_so(site: Site) -> None:
    with site.app.store.write() as connection:
        for table in ("reading", "paper_alias", "paper"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    assert fit(site) is None
    assert learning.ready(site.app.store, site.now) is None
    assert learning.fitted(site.app.store) is None
    site.publish()
    assert drafts.standing(site.app.store, site.app.settings.ranking, site.now, MONDAY.date()).vocabulary is None


def test_a_vocabulary_is_fitted_anew_after_a_month_and_not_before(site: Site) -> None:
    first = fit(site)
    site.at(MONDAY + learning.REFIT_AFTER - timedelta(seconds=1))
    assert fit(site) == first
    site.at(MONDAY + learning.REFIT_AFTER)
    assert learning.ready(site.app.store, site.now) == first
    assert fit(site) != first
    assert len(fitted(site)) == 2


def test_one_who_fits_keeps_others_from_it_and_they_go_on_with_what_there_is(site: Site) -> None:
    with turns.alone(site.app.store, "fit a vocabulary", 0):
        assert fit(site) is None
        with pytest.raises(Busy), turns.alone(site.app.store, "fit a vocabulary", 0):
            pass
    first = fit(site)
    site.at(MONDAY + learning.REFIT_AFTER)
    with turns.alone(site.app.store, "fit a vocabulary", 0):
        assert fit(site) == first
    assert fitted(site) == [first]


def test_who_is_stopped_while_fitting_leaves_the_old_vocabulary(site: Site) -> None:
    first = fit(site)
    site.at(MONDAY + learning.REFIT_AFTER)
    assert learning.fit_vocabulary(site.app.store, site.now, lambda: True) == first
    assert fitted(site) == [first]


def test_every_page_of_papers_goes_into_a_vocabulary_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = learning.fitted(site.app.store)
    monkeypatch.setattr(learning, "PAPERS_AT_ONCE", 7)
    paged = learning.fitted(site.app.store)
    assert whole is not None
    assert paged is not None
    assert whole.to_bytes() == paged.to_bytes()
    monkeypatch.setattr(learning, "MOST_PAPERS", 10)
    assert fit(site) is not None
    with site.app.store.read() as connection:
        current = vocabularies.current(connection)
    assert current is not None
    assert current.papers == 10


def test_profiles_are_learned_for_all_who_lack_one_a_few_at_a_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "READERS_AT_ONCE", 2)
    site.subscribe(*(f"r{n}@example.org" for n in range(5)), topics=["robots"])
    site.subscribe("nothing@example.org")
    version = fit(site)
    assert version is not None
    assert learning.learn_profiles(site.app.store, site.now, version, lambda: len(made(site)) >= 3) == 4
    assert learning.learn_profiles(site.app.store, site.now, version) == 1
    assert learning.learn_profiles(site.app.store, site.now, version) == 0


def test_a_profile_is_not_made_again_for_another_edition_and_is_when_its_reader_changes_his_mind(
    site: Site, tmp_path: Path
) -> None:
    first, second = site.subscribe(ANN, "bob@example.org", topics=["robots"], hour="06:00")
    before = []
    for _ in range(2):
        tomorrow(site, tmp_path)
        run.publish(site.app.plan)
        assert site.deliver().states["submitted"] == 2
        run.learn(site.app.plan)
        before.append(made(site))
    tuesday = MONDAY + DAY
    assert before == [{(first.id, 1): tuesday, (second.id, 1): tuesday}] * 2
    change_topics(site, "poetry")
    assert made(site) == {(second.id, 1): tuesday}
    tomorrow(site, tmp_path)
    site.publish()
    site.deliver()
    assert made(site) == {(first.id, 1): site.now, (second.id, 1): tuesday}
    assert [facet.label for facet in stored(site, first.id, 1).facets] == ["poetry"]


def test_a_new_vocabulary_gives_everybody_a_new_profile_before_it_is_in_an_edition(site: Site) -> None:
    (ann,) = site.subscribe(ANN, topics=["robots"])
    run.publish(site.app.plan)
    assert run.learn(site.app.plan) == 1
    site.at(MONDAY + learning.REFIT_AFTER + timedelta(hours=1))
    site.publish()
    assert run.learn(site.app.plan) == 1
    assert made(site).keys() == {(ann.id, 1), (ann.id, 2)}
    assert drafts.standing(site.app.store, site.app.settings.ranking, site.now, site.now.date()).vocabulary == 1


def test_nothing_is_learned_while_an_edition_is_due(site: Site) -> None:
    site.subscribe(ANN, topics=["robots"])
    assert run.learn(site.app.plan) == 0
    assert fitted(site) == []
    site.publish()
    assert run.learn(site.app.plan) == 1


def test_a_profile_is_made_of_what_is_wanted_now_and_one_of_the_past_is_told_without_storing_it(site: Site) -> None:
    (ann,) = site.subscribe(ANN, topics=["robots"])
    version = fit(site)
    assert version is not None
    site.later(hours=1)
    change_topics(site, "poetry", "galaxies")
    with site.app.store.read() as connection:
        words = vocabularies.load(connection, version)
        assert words is not None
        then = learning.learned(connection, words, [ann.id], MONDAY)
        now = learning.learned(connection, words, [ann.id], site.now)
        assert learning.learned(connection, words, [99], site.now) == {}
    assert [facet.label for facet in then[ann.id].facets] == ["robots"]
    assert {facet.label for facet in now[ann.id].facets} == {"poetry", "galaxies"}
    assert made(site) == {}


def test_what_a_reader_liked_is_learned_from_papers_that_are_here_and_from_those_that_he_brought(site: Site) -> None:
    ann, bob = site.subscribe(ANN, "bob@example.org")
    version = fit(site)
    assert version is not None
    with site.app.store.write() as connection:
        for n in (5, 15, 25):  # galaxies
            ratings.rate(connection, ann.id, f"arxiv:2603.{10000 + n}", "liked", site.now)
        brought = {"doi:10.1/x": Work("Galaxies far away", "A galaxy, and another.")}
        ratings.rate_all(connection, bob.id, {"doi:10.1/x": "liked"}, site.now, brought)
        ratings.rate(connection, bob.id, "doi:10.1/nobody-knows", "liked", site.now)
    assert learning.learn_profiles(site.app.store, site.now, version) == 2
    with site.app.store.read() as connection:
        words = vocabularies.load(connection, version)
    assert words is not None
    for reader in (ann, bob):
        (facet,) = stored(site, reader.id, version).facets
        assert facet.kind == "liked"
        assert "galaxy" in [words.terms[place] for place in facet.terms[facet.weights > 0]]


def test_interests_that_change_while_a_profile_is_learned_are_not_overruled_by_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = site.subscribe(ANN, topics=["robots"])
    version = fit(site)
    assert version is not None
    learn = learning.learn
    told: list[str] = []

    def slowly(*arguments: object) -> Profile:
        if not told:
            told.append("poetry")
            change_topics(site, "poetry")
        return learn(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(learning, "learn", slowly)
    assert learning.learn_profiles(site.app.store, site.now, version) == 0
    assert made(site) == {}
    assert learning.learn_profiles(site.app.store, site.now, version) == 1
    assert [facet.label for facet in stored(site, ann.id, version).facets] == ["poetry"]


def test_a_paper_that_he_rated_is_not_mailed_to_a_reader(site: Site) -> None:
    (ann,) = site.subscribe(ANN, hour="06:00", size=25)
    with site.app.store.write() as connection:
        for n, rating in ((0, ratings.RATINGS[0]), (1, ratings.RATINGS[1])):
            ratings.rate(connection, ann.id, f"arxiv:2603.{10000 + n}", rating, site.now)
        rated = ratings.papers_rated(connection, subscribers.interests(connection, [ann.id], site.now))[ann.id]
    site.at(MONDAY + DAY)
    site.publish()
    assert site.deliver().states["submitted"] == 1
    assert len(rated) == 2
    assert not rated & site.paper_ids(site.row(ANN))


def test_a_preview_is_what_the_mail_will_be_and_stores_nothing(site: Site) -> None:
    site.subscribe(ANN, topics=["poetry"], hour="06:00", share=1.0)
    site.at(MONDAY + DAY)
    site.publish()
    app = site.app
    edition = drafts.standing(app.store, app.settings.ranking, site.now, site.now.date())
    picks = drafts.for_reader(app.store, site.now, edition, app.usual, app.selection, drafts.reader(app.store, ANN))
    assert made(site) == {}
    assert site.deliver().states["submitted"] == 1
    assert [pick.paper_id for pick in picks] == [pick[0] for pick in site.row(ANN).picks]


def test_a_draft_before_the_first_vocabulary_knows_the_reader_and_stores_nothing(site: Site) -> None:
    site.subscribe(ANN, topics=["poetry"], share=1.0)
    app = site.app
    edition = drafts.draft(app.store, app.settings.ranking, site.now, MONDAY.date())
    picks = drafts.for_reader(app.store, site.now, edition, app.usual, app.selection, drafts.reader(app.store, ANN))
    titles = {entry.paper_id: entry.work.title for entry in edition.entries}
    assert "poetry" in titles[picks[0].paper_id]
    assert edition.vocabulary is None
    assert fitted(site) == []


def test_an_edition_of_before_there_were_vocabularies_is_mailed_by_its_trending(site: Site) -> None:
    site.publish()
    with site.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE edition SET vocabulary_id = NULL")
        connection.exec_driver_sql("DELETE FROM vocabulary")
    site.subscribe(ANN, topics=["poetry"], hour="06:00", share=1.0)
    with site.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE subscriber SET next_due_at = '2026-03-02 06:00:00.000000'")
    assert site.deliver().states["submitted"] == 1
    assert made(site) == {}
    assert site.row(ANN).picks


def test_mails_of_a_chunk_that_are_of_two_editions_each_get_their_own_papers(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=1)
    site.subscribe("daily@example.org", hour="06:00", topics=["robots"])
    site.subscribe("weekly@example.org", hour="06:00", cadence="weekly", topics=["robots"])
    with site.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE subscriber SET next_due_at = '2026-03-02 06:00:00.000000'")
    published = publish.publish(
        site.app.store, site.app.schedule, site.app.settings.ranking, site.app.settings.sources, site.now
    )
    assert site.deliver().states["submitted"] == 2
    by_cadence = {one.edition.cadence: one.edition.number for one in published}
    assert {row.email: row.edition_id for row in site.rows()} == {
        "daily@example.org": by_cadence["daily"],
        "weekly@example.org": by_cadence["weekly"],
    }
