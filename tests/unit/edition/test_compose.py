from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pytest
from support.editions import WORDS, any_edition, edition, entry, facet, profile, rows_of

from digest.edition import compose
from digest.edition.compose import MAX_ENTRIES, Composer, Taste, entries
from digest.edition.field import Field
from digest.edition.model import Pick, edition_name
from digest.papers.model import Paper, Work
from digest.ranking.model import Candidate, Ranked, Term
from digest.ranking.profile import Profile
from digest.ranking.select import Selection
from digest.subscribers.model import Interest

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
PLAIN = Selection(floor=0.0, diversity=0.0, explore=0)
TITLES = ["Sparse attention", "Video survey", "Diffusion reward", "Robot arm", "Quantum error correction", "Protein folding"]
SIX = edition(*(entry(n, score=20.0 - n, title=title) for n, title in enumerate(TITLES, 1)))
QUANTUM, ROBOT = profile("quantum error correction"), profile("robot arm")


def ids(picks: Sequence[Pick]) -> list[int]:
    return [pick.paper_id for pick in picks]


def whys(picks: Sequence[Pick]) -> list[tuple[str, str]]:
    return [(pick.how, pick.matched) for pick in picks]


def composer(*, options: Selection = PLAIN, of: object = SIX) -> Composer:
    return Composer(of, rows_of(of), options)  # type: ignore[arg-type]


def test_without_interests_the_order_is_that_of_the_edition_and_cards_come_first() -> None:
    picks = composer().picks(Taste(cards=3, also=2), ())
    assert ids(picks) == [1, 2, 3, 4, 5]
    assert [pick.section for pick in picks] == ["card"] * 3 + ["also"] * 2
    assert {pick.how for pick in picks} == {""}


def test_readers_of_several_chunks_each_get_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "CHUNK", 2)
    readers = [(Taste(cards=cards, also=0), {cards}) for cards in range(1, 6)]
    assert [ids(picks) for picks in composer().choose(readers)] == [[2], [1, 3], [1, 2, 4], [1, 2, 3, 5], [1, 2, 3, 4, 6]]


def test_a_share_of_nothing_is_trending_alone_and_names_no_interest() -> None:
    picks = composer().picks(Taste(QUANTUM, (Interest("keyword", "robot"),), 0.0, 6, 0), ())
    assert ids(picks) == [1, 2, 3, 4, 5, 6]
    assert set(whys(picks)) == {("", "")}


def test_a_share_of_one_is_his_own_first_and_fills_up_with_what_trends() -> None:
    picks = composer().picks(Taste(QUANTUM, (), 1.0, 6, 0), ())
    assert ids(picks) == [5, 1, 2, 3, 4, 6]
    assert whys(picks) == [("topic", "quantum error correction")] + [("", "")] * 5


def test_a_share_of_one_half_takes_turns_and_trending_begins() -> None:
    titles = ["Video"] * 4 + ["Robot arm"] * 4
    issue = edition(*(entry(n, score=2.0 ** (12 - n), title=title) for n, title in enumerate(titles, 1)))
    assert ids(composer(of=issue).picks(Taste(ROBOT, (), 0.5, 6, 0), ())) == [1, 5, 2, 6, 3, 7]


def test_being_near_counts_a_little_among_what_trends() -> None:
    titles = ["Video", "Video", "Robot arm", "Robot arm"]
    issue = edition(*(entry(n, score=9.0 - n / 8, title=title) for n, title in enumerate(titles, 1)))
    assert ids(composer(of=issue).picks(Taste(ROBOT, (), 0.4, 1, 0), ())) == [3]


def test_two_facets_get_slots_by_their_shares() -> None:
    titles = ["Robot arm"] * 6 + ["Protein folding"] * 6
    issue = edition(*(entry(n, score=30.0 - n, title=title) for n, title in enumerate(titles, 1)))
    both = Profile((facet("robot arm", share=0.75), facet("protein folding", share=0.25)))
    labels = [pick.matched for pick in composer(of=issue).picks(Taste(both, (), 1.0, 8, 0), ())]
    assert labels.count("robot arm") == 6
    assert labels[:4].count("protein folding") == 1


