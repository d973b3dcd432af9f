from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.edition.compose import MAX_ENTRIES, Composer, Wish, entries
from digest.edition.model import Edition, Entry, edition_name
from digest.papers.model import Paper, Work
from digest.ranking.model import Candidate, Ranked, Term
from digest.ranking.trending import rank
from digest.subscribers.model import Interest

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
TITLES = [
    "Sparse attention for long documents",
    "A survey of protein folding",
    "Diffusion policies for robot arms",
    "Reward models that do not overfit",
    "Quantum error correction with few qubits",
    "Folding proteins with diffusion",
]


def entry(paper_id: int, *, score: float, title: str = "", rank_: int = 0, former: Sequence[int] = ()) -> Entry:
    work = Work(title or TITLES[paper_id % len(TITLES)])
    return Entry(
        paper_id=paper_id,
        former_ids=frozenset(former),
        rank=rank_ or paper_id,
        score=score,
        terms=(Term("votes", None, score),),
        work=work,
        first_seen_on=NOW.date(),
        numbers={},
    )


def edition(*of: Entry) -> Edition:
    return Edition(1, NOW.date(), "daily", NOW, of)


FIVE = edition(*(entry(n, score=2.0 - n / 4) for n in range(1, 6)))


def ids(picks: Sequence[object]) -> list[int]:
    return [pick.paper_id for pick in picks]  # type: ignore[attr-defined]


@given(
    seen=st.frozensets(st.integers(0, 40)),
    hidden=st.frozensets(st.integers(0, 20)),
    former=st.lists(st.frozensets(st.integers(21, 40), max_size=2), min_size=12, max_size=12),
    share=st.floats(0, 1),
    cards=st.integers(1, 8),
    also=st.integers(0, 8),
    topic=st.sampled_from(["protein folding", "robot arms", "gardening"]),
)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_nobody_gets_what_he_got_or_what_is_hidden_nor_more_than_he_wants(
    seen: frozenset[int],
    hidden: frozenset[int],
    former: list[frozenset[int]],
    share: float,
    cards: int,
    also: int,
    topic: str,
) -> None:
    issue = edition(*(entry(n, score=12.0 - n, former=tuple(former[n - 1])) for n in range(1, 13)))
    picks = Composer(issue).picks(Wish((Interest("topic", topic),), share, cards, also), seen, hidden)
    open_to_him = {e.paper_id for e in issue.entries if not ({e.paper_id, *e.former_ids} & seen) and e.paper_id not in hidden}
    assert set(ids(picks)) <= open_to_him
    assert len(set(ids(picks))) == len(picks) == min(cards + also, len(open_to_him))
    sections = [pick.section for pick in picks]
    assert sections == ["card"] * min(cards, len(picks)) + ["also"] * max(0, len(picks) - cards)


def test_without_interests_the_order_is_that_of_the_edition() -> None:
    assert ids(Composer(FIVE).picks(Wish((), 0.5, 3, 2), ())) == [1, 2, 3, 4, 5]


def test_a_share_of_nothing_is_trending_alone_and_names_no_interest() -> None:
    picks = Composer(FIVE).picks(Wish((Interest("topic", "quantum error correction"),), 0.0, 5, 0), ())
    assert ids(picks) == [1, 2, 3, 4, 5]
    assert {pick.matched for pick in picks} == {""}


def test_a_share_of_one_is_interests_first_and_fills_up_with_what_trends() -> None:
    picks = Composer(FIVE).picks(Wish((Interest("topic", "quantum error correction"),), 1.0, 5, 0), ())
    assert ids(picks) == [4, 1, 2, 3, 5]
    assert [pick.matched for pick in picks] == ["quantum error correction", "", "", "", ""]


def test_a_reader_whose_interests_match_nothing_gets_what_trends() -> None:
    assert ids(Composer(FIVE).picks(Wish((Interest("topic", "gardening"),), 1.0, 5, 0), ())) == [1, 2, 3, 4, 5]


