"""Reads an Atom feed as strictly as RFC 4287 is written, as far as we write any."""

import re
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

ATOM, XHTML, XML = "{http://www.w3.org/2005/Atom}", "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/XML/1998/namespace}"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ONCE = {"id", "title", "updated"}
_IN_FEED = _ONCE | {"author", "link", "entry"}
_IN_ENTRY = _ONCE | {"published", "author", "category", "link", "content"}
_MARKUP = {"p": {"dir"}, "a": {"href"}, "div": set[str]()}


def read(text: str) -> Element:
    """The feed.

    Raises:
        AssertionError: something in it is not as the RFC says.
    """
    feed: Element = fromstring(text)
    assert feed.tag == f"{ATOM}feed"
    assert set(feed.attrib) == {f"{XML}lang"}
    _check(feed, _IN_FEED)
    assert len(feed.findall(f"{ATOM}author")) == 1  # 4.1.1: for the entries that have none
    assert len([link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]) == 1
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        assert not entry.attrib
        _check(entry, _IN_ENTRY)
        _check_content(entry)
        assert len(entry.findall(f"{ATOM}published")) <= 1
    ids = [text_of(entry, "id") for entry in entries]
    assert len(set(ids)) == len(ids)  # two of one id are allowed only where they differ in their time
    assert all(text_of(entry, "updated") <= text_of(feed, "updated") for entry in entries)
    return feed


def text_of(element: Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}") or ""


def titles(text: str) -> list[str]:
    """Of the entries of a feed, which is read as strictly."""
    return [text_of(entry, "title") for entry in read(text).findall(f"{ATOM}entry")]


def _check(element: Element, known: set[str]) -> None:
    names = [child.tag.removeprefix(ATOM) for child in element]
    assert set(names) <= known, names
    assert all(names.count(name) == 1 for name in _ONCE), names
    assert _is_address(text_of(element, "id"))
    assert text_of(element, "title").strip()
    alternates = [link.get("type") for link in element.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
    assert len(set(alternates)) == len(alternates) == 1  # 4.1.1
    for child in element:
        match child.tag.removeprefix(ATOM):
            case "updated" | "published":
                assert _MOMENT.fullmatch(child.text or ""), child.text
                datetime.fromisoformat(child.text or "")
            case "link":
                assert set(child.attrib) <= {"rel", "type", "href", "title"}
                assert _is_address(child.get("href", ""))
            case "author":
                assert [one.tag for one in child] == [f"{ATOM}name"]
                assert text_of(child, "name").strip()
            case "category":
                assert set(child.attrib) == {"term"}
                assert child.get("term")
            case "title" | "id":
                assert not child.attrib
                assert not len(child)


def _check_content(entry: Element) -> None:
    """4.1.3.3: of XHTML it is one div, and here nothing in it can run or style."""
    (content,) = entry.findall(f"{ATOM}content")
    assert content.attrib == {"type": "xhtml"}
    (div,) = content
    assert div.tag == f"{XHTML}div"
    assert not (content.text or "").strip()
    for one in div.iter():
        assert one.tag.startswith(XHTML)
        assert set(one.attrib) <= _MARKUP[one.tag.removeprefix(XHTML)]
        assert _is_address(one.get("href", "https://example.org/"))


def _is_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isascii() and " " not in text