def test_a_facet_without_a_match_passes_its_slots_on_to_the_next_and_then_to_trending() -> None:
    issue = edition(*(entry(n, score=30.0 - n, title=title) for n, title in enumerate(["Video"] * 3 + ["Robot arm"] * 2, 1)))
    both = Profile((facet("protein folding", share=0.8), facet("robot arm", share=0.2)))
    assert ids(composer(of=issue).picks(Taste(both, (), 1.0, 5, 0), ())) == [4, 5, 1, 2, 3]


def test_where_nothing_trends_his_own_papers_take_more_than_their_share() -> None:
    issue = edition(*(entry(n, score=1.0, votes=1, title="Robot arm") for n in range(1, 5)))
    picks = composer(of=issue, options=Selection(3.0, 0.0, 0)).picks(Taste(ROBOT, (), 0.25, 4, 0), ())
    assert ids(picks) == [1, 2, 3, 4]


def test_a_reader_whose_interests_match_nothing_gets_what_trends() -> None:
    assert ids(composer().picks(Taste(profile("graph"), (Interest("topic", "gardening"),), 1.0, 4, 2), ())) == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_a_paper_that_is_less_than_near_matches_no_facet() -> None:
    far = Profile((facet("qubits", "quantum error correction", weight=0.8),))
    assert ids(composer().picks(Taste(far, (), 1.0, 2, 0), ())) == [1, 2]


@pytest.mark.parametrize(
    ("interest", "found"),
    [
        (Interest("keyword", "Robot"), 4),
        (Interest("topic", "video survey"), 2),
        (Interest("author", "Berg, B."), 3),
        (Interest("category", "q-bio"), 6),
    ],
)
def test_exact_interests_are_matches_without_any_vocabulary(interest: Interest, found: int) -> None:
    issue = edition(
        *(
            entry(
                n,
                score=30.0 - n,
                title=title,
                authors=["Bo Berg"] if n == 3 else ["Ann Author"],
                categories=["q-bio.BM"] if n == 6 else ["cs.CL"],
            )
            for n, title in enumerate(TITLES, 1)
        )
    )
    for known in (None, rows_of(issue)):
        picks = Composer(issue, known, PLAIN).picks(Taste(Profile(), (interest,), 1.0, 2, 0), ())
        assert ids(picks)[0] == found
        assert whys(picks)[0] == (interest.kind, interest.value)


def test_a_paper_with_one_of_many_words_of_a_topic_is_no_match_be_it_the_nearest_of_the_day() -> None:
    topic = Profile((facet("protein folding", "protein folding robot arm quantum error correction"),))
    one, two = "Sparse attention graph video reward diffusion arm", "Sparse attention graph video reward robot arm"
    for title, how in ((one, ("", "")), (two, ("topic", "protein folding"))):
        only = edition(entry(1, score=9.0, title=title))
        picks = composer(of=only).picks(Taste(topic, (Interest("topic", "protein folding"),), 1.0, 1, 0), ())
        assert whys(picks) == [how]


def test_topics_that_were_merged_into_one_ask_for_no_more_than_the_edition_has() -> None:
    merged = Profile((facet("protein folding, robot arm", "protein folding robot arm quantum error correction"),))
    only = edition(entry(1, score=9.0, title="Sparse attention graph video reward diffusion arm"))
    wanted = (Interest("topic", "protein folding"), Interest("topic", "robot arm"))
    assert whys(composer(of=only).picks(Taste(merged, wanted, 1.0, 1, 0), ())) == [("topic", "protein folding, robot arm")]


