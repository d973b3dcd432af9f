import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.sources.xml import MAX_ENTRIES, Document, mended, name_of, text_of

BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10 if n > 1 else b"&lol;" * 10) for n in range(1, 10))
    + b"]><list><entry>&lol9;</entry></list>"
)
QUADRATIC = b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]><list><entry>' + b"&x;" * 50_000 + b"</entry></list>"


def read(raw: bytes) -> tuple[list[str], Document]:
    """The texts of all entries, and the document as it is afterwards."""
    document = Document(raw, ["entry", "{urn:x}entry"])
    return [text_of(entry) for entry in document], document


def test_entries_come_in_their_order_and_what_is_around_them_stays_in_the_root() -> None:
    texts, document = read(b"<list a='1'><first>1</first><entry>A<i>B</i></entry><entry>C</entry><last>2</last></list>")
    assert texts == ["AB", "C"]
    assert document.root.get("a") == "1"
    assert [(child.tag, child.text) for child in document.root] == [("first", "1"), ("last", "2")]
    assert (document.broken, document.full) == ("", False)


def test_entries_are_found_at_any_depth_and_by_namespace() -> None:
    assert read(b"<list xmlns:x='urn:x'><page><x:entry>A</x:entry><y>z</y><x:entry>B</x:entry></page></list>")[0] == ["A", "B"]


def test_an_entry_within_an_entry_is_part_of_it() -> None:
    texts, document = read(b"<list><entry>A<entry>B</entry></entry><x/><entry>C</entry></list>")
    assert texts == ["AB", "C"]
    assert [child.tag for child in document.root] == ["x"]


def test_the_name_of_an_element_is_that_without_its_namespace() -> None:
    assert name_of(Document(b"<x:List xmlns:x='urn:x'/>", ["entry"]).root) == "list"


