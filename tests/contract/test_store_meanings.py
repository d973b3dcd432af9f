"""Vectors of papers: by model, never mixed; which papers lack one, in which order; and what is forgotten."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from contract.world import HOUR, NOW, World, sighting

from digest.store import meanings, subscribers
from digest.subscribers.model import Interest

DAY = timedelta(days=1)
A, B, C, D = (f"arxiv:2511.0000{n}" for n in (1, 2, 3, 4))
DOI = "doi:10.1234/a"
ABSTRACT = "What it is about."


def save(world: World, vectors: Mapping[str, tuple[float, ...]], model: str = "m") -> None:
    found = {world.paper(key).id: np.array(vector, np.float32) for key, vector in vectors.items()}
    with world.store.write() as connection:
        meanings.save(connection, model, found)


def kept(world: World, model: str = "m") -> dict[str, list[float]]:
    """What is stored, by id of paper."""
    with world.store.read() as connection:
        found = meanings.of_keys(connection, model, [A, B, C, D, DOI])
    return {key: vector.tolist() for key, vector in found.items()}


def lacking(world: World, model: str = "m", limit: int = 10, since: datetime = NOW - 14 * DAY) -> list[str]:
    with world.store.read() as connection:
        return [work.title for work in meanings.lacking(connection, model, seen_since=since, limit=limit).values()]


def prune(world: World, before: datetime = NOW - 14 * DAY, model: str = "m") -> int:
    with world.store.write() as connection:
        return meanings.prune(connection, before, model)


def like(world: World, reader: int, *keys: str, at: datetime = NOW) -> None:
    with world.store.write() as connection:
        subscribers.set_interests(connection, reader, "liked", [Interest("liked", key) for key in keys], at)


def test_what_is_stored_comes_back_in_half_precision_under_every_id_of_its_paper(world: World) -> None:
    world.record(sighting("One", DOI, A), sighting("Two", B))
    save(world, {A: (0.5, -0.25, 0.1), B: (1, 0, 0)})
    assert kept(world) == {A: [0.5, -0.25, np.float16(0.1)], DOI: [0.5, -0.25, np.float16(0.1)], B: [1, 0, 0]}
    with world.store.read() as connection:
        one = meanings.of(connection, "m", [world.paper(A).id, 999])
    assert list(one) == [world.paper(A).id]
    assert one[world.paper(A).id].dtype == np.float32


def test_vectors_of_two_models_never_mix(world: World) -> None:
    world.record(sighting("One", A, abstract=ABSTRACT))
    save(world, {A: (1, 0)}, "old")
    assert kept(world, "new") == {}
    assert lacking(world, "new") == ["One"]
    assert lacking(world, "old") == []
    save(world, {A: (0, 0, 1)}, "new")
    assert (kept(world, "old"), kept(world, "new")) == ({A: [1, 0]}, {A: [0, 0, 1]})
    with world.store.read() as connection:
        assert [vector.tolist() for vector in meanings.newest(connection, "new", 10)] == [[0, 0, 1]]


def test_a_paper_that_is_read_again_keeps_the_last_vector(world: World) -> None:
    world.record(sighting("One", A))
    save(world, {A: (1, 0)})
    save(world, {A: (0, 1)})
    assert kept(world) == {A: [0, 1]}


def test_the_most_voted_for_and_then_the_newest_are_read_first(world: World) -> None:
    world.record(
        sighting("Some votes", A, abstract=ABSTRACT, readings={"votes": 3}),
        sighting("Most votes", B, abstract=ABSTRACT, at=NOW - DAY, readings={"votes": 90}),
        sighting("Stars", C, abstract=ABSTRACT, at=NOW - 2 * HOUR, readings={"stars": 999}),
        sighting("Newest", D, abstract=ABSTRACT, at=NOW - HOUR),
    )
    assert lacking(world) == ["Most votes", "Some votes", "Newest", "Stars"]
    assert lacking(world, limit=2) == ["Most votes", "Some votes"]
    save(world, {B: (1, 0), D: (1, 0)})
    assert lacking(world) == ["Some votes", "Stars"]


def test_a_paper_that_nobody_will_be_shown_or_that_has_no_abstract_yet_is_not_read(world: World) -> None:
    world.record(
        sighting("Left the window", A, at=NOW - 14 * DAY, abstract=ABSTRACT),
        sighting("No abstract yet", B),
        sighting("Taken back", C, abstract=ABSTRACT),
    )
    world.retract(C)
    assert lacking(world) == []
    world.record(sighting("No abstract yet", B, abstract=ABSTRACT))
    assert lacking(world) == ["No abstract yet"]


def test_papers_that_readers_like_come_first_whatever_their_age_and_once(world: World) -> None:
    world.record(
        sighting("Old and liked", DOI, A, at=NOW - 100 * DAY),
        sighting("New", B, abstract=ABSTRACT, readings={"votes": 9}),
        sighting("New and liked", C, abstract=ABSTRACT),
        sighting("Liked no longer", D, at=NOW - 100 * DAY),
    )
    for name in ("ann", "bob"):
        reader = world.reader(name)
        like(world, reader, A, C, D, "doi:10.9999/unknown", at=NOW - DAY)
        like(world, reader, DOI, C)
    assert lacking(world) == ["Old and liked", "New and liked", "New"]
    assert lacking(world, limit=2) == ["Old and liked", "New and liked"]


def test_other_models_and_papers_out_of_the_window_that_nobody_likes_are_forgotten(world: World) -> None:
    world.record(
        sighting("In the window", A),
        sighting("Out of it", B, at=NOW - 15 * DAY),
        sighting("Out of it and liked", C, at=NOW - 15 * DAY),
    )
    like(world, world.reader(), C)
    save(world, {A: (1, 0), B: (1, 0), C: (1, 0)})
    save(world, {A: (0, 1), C: (0, 1)}, "former")
    assert prune(world) == 3
    assert kept(world).keys() == {A, C}
    assert kept(world, "former") == {}
    assert prune(world) == 0


def test_the_newest_papers_are_those_with_the_highest_numbers(world: World) -> None:
    world.record(*(sighting(f"Paper {n}", f"arxiv:2511.1000{n}") for n in range(5)))
    save(world, {f"arxiv:2511.1000{n}": (n, 1) for n in range(5)})
    with world.store.read() as connection:
        assert [vector[0] for vector in meanings.newest(connection, "m", 3)] == [2, 3, 4]
        assert meanings.newest(connection, "other", 3) == []


def test_a_paper_that_was_merged_is_found_by_the_id_that_stays(world: World) -> None:
    world.record(sighting("One", A, abstract=ABSTRACT), sighting("The same by its DOI", DOI, abstract=ABSTRACT))
    save(world, {A: (1, 0), DOI: (0, 1)})
    world.record(sighting("One", A, DOI, abstract=ABSTRACT))
    assert kept(world) == {A: [1, 0], DOI: [1, 0]}
    assert lacking(world) == []
