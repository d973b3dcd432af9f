from collections.abc import Sequence
from datetime import UTC, date, timedelta
from itertools import permutations

import pytest
from contract.world import HOUR, LONG_AGO, NOW, TODAY, World, sighting, together
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from digest.papers.identity import arxiv_id, doi, title_key
from digest.papers.model import Paper, Sighting
from digest.ranking.model import Candidate
from digest.store import papers
from digest.store.papers import Recorded
from digest.store.schema import paper as paper_table

DAY = timedelta(days=1)
ARXIV, OTHER, DOI = "arxiv:2511.04321", "arxiv:2511.00002", "doi:10.1234/abc.5"


def candidates(world: World, since: timedelta = 14 * DAY, now: timedelta = timedelta(0)) -> list[Candidate]:
    with world.store.read() as connection:
        return papers.candidates(connection, NOW + now - since, NOW + now)


def canonical(*spellings: str) -> list[str]:
    return [id_ for spelling in spellings if (id_ := arxiv_id(spelling) or doi(spelling))]


def test_a_paper_in_any_spelling_and_version_of_its_arxiv_id_is_one(world: World) -> None:
    spelled = ["2511.04321", "2511.04321v3", "https://arxiv.org/pdf/2511.04321v2.pdf", "10.48550/arXiv.2511.04321"]
    seen = [sighting("Sparse attention", *canonical(one), source=f"s{n}") for n, one in enumerate(spelled)]
    assert world.record(*seen) == Recorded(new=1, known=0, readings=0)
    assert world.record(*seen) == Recorded(new=0, known=1, readings=0)
    assert world.paper(ARXIV).key == ARXIV


def test_a_paper_in_any_spelling_of_its_doi_is_one(world: World) -> None:
    for one in ("10.1234/AbC.5", "https://doi.org/10.1234/abc.5", "doi:10.1234/ABC.5"):
        world.record(sighting(f"Title as {one} gives it", *canonical(one)))
    assert [paper.key for paper in world.papers()] == [DOI]


def test_two_papers_with_ids_of_their_own_are_two_though_they_have_one_title(world: World) -> None:
    world.record(sighting("Editorial", ARXIV, authors=["Ann Lee"]), sighting("Editorial", OTHER, authors=["Ann Lee"]))
    world.record(sighting("Editorial", DOI, authors=["Ann Lee"]))
    assert len(world.papers()) == 3


@pytest.mark.parametrize("one_call", [True, False])
@pytest.mark.parametrize("id_first", [True, False])
def test_a_sighting_without_an_id_is_known_by_title_and_author(world: World, id_first: bool, one_call: bool) -> None:
    named = sighting("Sparse  Attention!", ARXIV, authors=["Lee, Ann"])
    nameless = sighting("sparse attention", authors=["Ann Lee"])
    both = (named, nameless) if id_first else (nameless, named)
    if one_call:
        assert world.record(*both) == Recorded(new=1, known=0, readings=0)
    else:
        assert [world.record(one).new for one in both] == [1, 0]
    (found,) = world.papers()
    assert found.key == ARXIV


def test_another_first_author_makes_another_paper_and_none_makes_no_difference(world: World) -> None:
    world.record(sighting("Editorial", authors=["Ann Lee"]))
    assert world.record(sighting("Editorial", authors=["Bob Roe"])).new == 1
    assert world.record(sighting("Editorial")).new == 0
    assert len(world.papers()) == 2


def test_a_paper_that_was_first_seen_without_an_id_keeps_its_number_and_gets_the_better_name(world: World) -> None:
    world.record(sighting("Sparse attention", authors=["Ann Lee"]))
    (before,) = world.papers()
    assert before.key == title_key(before.work)
    world.record(sighting("Sparse attention", ARXIV, DOI, authors=["Ann Lee"]))
    (after,) = world.papers()
    assert (after.id, after.key) == (before.id, ARXIV)
    assert world.paper(DOI).id == world.paper(before.key).id == before.id