def test_a_topic_that_stands_word_for_word_is_a_full_match_even_if_its_facet_is_far() -> None:
    far = Profile((facet("quantum error correction", "graph", weight=0.1),))
    picks = composer().picks(Taste(far, (Interest("topic", "quantum error correction"),), 1.0, 1, 0), ())
    assert whys(picks) == [("topic", "quantum error correction")]


def test_a_keyword_is_named_before_a_category_that_both_match() -> None:
    issue = edition(entry(1, score=5.0, title="Robot arm", categories=["cs.RO"]))
    wanted = (Interest("category", "cs.RO"), Interest("keyword", "robot"))
    assert whys(composer(of=issue).picks(Taste(Profile(), wanted, 0.5, 1, 0), ())) == [("keyword", "robot")]


def test_a_paper_that_trends_and_meets_an_interest_says_so() -> None:
    picks = composer().picks(Taste(profile("sparse attention"), (), 0.1, 1, 0), ())
    assert whys(picks) == [("topic", "sparse attention")]


def test_what_he_liked_is_told_in_the_words_of_what_he_liked() -> None:
    liked = Profile((facet("robot, arm", "robot arm", kind="liked"),))
    assert whys(composer().picks(Taste(liked, (), 1.0, 1, 0), ())) == [("liked", "robot, arm")]


@pytest.mark.parametrize("muted", ["quantum", "Author, Ann", "cs.QC"])
def test_what_is_muted_is_not_picked_however_near_it_is(muted: str) -> None:
    issue = edition(
        entry(1, score=9.0, title="Quantum error correction", authors=["Ann Author"], categories=["cs.QC"]), entry(2, score=1.0)
    )
    assert ids(composer(of=issue).picks(Taste(QUANTUM, (Interest("mute", muted),), 1.0, 2, 0), ())) == [2]


def test_a_paper_below_the_floor_does_not_trend_but_his_own_it_may_be() -> None:
    issue = edition(
        entry(1, score=9.0, votes=9, title="Video"),
        entry(2, score=2.0, votes=2, title="Survey"),
        entry(3, score=1.0, votes=1, title="Robot arm"),
    )
    floor = Selection(3.0, 0.0, 0)
    assert ids(composer(of=issue, options=floor).picks(Taste(cards=3), ())) == [1]
    assert ids(composer(of=issue, options=floor).picks(Taste(ROBOT, (), 0.5, 3), ())) == [1, 3]


def test_where_nothing_was_measured_nobody_is_judged_by_the_floor() -> None:
    issue = edition(*(entry(n, score=0.0) for n in range(1, 4)))
    assert ids(composer(of=issue, options=Selection(3.0, 0.0, 0)).picks(Taste(cards=3), ())) == [1, 2, 3]


def test_beside_many_of_its_science_that_were_measured_a_paper_that_nobody_noticed_needs_as_much_expectation() -> None:
    noticed = [entry(n, score=50.0 - n, votes=50 - n, categories=["cs.CL"]) for n in range(1, 11)]
    silent = [
        entry(11, score=4.0, categories=["cs.CL"]),
        entry(12, score=1.0, categories=["cs.RO"]),
        entry(13, score=1.0, categories=["q-bio.NC"]),
        entry(14, score=1.0),
    ]
    issue = composer(of=edition(*noticed, *silent), options=Selection(3.0, 0.0, 0))
    assert ids(issue.picks(Taste(cards=20), range(1, 11))) == [11, 13, 14]


def test_one_word_of_a_phrase_is_no_match_beside_papers_that_have_the_phrase() -> None:
    issue = edition(
        entry(1, score=9.0, votes=9, title="Video"),
        entry(2, score=5.0, votes=5, title="Error graph survey"),
        entry(3, score=4.0, votes=4, title="Quantum error correction"),
    )
    wants = Taste(profile("quantum error correction"), (), 1.0, 3, 0)
    assert [(one.paper_id, one.how) for one in composer(of=issue).picks(wants, ())] == [(3, "topic"), (1, ""), (2, "")]


