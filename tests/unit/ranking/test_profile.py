import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from digest.edition.chunk import COSINE
from digest.papers.model import Work
from digest.ranking import learning
from digest.ranking.meaning import Meaning
from digest.ranking.negatives import Rated
from digest.ranking.profile import MAX_FACETS, MAX_TERMS, Facet, Profile, learn
from digest.ranking.vocabulary import Vocabulary, fit
from digest.subscribers.model import Interest

OF = {
    "robots": "robot arm grasp manipulation gripper joint torque motion".split(),
    "proteins": "protein folding molecule residue binding enzyme structure sequence".split(),
    "weather": "weather forecast storm rainfall climate ocean temperature season".split(),
    "music": "music melody audio singing instrument rhythm chord song".split(),
    "law": "court contract legal statute judge clause verdict appeal".split(),
}


def papers(field: str, count: int, start: int = 0) -> list[Work]:
    """Papers of a field, each with some of its words beside words that all papers have."""
    own = OF[field]
    texts = [" ".join(own[(n * 3 + k) % len(own)] for k in range(5)) for n in range(start, start + count)]
    return [
        Work(
            f"{text.split()[0]} {text.split()[1]} study {n}", f"This method for {text} beats most baselines on a large dataset."
        )
        for n, text in enumerate(texts, start)
    ]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return fit([work for field in OF for work in papers(field, 80)], 1)


def learned(vocabulary: Vocabulary, topics: list[str], liked: list[Work], disliked: list[Work] | None = None) -> Profile:
    wanted = [Interest("topic", topic) for topic in topics]
    return learn(vocabulary, wanted, vocabulary.rows(liked), vocabulary.rows(disliked or []))


def scores(vocabulary: Vocabulary, facet: Facet, works: list[Work]) -> list[float]:
    rows = vocabulary.rows(works)
    return list(map(float, rows[:, facet.terms] @ facet.weights + facet.bias))


def mean_scores(vocabulary: Vocabulary, facet: Facet) -> dict[str, float]:
    return {field: float(np.mean(scores(vocabulary, facet, papers(field, 20, 100)))) for field in OF}


@pytest.mark.parametrize("topic", ["robot arms", "Robot Arm", "ROBOT-ARMS", "arms of a robot", "the robot's arms"])
def test_a_topic_finds_its_field_in_any_spelling_and_number(vocabulary: Vocabulary, topic: str) -> None:
    (facet,) = learned(vocabulary, [topic], []).facets
    found = mean_scores(vocabulary, facet)
    assert found.pop("robots") > 1 > max(found.values())
    assert (facet.kind, facet.label, facet.share) == ("topic", topic, 1)


def test_a_topic_finds_papers_that_share_its_field_and_none_of_its_words(vocabulary: Vocabulary) -> None:
    (facet,) = learned(vocabulary, ["gripper torque"], []).facets
    robot, music = scores(vocabulary, facet, [Work("Manipulation and motion of an arm"), Work("A melody of chords in a song")])
    assert robot > music


def test_words_side_by_side_are_nearer_than_words_apart(vocabulary: Vocabulary) -> None:
    (facet,) = learned(vocabulary, ["robot arm"], []).facets
    beside, apart = scores(
        vocabulary, facet, [Work("A robot arm in the ocean of law"), Work("A robot in the ocean with an arm of law")]
    )
    assert beside > apart


@pytest.mark.parametrize("topic", ["the use of more", "qwrtzk xyzzy", "...", "数学"])
def test_a_topic_without_known_words_is_no_facet(vocabulary: Vocabulary, topic: str) -> None:
    assert learned(vocabulary, [topic], []).facets == ()


def test_a_topic_that_nobody_wrote_of_yet_matches_no_other_paper(vocabulary: Vocabulary) -> None:
    assert "deepfake detection" in vocabulary.places
    (facet,) = learned(vocabulary, ["deepfake"], []).facets
    found = scores(vocabulary, facet, [*papers("law", 5), Work("Deepfake detection")])
    assert max(found[:-1]) < 1.5 < found[-1]


def test_on_a_young_site_what_has_but_a_word_of_a_topic_does_not_stand_for_it() -> None:
    designs = [Work(one.title, one.abstract.replace("method", "design")) for one in papers("robots", 12)]
    young = fit([*designs, *papers("robots", 12, 12), *papers("weather", 6)], 1)
    (facet,) = learned(young, ["protein design"], []).facets
    found = np.array(scores(young, facet, papers("robots", 8, 40)))
    assert ((found - facet.bias) / np.linalg.norm(facet.weights) < COSINE).all()


def test_who_says_nothing_has_no_facets(vocabulary: Vocabulary) -> None:
    assert learned(vocabulary, [], []).facets == ()
    assert learned(vocabulary, [], [Work("Xyzzy", "qwrtzk")], papers("law", 2)).facets == ()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 20, 60])
