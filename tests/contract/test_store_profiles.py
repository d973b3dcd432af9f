from collections.abc import Callable
from datetime import timedelta
from threading import Event

import numpy as np
import pytest
from contract.world import NOW, Side, World, sighting, together
from sqlalchemy import func, select

from digest.ranking.profile import Facet, Profile
from digest.ranking.vocabulary import fit
from digest.store import profiles, ratings, subscribers, vocabularies
from digest.store.engine import Store
from digest.store.schema import profile
from digest.subscribers.model import Interest

LATER = NOW + timedelta(hours=1)
GRAPHS, ROBOTS, WORD = Interest("topic", "graphs"), Interest("topic", "robots"), Interest("keyword", "CRISPR")


def learned(label: str = "graphs") -> Profile:
    return Profile((Facet("topic", label, 1.0, np.array([3, 7], np.int32), np.array([0.5, 0.25], np.float32)),))


def vocabulary(world: World) -> int:
    """A vocabulary of no papers; returns its version."""
    with world.store.write() as connection:
        return vocabularies.save(connection, fit([]), 0, NOW)


def wish(world: World, reader: int, *wanted: Interest) -> None:
    with world.store.write() as connection:
        subscribers.append_interests(connection, [(reader, one) for one in wanted], NOW)


def learn(world: World, version: int, *readers: int, model: str = "") -> set[int]:
    """Store a profile for each reader, of his interests as they are."""
    with world.store.read() as connection:
        at = profiles.stamps(connection, readers)
    with world.store.write() as connection:
        return profiles.save(connection, version, dict.fromkeys(readers, learned()), at, NOW, model)


def known(world: World, version: int, *readers: int) -> set[int]:
    with world.store.read() as connection:
        return set(profiles.of(connection, readers, version))


def lacking(world: World, version: int, model: str = "", after_id: int = 0, limit: int = 9) -> list[int]:
    with world.store.read() as connection:
        return profiles.lacking(connection, version, model, after_id=after_id, limit=limit)


def test_a_profile_is_found_as_it_was_stored_and_in_its_own_vocabulary(world: World) -> None:
    reader, first, second = world.reader(), vocabulary(world), vocabulary(world)
    assert learn(world, first, reader) == {reader}
    with world.store.read() as connection:
        (found,) = profiles.of(connection, [reader, 99], first).values()
        assert profiles.of(connection, [reader], second) == {}
    assert found.to_bytes() == learned().to_bytes()


def test_who_said_something_to_learn_from_and_has_no_profile_lacks_one(world: World) -> None:
    version = vocabulary(world)
    wants, has, keyword, nothing, gone, paused = (world.reader(name) for name in ("a", "b", "c", "d", "e", "f"))
    for reader in (wants, has, gone, paused):
        wish(world, reader, GRAPHS)
    wish(world, keyword, WORD)
    learn(world, version, has)
    with world.store.write() as connection:
        subscribers.become(connection, gone, "unsubscribed", NOW)
        subscribers.become(connection, paused, "paused", NOW)
    assert lacking(world, version) == [wants, paused]
    assert lacking(world, version, limit=1) == [wants]
    assert lacking(world, version, after_id=wants) == [paused]
    assert lacking(world, vocabulary(world)) == [wants, has, paused]
    assert lacking(world, version, "another model") == [wants, has, paused]
    assert nothing not in lacking(world, version)


def test_what_was_learned_with_another_model_is_lacking_until_it_is_learned_anew(world: World) -> None:
    version, reader = vocabulary(world), world.reader()
    wish(world, reader, GRAPHS)
    learn(world, version, reader)
    assert lacking(world, version, "mini") == [reader]
    assert learn(world, version, reader, model="mini") == {reader}
    assert lacking(world, version, "mini") == lacking(world, version) == []
    with world.store.read() as connection:
        found = {model: set(profiles.of(connection, [reader], version, model)) for model in ("mini", "other", "")}
    # Without a model, what it told is passed over; the words are good.
    assert found == {"mini": {reader}, "other": set(), "": {reader}}


def rewrite(connection: object, reader: int) -> object:
    return subscribers.set_interests(connection, reader, "topic", [ROBOTS], LATER)  # type: ignore[arg-type]


def add(connection: object, reader: int) -> object:
    return subscribers.set_interests(connection, reader, "topic", [GRAPHS, ROBOTS], LATER)  # type: ignore[arg-type]


def end(connection: object, reader: int) -> object:
    return subscribers.set_interests(connection, reader, "topic", [], LATER)  # type: ignore[arg-type]