def test_a_share_between_blends_both() -> None:
    issue = edition(
        entry(1, score=1.0, title="Sparse attention"),
        entry(2, score=0.6, title="Robot arms"),
        entry(3, score=0.0, title="Robot arms"),
    )
    order = {
        share: ids(Composer(issue).picks(Wish((Interest("topic", "robot arms"),), share, 3, 0), ()))
        for share in (0.1, 0.4, 0.9)
    }
    assert order == {0.1: [1, 2, 3], 0.4: [2, 1, 3], 0.9: [2, 3, 1]}


def test_a_paper_that_the_operator_pinned_comes_first_though_its_score_is_low() -> None:
    issue = edition(
        entry(9, score=0.2, rank_=1, title="A note"),
        entry(1, score=2.0, rank_=2),
        entry(2, score=1.5, rank_=3),
    )
    assert ids(Composer(issue).picks(Wish((), 0.5, 3, 0), ())) == [9, 1, 2]
    assert ids(Composer(issue).picks(Wish((Interest("topic", "gardening"),), 1.0, 3, 0), ())) == [9, 1, 2]


def test_the_same_arguments_give_the_same_picks() -> None:
    wish = Wish((Interest("topic", "protein folding"), Interest("keyword", "robot")), 0.7, 2, 2)
    composer = Composer(FIVE)
    first = composer.picks(wish, {3}, {5})
    composer.picks(Wish((Interest("keyword", "proteins"),), 1.0, 5, 5), ())
    assert composer.picks(wish, {3}, {5}) == first == Composer(FIVE).picks(wish, {3}, {5})


def test_equal_scores_keep_the_order_of_the_edition() -> None:
    issue = edition(*(entry(n, score=1.0, rank_=place) for place, n in enumerate((4, 2, 5, 1), 1)))
    assert ids(Composer(issue).picks(Wish((), 0.5, 4, 0), ())) == [4, 2, 5, 1]


@pytest.mark.parametrize("wish", [Wish((), 0.5, 0, 0), Wish((Interest("topic", "robot arms"),), 1.0, 0, 0)])
def test_who_wants_nothing_gets_nothing(wish: Wish) -> None:
    assert Composer(FIVE).picks(wish, ()) == ()


def test_an_edition_without_entries_has_no_picks() -> None:
    assert Composer(edition()).picks(Wish((Interest("topic", "robot arms"),), 0.5, 10, 10), ()) == ()


def test_who_got_everything_gets_nothing() -> None:
    assert Composer(FIVE).picks(Wish((), 0.5, 10, 10), {1, 2, 3, 4, 5}) == ()


def test_entries_carry_what_the_ranking_said_and_the_numbers_of_the_day() -> None:
    paper = Paper(7, "arxiv:2511.00007", NOW, Work("Sparse attention"), former_ids=frozenset({3}))
    candidate = Candidate(paper, {("huggingface", "votes"): [(NOW, 12)], ("github", "stars"): [(NOW, 40)]})
    (one,) = entries(rank([candidate], NOW.date(), {"votes": 1.0}), {7: candidate})
    assert (one.paper_id, one.former_ids, one.rank) == (7, frozenset({3}), 1)
    assert one.numbers == {"votes": 12, "stars": 40}
    assert one.score == one.terms[0].score > 0


def test_an_edition_is_no_longer_than_any_reader_could_need() -> None:
    papers = [Paper(n, f"k{n}", NOW, Work(f"Paper {n}")) for n in range(MAX_ENTRIES + 5)]
    ranked = [Ranked(paper, place, 0.0, ()) for place, paper in enumerate(papers, 1)]
    assert len(entries(ranked, {paper.id: Candidate(paper, {}) for paper in papers})) == MAX_ENTRIES


def test_an_edition_is_named_by_its_date_and_a_weekly_one_says_so() -> None:
    assert edition_name(date(2026, 11, 22), "daily") == "2026-11-22"
    assert edition_name(date(2026, 11, 23), "weekly") == "2026-11-23-weekly"
