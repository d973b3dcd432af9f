"""TeX becomes readable, and no word gets lost."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.tex import readable

TEX = (
    r"$\alpha$",
    r"\textbf{bold}",
    r"$O(n \log n)$",
    r"\cite{someone}",
    r"{\em so}",
    r"$\frac{a}{b}$",
    r"\%",
    r"\&",
    "$5",
    "$",
    "{",
    "}",
    "^",
    "_",
    "~",
    "\\",
    r"\unknown",
    "`",
    "``",
    "''",
    "x_{i}",
    "10^{-3}",
    r"\begin{x}",
    r"\'e",
    "%",
    "&",
    "#",
    "$$",
    r"\(",
    r"\)",
)
words = st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (r"$\alpha$-divergence", "α-divergence"),
        (r"$\mathcal{O}(n^2)$", "O(n²)"),
        (r"\uline{M}ine \uline{in}trinsic mast\uline{er}y of \num{1617} headlines", "Mine intrinsic mastery of 1617 headlines"),
        (r"O(n \log n)", "O(n log n)"),
        (r"$\mathbb{R}^d$", "ℝᵈ"),
        (r"$\{x_i\}_{i=1}^N$", "{xᵢ}ᵢ₌₁ᴺ"),
        (r"$10^{-3}$", "10⁻³"),
        (r"$\frac{a+1}{b}$", "(a+1)/b"),
        (r"$\hat{x}_{t+1}$", "x̂ₜ₊₁"),
        (r"$\sim$10 times", "∼10 times"),
        ("x_{i}", "xᵢ"),
        ("CO_2 and In_2O_3", "CO₂ and In₂O₃"),
        ("A^2Search", "A²Search"),
        ("GUI-360^circ", "GUI-360°"),
        (r"Andr\'e, M\"obius, \L{}ukasz, Erd\H{o}s, Fran\c{c}ois", "André, Möbius, Łukasz, Erdős, François"),
        (r"Bolet\'{\i}n", "Boletín"),
        (r"\textbf{Gen}erat\textbf{i}ve", "Generative"),
        ("textbf{Gen}erattextbf{i}ve", "Generative"),
        (r"{\em persistent homology}", "persistent homology"),
        ("{De}coupled {Mo}mentum", "Decoupled Momentum"),
        (r"R\&D at 50\%", "R&D at 50%"),
        (r"Fig.~3 and models,~i.e., CLIP", "Fig. 3 and models, i.e., CLIP"),
        (r"(\eg, PPO)", "(e.g., PPO)"),
        (r"``easy'' \& hard", "“easy” & hard"),
        ("""as ``easy'' or ``hard" ones""", "as “easy” or “hard” ones"),
        ("10--20% of vision--language models", "10–20% of vision–language models"),
        ("both (i)--(iii) -- all of it---hold", "both (i)–(iii) – all of it—hold"),
        (r"\url{https://a.example/b_c}", "https://a.example/b_c"),
    ],
)
def test_tex_becomes_what_a_reader_would_read_aloud(raw: str, shown: str) -> None:
    assert readable(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        "50% off, cost $5",
        "between $5 and $10",
        "between $5 and 10$ dollars",
        "US$ and A$ rates",
        "an odd $ sign",
        "R&D & more",
        "about ~10k, 15~30% and 1M~4M",
        "unique_references and is_a",
        "https://example.org/a_b^c~d",
        r"\cite{someone} and \unknown",
        r"C:\Users\new",
        "{{ 7*7 }} {{x}} {% if %}",
        "c in {True, False}",
        "^_^ {} $$ \\",
        r"\n and \t",
        "with --fast, or a --> b, or ----",
        "https://example.org/a--b and <!-- x -->",
        "`--flag` and i--",
    ],
)
def test_what_only_looks_like_tex_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


@given(st.text())
def test_text_without_tex_is_returned_as_it_is(text: str) -> None:
    plain = re.sub(r"[\\$^_{~]|`+|-+", "", text)
    assert readable(plain) is plain


@given(st.lists(st.one_of(words, st.sampled_from(TEX)), max_size=25))
def test_words_outside_tex_never_vanish(pieces: list[str]) -> None:
    shown = readable(" ".join(pieces))
    place = 0
    for word in (piece for piece in pieces if piece not in TEX):
        place = shown.find(word, place)
        assert place >= 0, f"{word!r} got lost in {shown!r}"
        place += len(word)


@given(st.lists(st.sampled_from([*TEX, "a", "B", "é", "1", " ", ",", "(", ")"]), max_size=40).map("".join))
def test_no_text_is_too_broken_to_be_read(text: str) -> None:
    assert isinstance(readable(text), str)


@pytest.mark.parametrize("piece", ["{", "}", "$", "\\", "\\frac{", "^{", "\\url{", "``", "\\(", "{a", "$a ", "\\c{\\c{"])
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    began = time.process_time()
    readable(piece * (6000 // len(piece)))
    assert time.process_time() - began < 1


def test_deep_nesting_ends() -> None:
    assert "x" in readable(r"\textbf{" * 500 + "x" + "}" * 500)
