import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.papers.text import clean, shorten

# Every character, lone surrogates too: JSON can carry them.
ANY_TEXT = st.text(st.characters(), max_size=400)


@given(ANY_TEXT, st.integers(2, 120))
def test_clean_text_is_one_tidy_line_within_its_limit(text: str, limit: int) -> None:
    line = clean(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in line)
    assert not any(
        unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI") for c in line
    )
    line.encode()


@given(ANY_TEXT, st.integers(2, 120))
def test_cleaning_twice_changes_nothing(text: str, limit: int) -> None:
    once = clean(text, limit)
    assert clean(once, limit) == once


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=100))
def test_ordinary_text_is_only_normalised(text: str) -> None:
    fillers = {"\u115f", "\u1160", "\u3164", "\uffa0"}
    if not fillers & set(text):
        assert clean(text, 1000) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u061c", "\u200b", "\u200f", "\ufeff", "\u2063", "\U000e0041", "\u3164"]
)
def test_what_cannot_be_seen_is_taken_out(hidden: str) -> None:
    assert clean(f"Deep{hidden}Net", 100) == "DeepNet"


@pytest.mark.parametrize(
    "broken", ["Deep\nNet", "Deep\r\n Net", "Deep\x00Net", "Deep\u2028Net", "Deep\x1b\x9bNet", " Deep \t Net ", "Deep\u00a0Net"]
)
def test_controls_and_line_breaks_become_one_blank(broken: str) -> None:
    assert clean(broken, 100) == "Deep Net"


def test_joiners_within_an_emoji_stay() -> None:
    assert clean("👩\u200d🔬 at work", 100) == "👩\u200d🔬 at work"


def test_a_lone_surrogate_is_shown_as_unreadable() -> None:
    assert clean("Net\ud800", 100) == "Net\ufffd"


def test_a_tower_of_marks_is_lowered_to_four() -> None:
    assert len(unicodedata.normalize("NFD", clean("x" + "\u0338" * 500, 100))) <= 6


def test_blanks_before_a_text_do_not_use_up_its_room() -> None:
    assert clean(" " * 5000 + "Title", 100) == "Title"


def test_text_lost_among_blanks_is_marked_as_cut() -> None:
    assert clean("a" + " " * 5000 + "b", 100) == "a …"


def test_a_long_text_is_cut_at_a_word_and_marked() -> None:
    assert shorten("one two three, four", 16) == "one two three…"
    assert shorten("one two", 7) == "one two"
    assert shorten("x" * 50, 10) == "x" * 9 + "…"
