"""Finding papers by their words: the same on every database."""

from itertools import count

import pytest
from contract.world import HOUR, NOW, World, sighting
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from digest.store import papers
from digest.store.schema import paper, paper_alias
from digest.store.search import POOL

A, B, C, DOI = "arxiv:2511.00001", "arxiv:2511.00002", "arxiv:2511.00003", "doi:10.1234/abc.5"


def found(world: World, words: str, limit: int | None = None) -> list[str]:
    with world.store.read() as connection:
        return [one.key for one in papers.search(connection, words, limit=limit)]


@pytest.fixture
def library(world: World) -> World:
    world.record(
        sighting(
            "Sparse attention for long texts",
            A,
            authors=["Zoë Doe", "Karel Čapek"],
            abstract="We were learning which tokens matter in state-of-the-art networks of precision/recall, or GPT-4.",
        ),
        sighting("Dense retrieval", B, authors=["Ann Lee"], abstract="No attention is paid to <b>Schrödinger</b>'s cats."),
        sighting("Editorial 🎓 100%", C, authors=["Ann Roe"]),
    )
    return world


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("sparse", [A]),
        ("SPARSE Texts", [A]),
        ("attention dense", [B]),
        ("attention gardening", []),
        ("ann", [B, C]),
        ("lee", [B]),
        ("roe lee", []),
    ],
)
def test_each_word_must_stand_in_title_abstract_or_authors(library: World, words: str, keys: list[str]) -> None:
    assert sorted(found(library, words)) == keys


@pytest.mark.parametrize("words", ["atten", "spar tex", "retr", "edito", "capek", "Čape"])
def test_the_beginning_of_a_word_will_do(library: World, words: str) -> None:
    assert found(library, words)


@pytest.mark.parametrize("words", ["learned", "learns networks", "token mattering", "retrievals"])
def test_a_word_is_found_in_its_other_forms(library: World, words: str) -> None:
    assert len(found(library, words)) == 1


@pytest.mark.parametrize("words", ["schrodinger", "SCHRÖDINGER", "Schro\u0308dinger", "zoe", "ZOË", "Čapek", "CAPEK"])
def test_accents_and_case_make_no_difference(library: World, words: str) -> None:
    assert len(found(library, words)) == 1


@pytest.mark.parametrize(
    "words",
    [
        "state-of-the-art",
        "state of the art",
        "precision/recall",
        "gpt-4",
        "GPT 4",
        "network,",
        '"sparse attention"',
        "<b>Schrödinger</b>",
    ],
)
def test_marks_between_words_are_blanks(library: World, words: str) -> None:
    assert len(found(library, words)) == 1


def test_a_letter_or_two_are_a_word_and_no_beginning(library: World) -> None:
    assert found(library, "4") == [A]
    assert found(library, "re") == found(library, "a r") == []


def test_a_word_of_the_title_weighs_more_than_one_of_an_author_and_that_more_than_one_of_the_abstract(world: World) -> None:
    filler = " ".join(f"word{n}" for n in range(60))
    world.record(
        sighting("About something else", C, abstract=f"Turing {filler}", authors=["Ann Lee"]),
        sighting("About something else again", B, abstract=filler, authors=["Ann Turing"]),
        sighting("About Turing machines", A, abstract=filler, authors=["Ann Lee"]),
    )
    assert found(world, "turing") == [A, B, C]


def test_as_many_as_are_asked_for_are_the_best(library: World) -> None:
    assert found(library, "attention") == [A, B]
    assert found(library, "attention", limit=1) == [A]
    assert found(library, "attention", limit=0) == []


def test_where_very_many_match_the_best_of_the_newest_are_found(world: World) -> None:
    world.record(*(sighting(f"Sparse sparse {n}", f"arxiv:2511.{n:05}") for n in range(1, 10)))
    world.record(*(sighting(f"Something less sparse {n}", f"arxiv:2512.{n:05}") for n in range(2, POOL)))
    assert found(world, "sparse", limit=3) == ["arxiv:2511.00009", "arxiv:2511.00008", f"arxiv:2512.{POOL - 1:05}"]
    assert found(world, "sparse", limit=POOL + 2)[:4] == [f"arxiv:2511.0000{n}" for n in (9, 8, 7, 6)]
    assert len(found(world, "sparse")) == POOL + 7


def test_a_paper_is_found_by_what_it_says_now_and_not_by_what_it_said(library: World) -> None:
    library.record(
        sighting("Sparse attention for long texts", A, abstract="A much longer abstract, all about quaternions. " * 9)
    )
    assert found(library, "quaternion") == [A]
    assert found(library, "tokens") == []
    library.record(sighting("Dense retrieval", B, authors=["Ann Lee", "Max Moe"]))
    assert found(library, "moe") == found(library, "lee moe") == [B]


