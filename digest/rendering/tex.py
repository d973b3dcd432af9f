"""TeX in titles and abstracts becomes readable Unicode, and never at the price of a word.

pylatexenc reads whole documents: of a title it takes `%` for a comment, `&` for a column, and swallows blanks and unknown
commands. So it only ever sees the single commands and accents that are found here; all other text stays as it stands.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from digest.rendering.symbols import BARE_FONTS, BOARD, FONTS, INVISIBLE, OPERATORS, OVER, accented, script, symbol

MAX_LOSS = 0.2
"""The share of letters that may get lost before the raw text is shown instead."""
MAX_DEPTH = 12

_TRIGGER = re.compile(r"[\\$^_{~]|``|--")
_URL = re.compile(r"(?:https?://|www\.|(?:github|gitlab|huggingface)\.(?:com|co|io)/)\S+", re.IGNORECASE)
_LINK = re.compile(r"\\url\s*\{([^{}\s]*)\}|\\href\s*\{([^{}\s]*)\}\s*\{([^{}]*)\}")
_BARE = re.compile(rf"(?<!\\)(?=(?:{BARE_FONTS})\{{)")
_DEGREES = re.compile(r"\^\s*(?:\{\s*\\?circ\s*\}|\\?circ(?!ular))")

# Between words, or between blanks: no option of a command, no arrow, no line.
_DASH = re.compile(r"(?<=[\w%)\]}.])---?(?=[\w(\[$\\{])|(?<=\s)---?(?=\s)")

_PLAIN = re.compile(r"[^\\$^_{}~`]+")
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
_ACCENT = re.compile(
    r"""\\["][ \t]*(?:\{\\?[aeiouyAEIOUY]\}|\\i(?![A-Za-z])|[aeiouyAEIOUY])"""  # `\"h` is a quoted word, not an accent
    r"""|\\['`^~=.][ \t]*(?:\{\\?[A-Za-z]\}|\\[ij](?![A-Za-z])|[A-Za-z])"""
)
_DOLLARS = re.compile(r"(\${1,2})(?=[^\s$])((?:\\.|[^$\\]){1,400}?)(?<!\s)\1", re.DOTALL)
_BRACKETS = re.compile(r"\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.DOTALL)
_WORD_GROUP = re.compile(r"\{([^\W\d_][^{}\\$^_,;:=()]*)\}(?!\})")
_POWER = re.compile(r"\^([+\-−]?\d+|[A-Za-z*](?![A-Za-z]))")
_INDEX = re.compile(r"_(\d)(?![\d_a-z])|_([a-z])(?!\w)")
_INDEXED = re.compile(r"(?:^|[^A-Za-z0-9_\\])(?:([A-Za-zα-ωΑ-Ωϵϕ])|[A-Za-z]{2,3})$")
_BRACE = re.compile(r"(?<!\\)[{}]")
_QUOTED = re.compile(r"""``(.{1,200}?)(?:''|")""", re.DOTALL)
_SPACES = frozenset(",;:> ")


def readable(text: str) -> str:
    r"""`text` with its TeX as Unicode; as it is where it has none, where its TeX is broken, or where words would get lost.

    >>> readable(r"$\mathcal{O}(n^2)$ for Andr\'e, 50% off")
    'O(n²) for André, 50% off'
    """
    if not _TRIGGER.search(text):
        return text
    plain = _LINK.sub(lambda m: m[1] or f"{m[3]} ({m[2]})", text)
    pieces: list[str] = []
    end = 0
    for url in _URL.finditer(plain):
        pieces += (_converted(plain[end : url.start()]), url.group())
        end = url.end()
    pieces.append(_converted(plain[end:]))
    return _unless_lost(text, "".join(pieces))


def _converted(passage: str) -> str:
    if not _TRIGGER.search(passage):
        return passage
    dashed = _DASH.sub(lambda m: "–" if len(m[0]) == 2 else "—", passage)
    return _Scanner(_BARE.sub(r"\\", _DEGREES.sub("°", dashed)), math=False).text()


def _unless_lost(raw: str, converted: str) -> str:
    """The conversion, unless more of the letters than `MAX_LOSS` got lost in it; names of commands are no words."""
    letters = sum(map(str.isalnum, re.sub(rf"\\[A-Za-z]+|\^circ|(?:{BARE_FONTS})(?=\{{)", "", raw)))
    return converted if sum(map(str.isalnum, converted)) >= (1 - MAX_LOSS) * letters else raw


def _pairs(source: str) -> dict[int, int]:
    """Where each brace that opens is closed; one that is not closed is missing."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for brace in _BRACE.finditer(source):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            pairs[opened.pop()] = brace.start()
    return pairs


class _Scanner:
    """Reads TeX from left to right; each method reads one kind of thing at `at` and moves on, or leaves it as it is."""

    def __init__(self, source: str, *, math: bool, depth: int = 0) -> None:
        self.source = source
        self.math = math
        self.depth = depth
        self.pairs = _pairs(source)
        self.at = 0
        self.out = ""

    def text(self) -> str:
        if self.depth > MAX_DEPTH:
            return self.source
        while self.at < len(self.source):
            if plain := _PLAIN.match(self.source, self.at):
                self._take(plain, plain[0])
                continue
            read = self._readers.get(self.source[self.at])
            if not (read and read(self)):
                self.out += self.source[self.at]
                self.at += 1
        return self.out

    def _backslash(self) -> bool:
        found = _COMMAND.match(self.source, self.at)
        return self._command(found) if found else self._sign()

    def _next(self) -> str:
        return self.source[self.at + 1 : self.at + 2]

    def _take(self, match: re.Match[str], text: str) -> bool:
        self.out += text
        self.at = match.end()
        return True

    def _inside(self, source: str, *, math: bool | None = None) -> str:
        return _Scanner(source, math=self.math if math is None else math, depth=self.depth + 1).text()

    def _braced(self, start: int) -> tuple[str, int] | None:
        """What stands in the braces that open at `start` (blanks before them count as none), and where they end."""
        while self.source[start : start + 1] == " ":
            start += 1
        end = self.pairs.get(start)
        return None if end is None else (self.source[start + 1 : end], end + 1)

    def _command(self, found: re.Match[str]) -> bool:
        name, end = found[1], found.end()
        argument = self._braced(end)
        if name in ("frac", "dfrac", "tfrac"):
            return self._fraction(end)
        if argument and (name in FONTS or name in OVER or name == "sqrt"):
            inner, self.at = self._inside(argument[0]), argument[1]
            self.out += self._dressed(name, inner, self.source[found.start() : argument[1]])
            return True
        if name in INVISIBLE:
            self.at = end + (self.source[end : end + 1] == " ")
            return True
        if text := symbol(name):
            self.out += text
            self.at = end + (2 if self.source.startswith("{}", end) else 0)
            # `\L ukasz` is one word; after an operator or a sign the blank is the author's.
            if text.isalpha() and len(name) < 3 and name not in OPERATORS and self.source[self.at : self.at + 1] == " ":
                self.at += 1
            return True
        self.at = argument[1] if argument and not self.math else end
        self.out += self.source[found.start() : self.at]
        return True

    @staticmethod
    def _dressed(name: str, inner: str, raw: str) -> str:
        if name == "mathbb":
            return BOARD.get(inner, inner)
        if name == "sqrt":
            return "√" + (inner if re.fullmatch(r"\w+", inner) else f"({inner})")
        if name in FONTS:
            return inner
        return accented(f"\\{name}{{{inner}}}") if re.fullmatch(r"\w{1,2}", inner) else (inner if len(name) > 1 else raw)

    def _fraction(self, end: int) -> bool:
        above = self._braced(end)
        below = self._braced(above[1]) if above else None
        if above and below:
            parts, self.at = (above[0], below[0]), below[1]
        elif digits := re.compile(r"\s?(\d)\s?(\d)").match(self.source, end):
            parts, self.at = (digits[1], digits[2]), digits.end()
        else:
            return False
        made = (self._inside(part, math=True) for part in parts)
        self.out += "/".join(part if re.fullmatch(r"\w*", part) else f"({part})" for part in made)
        return True

    def _sign(self) -> bool:
        """A backslash with a sign: an escaped character, an accent, a blank, or a formula in brackets."""
        sign = self._next()
        if accent := _ACCENT.match(self.source, self.at):
            return self._take(accent, accented(accent[0]))
        if sign and sign in "([" and (found := _BRACKETS.match(self.source, self.at)):
            return self._take(found, _unless_lost(found[0], self._inside(found[1] or found[2], math=True).strip()))
        if sign and sign in "%&$#_{}":
            self.out += sign
        elif sign in _SPACES:
            self.out += " "
        elif sign == "|" and self.math:
            self.out += "‖"
        elif not (sign == "!" and self.math):
            return False
        self.at += 2
        return True

    def _formula(self) -> bool:
        """A formula, unless the dollars look like money: `$5 to US$` is no product."""
        found = _DOLLARS.match(self.source, self.at)
        if not found or self.math:
            return False
        inner, after = found[2], self.source[found.end() : found.end() + 1]
        worded = re.search(r"[A-Za-z]{4}", inner) or re.search(r"^\d.*\s", inner) or after.isdigit()
        if (worded and not re.search(r"[\\^_{]", inner)) or (inner[0].isdigit() and after.isdigit()):
            return False
        return self._take(found, _unless_lost(found[0], self._inside(inner, math=True).strip()))

    def _script(self) -> bool:
        sign = self.source[self.at]
        before = self.out[-1:]
        if (braced := self._braced(self.at + 1)) and (self.math or (before.strip() and braced[0].strip())):
            self.at = braced[1]
            self.out += script(sign, self._inside(braced[0], math=True).strip())
            return True
        if command := _COMMAND.match(self.source, self.at + 1):
            inner = _Scanner(self.source, math=True, depth=self.depth + 1)
            inner.at = self.at + 1
            inner._command(command)
            self.out += script(sign, inner.out.strip())
            self.at = inner.at
            return True
        if self.math and self._next().strip(" {}$^_\\"):
            self.at += 2
            self.out += script(sign, self.source[self.at - 1])
            return True
        if sign == "^" and (before.isalnum() or before in (")", "]")) and (power := _POWER.match(self.source, self.at)):
            return self._take(power, script(sign, power[1]))
        if sign == "_" and (base := _INDEXED.search(self.out[-4:])) and (index := _INDEX.match(self.source, self.at)):
            return bool(index[1] or base[1]) and self._take(index, script(sign, index[1] or index[2]))
        return False

    def _group(self) -> bool:
        """Braces that only group: always in a formula; in a text where they hold words or begin with a command."""
        if (word := _WORD_GROUP.match(self.source, self.at)) and not self.math:
            after = self.source[word.end() : word.end() + 1]
            before = self.out[-1:]
            free = not (before.isalnum() or before in tuple("_{}\\.:/)]"))
            if free or (before.isalpha() and word[1].isalpha() and after.isalpha()):
                return self._take(word, word[1])
            return False
        braced = self._braced(self.at)
        if braced and (self.math or re.match(r"\\[A-Za-z]", braced[0])):
            self.at = braced[1]
            self.out += self._inside(braced[0])
            return True
        return False

    def _tie(self) -> bool:
        """`Fig.~3` is a blank that does not break; `~10k` and `15~30` are about and from-to."""
        after = self._next()
        counted = after.isdigit() and re.search(r"\d[A-Za-z]*$", self.out[-6:])
        if after.strip(" ~") and not counted and re.search(r"[^\W\d_][.,;:)\]]{0,2}$", self.out[-4:]):
            self.out += " "
            self.at += 1
            return True
        return False

    def _quotes(self) -> bool:
        found = None if self.math else _QUOTED.match(self.source, self.at)
        return bool(found and self._take(found, f"“{self._inside(found[1])}”"))

    _readers: ClassVar[dict[str, Callable[["_Scanner"], bool]]] = {
        "\\": _backslash,
        "$": _formula,
        "^": _script,
        "_": _script,
        "{": _group,
        "~": _tie,
        "`": _quotes,
    }