def test_likes_find_their_field_however_few_they_are(vocabulary: Vocabulary, count: int) -> None:
    (facet,) = learned(vocabulary, [], papers("music", count, 200)).facets
    found = mean_scores(vocabulary, facet)
    assert facet.kind == "liked"
    assert found.pop("music") > 1 > max(found.values())


def test_a_facet_of_likes_is_named_by_what_they_have_in_common(vocabulary: Vocabulary) -> None:
    (facet,) = learned(vocabulary, [], papers("weather", 10)).facets
    assert 1 <= len(facet.label.split(", ")) <= 3
    assert all(set(term.split()) & set(OF["weather"]) for term in facet.label.split(", "))


def test_scores_are_standard_deviations_above_the_background(vocabulary: Vocabulary) -> None:
    for facet in learned(vocabulary, ["court"], papers("weather", 8)).facets:
        found = vocabulary.background[:, facet.terms] @ facet.weights + facet.bias
        assert float(found.mean()) == pytest.approx(0, abs=0.01)
        assert float(found.std()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("more", "fewer"), [(15, 4), (8, 6)])
def test_two_fields_that_one_model_would_not_serve_are_two_facets_and_the_smaller_one_keeps_slots(
    vocabulary: Vocabulary, more: int, fewer: int
) -> None:
    large, small = learned(vocabulary, [], [*papers("robots", more), *papers("proteins", fewer)]).facets
    for facet, field in ((large, "robots"), (small, "proteins")):
        found = mean_scores(vocabulary, facet)
        assert max(found, key=found.__getitem__) == field
    assert 0.25 < small.share < 0.5 < large.share


def test_two_fields_that_one_model_serves_alike_are_one_facet(vocabulary: Vocabulary) -> None:
    (facet,) = learned(vocabulary, [], [*papers("robots", 8), *papers("proteins", 8)]).facets
    found = mean_scores(vocabulary, facet)
    assert min(found.pop("robots"), found.pop("proteins")) > 1 > max(found.values())


def test_a_dislike_pushes_its_like_down(vocabulary: Vocabulary) -> None:
    liked, doubtful = papers("law", 6), papers("law", 3, 6)
    (before,) = learned(vocabulary, [], liked).facets
    (after,) = learned(vocabulary, [], liked, doubtful).facets
    assert max(scores(vocabulary, after, doubtful)) < min(scores(vocabulary, before, doubtful))


def test_a_dislike_pushes_its_like_down_for_a_topic_too(vocabulary: Vocabulary) -> None:
    disliked = [Work("Robot gripper torque", "A gripper with a torque joint.")] * 2
    (before,) = learned(vocabulary, ["robot"], []).facets
    (after,) = learned(vocabulary, ["robot"], [], disliked).facets
    assert scores(vocabulary, after, disliked)[0] < scores(vocabulary, before, disliked)[0]


def test_many_topics_are_merged_into_few_facets_and_none_is_lost(vocabulary: Vocabulary) -> None:
    topics = ["robot arm", "robot gripper", "protein folding", "enzyme", "storm", "rainfall", "melody", "court"]
    profile = learned(vocabulary, topics, papers("music", 3))
    assert len(profile.facets) == MAX_FACETS
    told = ", ".join(facet.label for facet in profile.facets)
    assert all(topic in told for topic in topics)
    assert sum(facet.share for facet in profile.facets) == pytest.approx(1)
    for field in OF:
        assert max(mean_scores(vocabulary, facet)[field] for facet in profile.facets) > 0.5


def test_a_topic_said_twice_or_with_no_weight_counts_once_or_not_at_all(vocabulary: Vocabulary) -> None:
    rows = vocabulary.rows([])
    twice = [Interest("topic", "Storm"), Interest("topic", "storm"), Interest("topic", "court", 0.0)]
    assert [facet.label for facet in learn(vocabulary, twice, rows, rows).facets] == ["storm"]


def test_a_heavier_topic_has_the_larger_share(vocabulary: Vocabulary) -> None:
    rows = vocabulary.rows([])
    found = learn(vocabulary, [Interest("topic", "storm"), Interest("topic", "court", 3.0)], rows, rows)
    assert [facet.label for facet in found.facets] == ["court", "storm"]


def test_a_profile_has_few_terms_in_order_whatever_it_is_made_of(vocabulary: Vocabulary) -> None:
    profile = learned(vocabulary, list(OF), [work for field in OF for work in papers(field, 30)])
    assert sum(len(facet.terms) for facet in profile.facets) <= MAX_TERMS
    assert all((np.diff(facet.terms) > 0).all() for facet in profile.facets)


def test_the_same_words_give_the_same_bytes_and_readers_do_not_change_each_other(vocabulary: Vocabulary) -> None:
    wanted = (["storm", "court"], papers("music", 7), papers("law", 2))
    first = learned(vocabulary, *wanted).to_bytes()
    learned(vocabulary, ["protein"], papers("robots", 40))
    assert learned(vocabulary, *wanted).to_bytes() == first
    assert learned(Vocabulary.from_bytes(1, vocabulary.to_bytes()), *wanted).to_bytes() == first


