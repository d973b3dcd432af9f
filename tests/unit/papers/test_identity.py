import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.papers.identity import (
    SCHEMES,
    WEAK,
    arxiv_id,
    doi,
    family_name,
    normalised_title,
    same_work,
    strongest,
    strongest_first,
    title_key,
)
from digest.papers.model import Work

NEW_NUMBERS = st.builds("{:02}{:02}.{:05}".format, st.integers(7, 99), st.integers(1, 12), st.integers(1, 99999))
SPELLINGS = st.sampled_from(
    [
        "{}",
        "{}v3",
        " {} ",
        "arXiv:{}",
        "arxiv: {}v1",
        "oai:arXiv.org:{}",
        "https://arxiv.org/abs/{}",
        "http://www.arxiv.org/abs/{}v2",
        "https://arxiv.org/pdf/{}v2.pdf",
        "https://export.arxiv.org/abs/{}?context=cs.LG",
        "https://arxiv.org/html/{}v1#S1",
        "arxiv.org/abs/{}/",
        "HTTPS://ARXIV.ORG/ABS/{}",
        "https://huggingface.co/papers/{}",
    ]
)


@given(NEW_NUMBERS, SPELLINGS)
def test_every_spelling_of_an_arxiv_id_is_one_id(number: str, spelling: str) -> None:
    assert arxiv_id(spelling.format(number)) == f"arxiv:{number}"


@pytest.mark.parametrize(
    "text", ["math.GT/0309136", "math/0309136", "MATH.gt/0309136v2", "https://arxiv.org/abs/math.GT/0309136v1"]
)
def test_the_subject_class_of_an_old_id_is_no_part_of_it(text: str) -> None:
    assert arxiv_id(text) == "arxiv:math/0309136"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2511",
        "2513.04321",
        "hep-th/9913001",
        "2511.0432100",
        "2511.04321v",
        "2511https://arxiv.org/abs/.04321",
        "٢٥١١.٠٤٣٢١",
        "https://evil.example/arxiv.org/abs/2511.04321",
        "https://arxiv.org/abs/",
        "2511.04321\n2511.04322",
        "a" * 900 + "/9901001",
    ],
)
def test_what_is_no_arxiv_id_is_none(text: str) -> None:
    assert arxiv_id(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "10.1234/AbC.5",
        "doi:10.1234/abc.5",
        "https://doi.org/10.1234/ABC.5",
        "http://dx.doi.org/10.1234/abc.5",
        "doi.org/10.1234/abc.5",
        "https://doi.org/10.1234/abc.5?utm_source=feed&utm_medium=rss",
        "https://doi.org/10.1234/abc.5/#abstract",
        "https://doi.org/10.1234%2FABC%2E5",
        "10.1234/abc.5.",
        "doi: 10.1234/abc.5,",
        "DOI 10.1234/abc.5",
        "(10.1234/abc.5)",
        "[doi:10.1234/abc.5].",
        "<https://doi.org/10.1234/abc.5>",
        "https://doi.org/10.1234/abc.5).",
        "urn:doi:10.1234/abc.5",
        "info:doi/10.1234/abc.5",
    ],
)
def test_every_spelling_of_a_doi_is_one_id(text: str) -> None:
    assert doi(text) == "doi:10.1234/abc.5"


@pytest.mark.parametrize("text", ["10.48550/arXiv.2511.04321", "https://doi.org/10.48550/ARXIV.2511.04321v2"])
def test_a_doi_that_arxiv_registered_is_an_arxiv_id(text: str) -> None:
    assert doi(text) == "arxiv:2511.04321"


@pytest.mark.parametrize("text", ["10.1016/S0140-6736(20)30183-5", "(10.1016/S0140-6736(20)30183-5).", "10.1234/a(b)"])
def test_a_doi_keeps_the_brackets_that_it_opens_itself(text: str) -> None:
    assert doi(text) in ("doi:10.1016/s0140-6736(20)30183-5", "doi:10.1234/a(b)")


@pytest.mark.parametrize(
    "text",
    [
        "10.1101/2026.11.02.123456",
        "10.1101/2026.11.02.123456v2",
        "https://www.biorxiv.org/content/10.1101/2026.11.02.123456",
        "https://www.biorxiv.org/content/10.1101/2026.11.02.123456v1?rss=1",
        "https://www.medrxiv.org/content/10.1101/2026.11.02.123456v3.full.pdf",
        "https://www.biorxiv.org/content/10.1101/2026.11.02.123456.abstract",
    ],
)
def test_a_preprint_is_one_in_all_its_versions_and_views(text: str) -> None:
    assert doi(text) == "doi:10.1101/2026.11.02.123456"