CHANGES: dict[str, Callable[[object, int], object]] = {
    "other topics": rewrite,
    "a topic more": add,
    "a topic less": end,
    "a rating": lambda connection, reader: ratings.rate(connection, reader, "arxiv:2511.00001", "liked", LATER),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_whoever_changes_interests_forgets_the_profiles_of_that_reader_alone(
    world: World, change: Callable[[object, int], object]
) -> None:
    version, ann, bob = vocabulary(world), world.reader("ann"), world.reader("bob")
    for reader in (ann, bob):
        wish(world, reader, GRAPHS)
    learn(world, version, ann, bob)
    with world.store.write() as connection:
        assert change(connection, ann)
    assert known(world, version, ann, bob) == {bob}


def test_what_changes_no_interest_keeps_the_profile(world: World) -> None:
    version, reader = vocabulary(world), world.reader()
    wish(world, reader, GRAPHS)
    learn(world, version, reader)
    with world.store.write() as connection:
        assert not subscribers.set_interests(connection, reader, "topic", [GRAPHS], LATER)
        assert not ratings.rate(connection, reader, "arxiv:2511.00001", None, LATER)
        subscribers.change(connection, reader, LATER, name="Ann")
    assert known(world, version, reader) == {reader}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_profile_of_interests_that_have_changed_since_is_not_stored(
    world: World, change: Callable[[object, int], object]
) -> None:
    version, reader, other = vocabulary(world), world.reader("ann"), world.reader("bob")
    wish(world, reader, GRAPHS)
    with world.store.read() as connection:
        at = profiles.stamps(connection, [reader, other])
    with world.store.write() as connection:
        change(connection, reader)
    with world.store.write() as connection:
        both = {reader: learned(), other: learned()}
        assert profiles.save(connection, version, both, at, LATER) == {other}
    assert known(world, version, reader, other) == {other}


def test_a_profile_that_is_stored_while_interests_are_written_does_not_outlive_them(world: World) -> None:
    version, reader = vocabulary(world), world.reader()
    wish(world, reader, GRAPHS)
    with world.store.read() as connection:
        at = profiles.stamps(connection, [reader])
    written, go_on = Event(), Event()

    def change() -> None:
        with world.store.write() as connection:
            rewrite(connection, reader)
            written.set()
            go_on.wait(30)

    def store_old() -> set[int]:
        with world.store.write() as connection:
            return profiles.save(connection, version, {reader: learned()}, at, LATER)

    changing = Side(change)
    assert written.wait(30)
    storing = Side(store_old)
    storing.waits_or_ends(world.store)
    go_on.set()
    changing.result()
    assert storing.result() == set()
    assert known(world, version, reader) == set()


def test_interests_that_are_written_while_a_profile_is_stored_end_it(world: World) -> None:
    version, reader = vocabulary(world), world.reader()
    wish(world, reader, GRAPHS)
    with world.store.read() as connection:
        at = profiles.stamps(connection, [reader])
    stored, go_on = Event(), Event()

    def store_old() -> set[int]:
        with world.store.write() as connection:
            found = profiles.save(connection, version, {reader: learned()}, at, LATER)
            stored.set()
            go_on.wait(30)
            return found

    def change() -> None:
        with world.store.write() as connection:
            rewrite(connection, reader)

    storing = Side(store_old)
    assert stored.wait(30)
    changing = Side(change)
    changing.waits_or_ends(world.store)
    go_on.set()
    assert storing.result() == {reader}
    changing.result()
    assert known(world, version, reader) == set()


def test_many_who_store_and_change_at_once_leave_no_profile_of_yesterday(world: World) -> None:
    version = vocabulary(world)
    readers = [world.reader(f"r{n}") for n in range(20)]
    for reader in readers:
        wish(world, reader, GRAPHS)
    with world.store.read() as connection:
        at = profiles.stamps(connection, readers)

    def store(order: list[int]) -> None:
        with world.store.write() as connection:
            profiles.save(connection, version, {one: learned() for one in order}, at, LATER)

    def change() -> None:
        for reader in reversed(readers):
            with world.store.write() as connection:
                rewrite(connection, reader)

    together(lambda: store(readers), lambda: store(readers[::-1]), change)
    assert known(world, version, *readers) == set()


def test_a_profile_that_another_program_wrote_is_as_good_as_none(world: World) -> None:
    version, reader = vocabulary(world), world.reader()
    learn(world, version, reader)
    with world.store.write() as connection:
        connection.execute(profile.update().values(content=b"\xff"))
    assert known(world, version, reader) == set()
    assert learn(world, version, reader) == {reader}
    assert known(world, version, reader) == {reader}


def test_a_profile_goes_with_its_reader_and_with_its_vocabulary(world: World) -> None:
    first, second = vocabulary(world), vocabulary(world)
    ann, bob = world.reader("ann"), world.reader("bob")
    for version in (first, second):
        learn(world, version, ann, bob)
    with world.store.write() as connection:
        subscribers.erase(connection, ann)
    assert known(world, first, ann, bob) == known(world, second, ann, bob) == {bob}
    with world.store.write() as connection:
        assert vocabularies.prune(connection, NOW + vocabularies.KEPT + timedelta(days=1)) == 1
        assert connection.execute(select(func.count()).select_from(profile)).scalar_one() == 1
    assert known(world, second, bob) == {bob}


def test_profiles_of_an_old_vocabulary_are_kept_while_its_editions_are_mailed(store: Store) -> None:
    world = World(store)
    old, new, reader = vocabulary(world), vocabulary(world), world.reader()
    for version in (old, new):
        learn(world, version, reader)
    world.edition(vocabulary=old)
    with store.write() as connection:
        assert profiles.prune(connection, NOW + timedelta(days=2), new) == 0
        assert profiles.prune(connection, NOW + profiles.KEPT + timedelta(days=1), new) == 1
    assert known(world, new, reader) == {reader}
    assert known(world, old, reader) == set()


def test_the_paper_of_a_rating_that_becomes_known_changes_what_is_learned(world: World) -> None:
    version, reader, other = vocabulary(world), world.reader("ann"), world.reader("bob")
    with world.store.write() as connection:
        ratings.rate(connection, reader, "arxiv:2511.00001", "liked", NOW)
    learn(world, version, reader, other)
    with world.store.write() as connection:
        assert ratings.keep_works(connection, {"arxiv:2511.00001": sighting("Sparse attention").work}) == 1
    assert known(world, version, reader, other) == {other}