@pytest.mark.parametrize("before", [b"\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_what_stands_before_the_declaration_does_not_matter(before: bytes) -> None:
    assert read(before + b'<?xml version="1.0"?><list><entry>A</entry></list>')[0] == ["A"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_documents_in_several_encodings_are_read(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><list><entry>Poincaré</entry></list>'
    assert read(document.encode(encoding))[0] == ["Poincaré"]


@pytest.mark.parametrize(
    "raw",
    [
        BILLION_LAUGHS,
        QUADRATIC,
        b'<!DOCTYPE list SYSTEM "http://127.0.0.1:9/list.dtd"><list><entry>A</entry></list>',
        b'<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss-0.91.dtd"><rss/>',
        b'<!DOCTYPE list [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]><list/>',
        b"<!DOCTYPE list [<!ATTLIST entry a CDATA 'x'>]><list><entry/></list>",
        b"<!DOCTYPE list><list/>",
    ],
)
def test_a_document_type_is_refused_in_words_whatever_it_holds(raw: bytes) -> None:
    with pytest.raises(BadInput, match="this is not XML: it has a document type"):
        read(raw)


def test_an_external_entity_opens_no_file(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret of the machine")
    raw = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{canary.as_uri()}">]><list><entry>&x;</entry></list>'
    with pytest.raises(BadInput) as caught:
        read(raw.encode())
    assert "secret" not in str(caught.value)


def test_an_inclusion_includes_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret of the machine")
    include = f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{canary.as_uri()}" parse="text"/>'
    style = f'<?xml-stylesheet type="text/xsl" href="{canary.as_uri()}"?>'
    assert read(f"{style}<list><entry>A{include}</entry></list>".encode())[0] == ["A"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no element found"),
        (b"plain", "syntax error"),
        (b'{"a": 1}', "not well-formed"),
        (b"\x00\x01\x02", "not well-formed"),
        (b"<?xml version='1.0' encoding='klingon'?>plain", "unknown encoding"),
        (b"<!DOCTYPE html><html><body>Busy</body></html>", "this is a web page, not XML"),
        (b"\n<!doctype HTML PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'x'><html/>", "this is a web page"),
        (b"<html lang=en><p>Busy", "this is a web page"),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', "this is a web page"),
    ],
)
def test_what_is_no_xml_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(raw)


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"<ent",
        b"<entry>C",
        b"<entry a=",
        b"</entry>",
        b"<entry>C<br></entry>",
        b"<!-- C -- D -->",
        b"\xff",
        b"<x:y/>",
    ],
)
def test_a_document_that_breaks_off_keeps_the_entries_that_were_complete(rest: bytes) -> None:
    texts, document = read(b"<list><entry>A</entry><entry>B</entry>" + rest)
    assert texts == ["A", "B"]
    assert document.broken.startswith("it breaks off or is damaged: ")
    assert not document.full


def test_entries_beyond_reason_are_left_out_and_it_says_so() -> None:
    texts, document = read(b"<list>" + b"<entry>A</entry>" * (MAX_ENTRIES + 1) + b"</list>")
    assert len(texts) == MAX_ENTRIES
    assert document.broken == "more than 10,000 entries; the rest is left out"
    assert document.full


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"<list><entry>A</entry>" + b"<a>" * 100_000, "nested deeper than 64"),
        (b"<list><entry>A</entry><entry>" + b"<a>" * 100_000, "nested deeper than 64"),
        (b"<list><entry>A</entry>" + b"<a/>" * 100_000 + b"</list>", "more than 20,000 elements that are no entries"),
        (b"<list><entry>A</entry><entry>" + b"<a/>" * 100_000 + b"</entry></list>", "an entry of more than 50,000 elements"),
    ],
)
def test_elements_beyond_reason_end_the_reading(raw: bytes, says: str) -> None:
    texts, document = read(raw)
    assert texts == ["A"]
    assert says in document.broken


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"<list><entry " + b" ".join(b'a%d="1"' % n for n in range(50_000)) + b">A</entry></list>",
        lambda: b"<list " + b" ".join(b'xmlns:a%d="urn:%d"' % (n, n) for n in range(20_000)) + b"><entry>A</entry></list>",
        lambda: b"<list>" + b"<a/>" * 19_000 + b"<entry>A</entry>" * 10_000 + b"</list>",
        lambda: b"<list><entry>A</entry><!--" + b"x" * 8_000_000 + b"--></list>",
        lambda: b"<list><entry>A</entry><entry><![CDATA[" + b"<" * 4_000_000 + b"]]></entry></list>",
    ],
    ids=["fifty thousand attributes", "namespaces", "entries behind others", "a long comment", "a long text"],
)
def test_no_document_takes_longer_than_its_size_warrants(make: Callable[[], bytes]) -> None:
    raw = make()
    started = time.process_time()
    texts, document = read(raw)
    assert time.process_time() - started < 1.0
    assert texts[0] == "A"
    assert document.broken == ""


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda raw: b"<list><entry>A</entry>" + raw))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        read(raw)
    with suppress(BadInput):
        read(mended(raw))


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        (b"A & B", "A & B"),
        (b"AT&T &amp; R&D; &lt;p&gt;", "AT&T & R&D; <p>"),
        (b"a&nbsp;b&eacute;&ldquo;", "a\u00a0bé\u201c"),
        (b"a\x00b\x0bc\x1bd", "abcd"),
        (b"a&#0;b&#x1F;c&#65;&#xFFFF;&#xD800;&#99999999;", "abcA"),
        (b"Poincar\xe9", "Poincar\ufffd"),
        (b"a[b[0]]>c<![CDATA[d[e[1]]]]>", "a[b[0]]>cd[e[1]]"),
        (b"<![CDATA[A & B &nbsp; <p>]]> & C", "A & B &nbsp; <p> & C"),
        ("Poincaré 数学".encode(), "Poincaré 数学"),
    ],
)
def test_what_often_breaks_a_document_is_mended(damaged: bytes, text: str) -> None:
    assert read(mended(b"<list><entry>" + damaged + b"</entry></list>"))[0] == [text]


