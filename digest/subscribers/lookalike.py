"""Domains that can be taken for another one, by the rules that browsers show or hide letters by.

Whoever signs up types an address, and others read it: a reader in the mail that asks him to confirm, an operator in his lists.
So what a browser would not show as it is written is not let in by the public form nor from a file: a label of several alphabets
(UTS 39 5.2, "highly restrictive": one script, or Latin beside those of Chinese, Japanese or Korean), of an alphabet hardly
anybody writes (UAX 31, Table 5), or wholly of letters that look Latin, under a top domain where they are not at home (UTS 39
4). Domains written in one alphabet are as welcome as ASCII. Labels are judged as they read, however they were typed: `xn--` is
decoded before. In the part before the @, nothing but ASCII is taken (`EmailAddress.parse`), so that it needs no judge.
"""

import re
import unicodedata

_A_LABEL = "xn--"
_WRITTEN = frozenset(
    "ARABIC ARMENIAN BENGALI BOPOMOFO CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI GURMUKHI HAN HANGUL HEBREW HIRAGANA "
    "KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI TIBETAN".split()
)
"""The recommended scripts of UAX 31, Table 5."""
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
# The names of characters begin with that of their script, but for these.
_OTHER_NAMES = {"CJK": "HAN", "IDEOGRAPHIC": "HAN", "EXTENDED": "ARABIC"}
# Accents, the dot of Catalan, and what stands for an apostrophe: of no script.
_SHARED = re.compile(r"[\u00b7\u02bb\u02bc\u0300-\u036f]")
# Phonetic and other uncommon letters lie outside of it, many of them twins of a, g or l.
_LATIN = re.compile(r"[a-z\u00df-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u0272\u0289\u1e00-\u1eff]")
# Strokes that between Latin letters are taken for a dash, an l or an o.
_STROKE = re.compile(r"(?<=[a-z0-9-])[\u3007\u30bd\u30ce\u30f3\u30fc\u4e00\u4e36\u4e3f\u5de5\u53e3](?=[a-z0-9-])")
_LIKE_LATIN = {
    "ARMENIAN": frozenset("\u0561\u0563\u0566\u0567\u056c\u0570\u0575\u0578\u057d\u0582\u0584\u0585"),
    "CYRILLIC": frozenset(
        "\u0430\u0433\u0435\u043a\u043e\u043f\u0440\u0441\u0443\u0445\u044a\u044b\u044c\u0455\u0456\u0458"
        "\u0461\u0475\u04bb\u04bd\u04cf\u0501\u050d\u051b\u051d"
    ),
    "GEORGIAN": frozenset("\u10d8\u10dd\u10e7\u10eb\u10ee\u10f3\u10fd\u10ff"),
    "GREEK": frozenset("\u03b1\u03b3\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c3\u03c4\u03c5\u03c7\u03c9"),
    "HEBREW": frozenset("\u05d3\u05d5\u05d7\u05d9\u05df\u05e1"),
}
_AT_HOME = {
    "ARMENIAN": frozenset({"am"}),
    "CYRILLIC": frozenset({"bg", "by", "kg", "kz", "mk", "mn", "rs", "ru", "su", "tj", "ua", "uz"}),
    "GEORGIAN": frozenset({"ge"}),
    "GREEK": frozenset({"cy", "gr"}),
    "HEBREW": frozenset({"il"}),
}


def lookalike(domain: str) -> str:
    """Why this domain may be taken for another, in words; empty where it is plain.

    Args:
        domain: as `EmailAddress` has it: valid, in small letters, labels beyond ASCII as `xn--`.
    """
    if _A_LABEL not in domain:
        return ""
    *labels, top = [_read(label) for label in domain.split(".")]
    top_scripts = _scripts(top)
    for label in (*labels, top):
        why = _why(label)
        for script in _scripts(label):
            if _LIKE_LATIN.get(script, frozenset()) >= _letters(label) and not (
                script in top_scripts or top in _AT_HOME[script]
            ):
                why = f"is all {script.capitalize()} letters that look Latin"
        if why:
            return f"the domain {domain} reads {label!r}, which {why}"
    return ""


def _read(label: str) -> str:
    """A label as people see it."""
    return label[len(_A_LABEL) :].encode().decode("punycode") if label.startswith(_A_LABEL) else label


def _why(label: str) -> str:
    """What is wrong with a label by itself."""
    scripts = _scripts(label)
    if unusual := scripts - _WRITTEN:
        return f"has letters of an alphabet that browsers do not show: {_named(unusual)}"
    if len(scripts) > 1 and not any(scripts <= several for several in _TOGETHER):
        return f"mixes letters of several alphabets: {_named(scripts)}"
    latin = {letter for letter in label if _script(letter) == "LATIN"}
    if any(not _LATIN.fullmatch(letter) or (len(scripts) > 1 and not letter.isascii()) for letter in latin):
        return "has Latin letters that are hardly ever written there"
    if len({ord(digit) - unicodedata.decimal(digit) for digit in label if digit.isdecimal()}) > 1:
        return "mixes digits of several scripts"
    if _STROKE.search(label) or re.search(r"[ij\u0131l]\u0307|([\u0300-\u036f])\1", unicodedata.normalize("NFD", label)):
        return "has strokes or accents that are easily overlooked"
    return ""


def _letters(label: str) -> set[str]:
    return {character for character in label if _script(character)}


def _scripts(label: str) -> set[str]:
    return {script for script in map(_script, label) if script}


def _script(character: str) -> str:
    """What script a letter, mark or digit is of; empty where all scripts share it."""
    if character.isascii() or _SHARED.match(character):
        return "LATIN" if character.isalpha() and character.isascii() else ""
    first = re.split("[ -]", unicodedata.name(character, "UNNAMED"))[0]
    return _OTHER_NAMES.get(first, first)


def _named(scripts: set[str]) -> str:
    return ", ".join(sorted(script.capitalize() for script in scripts))
