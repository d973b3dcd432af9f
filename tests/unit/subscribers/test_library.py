"""What a reader pastes to say which papers he likes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.subscribers.library import MAX_DEPTH, MAX_ENTRY, MAX_LINE, MAX_TEXT, MAX_UNREAD, find_ids, read
from digest.subscribers.model import MAX_KEY, MAX_RATED

BIBTEX = r"""
@article{vaswani2017attention,
  title   = {Attention {I}s All You Need},
  author  = {Vaswani, Ashish and Noam Shazeer and others},
  journal = {arXiv preprint arXiv:1706.03762},
  year    = 2017,
  abstract = {We propose a new architecture, the Transformer \& more.}
}
"""


def keys(text: str) -> list[str]:
    return [like.ids[0] for like in read(text).likes]


def unread(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.why) for one in read(text).unread]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2301.00001", ["arxiv:2301.00001"]),
        (
            "2301.00001v3, arXiv:2302.00002; https://arxiv.org/pdf/2303.00003v1.pdf",
            [f"arxiv:230{n}.0000{n}" for n in (1, 2, 3)],
        ),
        ("arXiv: 2301.00001 [cs.CL]", ["arxiv:2301.00001"]),
        ("hep-th/9901001 and math.GT/0309136", ["arxiv:hep-th/9901001", "arxiv:math/0309136"]),
        ("(https://doi.org/10.1145/1234.5678).", ["doi:10.1145/1234.5678"]),
        ("doi:10.1000/ABC", ["doi:10.1000/abc"]),
        ("https://dl.acm.org/doi/abs/10.1145/3292500.3330701", ["doi:10.1145/3292500.3330701"]),
        ("see 10.48550/arXiv.2301.00001", ["arxiv:2301.00001"]),
        ("https://huggingface.co/papers/2301.00001?x=1", ["arxiv:2301.00001"]),
        ("pages 12.34 to 1234.12345678, phone 0123.456789", []),
        ("2313.00001 has a month that is none", []),
        ("", []),
    ],
)
def test_ids_are_found_in_whatever_stands_around_them(text: str, expected: list[str]) -> None:
    assert find_ids(text) == expected


def test_an_entry_of_bibtex_gives_id_title_abstract_and_authors() -> None:
    (like,) = read(BIBTEX).likes
    assert like.ids == ("arxiv:1706.03762",)
    assert like.work
    assert like.work.title == "Attention Is All You Need"
    assert like.work.authors == ("Ashish Vaswani", "Noam Shazeer")
    assert like.work.abstract == "We propose a new architecture, the Transformer & more."


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ("eprint={2301.00001}, archivePrefix={arXiv}", ("arxiv:2301.00001",)),
        ("eprint={2301.00001v2}", ("arxiv:2301.00001",)),
        ("eprint={8675309}, eprinttype={pubmed}, doi={10.1/X}", ("title:on graphs|doe",)),
        ("eprint={1234.56789}, eprinttype={jstor}, doi={10.1000/X}", ("doi:10.1000/x",)),
        ("doi={https://doi.org/10.1000/x\\_y}, eprint={2301.00001}", ("arxiv:2301.00001", "doi:10.1000/x_y")),
        ("url={https://arxiv.org/abs/2301.00001}", ("arxiv:2301.00001",)),
        ("volume={abs/2301.00001}, journal={CoRR}", ("arxiv:2301.00001",)),
        ("note={arXiv:2301.00001 [cs]}", ("arxiv:2301.00001",)),
        ("howpublished={\\url{https://arxiv.org/abs/2301.00001}}", ("arxiv:2301.00001",)),
        ("pages={1234.56789}, volume={2301.00001}", ("title:on graphs|doe",)),
        ("note={see 10.1000/other}, doi={10.1000/x}", ("doi:10.1000/x",)),
        ("", ("title:on graphs|doe",)),
    ],
)
def test_the_id_of_an_entry_is_where_people_write_it(fields: str, ids: tuple[str, ...]) -> None:
    (like,) = read(f"@misc{{k, title={{On Graphs}}, author={{Doe, Jane}}, {fields}}}").likes
    assert like.ids == ids


def test_tex_in_an_entry_becomes_text() -> None:
    (like,) = read(r'@book{k, title = "{\"U}ber $\alpha$-Netze", author = {M{\"u}ller, J{\"o}rg}, eprint = {2301.00001}}').likes
    assert like.work
    assert like.work.title == "Über $α$-Netze"
    assert like.work.authors == ("Jörg Müller",)


def test_entries_and_lines_may_stand_in_any_order() -> None:
    text = f"2301.00001\n{BIBTEX}% a remark\n# another\n@string{{x = {{y}}}} 2302.00002\n@comment{{nothing}}\n10.1000/x\n"
    assert keys(text) == ["arxiv:2301.00001", "arxiv:1706.03762", "arxiv:2302.00002", "doi:10.1000/x"]
    assert not read(text).unread


def test_a_paper_that_stands_twice_is_one() -> None:
    assert keys(f"1706.03762\n{BIBTEX}{BIBTEX}") == ["arxiv:1706.03762"]


def test_what_cannot_be_read_is_told_by_line_and_costs_itself_alone() -> None:
    text = (
        "2301.00001\n"
        "the paper about graphs\n"
        "@misc{open, title = {never closed,\n"
        "  author = {Doe, Jane},\n"
        "@misc{a, eprint={2302.00002}}\n"
        "@misc{b, year={2020}}\n"
        "@misc{, title={no key}}\r\n"
        "2303.00003\n"
    )
    assert keys(text) == ["arxiv:2301.00001", "arxiv:2302.00002", "arxiv:2303.00003"]
    assert unread(text) == [
        (2, "no arXiv id, no DOI and no entry of BibTeX"),
        (3, "the entry is never closed"),
        (6, "the entry has no id and no title"),
        (7, "this is not BibTeX"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@misc{k, title={" + "{" * MAX_DEPTH + "}" * MAX_DEPTH + "}}", f"braces in braces, {MAX_DEPTH + 2} deep"),
        ("@misc{k, title={" + "x" * MAX_ENTRY + "}}", f"an entry of more than {MAX_ENTRY:,} characters"),
        ("@misc{k, " + "x={y}," * 500 + "}", "an entry of too many fields"),
        ("@misc{k, title=" + "a # " * 500 + "b}", "an entry of too many fields"),
        ("2301.00001 " * MAX_LINE, f"a line of more than {MAX_LINE:,} characters"),
    ],
)
def test_what_would_take_long_is_not_parsed(text: str, why: str) -> None:
    library = read(f"{text}\n2303.00003\n")
    assert [one.why for one in library.unread] == [why]
    assert [like.ids for like in library.likes] == [("arxiv:2303.00003",)]


def test_more_papers_than_a_reader_may_have_are_left_unread() -> None:
    library = read("\n".join(f"2301.{n:05}" for n in range(MAX_RATED + 50)))
    assert len(library.likes) == MAX_RATED
    assert [one.why for one in library.unread] == ["too much at once: the rest was not read"]


def test_a_novel_is_not_read_to_its_end() -> None:
    assert len(read("Call me Ishmael.\n" * 100_000).unread) <= MAX_UNREAD + 2


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadInput, match="more than 4 MiB"):
        read("x" * (MAX_TEXT + 1))


WORDS = (
    "@misc{ @article( @string{ @comment{ @ } ) { \" , = # \\ \\' title doi k, % $ ~ and abs/ arXiv: 2301.00001 10.1000/x;y é"
)
pieces = st.sampled_from([*WORDS.split(), "eprint = ", "\n", "\r", "\0", "\u202e", "\ud800"])


@given(st.lists(pieces | st.text(max_size=8), max_size=60).map("".join))
def test_nothing_pasted_is_too_strange(text: str) -> None:
    library = read(text)
    for like in library.likes:
        assert like.ids
        assert all(len(id_) <= MAX_KEY and ":" in id_ for id_ in like.ids)
        assert like.work is None or like.work.title.isprintable()
    assert all(1 <= one.line <= text.count("\n") + text.count("\r") + 1 for one in library.unread)


@given(
    st.lists(st.integers(0, 99999).map(lambda n: f"2301.{n:05}"), max_size=20, unique=True),
    st.sampled_from([", ", "\n", " ; "]),
)
def test_every_id_of_a_list_is_found_in_its_order(ids: list[str], between: str) -> None:
    assert keys(between.join(ids)) == [f"arxiv:{id_}" for id_ in ids]