@pytest.mark.parametrize(
    "stray", [b"\x0b", b"&nbsp;", b"& ", b"&#0;", b"&#xD800;", b"]]>", b"\xff", b"\xef\xbf\xbe"], ids=lambda stray: ascii(stray)
)
def test_a_stray_character_in_one_entry_costs_none_of_those_behind_it(stray: bytes) -> None:
    damaged = b"<list><entry>A</entry><entry>B" + stray + b"</entry><entry>C</entry><token>more</token></list>"
    texts, document = read(damaged)
    assert len(texts) == 3
    assert (texts[0], texts[2]) == ("A", "C")
    assert document.broken == ""
    assert text_of(document.root.find("token")) == "more"


def test_what_is_beyond_mending_is_told_of_the_document_as_it_came() -> None:
    texts, document = read(b"<list><entry>A & B</entry><entry>B</entry><entry>C<br></entry><entry>D</entry></list>")
    assert texts == ["A & B", "B"]
    assert "mismatched tag" in document.broken


def test_a_long_document_is_mended_in_every_place() -> None:
    piece = "é & &nbsp; <![CDATA[& &nbsp; <![CDATA[ " + "& &nbsp; " * 5000 + "]]>"
    (text,) = read(mended(f"<list><entry>{piece * 20}</entry></list>".encode()))[0]
    assert text == ("é & \u00a0 & &nbsp; <![CDATA[ " + "& &nbsp; " * 5000) * 20


def test_a_huge_document_is_taken_as_it_is() -> None:
    raw = b"<list>" + b"& " * 5_000_000
    assert mended(raw) == raw


HOSTILE = pytest.mark.parametrize("piece", ["&", "& x ", "<![CDATA[", "<![CDATA[&]]>", "]]>", "&#", "&a", "\x00", "é"])


@HOSTILE
def test_mending_takes_no_longer_than_the_size_warrants(piece: str) -> None:
    raw = (piece * (540_000 // len(piece.encode()))).encode()
    started = time.process_time()
    mended(raw)
    assert time.process_time() - started < 2.0


@HOSTILE
def test_mending_takes_little_more_memory_than_its_result(piece: str) -> None:
    raw = (piece * (540_000 // len(piece.encode()))).encode()
    tracemalloc.start()
    result = mended(raw)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One piece of 256 KiB may be nothing but references, each of which is a text of its own for a moment.
    assert most < 2 * len(result) + 24 * 2**20


@pytest.mark.parametrize(
    ("encoding", "text"), [("gb2312", "数学"), ("Shift_JIS", "数学"), ("EUC-KR", "수학"), ("iso-8859-1", "Poincaré")]
)
def test_an_encoding_that_the_parser_does_not_know_is_decoded(encoding: str, text: str) -> None:
    raw = f'<?xml version="1.0" encoding="{encoding}" ?>\n<list><entry>{text} & more</entry></list>'.encode(encoding)
    assert read(mended(raw))[0] == [f"{text} & more"]


@pytest.mark.parametrize("encoding", ["zip", "hex", "punycode", "unicode_escape", "idna", "klingon", "utf-7"])
def test_nobody_but_us_chooses_what_decodes(encoding: str) -> None:
    assert mended(f"<?xml version='1.0' encoding='{encoding}'?><a>\\x41+ADw-</a>".encode()) == b"<a>\\x41+ADw-</a>"


def test_mending_lets_no_document_type_pass() -> None:
    with pytest.raises(BadInput, match="document type"):
        read(mended(BILLION_LAUGHS))


def test_what_is_whole_is_mended_into_the_same() -> None:
    raw = "<list><entry a='1'>&lt;A&gt; &amp; &quot;B&apos; &#65;<![CDATA[x & y]]>é</entry></list>".encode()
    assert mended(raw) == raw
