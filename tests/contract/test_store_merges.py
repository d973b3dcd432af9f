"""Ids and titles that turn out to name one work: whatever the order, one paper, and nobody gets it twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, pairwise, permutations

import pytest
from contract.world import HOUR, NOW, TODAY, World, sighting
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.edition.compose import Taste
from digest.flows import drafts
from digest.papers.model import Paper, Sighting
from digest.ranking.select import Selection
from digest.store import deliveries, editions, papers
from digest.subscribers import seen

DAY = timedelta(days=1)
ARXIV, OTHER, DOI, OTHER_DOI = "arxiv:2511.04321", "arxiv:2511.00002", "doi:10.1234/abc.5", "doi:10.1234/other"
TITLE = "Sparse attention for long texts"
IN_ONE_DATABASE = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def known(world: World, *ids: str) -> set[int]:
    """The numbers that these ids lead to."""
    return {world.paper(id_).id for id_ in ids}


def picked(world: World, edition: int, reader: int) -> list[int]:
    """What a reader would get of an edition now."""
    with world.store.read() as connection:
        who = deliveries.readers(connection, [reader])[reader]
        issue = editions.load(connection, edition)
    return [pick.paper_id for pick in drafts.for_reader(world.store, NOW, issue, Taste(), Selection(floor=0), who)]


def got(*numbers: int) -> str:
    return seen.segment(TODAY - DAY, numbers)


# By title


def test_one_title_and_first_author_under_an_arxiv_id_and_a_doi_is_one_paper(world: World) -> None:
    world.record(sighting(TITLE, ARXIV, authors=["Ann Lee", "Bob Roe"], readings={"votes": 3}))
    world.record(sighting("Sparse Attention for Long Texts.", DOI, authors=["Lee, A."], source="s2", readings={"citations": 1}))
    (paper,) = world.papers()
    assert (paper.key, paper.former_ids) == (ARXIV, frozenset())
    assert known(world, ARXIV, DOI) == {paper.id}
    with world.store.read() as connection:
        assert {row.source for row in papers.readings_of(connection, paper.id)} == {"hf", "s2"}


def test_a_title_in_tex_and_in_unicode_is_one(world: World) -> None:
    world.record(sighting(r"Schr\"odinger bridges for $\alpha$-flows", ARXIV, authors=[r"Zo\"e Doe"]))
    world.record(sighting("Schrödinger Bridges for α-Flows", DOI, authors=["Doe, Zoë"]))
    assert len(world.papers()) == 1


@pytest.mark.parametrize("ids", [(ARXIV, OTHER), (DOI, OTHER_DOI)])
def test_two_ids_of_one_strong_scheme_are_two_papers_whatever_their_title(world: World, ids: tuple[str, str]) -> None:
    world.record(*(sighting(TITLE, id_, authors=["Ann Lee"]) for id_ in ids))
    assert len(known(world, *ids)) == 2


def test_a_paper_that_has_an_id_of_that_scheme_already_takes_no_second_one_by_title(world: World) -> None:
    world.record(sighting(TITLE, ARXIV, DOI, authors=["Ann Lee"]), sighting(TITLE, OTHER_DOI, authors=["Ann Lee"]))
    assert len(known(world, DOI, OTHER_DOI)) == 2


def test_what_an_index_or_a_feed_lists_is_found_by_its_title(world: World) -> None:
    world.record(sighting(TITLE, ARXIV))
    for id_ in ("s2:1", "openalex:W1", "feed:news:1", "feed:news:2"):
        assert world.record(sighting(TITLE, id_)).new == 0
    assert len(known(world, ARXIV, "s2:1", "feed:news:2")) == 1


def test_an_author_told_later_shows_that_two_papers_are_one(world: World) -> None:
    world.record(sighting(TITLE, ARXIV, readings={"votes": 3}), sighting(TITLE, DOI, authors=["Ann Lee"]))
    older, younger = world.paper(ARXIV).id, world.paper(DOI).id
    assert older != younger
    world.record(sighting(TITLE, ARXIV, authors=["Ann Lee"]))
    (paper,) = world.papers()
    assert (paper.id, paper.former_ids) == (older, {younger})


def test_a_paper_known_by_its_title_joins_two_that_have_ids(world: World) -> None:
    world.record(sighting(TITLE, ARXIV, authors=["Ann Lee"]))
    world.record(sighting("Another title", DOI, authors=["Ann Lee"]))
    world.record(sighting(TITLE, DOI, authors=["Ann Lee"]))
    assert len(world.papers()) == 1


@pytest.mark.parametrize("one_call", [True, False])
def test_a_paper_joined_by_title_keeps_away_what_either_of_the_two_kept_away(world: World, one_call: bool) -> None:
    shown = [
        sighting(TITLE, ARXIV),
        sighting(TITLE, DOI, authors=["Ann Lee"]),
        sighting(TITLE, ARXIV, authors=["Ann Lee"]),
        sighting(TITLE, OTHER_DOI, authors=["Ann Lee"]),
    ]
    in_batches(world, shown, () if one_call else range(4))
    assert known(world, ARXIV, DOI) == {world.paper(ARXIV).id}
    assert len(known(world, DOI, OTHER_DOI)) == 2


@pytest.mark.parametrize("one_call", [True, False])
def test_what_is_told_of_a_paper_after_it_was_joined_is_not_lost(world: World, one_call: bool) -> None:
    world.record(sighting("One", ARXIV), sighting("One by its DOI", DOI))
    shown = [sighting("One", ARXIV, DOI), sighting("One by its DOI", DOI, abstract="We show it.", readings={"votes": 3})]
    in_batches(world, shown, () if one_call else range(2))
    paper = world.paper(DOI)
    assert (paper.key, paper.work.abstract) == (ARXIV, "We show it.")
    with world.store.read() as connection:
        assert len(papers.readings_of(connection, paper.id)) == 1


# Sightings that announce nothing


def test_a_revision_adds_to_a_known_paper_and_makes_none(world: World) -> None:
    revision = sighting(TITLE, ARXIV, DOI, announces=False, abstract="We show it.", readings={"citations": 2})
    assert world.record(revision) == papers.Recorded(new=0, known=0, readings=0, passed_over=1)
    assert world.papers() == []
    world.record(sighting(TITLE, ARXIV))
    assert world.record(revision) == papers.Recorded(new=0, known=1, readings=1, passed_over=0)
    assert world.paper(DOI).work.abstract == "We show it."


def test_a_revision_beside_its_announcement_is_known_whichever_comes_first(world: World) -> None:
    both = (sighting(TITLE, ARXIV, announces=False, readings={"votes": 3}), sighting(TITLE, ARXIV))
    assert world.record(*both) == papers.Recorded(new=1, known=0, readings=1)


def test_a_look_up_may_find_its_paper_by_title_and_join_two(world: World) -> None:
    world.record(sighting(TITLE, ARXIV, authors=["Ann Lee"]), sighting("Other", OTHER_DOI))
    found = sighting(TITLE, DOI, authors=["A. Lee"], announces=False)
    assert world.record(found, sighting("Nobody knows this one", "s2:9", announces=False)).passed_over == 1
    assert known(world, ARXIV, DOI) == {world.paper(ARXIV).id}
    world.record(sighting("Other", ARXIV, OTHER_DOI, announces=False))
    assert len(world.papers()) == 1


# Any order


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_chain_of_ids_ends_in_one_paper_in_whatever_order_its_links_are_told(world: World, order: Sequence[int]) -> None:
    ids = [ARXIV, DOI, "openreview:x", "s2:7", "openalex:W9"]
    world.record(*(sighting(f"Title {n}", id_, readings={"votes": n}, source=f"s{n}") for n, id_ in enumerate(ids)))
    before = known(world, *ids)
    for place in order:
        world.record(sighting(f"Link {place}", ids[place], ids[place + 1]))
    (paper,) = world.papers()
    assert {paper.id} | paper.former_ids == before
    with world.store.read() as connection:
        assert papers.families(connection) == dict.fromkeys(before, before)
        assert papers.aliases_of(connection, before) == {paper.id: sorted(ids)}
        assert len(papers.readings_of(connection, paper.id)) == 5
        assert all(papers.by_id(connection, number) == paper for number in before)


def test_a_cycle_of_ids_ends_in_one_paper(world: World) -> None:
    ids = [ARXIV, DOI, "openreview:x"]
    world.record(*(sighting(f"Title {n}", id_) for n, id_ in enumerate(ids)))
    for one, other in zip(ids, [*ids[1:], ids[0]], strict=True):
        world.record(sighting("Link", one, other))
    assert len(world.papers()) == 1
    assert world.record(sighting("Link", *ids)) == papers.Recorded(new=0, known=1, readings=0)


def in_batches(world: World, sightings: Sequence[Sighting], cuts: Iterable[int]) -> None:
    places = [0, *sorted(cut % (len(sightings) + 1) for cut in cuts), len(sightings)]
    for start, end in pairwise(places):
        world.record(*sightings[start:end])


@dataclass
class Parts:
    """Ids that were told together belong together."""

    ids: list[set[str]]

    @classmethod
    def of(cls, told: Iterable[Iterable[str]]) -> "Parts":
        parts: list[set[str]] = []
        for ids in map(set, told):
            near = [part for part in parts if part & ids]
            parts = [part for part in parts if not part & ids] + [ids.union(*near)]
        return cls(parts)


def parts_in(world: World, ids: Iterable[str]) -> list[set[str]]:
    by_paper: dict[int, set[str]] = {}
    for id_ in ids:
        by_paper.setdefault(world.paper(id_).id, set()).add(id_)
    return list(by_paper.values())


def test_the_same_sightings_end_in_the_same_papers_in_any_order(world: World) -> None:
    examples = count()
    told = st.lists(st.sets(st.integers(0, 6), min_size=1, max_size=3), min_size=1, max_size=8)

    @IN_ONE_DATABASE
    @given(told, st.lists(st.integers(0, 8), max_size=3))
    def check(told: list[set[int]], cuts: list[int]) -> None:
        example = next(examples)
        spelled = [{f"openreview:{example}-{n}" for n in numbers} for numbers in told]
        shown = [sighting(f"{example} {n}", *sorted(ids), readings={"votes": n}) for n, ids in enumerate(spelled)]
        in_batches(world, shown, cuts)
        parts = parts_in(world, set().union(*spelled))
        assert sorted(map(sorted, parts)) == sorted(map(sorted, Parts.of(spelled).ids))

    check()


@st.composite
def works(draw: st.DrawFn) -> list[tuple[int, set[str], str]]:
    """What is shown of up to three works: which, under which of its ids (or none), and how its title is spelled."""
    shown = []
    for _ in range(draw(st.integers(1, 9))):
        ids = draw(st.sets(st.sampled_from(["arxiv", "doi", "openreview", "s2", "feed", "openalex"]), max_size=2))
        spelling = draw(
            st.sampled_from(['Schr\\"odinger nets of kind {}', "SCHRÖDINGER nets, of kind {}!", "Schrodinger Nets of Kind {}"])
        )
        shown.append((draw(st.integers(0, 2)), ids, spelling))
    return shown


def test_every_sighting_of_a_work_ends_in_one_paper_and_no_two_works_in_one(world: World) -> None:
    examples = count()

    @IN_ONE_DATABASE
    @given(works(), st.lists(st.integers(0, 9), max_size=3))
    def check(shown: list[tuple[int, set[str], str]], cuts: list[int]) -> None:
        example = next(examples)

        def one(work: int, schemes: set[str], spelling: str) -> Sighting:
            ids = sorted(f"{scheme}:{example}-{work}" for scheme in schemes)
            return sighting(spelling.format(f"{example} {work}"), *ids, authors=[f"Ann Lee{work} Jr."])

        in_batches(world, [one(*each) for each in shown], cuts)
        for work in {work for work, _, _ in shown}:
            told = {f"{scheme}:{example}-{work}" for other, ids, _ in shown for scheme in ids if other == work}
            assert len(parts_in(world, told)) == bool(told)
        made = [paper for paper in world.papers() if f"kind {example} " in paper.work.title.lower()]
        assert len(made) == len({work for work, _, _ in shown})

    check()


# What hangs on a paper


@pytest.mark.parametrize("retracted", [ARXIV, DOI])
def test_a_paper_that_was_retracted_under_one_id_stays_so_when_it_is_merged(world: World, retracted: str) -> None:
    world.record(sighting("One", ARXIV), sighting("One by its DOI", DOI))
    both = known(world, ARXIV, DOI)
    assert world.retract(retracted) == 1
    world.record(sighting("One", ARXIV, DOI))
    assert world.paper(ARXIV).retracted
    with world.store.read() as connection:
        assert papers.candidates(connection, NOW - DAY, NOW) == []
        assert papers.hidden_among(connection, both) == both


@pytest.mark.parametrize("decided", [ARXIV, DOI])
def test_what_the_operator_decided_about_either_he_decided_about_both(world: World, decided: str) -> None:
    world.record(sighting("One", ARXIV), sighting("One by its DOI", DOI))
    with world.store.write() as connection:
        papers.set_hidden(connection, world.paper(decided).id, NOW)
        papers.set_pinned(connection, world.paper(decided).id, NOW)
    world.record(sighting("One", ARXIV, DOI))
    assert (world.paper(ARXIV).hidden, world.paper(ARXIV).pinned) == (True, True)


# What readers got


def two(world: World) -> tuple[Paper, Paper]:
    """Two papers, the older first."""
    world.record(sighting("One", ARXIV, readings={"votes": 9}))
    world.record(sighting("One by its DOI", DOI, source="s2", readings={"votes": 2}))
    return world.paper(ARXIV), world.paper(DOI)


def join(world: World) -> None:
    world.record(sighting("One", ARXIV, DOI, at=NOW + HOUR))


@pytest.mark.parametrize("had", [0, 1], ids=["got the older", "got the younger"])
@pytest.mark.parametrize("named", [0, 1], ids=["the older is next", "the younger is next"])
@pytest.mark.parametrize("late", [True, False], ids=["merged after freezing", "merged before"])
def test_a_reader_who_got_a_paper_never_gets_it_under_its_other_number(world: World, had: int, named: int, late: bool) -> None:
    both = two(world)
    ann, bob = world.reader("ann", seen=got(both[had].id)), world.reader("bob")
    if not late:
        join(world)
    issue = world.edition(papers=[both[named].id])
    if late:
        assert picked(world, issue, ann) == ([] if had == named else [both[named].id])
        join(world)
    assert picked(world, issue, ann) == []
    assert picked(world, issue, bob) == [both[named].id]


@pytest.mark.parametrize("first", [0, 1])
def test_an_edition_that_names_a_paper_twice_shows_it_once(world: World, first: int) -> None:
    both = two(world)
    issue = world.edition(papers=[both[first].id, both[1 - first].id])
    reader = world.reader()
    assert len(picked(world, issue, reader)) == 2
    join(world)
    assert picked(world, issue, reader) == [both[first].id]


@pytest.mark.parametrize("had", [0, 1])
@pytest.mark.parametrize("state", ["submitting", "in_doubt", "held"])
def test_what_is_on_its_way_under_one_number_counts_for_the_other(world: World, had: int, state: str) -> None:
    both = two(world)
    reader = world.reader()
    yesterday = world.edition(TODAY - DAY, papers=[both[had].id])
    world.mail(reader, yesterday, state=state, picks=[[both[had].id, 0]])
    issue = world.edition(papers=[both[1 - had].id])
    assert picked(world, issue, reader) == [both[1 - had].id]
    join(world)
    assert picked(world, issue, reader) == []


@pytest.mark.parametrize("hidden", [0, 1])
@pytest.mark.parametrize("retracts", [True, False])
def test_a_paper_withdrawn_under_one_number_is_withdrawn_from_editions_that_name_the_other(
    world: World, hidden: int, retracts: bool
) -> None:
    both = two(world)
    issue = world.edition(papers=[both[0].id, both[1].id])
    if retracts:
        world.retract(both[hidden].key)
    else:
        with world.store.write() as connection:
            papers.set_hidden(connection, both[hidden].id, NOW)
    reader = world.reader()
    assert picked(world, issue, reader) == [both[1 - hidden].id]
    join(world)
    assert picked(world, issue, reader) == []


@pytest.mark.parametrize("order", list(permutations(range(2))))
@pytest.mark.parametrize("had", range(3))
def test_a_reader_who_got_any_of_a_chain_of_papers_gets_none_of_the_others(
    world: World, had: int, order: Sequence[int]
) -> None:
    ids = [ARXIV, DOI, "openreview:x"]
    world.record(*(sighting(f"Title {n}", id_) for n, id_ in enumerate(ids)))
    numbers = [world.paper(id_).id for id_ in ids]
    before = world.edition(TODAY - DAY, papers=numbers)
    for place in order:
        world.record(sighting("Link", ids[place], ids[place + 1]))
    after = world.edition(papers=[world.paper(ARXIV).id])
    ann, bob = world.reader("ann", seen=got(numbers[had])), world.reader("bob")
    assert picked(world, before, ann) == picked(world, after, ann) == []
    assert len(picked(world, before, bob)) == len(picked(world, after, bob)) == 1
