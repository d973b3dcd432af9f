"""What the archive asks: which months have editions, what stands first in each, and where a paper stood."""

from datetime import date, timedelta

from contract.world import NOW, TODAY, World, sighting

from digest.edition.model import Pick
from digest.store import appearances, issues, papers

DAY = timedelta(days=1)


def some_papers(world: World, *keys: str) -> list[int]:
    world.record(*(sighting(f"On {key}", key, authors=["Ann Lee"]) for key in keys))
    return [world.paper(key).id for key in keys]


def first_shown(world: World, *editions: int) -> dict[int, str]:
    with world.store.read() as connection:
        return {number: work.title for number, work in issues.first_shown(connection, editions).items()}


def test_the_archive_names_what_an_issue_shows_first_and_not_what_ranked_first(world: World) -> None:
    one, two = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002")
    chosen, unchosen = world.edition(papers=[one, two]), world.edition(TODAY - DAY, papers=[two, one])
    with world.store.write() as connection:
        issues.store_picks(connection, chosen, [Pick(two, "card"), Pick(one, "also")])
    assert first_shown(world, chosen, unchosen) == {chosen: f"Paper {two}", unchosen: f"Paper {two}"}
    assert first_shown(world) == {}


def test_what_is_hidden_stands_first_nowhere(world: World) -> None:
    one, two = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002")
    chosen, unchosen, alone = (world.edition(TODAY - n * DAY, papers=[one, two] if n < 2 else [one]) for n in range(3))
    with world.store.write() as connection:
        issues.store_picks(connection, chosen, [Pick(one, "card"), Pick(two, "card")])
        papers.set_hidden(connection, one, NOW)
    assert first_shown(world, chosen, unchosen, alone) == {chosen: f"Paper {two}", unchosen: f"Paper {two}"}


def test_a_part_of_the_archive_can_be_listed(world: World) -> None:
    (one,) = some_papers(world, "arxiv:2601.00001")
    for days in (0, 1, 30, 31):
        world.edition(TODAY - days * DAY, papers=[one])
    world.edition(TODAY, "weekly", papers=[one])
    world.edition(TODAY - 2 * DAY, papers=[], empty_because="nothing new")
    with world.store.read() as connection:
        rows = issues.listed(connection, since=TODAY - 30 * DAY, before=TODAY)
        assert [row.date for row in rows] == [TODAY - DAY, TODAY - 30 * DAY]
        assert issues.dates(connection) == [TODAY - days * DAY for days in (0, 1, 30, 31)]


def places(world: World, *ids: int, limit: int = 10) -> list[tuple[date, str, int, int]]:
    with world.store.read() as connection:
        found = appearances.of_paper(connection, ids, NOW, limit)
    return [(one.date, one.cadence, one.entry.rank, one.of) for one in found]


def test_a_paper_stands_in_each_edition_that_ranked_it_the_latest_first(world: World) -> None:
    world.edition(TODAY - DAY, papers=[7, 8, 9])
    world.edition(papers=[8, 9])
    world.edition(TODAY, "weekly", papers=[9])
    assert places(world, 9) == [(TODAY, "daily", 2, 2), (TODAY, "weekly", 1, 1), (TODAY - DAY, "daily", 3, 3)]
    assert places(world, 9, limit=1) == [(TODAY, "daily", 2, 2)]
    assert places(world, 5) == places(world) == []
    with world.store.read() as connection:
        best = appearances.of_paper(connection, [7], NOW, 1)[0]
    assert [(term.signal, term.value, term.reason) for term in best.entry.terms] == [
        ("votes", 12, "12 upvotes"),
        ("stars", None, ""),
    ]


def test_of_a_paper_that_was_two_the_better_place_counts(world: World) -> None:
    world.edition(papers=[7, 8, 9])
    assert places(world, 9, 8) == [(TODAY, "daily", 2, 3)]
