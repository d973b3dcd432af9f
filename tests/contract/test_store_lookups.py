"""Which papers a source of attention is asked about, in which order, and how often."""

from collections.abc import Collection
from datetime import datetime, timedelta

from contract.world import HOUR, NOW, World, sighting
from sqlalchemy import func, select

from digest.store import lookups, papers, retention
from digest.store.schema import lookup

DAY = timedelta(days=1)
A, B, C, D = (f"arxiv:2511.0000{n}" for n in (1, 2, 3, 4))
DOI = "doi:10.1234/a"


def due(world: World, source: str = "s2", seen_since: datetime = NOW - 14 * DAY, again: timedelta = DAY) -> list[str]:
    """The first ids of the papers that are due now."""
    with world.store.read() as connection:
        found = lookups.due(connection, source, seen_since=seen_since, asked_before=NOW - again)
        return [ids[0] for _, ids, _, _ in found]


def note(world: World, ids: Collection[str], at: datetime = NOW, source: str = "s2") -> None:
    with world.store.write() as connection:
        lookups.note(connection, source, ids, at)


def test_a_paper_is_due_with_all_that_a_source_may_ask_for(world: World) -> None:
    world.record(
        sighting("Sparse attention", DOI, A, "s2:7", categories=("cs.LG",), links={"code": "https://github.com/a/b"}),
        sighting("Dense retrieval"),
    )
    with world.store.read() as connection:
        found = list(lookups.due(connection, "s2", seen_since=NOW - DAY, asked_before=NOW))
    assert found == [
        (world.paper(A).id, (A, DOI, "s2:7"), "https://github.com/a/b", True),
        (world.paper("title:dense retrieval|").id, ("title:dense retrieval|",), "", False),
    ]


def test_papers_outside_the_window_retracted_or_merged_away_are_never_due(world: World) -> None:
    world.record(
        sighting("Old", A, at=NOW - 14 * DAY),
        sighting("Taken back", B),
        sighting("Known", C),
        sighting("Known by its DOI", DOI),
    )
    world.retract(B)
    world.record(sighting("Known", C, DOI))
    assert due(world) == [C]


def test_the_most_voted_for_and_then_the_newest_come_first(world: World) -> None:
    world.record(
        sighting("One", A, readings={"votes": 3}),
        sighting("Two", B, at=NOW - HOUR, readings={"votes": 90}),
        sighting("Three", C, at=NOW - 2 * HOUR, readings={"stars": 9999}),
        sighting("Four", D, at=NOW - HOUR),
    )
    assert due(world) == [B, A, D, C]


def test_a_paper_is_due_again_when_what_was_said_is_old_and_after_those_never_asked_about(world: World) -> None:
    world.record(*(sighting(f"Paper {id_}", id_, readings={"votes": n}) for n, id_ in enumerate((D, C, B, A))))
    note(world, [A], NOW - 2 * DAY)
    note(world, [B], NOW - 3 * DAY)
    note(world, [C], NOW - DAY)
    assert due(world) == [D, B, A]
    assert due(world, again=timedelta(0)) == [D, B, A, C]


def test_each_source_is_asked_for_itself(world: World) -> None:
    world.record(sighting("One", A), sighting("Two", B))
    note(world, [A], source="s2")
    assert due(world, "s2") == [B]
    assert due(world, "openalex") == [A, B]


def test_asking_again_counts_from_then(world: World) -> None:
    world.record(sighting("One", A))
    note(world, [A], NOW - 2 * DAY)
    note(world, [A, A], NOW)
    assert due(world) == []
    note(world, [])
    note(world, ["arxiv:2511.09999"])
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(lookup)).scalar_one() == 1


def test_what_was_asked_about_a_paper_was_asked_about_the_one_that_it_turned_out_to_be(world: World) -> None:
    world.record(sighting("One", A), sighting("One by its DOI", DOI))
    note(world, [DOI])
    note(world, [A, DOI], source="openalex")
    world.record(sighting("One", A, DOI))
    assert due(world, "s2") == due(world, "openalex") == []
    assert due(world, "github") == [A]


def test_many_papers_are_told_in_order_and_whole(world: World) -> None:
    ids = [f"arxiv:2511.{n:05}" for n in range(1, 1203)]
    world.record(*(sighting(f"Paper {id_}", id_, readings={"votes": n}) for n, id_ in enumerate(ids)))
    assert due(world) == ids[::-1]
    note(world, ids[:700])
    assert due(world) == ids[:699:-1]


def test_look_ups_are_forgotten_with_their_time(world: World) -> None:
    world.record(sighting("One", A), sighting("Two", B))
    note(world, [A], NOW - 61 * DAY)
    note(world, [B], NOW - 59 * DAY)
    with world.store.write() as connection:
        assert retention.prune(connection, NOW)["lookups"] == 1
        assert connection.execute(select(lookup.c.paper_id)).scalars().all() == [world.paper(B).id]
        assert len(papers.listed(connection)) == 2