def test_a_journal_of_the_same_press_is_no_preprint() -> None:
    assert doi("10.1101/gr.123456.108") == "doi:10.1101/gr.123456.108"
    assert doi("https://www.biorxiv.org/content/about-biorxiv") is None


def test_a_coded_character_that_nobody_can_read_stays_coded() -> None:
    assert doi("https://doi.org/10.1234/caf%E9") == "doi:10.1234/caf%e9"


def test_a_doi_keeps_what_looks_like_a_prefix_in_its_middle() -> None:
    assert doi("10.1234/xdoi:y") == "doi:10.1234/xdoi:y"


@pytest.mark.parametrize(
    "text",
    ["", "10.1234/", "10.12/abc", "11.1234/abc", "10.1234/a b", "10.1234/a\ud800", "10.1234/a\u202eb", "10.1234/" + "x" * 201],
)
def test_what_is_no_doi_is_none(text: str) -> None:
    assert doi(text) is None


@given(st.text(max_size=300))
def test_any_text_is_an_id_or_none_and_an_id_is_its_own_spelling(text: str) -> None:
    for canonical in (arxiv_id, doi):
        if id_ := canonical(text):
            id_.encode()
            assert arxiv_id(id_) == id_ if id_.startswith("arxiv:") else doi(id_) == id_


@given(st.text(max_size=200))
def test_normalising_a_title_twice_changes_nothing(title: str) -> None:
    once = normalised_title(title)
    assert normalised_title(once) == once


@given(st.text(max_size=200))
def test_a_normalised_title_has_single_blanks_and_no_capitals(title: str) -> None:
    once = normalised_title(title)
    assert once == " ".join(once.split())
    assert once == once.casefold()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Attention Is All You Need", "attention is all you need."),
        ("Deep-Learning:  A Survey", "Deep Learning - a survey"),
        ("Poincaré Embeddings", "Poincare\u0301 embeddings"),
        ("\U0001d40d\U0001d41e\U0001d42d Pruning", "Net pruning"),
        ("Straße", "STRASSE"),
        ("Sørensen’s Æther on Łódź", "Sorensen's aether on Lodz"),
    ],
)
def test_two_spellings_of_a_title_are_the_same(one: str, other: str) -> None:
    assert normalised_title(one) == normalised_title(other) != ""


@pytest.mark.parametrize(
    ("tex", "unicode"),
    [
        (r"Schr\"odinger Bridges", "Schrödinger Bridges"),
        (r"Schr\"{o}dinger Bridges", "Schrödinger bridges"),
        (r"Schr{\"o}dinger Bridges", "Schrödinger bridges"),
        (r"A Na\"{\i}ve Poincar\'e Map", "A naïve Poincaré map"),
        (r"Erd\H{o}s--R\'enyi Graphs by \v{C}ech and Fran\c cois", "Erdős–Rényi Graphs by Čech and François"),
        (r"S\o rensen and {\L}ukasz in \AA rhus on the Stra\ss e", "Sørensen and Łukasz in Århus on the Straße"),
        (r"$\alpha$-Flow and $\varepsilon$-Greedy", "α-Flow and ε-greedy"),
        (r"$\beta$VAE, $L_2$ and $x^{2}$ for H$_2$O", "βVAE, L₂ and x² for H₂O"),
        (r"{BERT}: \textbf{Deep} \emph{Nets} in $\mathcal{N}=4$", "BERT: Deep Nets in 𝒩=4"),
        (r"$\ell_1$ on $2\times2$ grids", "ℓ₁ on 2×2 grids"),
        (r"Q\&A at 90\%", "Q&A at 90%"),
    ],
)
def test_a_title_in_tex_is_the_same_as_in_unicode(tex: str, unicode: str) -> None:
    assert normalised_title(tex) == normalised_title(unicode)


def test_what_only_looks_like_tex_keeps_its_letters() -> None:
    assert normalised_title(r"C:\new\folder costs $5, $6 {or} a_b \ ~") == "c newfolder costs 5 6 or a b"


@given(st.text("\\{}$\"'^_ aov", max_size=40))
def test_broken_tex_is_a_title_like_any_other(title: str) -> None:
    once = normalised_title(title)
    assert normalised_title(once) == once
    assert set(once) <= set("aov ")


