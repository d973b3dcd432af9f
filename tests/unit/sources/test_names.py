import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.names import given_first, split_names


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Gomez Cuautle, D. D.", "D. D. Gomez Cuautle"),
        ("Doe, Jane", "Jane Doe"),
        ("Jane Doe", "Jane Doe"),
        ("Roe, M., Jr.", "M. Roe Jr."),
        ("Roe, Jr., M.", "M. Roe Jr."),
        ("Max Roe, III", "Max Roe III"),
        ("The Invented Consortium,", "The Invented Consortium"),
        ("", ""),
        (" , ,", ""),
    ],
)
def test_a_name_is_written_as_it_is_said(written: str, said: str) -> None:
    assert given_first(written) == said


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (" ;, ; ", ()),
        ("Jane Doe", ("Jane Doe",)),
        ("Doe, Jane", ("Jane Doe",)),
        ("van der Berg, Jan", ("Jan van der Berg",)),
        ("Jane Doe, Max Roe", ("Jane Doe", "Max Roe")),
        ("Jane Doe and Max Roe", ("Jane Doe", "Max Roe")),
        ("Jane Doe, Max Roe, and Ann Poe", ("Jane Doe", "Max Roe", "Ann Poe")),
        ("Jane Doe, Max Roe and Ann Poe", ("Jane Doe", "Max Roe", "Ann Poe")),
        ("A, B and C", ("A", "B", "C")),
        ("A; B", ("A", "B")),
        ("Jane Doe & Max Roe", ("Jane Doe", "Max Roe")),
        ("Doe, J., Roe, M. K.", ("J. Doe", "M. K. Roe")),
        ("Doe, J.; Gomez Cuautle, D. D.;", ("J. Doe", "D. D. Gomez Cuautle")),
        ("Doe, Jane and Gomez Cuautle, Diana", ("Jane Doe", "Diana Gomez Cuautle")),
        ("Jane Doe, Max Roe, Jr., Ann Poe", ("Jane Doe", "Max Roe Jr.", "Ann Poe")),
        ("Jane Doe, Max Roe, et al.", ("Jane Doe", "Max Roe")),
        ("Jane Doe, Jane Doe", ("Jane Doe",)),
        ("李雷, 韩梅梅", ("李雷", "韩梅梅")),
        ("The Invented Collaboration", ("The Invented Collaboration",)),
        ("Andrew Sandler and Alexander Andrews", ("Andrew Sandler", "Alexander Andrews")),
        ("Jane\n\tDoe,\u202e Max Roe", ("Jane Doe", "Max Roe")),
    ],
)
def test_authors_in_one_text_are_told_apart(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


def test_three_hundred_authors_are_kept_and_a_name_is_never_too_long() -> None:
    assert len(split_names("; ".join(f"Author{n}, A." for n in range(300)))) == 300
    assert len(split_names("; ".join(f"Author{n}, A." for n in range(9_000)))) == 400
    (name,) = split_names("x" * 20_000)
    assert len(name) <= 100


@pytest.mark.parametrize("piece", ["a, ", " and ", "a; ", ",", " ", "A., "])
def test_hostile_names_take_no_longer_than_others(piece: str) -> None:
    started = time.process_time()
    split_names(piece * (540_000 // len(piece)))
    assert time.process_time() - started < 1.0


@given(st.text(max_size=200) | st.lists(st.sampled_from(["A.", "Doe", ", ", "; ", " and ", " ", "Jr."])).map("".join))
def test_any_text_is_names_without_repeats(text: str) -> None:
    names = split_names(text)
    assert len(set(names)) == len(names)
    assert all(name.strip() == name and 0 < len(name) <= 100 for name in names)
