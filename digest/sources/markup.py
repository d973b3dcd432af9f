"""Turns the HTML that feeds carry into plain text: tags go, what they hide goes with them, entities are decoded exactly once.

What a feed calls HTML is as often plain text, where `p<0.05` is no tag. So only what is written like a tag and bears the name
of one is taken for it; the rest is text. (That is why the HTML parser of Python is not used: it takes all that follows a `<`
for a tag, and hostile input costs it quadratic time.) The result is data as before: whoever shows it escapes it.
"""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from digest.papers.text import clean
from digest.sources.xml import name_of

MAX_SOURCE = 10**6
"""Characters beyond which nothing is looked at."""

# No part of a tag reaches beyond the next `<`, and nothing is tried twice: the time is linear in the text.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+(?::[A-Za-z][A-Za-z0-9-]*+)?)"
    r"(?P<rest>(?:[\s/][^<>\"']*+(?:\"[^\"<]*+\"[^<>\"']*+|'[^'<]*+'[^<>\"']*+)*+)?)>"
)
# HTML knows some without the semicolon, but then `?a=1&section=2` would have a paragraph sign in it.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_DECLARATION = re.compile(r"<[!?][^<>]*+>")
_BLOCKS = frozenset(
    "address article aside audio blockquote br caption center dd details div dl dt fieldset figcaption figure footer form h1 h2"
    " h3 h4 h5 h6 head header hr img legend li link main nav ol option p pre section summary table tbody td tfoot th thead"
    " title tr ul video disp-formula list list-item sec".split()
)
_INLINE = frozenset(
    "a abbr acronym b basefont bdi bdo big body button cite code data del dfn em embed font html i input ins kbd label map"
    " mark area math meta meter mfenced mfrac mi mn mo mover mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd"
    " mtext mtr munder munderover nobr noscript object output param picture progress q rp rt ruby s samp semantics select"
    " small source span strike strong sub sup textarea time track tt u var wbr bold italic monospace underline sc xref"
    " ext-link inline-formula named-content styled-content".split()
)
_HIDDEN = frozenset("script style template iframe svg annotation tex-math".split())
_NAMES = _BLOCKS | _INLINE | _HIDDEN
_LOOKS = re.compile(r"</(?:p|div|a|b|i|em|strong|span|ul|ol|li|h[1-6]|sub|sup|code)>|<(?:br|p|img|hr)\b[^<>]*>", re.IGNORECASE)
# Without it, 10<sup>6</sup> would become 106.
_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")


def text(source: str, limit: int) -> str:
    """The text of a piece of HTML or of JATS, cleaned, at most `limit` characters.

    >>> text("<p>E. coli, p<0.05 &amp; 10<sup>6</sup></p><script>x()</script>", 100)
    'E. coli, p<0.05 & 10⁶'
    """
    return clean(_beginning(_pieces(source[:MAX_SOURCE]), 4 * limit), limit)


def text_of_tree(element: Element, limit: int) -> str:
    """The same of HTML that is part of an XML document, whose entities its parser has decoded."""
    return clean(_beginning(_walk(element), 4 * limit), limit)


def looks_like_html(source: str) -> bool:
    """Whether a text that is said to be plain is HTML after all."""
    return _LOOKS.search(source) is not None


def _beginning(pieces: Iterator[str], enough: int) -> str:
    """The pieces joined, until they are more than enough."""
    kept = [""]
    length = 0
    for piece in pieces:
        piece = " " if piece.isspace() else piece
        if not piece or piece == kept[-1] == " ":
            continue
        kept.append(piece)
        length += len(piece)
        if length > enough:
            break
    return "".join(kept)


def _pieces(source: str) -> Iterator[str]:
    at = 0
    raised = False
    while (start := source.find("<", at)) >= 0:
        yield _raised(_decoded(source[at:start]), raised)
        if source.startswith("<!--", start):
            end = source.find("-->", start)
            at = len(source) if end < 0 else end + 3
        elif source.startswith("<![CDATA[", start):
            end = source.find("]]>", start)
            yield source[start + 9 : end if end >= 0 else None]
            at = len(source) if end < 0 else end + 3
        elif tag := _tag(source, start):
            name = tag["name"].lower().rpartition(":")[2]
            at = tag.end()
            if name in _HIDDEN and not tag["end"] and not tag["rest"].endswith("/"):
                at = _end_of(source, tag["name"], at)
            raised = not tag["end"] if name == "sup" else raised
            if name in _BLOCKS:
                yield " "
        elif declaration := _DECLARATION.match(source, start):
            at = declaration.end()
        else:
            yield "<"
            at = start + 1
    yield _raised(_decoded(source[at:]), raised)


def _tag(source: str, start: int) -> re.Match[str] | None:
    """The tag that begins there, or None. `a<b and c>d` has the form of one, but its attributes have no values."""
    tag = _TAG.match(source, start)
    if not tag or tag["name"].lower().rpartition(":")[2] not in _NAMES:
        return None
    return tag if "=" in tag["rest"] or not tag["rest"].strip(" \t\r\n/") or tag["name"].lower() in _HIDDEN else None


def _end_of(source: str, name: str, at: int) -> int:
    """Where what a tag hides is over: with the end of the text, if it is never closed."""
    closing = re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE).search(source, at)
    return closing.end() if closing else len(source)


def _walk(element: Element) -> Iterator[str]:
    yield _raised(element.text or "", name_of(element) == "sup")
    for child in element:
        name = name_of(child)
        blank = " " if name in _BLOCKS else ""
        yield blank
        if name not in _HIDDEN:
            yield from _walk(child)
        yield blank + (child.tail or "")


def _decoded(piece: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found[0]), piece)


def _raised(piece: str, raised: bool) -> str:
    return piece.translate(_RAISED) if raised and re.fullmatch(r"[0-9+\-−=()n]+", piece) else piece