def test_a_sighting_without_an_id_finds_its_paper_though_another_source_names_another_author_first(world: World) -> None:
    plain = sighting("Sparse attention", authors=["Ann Lee"])
    world.record(plain)
    world.record(sighting("Sparse attention", ARXIV))
    world.record(sighting("Sparse attention", ARXIV, authors=["Bob Roe", "Ann Lee", "Cid Moe"]))
    assert world.record(plain) == Recorded(new=0, known=1, readings=0)


def test_titles_that_differ_only_beyond_what_a_key_can_hold_do_no_harm(world: World) -> None:
    long = "word " * 120
    world.record(sighting(long + "one"), sighting(long + "two"))
    assert world.record(sighting(long + "two")).new == 0


def two_that_are_one(world: World) -> tuple[Paper, Paper]:
    """Two papers that a third sighting will show to be one; the second was seen earlier, and knows more."""
    world.record(sighting("Sparse attention", ARXIV, readings={"votes": 3}))
    world.record(
        sighting("Sparse attention (v2)", DOI, at=NOW - DAY, source="s2", readings={"votes": 8}, abstract="We show it.")
    )
    return world.paper(ARXIV), world.paper(DOI)


def test_ids_that_turn_out_to_name_one_work_join_its_papers(world: World) -> None:
    one, other = two_that_are_one(world)
    assert world.record(sighting("Sparse attention", ARXIV, DOI)) == Recorded(new=0, known=1, readings=0)
    (joined,) = world.papers()
    assert (joined.id, joined.key, joined.former_ids) == (one.id, ARXIV, frozenset({other.id}))
    assert (joined.work.title, joined.work.abstract) == ("Sparse attention", "We show it.")
    assert joined.first_seen_at == NOW - DAY
    assert world.paper(ARXIV) == world.paper(DOI) == joined


def test_a_merge_takes_the_readings_along(world: World) -> None:
    one, other = two_that_are_one(world)
    world.record(sighting("Sparse attention", ARXIV, DOI, at=NOW + HOUR, readings={"votes": 5}))
    with world.store.read() as connection:
        taken = [(row.source, row.taken_at, row.value) for row in papers.readings_of(connection, one.id)]
        assert papers.readings_of(connection, other.id) == []
    assert taken == [("s2", NOW - DAY, 8), ("hf", NOW, 3), ("hf", NOW + HOUR, 5)]


def test_a_merge_of_readings_taken_at_one_time_keeps_one(world: World) -> None:
    world.record(sighting("A", ARXIV, readings={"votes": 3}), sighting("B", DOI, readings={"votes": 4}))
    world.record(sighting("A", ARXIV, DOI))
    with world.store.read() as connection:
        assert [row.value for row in papers.readings_of(connection, world.paper(ARXIV).id)] == [3]


def test_whoever_asks_for_a_former_number_gets_the_paper_that_it_is_now(world: World) -> None:
    one, other = two_that_are_one(world)
    third = sighting("A third of it", "openreview:x")
    world.record(third)
    last = world.paper("openreview:x")
    world.record(sighting("Sparse attention", DOI, "openreview:x"))
    world.record(sighting("Sparse attention", ARXIV, DOI))
    with world.store.read() as connection:
        joined = papers.by_id(connection, one.id)
        assert joined is not None
        assert joined.former_ids == {other.id, last.id}
        assert papers.by_id(connection, other.id) == papers.by_id(connection, last.id) == joined
        assert papers.by_id(connection, 10**6) is None
        family = {one.id, other.id, last.id}
        assert papers.families(connection) == dict.fromkeys(family, family)
        assert papers.aliases_of(connection, [one.id]) == {one.id: [ARXIV, DOI, "openreview:x"]}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_merge_within_one_collection_counts_the_work_once_in_whatever_order(world: World, order: Sequence[int]) -> None:
    seen = [
        sighting("Sparse attention", ARXIV, readings={"votes": 1}),
        sighting("Sparse attention", DOI, source="s2", readings={"votes": 2}),
        sighting("Sparse attention", ARXIV, DOI, source="s3", readings={"votes": 3}),
    ]
    assert world.record(*(seen[place] for place in order)) == Recorded(new=1, known=0, readings=3)
    (found,) = world.papers()
    assert found.key == ARXIV
    assert {key[0] for key in candidates(world)[0].readings} == {"hf", "s2", "s3"}


