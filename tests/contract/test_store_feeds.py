"""What feeds and the API ask of the store."""

from datetime import UTC, datetime, time, timedelta

import pytest
from contract.world import LONG_AGO, NOW, TODAY, World, sighting

from digest.edition.model import Pick
from digest.store import appearances, feeds, issues, papers
from digest.store.feeds import Story
from digest.store.schema import delivery

DAY = timedelta(days=1)
GRAPHS, FISH, GRAPHS_TOO = "arxiv:2601.00001", "arxiv:2601.00002", "doi:10.1000/3"


@pytest.fixture
def ids(world: World) -> dict[str, int]:
    """Three papers, two of them about graphs."""
    titles = {GRAPHS: "Graphs that learn", FISH: "Fish at night", GRAPHS_TOO: "A graph of everything"}
    world.record(*(sighting(title, key) for key, title in titles.items()))
    return {key: world.paper(key).id for key in titles}


def about(world: World, words: str, editions: int = 14, limit: int = 100) -> list[Story]:
    with world.store.read() as connection:
        return feeds.about(connection, words, NOW, editions=editions, limit=limit)


def chosen(world: World, reader: int, limit: int = 100) -> list[tuple[str, str]]:
    with world.store.read() as connection:
        stories = feeds.chosen_for(connection, reader, NOW - 30 * DAY, limit=limit)
    return [(one.key, one.pick.matched if one.pick else "") for one in stories]


def mailed(world: World, reader: int, edition: int, *picks: list[object]) -> None:
    """A mail with these picks has gone to a reader."""
    number = world.mail(reader, edition)
    world.put(delivery, number, state="submitted", picks=list(picks))


def test_a_topic_tells_the_papers_with_its_words_the_newest_first_and_then_the_best(world: World, ids: dict[str, int]) -> None:
    world.edition(TODAY - DAY, papers=[ids[FISH], ids[GRAPHS]])
    world.edition(TODAY, papers=[ids[GRAPHS_TOO], ids[GRAPHS], ids[FISH]])
    found = about(world, "graphs")
    assert [(one.key, one.date, one.entry.rank) for one in found] == [
        (GRAPHS_TOO, TODAY, 1),
        (GRAPHS, TODAY - DAY, 2),  # as it was told first
    ]
    assert found[0].frozen_at == datetime.combine(TODAY, time(6), UTC)
    assert [one.key for one in about(world, "graphs", limit=1)] == [GRAPHS_TOO]
    assert about(world, "whales") == []


def test_a_topic_looks_at_the_latest_daily_editions_alone(world: World, ids: dict[str, int]) -> None:
    world.edition(TODAY - 2 * DAY, papers=[ids[GRAPHS]])
    world.edition(TODAY - DAY, "weekly", papers=[ids[GRAPHS]])
    world.edition(TODAY, papers=[ids[GRAPHS_TOO]])
    world.edition(TODAY + DAY, papers=[ids[FISH]])  # to come
    assert [one.key for one in about(world, "graph", editions=1)] == [GRAPHS_TOO]
    assert [(one.key, one.date) for one in about(world, "graph")] == [(GRAPHS_TOO, TODAY), (GRAPHS, TODAY - 2 * DAY)]
    assert about(world, "fish") == []


def test_what_was_merged_is_told_once_under_its_key_of_today(world: World) -> None:
    world.record(sighting("Graphs that learn to see", "doi:10.1000/9", authors=["Ann Lee"]))
    world.record(sighting("On graphs", GRAPHS, authors=["Bo Ek"]))
    one, other = world.paper("doi:10.1000/9").id, world.paper(GRAPHS).id
    number = world.edition(TODAY - DAY, papers=[one, other])
    later = world.edition(TODAY, papers=[other])
    reader = world.reader("ann")
    mailed(world, reader, number, [one, 0])
    mailed(world, reader, later, [other, 0])
    world.record(sighting("On graphs", GRAPHS, "doi:10.1000/9", authors=["Bo Ek"]))
    survivor = world.paper(GRAPHS)
    assert [story.key for story in about(world, "graphs")] == [survivor.key]
    assert chosen(world, reader) == [(survivor.key, ""), (survivor.key, "")]
    with world.store.read() as connection:
        told = appearances.of_paper(connection, {survivor.id, *survivor.former_ids}, NOW, 10)
    assert [(one.date, one.entry.rank) for one in told] == [(TODAY, 1), (TODAY - DAY, 1)]


