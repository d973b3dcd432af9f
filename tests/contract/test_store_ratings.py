from datetime import timedelta
from typing import get_args

from contract.world import NOW, World, sighting
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from digest.papers.model import Work
from digest.store import ratings, subscribers
from digest.store.schema import interest, subscriber
from digest.subscribers.model import Interest

LATER = NOW + timedelta(hours=1)
SPARSE, DENSE = "arxiv:2511.00001", "arxiv:2511.00002"


def rate(world: World, reader: int, key: str, rating: ratings.Rating | None, at: int = 0, work: Work | None = None) -> bool:
    """Rate a paper, so many minutes after eight."""
    with world.store.write() as connection:
        works = {key: work} if work else {}
        return bool(ratings.rate_all(connection, reader, {key: rating}, NOW + timedelta(minutes=at), works))


def rated(world: World, reader: int, at: int = 60) -> list[tuple[str, str]]:
    with world.store.read() as connection:
        found = subscribers.interests(connection, [reader], NOW + timedelta(minutes=at)).get(reader, ())
    return [(one.kind, one.value) for one in found]


def works(world: World, *keys: str) -> dict[str, str]:
    """The titles of papers."""
    with world.store.read() as connection:
        return {key: work.title for key, work in ratings.works_of(connection, keys).items()}


def test_the_last_word_about_a_paper_counts_and_what_was_said_before_stays_on_record(world: World) -> None:
    reader = world.reader()
    assert rate(world, reader, SPARSE, "liked")
    assert not rate(world, reader, SPARSE, "liked", 1)
    assert rate(world, reader, SPARSE, "disliked", 2)
    assert rate(world, reader, SPARSE, None, 3)
    assert not rate(world, reader, SPARSE, None, 4)
    assert [rated(world, reader, at) for at in (1, 2, 3)] == [[("liked", SPARSE)], [("disliked", SPARSE)], []]
    with world.store.read() as connection:
        rows = connection.execute(select(interest.c.kind, interest.c.valid_to).order_by(interest.c.id)).all()
    assert rows == [("liked", NOW + timedelta(minutes=2)), ("disliked", NOW + timedelta(minutes=3))]


def test_a_paper_that_was_rated_under_another_of_its_ids_is_the_same_paper(world: World) -> None:
    reader = world.reader()
    world.record(sighting("Sparse attention", SPARSE, "doi:10.1/sparse"))
    rate(world, reader, "doi:10.1/sparse", "liked")
    assert not rate(world, reader, SPARSE, "liked", 1)
    assert rate(world, reader, SPARSE, "disliked", 2)
    assert rated(world, reader) == [("disliked", SPARSE)]


def test_papers_that_turn_out_to_be_one_are_rated_as_one_from_then_on(world: World) -> None:
    reader = world.reader()
    world.record(sighting("Sparse attention", SPARSE, authors=["Ann Lee"]), sighting("Dense", "doi:10.1/sparse"))
    rate(world, reader, SPARSE, "liked")
    rate(world, reader, "doi:10.1/sparse", "disliked", 1)
    world.record(sighting("Sparse attention", SPARSE, "doi:10.1/sparse"))
    assert rate(world, reader, SPARSE, None, 2)
    assert rated(world, reader) == []


def test_many_papers_are_rated_at_once_and_topics_stay(world: World) -> None:
    reader, other = world.reader("ann"), world.reader("bob")
    topic = Interest("topic", "graphs")
    with world.store.write() as connection:
        subscribers.append_interests(connection, [(reader, topic)], NOW)
        both: dict[str, ratings.Rating | None] = {SPARSE: "liked", DENSE: "disliked", "doi:10.1/x": None}
        assert ratings.rate_all(connection, reader, both, NOW) == [SPARSE, DENSE]
        assert ratings.rate_all(connection, reader, {SPARSE: "liked", DENSE: "liked"}, LATER) == [DENSE]
    assert rated(world, reader) == [("topic", "graphs"), ("liked", SPARSE), ("liked", DENSE)]
    assert rated(world, other) == []