def test_a_merge_keeps_what_the_operator_decided(world: World) -> None:
    one, other = two_that_are_one(world)
    with world.store.write() as connection:
        papers.set_hidden(connection, other.id, NOW)
        papers.set_pinned(connection, other.id, NOW)
    world.record(sighting("Sparse attention", ARXIV, DOI))
    joined = world.paper(ARXIV)
    assert (joined.hidden, joined.pinned) == (True, True)
    with world.store.read() as connection:
        assert papers.hidden_among(connection, [one.id, other.id, 999]) == {one.id, other.id}
    with world.store.write() as connection:
        papers.set_hidden(connection, one.id, None)
    with world.store.read() as connection:
        assert papers.hidden_among(connection, [one.id, other.id]) == set()


def test_readings_are_kept_with_their_time_and_repeats_change_nothing(world: World) -> None:
    first = sighting("Sparse attention", ARXIV, readings={"votes": 3, "comments": 0})
    assert world.record(first).readings == 2
    assert world.record(first).readings == 0
    assert world.record(sighting("Sparse attention", ARXIV, readings={"votes": 99})).readings == 0
    assert world.record(sighting("Sparse attention", ARXIV, at=NOW + HOUR, readings={"votes": 5})).readings == 1
    with world.store.read() as connection:
        rows = papers.readings_of(connection, world.paper(ARXIV).id)
    assert [(row.metric, row.taken_at, row.value) for row in rows] == [
        ("comments", NOW, 0),
        ("votes", NOW, 3),
        ("votes", NOW + HOUR, 5),
    ]
    assert all(row.taken_at.tzinfo is UTC for row in rows)


def test_a_work_comes_back_as_it_went_in(world: World) -> None:
    full = sighting(
        "Zoë’s “Δ-nets” 🎓",
        ARXIV,
        authors=["Zoë Doe", "王芳"],
        abstract="It’s ≤ 5 %, he said.",
        categories=("cs.LG", "stat.ML"),
        keywords=("nets",),
        organization="Ünï",
        summary="Short.",
        summary_by="Hugging Face",
        published_at=LONG_AGO,
        listed_on=date(2026, 11, 20),
        links={"page": "https://x.example/ä?b=c", "pdf": "https://x.example/p.pdf"},
    )
    world.record(full)
    assert world.paper(ARXIV).work == full.work


def test_the_same_work_in_many_sightings_costs_no_more_papers_than_works(world: World) -> None:
    many = [sighting(f"Paper {n}", f"arxiv:2511.{n:05}", readings={"votes": n}) for n in range(1, 602)]
    assert world.record(*many) == Recorded(new=601, known=0, readings=601)
    assert world.record(*many) == Recorded(new=0, known=601, readings=0)


def test_papers_of_a_title_that_thousands_share_are_told_apart(world: World) -> None:
    many = [sighting("Editorial", f"arxiv:2511.{n:05}") for n in range(1, 3001)]
    assert world.record(*many) == Recorded(new=3000, known=0, readings=0)
    assert world.record(*many[:500]) == Recorded(new=0, known=500, readings=0)


def test_two_collections_at_once_make_each_paper_once(world: World) -> None:
    many = [sighting(f"Paper {n}", f"arxiv:2511.{n:05}", readings={"votes": n}) for n in range(1, 40)]
    found = together(*[lambda: world.record(*many) for _ in range(4)])
    assert sorted(one.new for one in found) == [0, 0, 0, 39]
    assert sum(one.readings for one in found) == 39
    assert len(world.papers()) == 39


def at(days: float) -> Sighting:
    number = int(days * 1000) + 50_000
    return sighting(f"Paper {number}", f"arxiv:2511.{number}", at=NOW + days * DAY, readings={"votes": 1})


def test_candidates_are_the_papers_of_the_window_and_none_of_the_future(world: World) -> None:
    seen = {days: at(days) for days in (-15, -14, -13.9, -1, 0, 0.1, 3)}
    world.record(*seen.values())
    assert {one.paper.work.title for one in candidates(world)} == {seen[days].work.title for days in (-13.9, -1, 0)}
    assert [one.paper.id for one in candidates(world)] == sorted(one.paper.id for one in candidates(world))


