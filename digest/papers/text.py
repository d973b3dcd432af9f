"""Text from outside, made harmless and even: everything that a source says passes through here once."""

import re
import unicodedata

MAX_TITLE = 300
MAX_ABSTRACT = 6000
MAX_NAME = 100
MAX_AUTHORS = 400

# Bidirectional controls can make text read as something else; invisible characters hide in it, tags carry whole sentences.
# Joiners stay (200C, 200D): scripts and emoji need them.
_INVISIBLE = dict.fromkeys(
    [
        *(0x00AD, 0x061C, 0x115F, 0x1160, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0, 0xFFFE, 0xFFFF),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFFF0, 0xFFFC),
        *range(0xE0000, 0xE1000),
    ]
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BLANKS = re.compile(r"\s+")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MANY_MARKS = re.compile(
    r"([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def clean(text: str, limit: int) -> str:
    """One line of NFC text: no controls, no invisible or direction-changing characters, single blanks, at most `limit` long."""
    # What is far beyond the limit is cut first, and marked, lest a huge text cost time; blanks are many in wrapped text.
    text = text.strip()
    text = text[: 4 * limit] + "…" if len(text) > 4 * limit else text
    if text.isascii():  # most texts are, and have nothing but controls and blanks to mend
        return shorten(" ".join((text if text.isprintable() else _CONTROL.sub(" ", text)).split()), limit)
    text = _LONE_SURROGATE.sub("\ufffd", text)
    text = _CONTROL.sub(" ", text.translate(_INVISIBLE))
    text = _MANY_MARKS.sub(r"\1", unicodedata.normalize("NFC", text))
    return shorten(_BLANKS.sub(" ", text).strip(), limit)


def shorten(text: str, limit: int) -> str:
    """Cut at a word so that, with the ellipsis that marks the cut, the text is at most `limit` long."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    blank = head.rfind(" ")
    # A single word that fills the line is cut inside: half a line of nothing would be worse.
    head = head[:blank] if blank > limit // 2 else head
    return head.rstrip(" ,;:.-–—(") + "…"
