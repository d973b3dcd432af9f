"""What holds for any edition and any readers."""

import random
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.editions import WORDS, Reader, any_edition, any_reader, rows_of

from digest.edition.compose import Composer, Taste
from digest.edition.explanation import Explanation
from digest.edition.model import Edition, Pick
from digest.ranking.select import Selection

MODEST = settings(max_examples=60, derandomize=True, deadline=None)
OPTIONS = st.builds(Selection, st.sampled_from([0.0, 3.0]), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 2))
EDITIONS = st.builds(any_edition, st.integers(0, 10_000), st.sampled_from([1, 7, 60, 150]))
FEW = st.builds(any_edition, st.integers(0, 10_000), st.sampled_from([1, 7, 60]))
"""More than anybody gets, for where each entry is asked about."""
READERS = st.lists(st.builds(any_reader, st.integers(0, 10**6)), min_size=1, max_size=6)


def one_paper(issue: Edition) -> dict[int, int]:
    """By any id a paper ever had, the lowest id of it: entries that share an id are one."""
    family = {id_: id_ for entry in issue.entries for id_ in (entry.paper_id, *entry.former_ids)}
    for _ in range(len(family)):
        before = dict(family)
        for entry in issue.entries:
            ids = (entry.paper_id, *entry.former_ids)
            lowest = min(family[id_] for id_ in ids)
            family.update(dict.fromkeys(ids, lowest))
        if family == before:
            break
    return family


@given(EDITIONS, READERS, OPTIONS, st.randoms(use_true_random=False))
@MODEST
def test_a_reader_gets_the_same_whoever_is_chosen_for_beside_him(
    issue: Edition, readers: Sequence[Reader], options: Selection, draw: random.Random
) -> None:
    composer = Composer(issue, rows_of(issue), options)
    alone = [composer.picks(taste, seen) for taste, seen in readers]
    assert composer.choose(readers) == alone
    order = list(range(len(readers)))
    draw.shuffle(order)
    cut = draw.randint(0, len(order))
    mixed = [readers[n] for n in order]
    again = Composer(issue, rows_of(issue), options)
    assert again.choose(mixed[:cut]) + again.choose(mixed[cut:]) == [alone[n] for n in order]
    arrays = [(taste, np.array(sorted(seen), np.int64)) for taste, seen in readers]
    assert composer.choose(arrays) == alone


@given(EDITIONS, READERS, OPTIONS, st.frozensets(st.integers(1, 1500), max_size=200))
@MODEST
def test_nobody_gets_what_he_got_or_muted_or_what_is_hidden_nor_one_paper_twice_nor_more_than_he_wants(
    issue: Edition, readers: Sequence[Reader], options: Selection, hidden: frozenset[int]
) -> None:
    family = one_paper(issue)
    entries = {entry.paper_id: entry for entry in issue.entries}
    for (taste, seen), picks in zip(readers, Composer(issue, rows_of(issue), options).choose(readers, hidden), strict=True):
        papers = [family[pick.paper_id] for pick in picks]
        assert len(set(papers)) == len(papers) <= taste.cards + taste.also
        assert not set(papers) & {family.get(id_) for id_ in seen | hidden}
        sections = [pick.section for pick in picks]
        assert sections == ["card"] * min(taste.cards, len(picks)) + ["also"] * max(0, len(picks) - taste.cards)
        muted = {interest.value for interest in taste.interests if interest.kind == "mute"}
        for entry in (entries[pick.paper_id] for pick in picks):
            assert not ("graph" in muted and "graph" in f"{entry.work.title} {entry.work.abstract}".split())
            assert not ("B. Berg" in muted and "Bo Berg" in entry.work.authors)
            assert pick_is_honest(picks, taste)


def pick_is_honest(picks: Sequence[Pick], taste: Taste) -> bool:
    """Every reason names something that the reader has."""
    his = {(interest.kind, interest.value) for interest in taste.interests} | {
        (one.kind, one.label) for one in taste.profile.facets
    }
    return all((pick.how, pick.matched) in his or (pick.how in ("", "explore") and not pick.matched) for pick in picks)


@given(EDITIONS, READERS, st.sampled_from([0.0, 3.0]))
@MODEST
def test_a_share_of_nothing_is_the_order_of_the_edition(issue: Edition, readers: Sequence[Reader], floor: float) -> None:
    for taste, seen in readers:
        alone = Taste(taste.profile, taste.interests, 0.0, taste.cards, taste.also, taste.seed)
        picks = Composer(issue, rows_of(issue), Selection(floor, 0.0, 2)).picks(alone, seen)
        ranks = {entry.paper_id: entry.rank for entry in issue.entries}
        order = [ranks[pick.paper_id] for pick in picks]
        assert order == sorted(order)


@given(FEW, READERS, st.sampled_from([0.0, 0.5]))
@MODEST
def test_a_share_of_one_is_his_own_before_anything_else(issue: Edition, readers: Sequence[Reader], diversity: float) -> None:
    composer = Composer(issue, rows_of(issue), Selection(0.0, diversity, 0))
    for taste, seen in readers:
        whole = Taste(taste.profile, taste.interests, 1.0, taste.cards, taste.also, taste.seed)
        picks = composer.picks(whole, seen)
        own = [composer.explain(whole, seen, (), pick.paper_id, WORDS).slot != "" for pick in picks]
        pinned = composer.explain(whole, seen, (), picks[0].paper_id, WORDS).strength == 1.0 if picks else False
        assert own[pinned:] == sorted(own[pinned:], reverse=True)


@given(FEW, READERS, OPTIONS, st.frozensets(st.integers(1, 600), max_size=50))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_every_entry_is_explained_and_as_it_was_chosen(
    issue: Edition, readers: Sequence[Reader], options: Selection, hidden: frozenset[int]
) -> None:
    composer = Composer(issue, rows_of(issue), options)
    family = one_paper(issue)
    for taste, seen in readers[:2]:
        picks = composer.picks(taste, seen, hidden)
        at = {family[pick.paper_id]: place for place, pick in enumerate(picks, 1)}
        for entry in issue.entries:
            told = composer.explain(taste, seen, hidden, entry.paper_id, WORDS)
            mine = family[entry.paper_id]
            assert told.place == at.get(mine, 0)
            assert told.picks == len(picks)
            assert (told.outcome == "picked") == (mine in at)
            assert told.pick == (picks[told.place - 1] if told.place else None)
            assert (told.outcome == "hidden") == (mine in {family.get(id_) for id_ in hidden})
            if told.outcome == "seen":
                assert mine in {family.get(id_) for id_ in seen}
            if told.outcome == "muted":
                assert told.mutes
            explained(told, taste)


def explained(told: Explanation, taste: Taste) -> None:
    """The parts of an explanation agree with each other."""
    if told.pick is not None and told.pick.how not in ("", "explore"):
        best = max((one.strength for one in told.facets), default=0.0)
        assert best > 0 or told.matches
    if told.outcome == "below the floor":
        assert told.score < told.floor
    if told.outcome == "too alike":
        assert 1 <= told.like <= min(told.picks, taste.cards)
        assert told.likeness > 0
    if told.outcome == "not reached" and told.picks == taste.cards + taste.also:
        assert all(one.place is None or one.last == 0 or one.place > one.last for one in told.standings) or told.like == 0
    for one in told.standings:
        assert (one.place or 0) <= one.of
        assert one.last <= one.of