def test_candidates_have_every_reading_until_now_in_order_and_none_later(world: World) -> None:
    for hours in (5, -3, 0, -1):
        world.record(sighting("Sparse attention", ARXIV, at=NOW + hours * HOUR, readings={"votes": 10 + hours, "rank": 1}))
    (one,) = candidates(world)
    votes = [(NOW - 3 * HOUR, 7), (NOW - HOUR, 9), (NOW, 10)]
    assert one.readings == {("hf", "votes"): votes, ("hf", "rank"): [(at_, 1) for at_, _ in votes]}


def test_a_paper_first_seen_in_the_future_is_no_candidate_of_a_day_lived_again(world: World) -> None:
    world.record(sighting("Sparse attention", ARXIV, at=NOW + HOUR))
    assert candidates(world) == []
    assert [one.paper.key for one in candidates(world, now=2 * HOUR)] == [ARXIV]


def test_a_hidden_paper_is_no_candidate_until_it_is_given_back(world: World) -> None:
    world.record(sighting("A", ARXIV), sighting("B", OTHER))
    hidden = world.paper(ARXIV)
    with world.store.write() as connection:
        papers.set_hidden(connection, hidden.id, NOW)
    assert [one.paper.key for one in candidates(world)] == [OTHER]
    assert world.paper(ARXIV).hidden
    with world.store.write() as connection:
        papers.set_hidden(connection, hidden.id, None)
    assert len(candidates(world)) == 2


def test_candidates_know_their_former_ids_and_whether_they_are_pinned(world: World) -> None:
    one, other = two_that_are_one(world)
    world.record(sighting("Sparse attention", ARXIV, DOI))
    with world.store.write() as connection:
        papers.set_pinned(connection, one.id, NOW)
    (candidate,) = candidates(world)
    assert (candidate.paper.id, candidate.paper.former_ids, candidate.paper.pinned) == (one.id, frozenset({other.id}), True)


def test_a_list_is_the_newest_first(world: World) -> None:
    world.record(sighting("Sparse attention", ARXIV), sighting("Attention is sparse", OTHER, at=NOW + HOUR))
    with world.store.read() as connection:
        assert [one.key for one in papers.listed(connection)] == [OTHER, ARXIV]
        assert [one.key for one in papers.listed(connection, limit=1)] == [OTHER]


def test_a_retracted_paper_is_no_candidate_any_more_but_is_kept(world: World) -> None:
    world.record(sighting("A", ARXIV, DOI), sighting("B", OTHER))
    assert world.retract(DOI, "arxiv:2511.09999") == 1
    assert world.retract(ARXIV, DOI) == 0
    assert [one.paper.key for one in candidates(world)] == [OTHER]
    assert [one.retracted for one in (world.paper(ARXIV), world.paper(OTHER))] == [True, False]
    with world.store.read() as connection:
        assert papers.hidden_among(connection, [1, 2, 99]) == {world.paper(ARXIV).id}
    world.record(sighting("A", ARXIV, at=NOW + HOUR))
    assert world.paper(ARXIV).retracted


def test_a_paper_given_back_by_the_operator_stays_retracted(world: World) -> None:
    world.record(sighting("A", ARXIV))
    world.retract(ARXIV)
    with world.store.write() as connection:
        papers.set_hidden(connection, world.paper(ARXIV).id, None)
    assert candidates(world) == []


def test_a_collection_that_fails_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(StatementError, match="no zone"):
        world.record(sighting("A", ARXIV), sighting("B", OTHER, at=NOW.replace(tzinfo=None)))
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(paper_table)).scalar_one() == 0


def test_an_undated_paper_is_as_old_as_its_first_sighting(world: World) -> None:
    world.record(sighting("A", ARXIV), sighting("A", ARXIV, at=NOW - 2 * DAY), sighting("B", OTHER, listed_on=TODAY - 5 * DAY))
    assert world.paper(ARXIV).day == TODAY - 2 * DAY
    assert world.paper(OTHER).day == TODAY - 5 * DAY
