"""What was in which edition, and what was withdrawn by when, on each database."""

from datetime import timedelta

from contract.world import HOUR, LONG_AGO, NOW, TODAY, World, sighting

from digest.store import history, papers

DAY = timedelta(days=1)


def test_the_editions_of_a_paper_are_told_under_any_of_its_ids_the_latest_first(world: World) -> None:
    old = world.edition(TODAY - 2 * DAY, papers=(7, 8))
    new = world.edition(TODAY - DAY, papers=(9, 5))
    world.edition(TODAY, papers=(1, 2))
    with world.store.read() as connection:
        assert history.editions_with(connection, {7, 5}, NOW) == [(new, "daily"), (old, "daily")]
        assert history.editions_with(connection, {7, 5}, NOW - 2 * DAY) == [(old, "daily")]
        assert history.editions_with(connection, {99}, NOW) == []


def test_the_editions_of_a_date_are_told_by_cadence_once_they_are_frozen(world: World) -> None:
    daily = world.edition(frozen_at=NOW - HOUR)
    weekly = world.edition(cadence="weekly", frozen_at=NOW)
    with world.store.read() as connection:
        assert history.editions_on(connection, TODAY, NOW) == {"daily": daily, "weekly": weekly}
        assert history.editions_on(connection, TODAY, NOW - HOUR) == {"daily": daily}
        assert history.editions_on(connection, TODAY - DAY, NOW) == {}


def test_a_readers_deliveries_come_with_their_editions_and_no_others(world: World) -> None:
    ann, bob = world.reader("ann"), world.reader("bob")
    old, new = world.edition(TODAY - DAY), world.edition(TODAY)
    first, second = world.mail(ann, old), world.mail(ann, new)
    world.mail(bob, new)
    with world.store.read() as connection:
        found = history.deliveries_of(connection, ann, NOW)
        assert [(row.id, row.edition_id, row.date, row.cadence) for row in found] == [
            (second, new, TODAY, "daily"),
            (first, old, TODAY - DAY, "daily"),
        ]
        assert [row.id for row in history.deliveries_of(connection, ann, NOW - DAY)] == [first]


def test_what_was_withdrawn_by_an_instant_is_told_with_its_former_ids(world: World) -> None:
    world.record(sighting("One", "arxiv:2601.00001"), sighting("Two", "arxiv:2601.00002"), sighting("Three", "doi:10.1/3"))
    one, two, three = (world.paper(key).id for key in ("arxiv:2601.00001", "arxiv:2601.00002", "doi:10.1/3"))
    with world.store.write() as connection:
        papers.set_hidden(connection, one, NOW)
    world.retract("arxiv:2601.00002", at=NOW + HOUR)
    with world.store.read() as connection:
        assert history.withdrawn_by(connection, [one, two, three], NOW - HOUR) == set()
        assert history.withdrawn_by(connection, [one, two, three], NOW) == {one}
        assert history.withdrawn_by(connection, [one, two, three], NOW + HOUR) == {one, two}
        assert history.withdrawn_at(connection, one) == (NOW, None)
        assert history.withdrawn_at(connection, two) == (None, NOW + HOUR)
        assert history.withdrawn_at(connection, three) == (None, None)
    world.record(sighting("Three", "doi:10.1/3", "arxiv:2601.00001"))  # the first and the third turn out to be one
    with world.store.read() as connection:
        assert history.withdrawn_by(connection, [three], NOW) == {three}


def test_it_is_told_since_when_a_reader_is_active(world: World) -> None:
    ann = world.reader()
    with world.store.read() as connection:
        assert history.active_since(connection, ann) == LONG_AGO
