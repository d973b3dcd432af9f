import pytest
from support.editions import WORDS, edition, entry, facet, profile, rows_of

from digest.edition.compose import Composer, Taste
from digest.edition.explanation import Explanation, Standing
from digest.edition.model import Pick
from digest.ranking.profile import Profile
from digest.ranking.select import Selection
from digest.subscribers.model import Interest

ISSUE = edition(
    entry(1, score=40.0, votes=30, title="Robot arm"),
    entry(2, score=30.0, votes=20, title="Robot arm"),
    entry(3, score=20.0, votes=15, title="Sparse attention", former=[33]),
    entry(4, score=10.0, votes=9, title="Quantum error correction", authors=["Ann Author"], categories=["quant-ph"]),
    entry(5, score=5.0, votes=4, title="Protein folding"),
    entry(6, score=1.0, votes=1, title="Graph survey"),
    entry(7, score=0.0, title="Video"),
)
QUANTUM = profile("quantum error correction")


def told(
    paper_id: int,
    taste: Taste | None = None,
    *,
    seen: frozenset[int] = frozenset(),
    hidden: frozenset[int] = frozenset(),
    diversity: float = 0.0,
) -> Explanation:
    composer = Composer(ISSUE, rows_of(ISSUE), Selection(3.0, diversity, 0))
    return composer.explain(taste or Taste(cards=2, also=1), seen, hidden, paper_id, WORDS)


def test_a_pick_tells_its_place_its_list_and_its_terms() -> None:
    one = told(2)
    assert (one.outcome, one.place, one.slot, one.picks) == ("picked", 2, "", 3)
    assert one.pick == Pick(2, "card")
    assert (one.rank, one.entries, one.score, one.terms) == (2, 7, 30.0, ISSUE.entries[1].terms)
    assert one.standings == (Standing("", "", place=2, last=3, of=6),)


def test_a_facet_tells_its_score_and_the_words_that_made_it() -> None:
    one = told(4, Taste(QUANTUM, (), 0.5, 2, 0))
    assert (one.outcome, one.place, one.slot, one.slot_label) == ("picked", 2, "topic", "quantum error correction")
    (score,) = one.facets
    assert score.score == pytest.approx(sum(word.score for word in score.words), rel=0.05)
    assert score.strength == 1.0
    assert {word.term for word in score.words} == {"quantum", "error", "correction"}


def test_a_facet_that_is_far_tells_that_too() -> None:
    (score,) = told(1, Taste(Profile((facet("quantum", bias=-0.5),)))).facets
    assert (round(score.score, 2), score.strength, score.words) == (-0.5, 0.0, ())


def test_exact_interests_that_the_paper_meets_are_told() -> None:
    wanted = (
        Interest("author", "A. Author"),
        Interest("category", "quant-ph"),
        Interest("keyword", "gardening"),
        Interest("topic", "error correction"),
    )
    one = told(4, Taste(Profile(), wanted, 1.0, 1, 0))
    assert one.matches == (wanted[0], wanted[1], wanted[3])
    assert (one.slot, one.outcome) == ("keyword", "picked")


def test_what_he_had_what_he_muted_and_what_is_hidden_is_told_so() -> None:
    muted = Taste(QUANTUM, (Interest("mute", "sparse"),))
    assert told(3, seen=frozenset({33})).outcome == "seen"
    assert told(3, hidden=frozenset({3})).outcome == "hidden"
    assert (told(3, muted).outcome, told(3, muted).mutes) == ("muted", muted.interests)
    assert told(33, muted).paper_id == 3


def test_a_paper_below_the_floor_tells_the_floor_and_one_that_nobody_measured_is_not_judged() -> None:
    one = told(6)
    assert (one.outcome, one.measured, one.score, one.floor) == ("below the floor", True, 1.0, 3.0)
    assert (told(7).outcome, told(7).measured) == ("not reached", False)


def test_a_paper_that_was_not_reached_tells_where_it_stood_and_where_the_last_pick_did() -> None:
    one = told(5)
    assert (one.outcome, one.pick, one.place) == ("not reached", None, 0)
    assert one.standings == (Standing("", "", place=5, last=3, of=6),)


def test_a_paper_too_like_a_pick_tells_which() -> None:
    one = told(2, Taste(cards=2, also=0), diversity=1.0)
    assert (one.outcome, one.like) == ("too alike", 1)
    assert one.likeness >= 0.5


def test_a_paper_that_is_not_in_the_edition_cannot_be_explained() -> None:
    with pytest.raises(KeyError):
        told(99)