def test_a_vocabulary_of_no_papers_still_knows_a_topic() -> None:
    empty = fit([])
    (facet,) = learned(empty, ["image editing"], []).facets
    right, wrong = scores(empty, facet, [Work("Image editing by words"), Work("Graph networks for traffic")])
    assert right > 1.5 > wrong


def test_a_stored_profile_is_read_as_it_was_and_is_small(vocabulary: Vocabulary) -> None:
    profile = learned(vocabulary, ["storm"], papers("robots", 30))
    stored = profile.to_bytes()
    again = Profile.from_bytes(stored)
    assert len(stored) < 1500
    assert again.to_bytes() == stored
    for one, other in zip(profile.facets, again.facets, strict=True):
        assert (one.kind, one.label) == (other.kind, other.label)
        assert (one.terms == other.terms).all()
        assert (one.weights == other.weights).all()
        assert (other.share, other.bias) == pytest.approx((one.share, one.bias))


def test_a_stored_profile_keeps_its_meaning(vocabulary: Vocabulary) -> None:
    (facet,) = learned(vocabulary, ["storm"], []).facets
    meaning = Meaning(np.array([0.5], np.float32), np.array([[0.25, -1, 2]], np.float32))
    again = Profile.from_bytes(Profile((facet,), meaning).to_bytes())
    assert again.meaning is not None
    assert (again.meaning.directions == meaning.directions).all()
    assert Profile.from_bytes(Profile().to_bytes()).facets == ()
    with pytest.raises(ValueError, match="other facets"):
        Profile((), meaning).to_bytes()


def facet(**changes: object) -> Facet:
    plain = {"kind": "topic", "label": "a", "share": 1.0, "terms": [1, 2], "weights": [1.0, 2.0], "bias": 0.0} | changes
    plain["terms"], plain["weights"] = np.array(plain["terms"], np.int32), np.array(plain["weights"], np.float32)
    return Facet(**plain)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "profile",
    [
        Profile((facet(),) * (MAX_FACETS + 1)),
        Profile((facet(share=1.5),)),
        Profile((facet(share=float("nan")),)),
        Profile((facet(bias=float("inf")),)),
        Profile((facet(terms=[2, 1]),)),
        Profile((facet(terms=[1, 1]),)),
        Profile((facet(weights=[1, float("nan")]),)),
        Profile((facet(terms=[*range(200)], weights=[1] * 200),) * 2),
    ],
)
def test_a_profile_that_cannot_be_is_not_stored(profile: Profile) -> None:
    with pytest.raises(ValueError, match=r"facet"):
        profile.to_bytes()


@given(st.binary(max_size=80), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_bytes_that_are_no_whole_profile_are_refused(noise: bytes, start: int, cut: int) -> None:
    good = Profile((facet(), facet(kind="liked", label="b"))).to_bytes()
    for stored in (noise, good[:cut], good[:start] + noise + good[start:], good + noise[:1] * 2):
        if stored != good:
            with pytest.raises(ValueError, match="stored profile"):
                Profile.from_bytes(stored)


FIELDS = st.sampled_from(sorted(OF))


@given(st.lists(st.tuples(FIELDS, st.integers(0, 99)), max_size=12), st.lists(FIELDS, max_size=3), st.lists(FIELDS, max_size=6))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_whatever_a_reader_says_his_scores_are_finite_and_his_shares_a_whole(
    vocabulary: Vocabulary, liked: list[tuple[str, int]], disliked: list[str], topics: list[str]
) -> None:
    likes = [papers(field, 1, number)[0] for field, number in liked]
    dislikes = [papers(field, 1, 3)[0] for field in disliked]
    found = learned(vocabulary, [" ".join(OF[topic][:2]) for topic in topics], likes, dislikes)
    assert bool(found.facets) == bool(liked or topics)
    assert not found.facets or sum(one.share for one in found.facets) == pytest.approx(1)
    for one in found.facets:
        assert np.isfinite(one.weights).all()
        assert np.isfinite(one.bias)
        assert one.label


def test_words_that_stay_speak_for_the_words_that_are_cut(vocabulary: Vocabulary) -> None:
    liked = papers("music", 12) + papers("law", 3)
    negatives = vocabulary.negatives
    whole = learning.likes(Rated(negatives, vocabulary.rows(liked)), np.arange(len(liked)), np.arange(0))
    few = learning.cut(negatives, whole, 12)
    wanted = negatives.scores(whole)

    def likeness(weights: NDArray[np.float32]) -> float:
        return float(np.corrcoef(wanted, negatives.rows[:, few.terms] @ weights)[0, 1])

    assert likeness(few.weights) > likeness(whole[few.terms]) + 0.001