@pytest.mark.parametrize(
    "author",
    [
        "Jane Doe",
        "Doe, Jane",
        "J. DOE",
        "Doe, J. A.",
        "Jane Doe Jr.",
        "Jane Doe, Jr.",
        "Doe, Jr., Jane",
        "Doe Jr., Jane",
        "Jane Doe III",
        "Jane Doe sr",
        r"Jane D\"o{e}",
    ],
)
def test_an_author_is_known_by_the_family_name_in_either_order(author: str) -> None:
    assert family_name(author) == "doe"


def test_the_same_title_by_somebody_else_is_another_work() -> None:
    mine, yours = Work("A Survey", authors=("Jane Doe",)), Work("A survey", authors=("Max Roe",))
    assert not same_work(mine, yours)
    assert same_work(mine, Work("A survey"))
    assert title_key(mine) != title_key(yours)


def test_somebody_whose_only_name_is_like_a_generation_keeps_it() -> None:
    assert family_name("Ii, Naoto") == "ii"
    assert family_name("Jr.") == "jr"


LONG, SHORT = "Sparse attention for long texts", "Sparse attention"
ARXIV, OTHER_ARXIV, DOI = "arxiv:2511.04321", "arxiv:2511.00002", "doi:10.1234/a"


def told(title: str, *authors: str) -> Work:
    return Work(title, authors=authors)


def test_a_telling_title_and_its_first_author_make_one_work_of_two_strong_ids_of_different_schemes() -> None:
    assert same_work(told(LONG, "Ann Lee", "Bob Roe"), told(LONG, "Lee, Ann"), {ARXIV}, {DOI})
    assert same_work(told(LONG, "Ann Lee"), told(LONG, "Ann Lee"), {ARXIV, "s2:1"}, {DOI, "s2:2"})


@pytest.mark.parametrize(
    ("one", "other", "ids", "other_ids"),
    [
        (told(LONG, "Ann Lee"), told(LONG, "Ann Lee"), {ARXIV}, {OTHER_ARXIV}),
        (told(LONG, "Ann Lee"), told(LONG, "Ann Lee"), {ARXIV, DOI}, {"doi:10.1234/b"}),
        (told(LONG, "Ann Lee"), told(LONG, "Bob Roe"), {ARXIV}, {DOI}),
        (told(LONG, "Ann Lee"), told(LONG), {ARXIV}, {DOI}),
        (told(SHORT, "Ann Lee"), told(SHORT, "Ann Lee"), {ARXIV}, {DOI}),
        (told(SHORT), told(SHORT), {ARXIV}, {"feed:a"}),
        (told(LONG, "Ann Lee"), told(LONG, "Bob Roe"), {ARXIV}, {"feed:a"}),
    ],
    ids=[
        "two arXiv ids",
        "two DOIs",
        "two authors",
        "no author",
        "short title",
        "short title and no author",
        "feed, two authors",
    ],
)
def test_what_may_be_another_work_is_another(one: Work, other: Work, ids: set[str], other_ids: set[str]) -> None:
    assert not same_work(one, other, ids, other_ids)
    assert not same_work(other, one, other_ids, ids)


@pytest.mark.parametrize("weak", [{"s2:1"}, {"openalex:W1"}, {"feed:news:1"}])
@pytest.mark.parametrize("ids", [{ARXIV}, {ARXIV, DOI}, {"s2:2"}, {"feed:news:2"}])
def test_an_id_of_an_index_or_a_feed_keeps_no_two_titles_apart(weak: set[str], ids: set[str]) -> None:
    assert same_work(told(LONG), told(LONG), ids, weak)
    assert same_work(told(SHORT, "Ann Lee"), told(SHORT, "Ann Lee"), ids, weak)


def test_where_one_side_has_no_id_any_title_will_do_unless_the_authors_differ() -> None:
    assert same_work(told(SHORT), told(SHORT, "Ann Lee"), {ARXIV}, {"title:sparse attention|"})
    assert not same_work(told(SHORT, "Bob Roe"), told(SHORT, "Ann Lee"), {ARXIV})


def test_two_titles_without_a_letter_are_not_the_same_work() -> None:
    assert not same_work(Work("???"), Work("!!!"))


def test_a_paper_is_called_by_its_strongest_id() -> None:
    assert strongest(["title:a|b", "doi:10.1234/a", "arxiv:2511.04321"]) == "arxiv:2511.04321"
    assert strongest(["unheard:1", "title:a|b"]) == "title:a|b"
    assert strongest_first(["feed:a", DOI, "s2:1", "feed:a", ARXIV]) == (ARXIV, DOI, "s2:1", "feed:a")


def test_what_is_no_strong_id_is_weaker_than_all_that_are() -> None:
    assert set(SCHEMES[-len(WEAK) :]) == WEAK