def test_a_rated_paper_is_told_by_the_sources_or_else_as_the_reader_brought_it(world: World) -> None:
    reader = world.reader()
    world.record(sighting("Sparse attention", SPARSE, "doi:10.1/sparse"))
    rate(world, reader, SPARSE, "liked", work=Work("as in his library"))
    rate(world, reader, DENSE, "liked", work=Work("Dense retrieval", "In tiers."))
    rate(world, reader, "doi:10.1/unknown", "liked")
    assert works(world, SPARSE, "doi:10.1/sparse", DENSE, "doi:10.1/unknown") == {
        SPARSE: "Sparse attention",
        "doi:10.1/sparse": "Sparse attention",
        DENSE: "Dense retrieval",
    }
    world.record(sighting("Dense retrieval in three tiers", DENSE))
    assert works(world, DENSE) == {DENSE: "Dense retrieval in three tiers"}


def test_the_id_of_a_merged_paper_leads_to_the_paper_that_it_is_now(world: World) -> None:
    world.record(sighting("Sparse attention", SPARSE), sighting("Attention, sparsely", "doi:10.1/sparse"))
    world.record(sighting("Sparse attention", SPARSE, "doi:10.1/sparse"))
    assert len(set(works(world, "doi:10.1/sparse", SPARSE).values())) == 1
    assert works(world, "doi:10.1/sparse").keys() == {"doi:10.1/sparse"}


def test_what_nobody_knows_is_asked_for_until_it_is_kept(world: World) -> None:
    reader, other, left = world.reader("ann"), world.reader("bob"), world.reader("zoe")
    world.record(sighting("Sparse attention", SPARSE))
    for who in (reader, other):
        rate(world, who, SPARSE, "liked")
        rate(world, who, DENSE, "liked")
    rate(world, left, "arxiv:2511.00009", "liked")
    rate(world, left, "arxiv:2511.00009", None, 1)
    with world.store.write() as connection:
        assert ratings.without_work(connection, 9) == [DENSE]
        assert ratings.without_work(connection, 0) == []
        assert ratings.keep_works(connection, {DENSE: Work("Dense retrieval"), SPARSE: Work("x")}) == 2
        assert ratings.without_work(connection, 9) == []
    assert works(world, DENSE, SPARSE) == {DENSE: "Dense retrieval", SPARSE: "Sparse attention"}


def test_papers_that_he_rated_are_known_to_a_reader_by_number(world: World) -> None:
    ann, bob = world.reader("ann"), world.reader("bob")
    world.record(sighting("Sparse attention", SPARSE, "doi:10.1/sparse"), sighting("Dense retrieval", DENSE))
    rate(world, ann, "doi:10.1/sparse", "liked")
    rate(world, ann, DENSE, "disliked")
    rate(world, bob, "arxiv:2511.00007", "liked")
    with world.store.read() as connection:
        found = ratings.papers_rated(connection, subscribers.interests(connection, [ann, bob], LATER))
        assert found == {ann: {world.paper(SPARSE).id, world.paper(DENSE).id}}


def test_the_longest_id_of_a_paper_can_be_rated(world: World) -> None:
    reader, key = world.reader(), "title:" + "x" * 514
    assert rate(world, reader, key, "liked")
    assert rated(world, reader) == [("liked", key)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(
        st.tuples(st.sampled_from([SPARSE, "doi:10.1/sparse", DENSE]), st.sampled_from([*get_args(ratings.Rating), None])),
        max_size=12,
    )
)
def test_whatever_was_said_in_whatever_order_one_opinion_of_a_paper_stands(
    world: World, said: list[tuple[str, ratings.Rating | None]]
) -> None:
    world.record(sighting("Sparse attention", SPARSE, "doi:10.1/sparse"))
    with world.store.write() as connection:
        connection.execute(interest.delete())
    reader = _reader(world)
    last: dict[str, ratings.Rating | None] = {}
    for at, (key, rating) in enumerate(said):
        paper = DENSE if key == DENSE else SPARSE
        assert rate(world, reader, key, rating, at) == (last.get(paper) != rating)
        last[paper] = rating
    standing = {DENSE if key == DENSE else SPARSE: kind for kind, key in rated(world, reader)}
    assert standing == {paper: rating for paper, rating in last.items() if rating}
    assert len(rated(world, reader)) == len(standing)


def _reader(world: World) -> int:
    """One that is there from the example before, or a new one."""
    with world.store.read() as connection:
        known = connection.execute(select(subscriber.c.id)).scalars().first()
    return known or world.reader()
