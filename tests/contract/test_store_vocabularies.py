from datetime import timedelta

from contract.world import NOW, World

from digest.papers.model import Work
from digest.ranking.vocabulary import fit
from digest.store import vocabularies

WORKS = [Work(f"Robots that fold proteins {n}", "We show graphs.") for n in range(5)]


def save(world: World, papers: int = 5, days: int = 0) -> int:
    with world.store.write() as connection:
        return vocabularies.save(connection, fit(WORKS), papers, NOW + timedelta(days=days))


def test_the_vocabulary_that_was_stored_last_is_the_current_one(world: World) -> None:
    with world.store.read() as connection:
        assert vocabularies.current(connection) is None
    first, second = save(world, 5), save(world, 7, days=31)
    assert second > first
    with world.store.read() as connection:
        assert vocabularies.current(connection) == vocabularies.Known(second, NOW + timedelta(days=31), 7)


def test_a_vocabulary_is_read_as_it_was_fitted_under_the_version_that_it_got(world: World) -> None:
    version, fitted = save(world), fit(WORKS)
    with world.store.read() as connection:
        found = vocabularies.load(connection, version)
        assert vocabularies.load(connection, version + 1) is None
    assert found is not None
    assert (found.version, found.terms) == (version, fitted.terms)
    assert (found.rows(WORKS) != fitted.rows(WORKS)).nnz == 0


def test_an_edition_keeps_the_version_of_its_vocabulary_even_when_that_is_forgotten(world: World) -> None:
    version = save(world)
    number = world.edition(vocabulary=version)
    save(world, days=31)
    with world.store.write() as connection:
        assert vocabularies.prune(connection, NOW + timedelta(days=59)) == 0
        assert vocabularies.prune(connection, NOW + timedelta(days=61)) == 1
    assert world.load(number).vocabulary == version
    assert world.load(world.edition(NOW.date() + timedelta(days=1))).vocabulary is None


def test_the_current_vocabulary_stays_however_old_it_is(world: World) -> None:
    version = save(world)
    with world.store.write() as connection:
        assert vocabularies.prune(connection, NOW + timedelta(days=400)) == 0
        found = vocabularies.current(connection)
    assert found is not None
    assert found.version == version
