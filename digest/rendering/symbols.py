"""What TeX's commands are in Unicode: pylatexenc's tables behind guards, and the few things that it has no table for."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

FONTS = frozenset(
    (
        "text textbf textit texttt textsc textsf textrm textnormal textup emph underline mbox operatorname url bm bf rm it "
        "boldsymbol mathrm mathbf mathit mathsf mathtt mathcal mathscr mathfrak mathbb mathnormal mathop ensuremath uline num"
    ).split()
)
"""Commands of one argument that only say how it looks."""

BARE_FONTS = "textbf|textit|texttt|textsc|emph|mathcal|mathbb|mathrm|mathbf|boldsymbol"
"""Those that some sources leave without their backslash: `textbf{Gen}erative`."""

INVISIBLE = (FONTS - {"text", "url"}) | frozenset(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg displaystyle textstyle limits nolimits xspace em bfseries itshape".split()
)
r"""Commands that leave nothing when they stand without an argument: `{\em so}`."""

OVER = frozenset("hat widehat bar overline tilde widetilde vec dot ddot c v u H d b k r".split())
"""Accents that are written as commands."""

OPERATORS = frozenset("log ln exp sin cos tan min max arg argmin argmax sup inf lim det dim ker Pr gcd deg mod".split())
"""Commands that are read as their own name."""

SPELLED = {
    "eg": "e.g.",
    "ie": "i.e.",
    "etal": "et al.",
    "etc": "etc.",
    "vs": "vs.",
    "wrt": "w.r.t.",
    "quad": " ",
    "qquad": " ",
    "textless": "<",
    "textgreater": ">",
    "textasciitilde": "~",
    "lvert": "|",
    "rvert": "|",
    "lVert": "‖",
    "rVert": "‖",
}
"""Commands that pylatexenc does not know, and what they stand for."""

BOARD = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
"""Double-struck letters that every font has; the others are shown plain."""

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ*′°ᵀ†"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
SCRIPTS = {
    "^": dict(zip("0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW*′∘⊤†", _RAISED, strict=True)),
    "_": dict(zip("0123456789+-−=()aehijklmnoprstuvx", _LOWERED, strict=True)),
}


def script(sign: str, inner: str) -> str:
    """`^2` as `²` where Unicode has all of it, else in plain signs that cannot be misread: `^(a/b)`."""
    table = SCRIPTS[sign]
    if inner and all(character in table for character in inner):
        return "".join(table[character] for character in inner)
    return sign + (inner if re.fullmatch(r"[\w.]+|.|", inner) else f"({inner})")


def symbol(name: str) -> str:
    """The text of a command that takes no argument (`alpha` is α); empty where nobody knows it."""
    return name if name in OPERATORS else SPELLED.get(name) or _pylatexenc()[1](name)


@lru_cache(maxsize=1024)
def accented(command: str) -> str:
    r"""The letter that an accent command makes, such as `\'e`; the command itself when it makes none."""
    try:
        made = _pylatexenc()[0](command).strip()
    # It raises whatever it meets (IndexError among others), and what it cannot read stays raw.
    except Exception:  # noqa: BLE001
        return command
    return made or command


@lru_cache(maxsize=1)
def _pylatexenc() -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Its converter, and its table of commands without arguments. Loaded at the first TeX, for few texts have any."""
    from pylatexenc.latex2text import LatexNodes2Text, get_default_latex_context_db
    from pylatexenc.latexwalker import get_default_latex_context_db as get_syntax_db

    texts: Any = get_default_latex_context_db()
    syntax: Any = get_syntax_db()

    def of(name: str) -> str:
        replacement = getattr(texts.get_macro_spec(name), "simplify_repl", None)
        parser = getattr(syntax.get_macro_spec(name), "args_parser", None)
        plain = isinstance(replacement, str) and "%" not in replacement and not getattr(parser, "argspec", "")
        return str(replacement) if plain else ""

    converter: Any = LatexNodes2Text(math_mode="text", latex_context=texts)
    return converter.latex_to_text, of