def test_what_is_no_word_of_a_paper_changes_nothing_in_its_text(library: World) -> None:
    with library.store.write() as connection:
        papers.set_pinned(connection, library.paper(A).id, NOW)
        connection.execute(update(paper).values(organization="Quaternion Institute"))
    assert found(library, "sparse") == [A]
    assert found(library, "quaternion") == []


def test_a_paper_that_is_gone_is_not_found(library: World) -> None:
    number = library.paper(A).id
    with library.store.write() as connection:
        connection.execute(delete(paper_alias).where(paper_alias.c.paper_id == number))
        connection.execute(delete(paper).where(paper.c.id == number))
    assert found(library, "attention") == [B]
    library.record(sighting("Attention", A))
    assert sorted(found(library, "attention")) == [A, B]


def test_a_paper_that_was_merged_away_is_found_once_as_what_it_is_now(world: World) -> None:
    world.record(
        sighting("Sparse attention", A, abstract="Short."), sighting("Sparse attention, really", DOI, abstract="Longer.")
    )
    assert len(found(world, "sparse attention")) == 2
    world.record(sighting("Sparse attention", A, DOI))
    assert found(world, "sparse attention") == found(world, "longer") == [A]
    with world.store.read() as connection:
        (one,) = papers.search(connection, "sparse")
    assert one == world.paper(A)
    assert one.former_ids


def test_hidden_and_retracted_papers_are_found_too(library: World) -> None:
    library.retract(A)
    with library.store.write() as connection:
        papers.set_hidden(connection, library.paper(B).id, NOW)
    assert found(library, "attention") == [A, B]


@pytest.mark.parametrize(
    "words",
    ["2511.00001", "arXiv:2511.00001v3", "https://arxiv.org/pdf/2511.00001v2.pdf", "Sparse attention [ 2511.00001 ]", A],
)
def test_an_id_finds_its_paper_in_any_spelling_and_beside_other_words(library: World, words: str) -> None:
    assert found(library, words) == [A]


def test_ids_of_other_kinds_find_their_papers(library: World) -> None:
    library.record(sighting("Dense retrieval", B, DOI, "feed:news:Item 7", "s2:0fab"))
    for words in ("10.1234/ABC.5", "https://doi.org/10.1234/abc.5", "s2:0fab", "doi: 10.1234/abc.5"):
        assert found(library, words) == [B]
    assert found(library, "10.1234/abc.5 2511.00001") == [A, B]


def test_an_id_that_nobody_has_is_looked_for_as_words(world: World) -> None:
    world.record(sighting("A comment on 2511.09999", A))
    assert found(world, "2511.09999") == [A]
    assert found(world, "2511.09998") == []


def test_what_has_no_word_in_it_must_stand_in_the_title(library: World) -> None:
    assert found(library, "🎓") == found(library, "%") == found(library, "🎓 %") == [C]
    assert found(library, "_") == found(library, "🎓 ?") == []
    library.record(sighting("Older 🎓", DOI, at=NOW - HOUR))
    assert found(library, "🎓") == [C, DOI]
    assert found(library, "🎓", limit=1) == [C]


@pytest.mark.parametrize("words", ["", "   ", "\n\t", "\x00", "\u202e"])
def test_nothing_finds_nothing(library: World, words: str) -> None:
    assert found(library, words) == []


def test_words_that_stand_everywhere_are_still_found(world: World) -> None:
    world.record(sighting("All you need is this", A), sighting("Sparse attention", B))
    assert found(world, "all you") == found(world, "IS THIS") == [A]


@pytest.mark.parametrize(
    "words",
    [
        'sparse"',
        "sparse'",
        "sparse*",
        "sparse AND NOT",
        "title:sparse",
        "NEAR(sparse)",
        "sparse:*",
        "sparse) OR (1=1",
        "sparse; DROP TABLE paper",
        "{title}: sparse",
        "^sparse",
        "sparse\\",
        "\udcff sparse",
        "sparse & | !",
        "%s %(words)s :words sparse",
    ],
)
def test_no_operator_of_either_database_reaches_it(library: World, words: str) -> None:
    assert found(library, words) in ([A], [])
    assert len(library.papers()) == 3


def test_anything_can_be_looked_for(library: World) -> None:
    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(max_size=60) | st.text("\"'*:&|!()<->%_\\ aé🎓0", max_size=30), st.none() | st.integers(0, 5))
    def check(words: str, limit: int | None) -> None:
        assert set(found(library, words, limit)) <= {A, B, C}

    check()
    assert found(library, "sparse " * 1000) == [A]
    assert found(library, "x" * 100_000) == []


def test_a_title_of_whatever_letters_finds_its_paper(world: World) -> None:
    numbers = count(1)
    letters = st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=0x24F, exclude_characters="ʼŉ")

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.text(letters, min_size=3, max_size=12), min_size=1, max_size=5))
    def check(words: list[str]) -> None:
        key = f"arxiv:2511.{next(numbers):05}"
        world.record(sighting("unlike " + " ".join(words), key))
        assert key in found(world, "unlike " + " ".join(words))

    check()