def test_a_thin_day_gives_a_short_mail_and_an_empty_one_none() -> None:
    issue = edition(entry(1, score=5.0, votes=5), entry(2, score=1.0, votes=1))
    thin = composer(of=issue, options=Selection(3.0, 0.0, 0))
    assert ids(thin.picks(Taste(), ())) == [1]
    assert thin.picks(Taste(), {1}) == ()


def test_a_paper_that_the_operator_pinned_comes_first_though_its_score_is_low() -> None:
    issue = edition(
        entry(9, score=0.2, rank=1, title="A note", votes=0),
        entry(1, score=9.0, rank=2, title="Robot arm"),
        entry(2, score=8.0, rank=3, title="Robot arm"),
    )
    for options in (PLAIN, Selection()):
        assert ids(composer(of=issue, options=options).picks(Taste(cards=3, also=0), ())) == [9, 1, 2]
        assert ids(composer(of=issue, options=options).picks(Taste(ROBOT, (), 1.0, 3, 0), ())) == [9, 1, 2]
        assert ids(composer(of=issue, options=options).picks(Taste(ROBOT, (), 1.0, 3, 0), {9})) == [1, 2]


def test_a_paper_like_one_chosen_before_it_makes_way_for_another_subject() -> None:
    titles = ["Robot arm", "Robot arm", "Robot arm", "Protein folding"]
    issue = edition(*(entry(n, score=40.0 - n, title=title) for n, title in enumerate(titles, 1)))
    assert ids(composer(of=issue).picks(Taste(cards=2, also=2), ())) == [1, 2, 3, 4]
    assert ids(composer(of=issue, options=Selection(0.0, 0.5, 0)).picks(Taste(cards=2, also=2), ())) == [1, 4, 2, 3]


def test_also_lines_may_resemble_each_other() -> None:
    titles = ["Video", "Robot arm", "Robot arm", "Protein folding"]
    issue = edition(*(entry(n, score=40.0 - n, title=title) for n, title in enumerate(titles, 1)))
    assert ids(composer(of=issue, options=Selection(0.0, 0.5, 0)).picks(Taste(cards=1, also=3), ())) == [1, 2, 3, 4]


def test_an_explored_card_lies_outside_his_interests_is_marked_and_stays_the_same_for_him() -> None:
    issue = any_edition(3, 200, families=False, measured=0.0)
    wide = composer(of=issue, options=Selection(0.0, 0.5, 1))
    drawn = set()
    for seed in range(40):
        taste = Taste(ROBOT, (), 0.8, 8, 4, seed)
        picks = wide.picks(taste, ())
        (explored,) = [pick for pick in picks if pick.how == "explore"]
        assert picks.index(explored) == 7
        drawn.add(explored.paper_id)
        assert wide.picks(taste, ()) == picks
        assert all(facet.strength == 0 for facet in wide.explain(taste, (), (), explored.paper_id, WORDS).facets)
    assert 4 <= len(drawn) <= 10


def test_nothing_is_explored_for_who_said_nothing_or_has_room_for_little() -> None:
    issue = any_edition(4, 100, measured=0.0)
    wide = composer(of=issue, options=Selection(0.0, 0.5, 1))
    for taste in (Taste(cards=8), Taste(ROBOT, (), 0.0, 8), Taste(ROBOT, (), 0.8, 3)):
        assert "explore" not in {pick.how for pick in wide.picks(taste, ())}


def test_two_entries_that_turned_out_to_be_one_paper_come_once_and_are_seen_under_any_id() -> None:
    issue = edition(
        entry(5, score=9.0, former=[9]),
        entry(7, score=8.0),
        entry(9, score=7.0, former=[5, 2]),
    )
    assert ids(composer(of=issue).picks(Taste(), ())) == [5, 7]
    for seen in ({2}, {5}, {9}, np.array([2, 10**6])):
        assert ids(composer(of=issue).picks(Taste(), seen)) == [7]  # type: ignore[arg-type]
    assert ids(composer(of=issue).picks(Taste(), (), {9})) == [7]


