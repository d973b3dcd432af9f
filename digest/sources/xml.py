"""Reads XML from outside, one entry at a time: no document type, no entities, no external references, nothing deep.

What is asked of a document is bounded: its depth, its entries, the elements of one entry, and those around the entries.
"""

import html.entities
import re
from collections.abc import Collection, Iterator
from io import BytesIO
from itertools import islice
from xml.etree.ElementTree import Element, ParseError

from digest.errors import BadInput
from digest.papers.text import clean

MAX_DEPTH = 64
MAX_ENTRIES = 10_000
MAX_INSIDE = 50_000
"""Elements of one entry: three thousand authors with name, address and institution are fewer."""
MAX_OUTSIDE = 20_000
"""Elements that are in no entry; RSS 1.0 (RDF) has one there for each of its entries."""
MAX_MENDED = 8 * 2**20
"""Bytes of a document beyond which it is taken as it is. A page of arXiv's records has 6 MB."""
# Old libraries behind Python scan an unfinished tag or comment again with every piece (CVE-2023-52425): pieces are few.
_PIECE = 256 * 1024

# XML 1.0 (5th edition) 2.2: what may not stand in a document, and what may, as a number.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]+")
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]{0,200}?(?:encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"'][^>]{0,100})?\?>")
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|\]\]>|(?:&(?![#A-Za-z]))+"
    r"|&(?:#(?:x[0-9A-Fa-f]{1,8}|[0-9]{1,8});|[A-Za-z][A-Za-z0-9]{1,31};)?",
    re.DOTALL,
)
_OF_XML = frozenset({"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"})
_ENCODING = re.compile(
    r"iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|koi8-[ru]|gb2312|gbk|gb18030|big5|shift_jis|euc-jp|iso-2022-jp|euc-kr"
)
"""Encodings of feeds besides UTF-8; several of them Python knows, and the XML parser does not."""


class Document:
    """An XML document as its root and its entries, which are the elements of some names (`{namespace}name`).

    Iterating yields each entry when it is complete, and forgets it afterwards, so that memory is that of the largest entry.
    Where a document is damaged, it is mended (`mended`), for a stray character must not cost the entries behind it. Whatever
    lies outside of entries is in `root` when the iteration has passed it. `broken` says after the iteration what ended it
    early; entries that were complete by then have been had. It is `full` if they were too many.
    """

    def __init__(self, raw: bytes, entries: Collection[str], *, what: str = "XML") -> None:
        """Raises BadInput if this is not XML at all, or has a document type; `what` says what it should be."""
        from defusedxml.common import DefusedXmlException

        self.broken = ""
        self.full = False
        self._names = frozenset(entries)
        self._damage = (ParseError, ValueError, LookupError)
        self._refused = (DefusedXmlException, *self._damage, StopIteration)
        self._raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
        try:
            self._begin(self._raw)
        except self._refused as error:
            start = self._raw[:500].lower()
            if start.startswith(b"<!doctype html") or b"<html" in start:
                raise BadInput(f"this is a web page, not {what}") from None
            if not (isinstance(error, self._damage) and self._begins_mended()):
                raise BadInput(f"this is not {what}: {_words(error)}") from None
        if name_of(self.root) == "html":
            raise BadInput(f"this is a web page, not {what}")

    def _begin(self, raw: bytes) -> None:
        from defusedxml.ElementTree import iterparse

        events: Iterator[tuple[str, Element]] = iter(iterparse(_Pieces(raw), events=("start", "end"), forbid_dtd=True))
        self.root, self._events = next(events)[1], events

    def _begins_mended(self) -> bool:
        """Whether the document, mended, can be read from its beginning; that is tried once."""
        raw, self._raw = self._raw, b""
        whole = mended(raw)
        if not whole or whole == raw:
            return False
        try:
            self._begin(whole)
        except self._refused:
            return False
        return True

    def __iter__(self) -> Iterator[Element]:
        had = 0
        for entry in self._entries():
            had += 1
            yield entry
        if self._is_damaged and self._begins_mended():
            damage, self.broken = self.broken, ""
            for entry in islice(self._entries(), had, None):
                damage = ""
                yield entry
            # What is wrong with the document as it came says more than what is still wrong with the mended one.
            self.broken = self.broken and (damage or self.broken)

    def _entries(self) -> Iterator[Element]:
        path = [self.root]
        kept = [0]
        found = inside = within = outside = 0
        self._is_damaged = False
        try:
            for event, element in self._events:
                if event == "start":
                    path.append(element)
                    kept.append(0)
                    inside += element.tag in self._names
                    within, outside = (within + 1, outside) if inside else (0, outside + 1)
                    if self._stops(len(path), within, outside):
                        return
                    continue
                path.pop()
                kept.pop()
                inside -= element.tag in self._names
                if inside or element.tag not in self._names:
                    if kept:
                        kept[-1] += 1
                    continue
                found += 1
                if found > MAX_ENTRIES:
                    self.broken = f"more than {MAX_ENTRIES:,} entries; the rest is left out"
                    self.full = True
                    return
                within = 0
                yield element
                if path:
                    # Those before it were forgotten or kept, and to look for it would take longer with each that was kept.
                    del path[-1][kept[-1]]
        except self._refused as error:
            self.broken = f"it breaks off or is damaged: {_words(error)}"
            self._is_damaged = isinstance(error, self._damage)

    def _stops(self, depth: int, within: int, outside: int) -> bool:
        if depth > MAX_DEPTH:
            self.broken = f"elements nested deeper than {MAX_DEPTH}"
        elif within > MAX_INSIDE:
            self.broken = f"an entry of more than {MAX_INSIDE:,} elements"
        elif outside > MAX_OUTSIDE:
            self.broken = f"more than {MAX_OUTSIDE:,} elements that are no entries"
        return bool(self.broken)


def text_of(element: Element | None) -> str:
    """All text within an element, as it stands; empty where there is none."""
    return "" if element is None else "".join(element.itertext())


def name_of(element: Element) -> str:
    """An element's name without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def mended(raw: bytes) -> bytes:
    """A document without what most often breaks one: bytes that are not of its encoding, characters that XML forbids, `&` or
    `]]>` that stands for itself, and entities of HTML. Its tags, and a document type, stay as they are."""
    if len(raw) > MAX_MENDED:
        return raw
    declared = _DECLARATION.match(raw)
    encoding = declared[1].decode().lower() if declared and declared[1] else "utf-8"
    rest = raw[declared.end() :] if declared else raw
    text = rest.decode(encoding if _ENCODING.fullmatch(encoding) else "utf-8", "replace").removeprefix("\ufeff")
    whole = bytearray()
    for piece in _pieces_of(_FORBIDDEN.sub("", text)):
        whole += _REFERENCE.sub(_mended_reference, piece).encode("utf-8")
    return bytes(whole)


def _pieces_of(text: str) -> Iterator[str]:
    """A text in pieces that end before a reference or after a quotation (CDATA): a list of all references would be huge."""
    start = 0
    while start < len(text):
        end = text.find("&", start + _PIECE)
        end = len(text) if end < 0 else end
        quoted = text.rfind("<![CDATA[", start, end)
        if quoted >= 0 and text.find("]]>", quoted, end) < 0:
            close = text.find("]]>", quoted)
            end = len(text) if close < 0 else close + 3
        yield text[start:end]
        start = end


def _mended_reference(found: re.Match[str]) -> str:
    reference = found[0]
    if reference.startswith("<") or reference in _OF_XML:
        return reference
    if reference.startswith("]"):
        return "]]&gt;"
    if reference.startswith("&#"):
        number = int(reference[3:-1], 16) if reference[2] == "x" else int(reference[2:-1])
        return reference if number in (9, 10, 13) or (number <= 0x10FFFF and not _is_forbidden(number)) else ""
    if reference.startswith("&&"):
        return "&amp;" * len(reference)
    meant = html.entities.html5.get(reference[1:])
    return "".join(f"&#{ord(c)};" for c in meant) if meant else f"&amp;{reference[1:]}"


def _is_forbidden(number: int) -> bool:
    return _FORBIDDEN.fullmatch(chr(number)) is not None


class _Pieces(BytesIO):
    """Hands a parser pieces of our own size, whatever size it asks for."""

    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(_PIECE)


def _words(error: Exception) -> str:
    from defusedxml.common import DTDForbidden

    if isinstance(error, DTDForbidden):
        return "it has a document type (<!DOCTYPE), and those are refused"
    return clean(str(error), 120) or type(error).__name__
