"""What an answer claims to be, and what it looks like: an error page with status 200 is no answer."""

import re
from typing import Literal

Kind = Literal["json", "xml"]

ACCEPT: dict[Kind, str] = {
    "json": "application/json",
    "xml": "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1",
}
_NAMES: dict[Kind, str] = {"json": "JSON", "xml": "XML"}
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LOOK = 1024
# In front of the root element there may be a declaration and comments; within a feed, HTML is quoted.
_PAGE = re.compile(rb"(?:\s|<\?[^>]*>|<!--[^>]*>)*(?:<!doctype\s+html|<(?:html|head|body)[\s>])")


def unfit(kind: Kind, content_type: str, body: bytes) -> str | None:
    """Why this body cannot be what was asked for; None if it may be.

    What begins like the right thing is taken whatever it calls itself (feeds come as text/html), and a web page for none
    whatever it calls itself. The rest is believed.
    """
    if body.startswith(b"\x1f\x8b"):
        return "the answer is compressed once more"
    start = _start(body)
    if _PAGE.match(start):
        return "the answer is a web page"
    if start.startswith(b"<" if kind == "xml" else (b"{", b"[")):
        return None
    declared = content_type.partition(";")[0].strip().lower()
    if start.startswith(b"<") or (kind not in declared.partition("/")[2].split("+")):
        return f"the answer is not {_NAMES[kind]} but {declared[:60] or 'of no kind'}"
    return None


def is_whole(kind: Kind, body: bytes) -> bool:
    """Whether the body ends as it should. One that was cut short upstream must not become what later answers are checked by."""
    end = body[-_LOOK:].replace(b"\0", b"").rstrip()
    return end.endswith(b">" if kind == "xml" else (b"}", b"]"))


def _start(body: bytes) -> bytes:
    """The first bytes that say something, in lower case, of whatever encoding."""
    start = body[:_LOOK]
    for mark in _BYTE_ORDER_MARKS:
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip().lower()