def test_ids_that_lie_far_apart_are_found_too() -> None:
    issue = edition(entry(3, score=9.0), entry(10**12, score=8.0), entry(7, score=7.0))
    assert ids(composer(of=issue).picks(Taste(), {10**12, 10**30})) == [3, 7]
    assert ids(composer(of=issue).picks(Taste(), np.array([3, 10**12]))) == [7]


@pytest.mark.parametrize("taste", [Taste(cards=0, also=0), Taste(ROBOT, (), 1.0, 0, 0)])
def test_who_wants_nothing_gets_nothing(taste: Taste) -> None:
    assert composer().picks(taste, ()) == ()


def test_an_edition_without_entries_has_no_picks() -> None:
    assert composer(of=edition()).choose([(Taste(ROBOT), ()), (Taste(), ())]) == [(), ()]


def test_who_got_everything_gets_nothing() -> None:
    assert composer().picks(Taste(ROBOT), set(range(1, 7))) == ()


def test_nobody_is_no_chunk() -> None:
    assert composer().choose([]) == []


def test_profiles_without_a_vocabulary_say_nothing() -> None:
    assert ids(Composer(SIX, None, PLAIN).picks(Taste(QUANTUM, (), 1.0, 2, 0), ())) == [1, 2]


def test_a_taste_takes_what_a_reader_chose_and_keeps_what_he_left_open() -> None:
    usual = Taste(share=0.4, cards=7, also=3)
    his = usual.of(ROBOT, [Interest("keyword", "arm")], None, 12, 5)
    assert (his.profile, his.interests, his.share, his.cards, his.also, his.seed) == (
        ROBOT,
        (Interest("keyword", "arm"),),
        0.4,
        12,
        3,
        5,
    )
    assert usual.of(ROBOT, (), 0.0, None, 5).share == 0.0
    assert usual.of(ROBOT, (), 0.0, None, 5).cards == 7


def test_entries_carry_what_the_ranking_said_and_the_numbers_of_the_day() -> None:
    paper = Paper(7, "arxiv:2511.00007", NOW, Work("Sparse attention"), former_ids=frozenset({3}))
    candidate = Candidate(paper, {("huggingface", "votes"): [(NOW, 12)], ("github", "stars"): [(NOW, 40)]})
    terms = (Term("votes", 12, 12.0, "12 upvotes"),)
    (one,) = entries([Ranked(paper, 1, 12.0, terms)], {7: candidate})
    assert (one.paper_id, one.former_ids, one.rank, one.score, one.terms) == (7, frozenset({3}), 1, 12.0, terms)
    assert one.numbers == {"votes": 12, "stars": 40}


def test_an_edition_is_no_longer_than_any_reader_could_need() -> None:
    papers = [Paper(n, f"k{n}", NOW, Work(f"Paper {n}")) for n in range(MAX_ENTRIES + 5)]
    ranked = [Ranked(paper, place, 0.0, ()) for place, paper in enumerate(papers, 1)]
    assert len(entries(ranked, {paper.id: Candidate(paper, {}) for paper in papers})) == MAX_ENTRIES


def test_an_edition_is_named_by_its_date_and_a_weekly_one_says_so() -> None:
    assert edition_name(date(2026, 11, 22), "daily") == "2026-11-22"
    assert edition_name(date(2026, 11, 23), "weekly") == "2026-11-23-weekly"


def test_ids_that_no_paper_of_the_edition_has_are_passed_over_however_low_or_high() -> None:
    field = Field(SIX.entries, 0.0)
    had = [np.array([-(2**40), 0, 1, 6, 7, 2**40]), {-1, 3, 2**50}, np.zeros(0, np.int64)]
    readers, places = field.seen(had)
    assert list(zip(readers.tolist(), places.tolist(), strict=True)) == [(0, 0), (0, 5), (1, 2)]
