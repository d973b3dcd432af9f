import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking import vocabulary as module
from digest.ranking import words
from digest.ranking.vocabulary import ENOUGH, Vocabulary, fit, fit_bags
from digest.ranking.words import Documents, brought_along, count

WORKS = [
    Work("Sparse attention for long documents", "We make attention sparse, so that long documents fit."),
    Work("Robot arms that learn from one video", "A policy for robot arms, learned from a single video of a person."),
    Work("Graph neural networks for chemistry", "Message passing on graphs of molecules."),
    Work("Diffusion policies", "Diffusion policies in robotics, surveyed."),
]


@pytest.fixture(scope="module")
def small() -> Vocabulary:
    return fit(WORKS, 7)


def test_a_new_site_knows_already_how_rare_a_word_is(small: Vocabulary) -> None:
    idf = {word: small.idf[small.places[word]] for word in ("model", "diffusion", "watermark")}
    assert idf["model"] < idf["diffusion"] < idf["watermark"]


def test_a_sites_own_papers_outweigh_what_the_program_brings_along() -> None:
    usual = fit([]).idf
    gardening = fit([Work(f"Roses and tulips number {n}", "roses in a garden of roses") for n in range(3000)])
    assert "rose garden" in gardening.places
    assert gardening.idf[gardening.places["rose"]] < usual.min() + 0.5


def test_rows_have_length_one_and_a_paper_of_unknown_words_has_none(small: Vocabulary) -> None:
    rows = small.rows([*WORKS, Work("Xyzzy qwrtzk", "")])
    assert rows.shape == (5, len(small.terms))
    assert rows.dtype == np.float32
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)))
    assert lengths[:4] == pytest.approx(1, abs=1e-2)
    assert lengths[4] == 0


def test_no_papers_are_no_rows(small: Vocabulary) -> None:
    assert small.rows([]).shape == (0, len(small.terms))


def test_a_phrase_is_nearest_to_the_paper_that_has_it(small: Vocabulary) -> None:
    near = (small.rows(WORKS) @ small.row("robot arms").T).toarray().ravel()
    assert near.argmax() == 1
    assert near[2] == 0


def test_a_background_of_few_papers_is_filled_up_with_made_ones(small: Vocabulary) -> None:
    assert small.background.shape[0] == ENOUGH
    assert (small.background[: len(WORKS)].toarray() == small.rows(WORKS)[[*range(4)]].toarray()).all(axis=1).sum() <= 4
    often = np.asarray((small.background > 0).sum(axis=0)).ravel()
    assert often[small.places["model"]] > often[small.places["diffusion"]] > 0


def test_the_background_is_the_same_whatever_the_order_of_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BACKGROUND", 3)
    monkeypatch.setattr(module, "ENOUGH", 3)
    one, other = fit(WORKS), fit(WORKS[::-1])
    assert one.terms == other.terms
    assert one.background.shape[0] == 3
    assert (one.background != other.background).nnz == 0


def test_a_term_of_one_paper_alone_is_not_kept_among_others() -> None:
    bags = [{"rose": 1, f"only{n}": 1} for n in range(5)]
    assert fit_bags(bags, base=Documents(0, {})).terms == ("rose",)


def test_only_the_most_frequent_terms_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TERMS", 2)
    bags = [{"a": 1, "b": 1, "c": 1}] * 3 + [{"b": 1, "c": 2}] * 2
    assert fit_bags(bags, base=Documents(0, {})).terms == ("b", "c")


def test_counting_forgets_the_rarest_rather_than_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "CROWDED", 10)
    found = count([{"often", f"once{n}", f"rarely{n // 2}"} for n in range(100)])
    assert found.total == 100
    assert len(found.having) <= 10
    assert found.having["often"] == 100


def test_a_paper_counts_once_for_a_word_however_often_it_has_it() -> None:
    assert count([{"rose": 9}, {"rose": 1}]).having == {"rose": 2}


def test_what_the_program_brings_along_is_as_it_was_written() -> None:
    base = brought_along()
    assert 10_000 < len(base.having) <= 20_000
    assert all(0 < n <= base.total for n in base.having.values())
    lines = words.to_text(base, 5).splitlines()
    assert len(lines) == 6
    assert lines[0] == f"\t{base.total}"


def test_a_stored_vocabulary_is_read_as_it_was(small: Vocabulary) -> None:
    again = Vocabulary.from_bytes(7, small.to_bytes())
    assert (again.version, again.terms) == (7, small.terms)
    assert (again.idf == small.idf).all()
    assert (again.background != small.background).nnz == 0
    assert (again.rows(WORKS) != small.rows(WORKS)).nnz == 0


def packed(words: bytes, terms: int, idf: list[float], lengths: list[int], columns: list[int], values: list[float]) -> bytes:
    head = struct.pack("<4sIIII", b"TPV1", terms, len(words), len(lengths), len(columns))
    parts = [
        np.array(part, kind).tobytes() for part, kind in ((idf, "<f4"), (lengths, "<u2"), (columns, "<u2"), (values, "<f2"))
    ]
    return zlib.compress(b"".join([head, words, *parts]))


def test_the_smallest_vocabulary_can_be_read() -> None:
    assert Vocabulary.from_bytes(1, packed(b"rose", 1, [1], [1], [0], [1])).terms == ("rose",)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"nonsense",
        zlib.compress(b""),
        zlib.compress(bytes(100)),
        zlib.compress(bytes(70 * 2**20)),
        packed(b"rose", 1, [1], [1], [0], [1])[:-3],
        packed(b"rose", 1, [1], [1], [0], [1]) + b"x",
        packed(b"rose", 2, [1, 1], [1], [0], [1]),
        packed(b"rose\nrose", 2, [1, 1], [1], [0], [1]),
        packed(b"\xff", 1, [1], [1], [0], [1]),
        packed(b"rose", 1, [float("nan")], [1], [0], [1]),
        packed(b"rose", 1, [1], [1], [0], [float("inf")]),
        packed(b"rose", 1, [1], [1], [1], [1]),
        packed(b"rose", 1, [1], [2], [0], [1]),
        packed(b"rose", 1, [1], [], [], []),
    ],
)
def test_what_is_no_stored_vocabulary_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Vocabulary.from_bytes(1, stored)


WORDS = st.sampled_from("robot arms sparse attention video graphs models survey the gardening trees".split())
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


@given(st.lists(st.builds(Work, TEXTS, TEXTS), max_size=8))
@settings(max_examples=10, derandomize=True, deadline=None)
def test_any_papers_make_a_vocabulary_of_finite_numbers(works: list[Work]) -> None:
    fitted = fit(works)
    assert np.isfinite(fitted.idf).all()
    assert np.isfinite(fitted.background.data).all()
    assert fitted.rows(works).shape[0] == len(works)