@pytest.mark.parametrize("how", ["hidden", "retracted"])
def test_what_is_withdrawn_is_told_no_more(world: World, ids: dict[str, int], how: str) -> None:
    number = world.edition(TODAY, papers=[ids[GRAPHS], ids[GRAPHS_TOO]])
    reader = world.reader("ann")
    mailed(world, reader, number, [ids[GRAPHS], 0], [ids[GRAPHS_TOO], 0])
    if how == "retracted":
        world.retract(GRAPHS)
    else:
        with world.store.write() as connection:
            papers.set_hidden(connection, ids[GRAPHS], NOW)
    assert [story.key for story in about(world, "graphs")] == [GRAPHS_TOO]
    assert chosen(world, reader) == [(GRAPHS_TOO, "")]


def test_a_reader_is_told_what_was_chosen_for_him_and_nobody_else(world: World, ids: dict[str, int]) -> None:
    old = world.edition(TODAY - 40 * DAY, papers=[ids[FISH]])
    yesterday = world.edition(TODAY - DAY, papers=[ids[FISH], ids[GRAPHS]])
    today = world.edition(TODAY, papers=[ids[FISH], ids[GRAPHS_TOO]])
    ann, bob, new = world.reader("ann"), world.reader("bob"), world.reader("new")
    mailed(world, ann, old, [ids[FISH], 0])
    mailed(world, ann, yesterday, [ids[GRAPHS], 0, "topic", "learning"])
    mailed(world, ann, today, [ids[GRAPHS_TOO], 0, "keyword", "graph"], [ids[FISH], 1])
    mailed(world, bob, today, [ids[FISH], 0])
    world.mail(new, today)  # not chosen yet
    assert chosen(world, ann) == [(GRAPHS_TOO, "graph"), (FISH, ""), (GRAPHS, "learning")]
    assert chosen(world, ann, limit=1) == [(GRAPHS_TOO, "graph")]
    assert chosen(world, bob) == [(FISH, "")]
    assert chosen(world, new) == []


def test_the_editions_of_a_paper_come_with_its_place_in_each(world: World, ids: dict[str, int]) -> None:
    world.edition(TODAY - DAY, papers=[ids[FISH], ids[GRAPHS]])
    world.edition(TODAY, "weekly", papers=[ids[GRAPHS]])
    world.edition(TODAY, papers=[ids[GRAPHS]])
    with world.store.read() as connection:
        told = appearances.of_paper(connection, [ids[GRAPHS]], NOW, 10)
        latest = appearances.of_paper(connection, [ids[GRAPHS]], NOW, 1)
        assert appearances.of_paper(connection, [ids[GRAPHS]], LONG_AGO, 10) == []
    places = [(one.date, one.cadence, one.entry.rank) for one in told]
    assert places == [(TODAY, "daily", 1), (TODAY, "weekly", 1), (TODAY - DAY, "daily", 2)]
    assert len(latest) == 1
    assert told[0].entry.terms


def test_the_latest_issues_are_told_without_empty_and_weekly_ones(world: World, ids: dict[str, int]) -> None:
    for days in (3, 2, 1):
        number = world.edition(TODAY - days * DAY, papers=[ids[GRAPHS]])
        with world.store.write() as connection:
            issues.store_picks(connection, number, [Pick(ids[GRAPHS], "card")])
    world.edition(TODAY, papers=[], empty_because="nothing came")
    world.edition(TODAY, "weekly", papers=[ids[FISH]])
    with world.store.read() as connection:
        found = issues.lately(connection, NOW, 2)
    assert [issue.date for issue in found] == [TODAY - DAY, TODAY - 2 * DAY]
