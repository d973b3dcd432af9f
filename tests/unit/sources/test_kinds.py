"""Answers that are what was asked for, and web pages that are not, whatever either calls itself."""

import pytest

from digest.sources.web.kinds import Kind, is_whole, unfit

FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><description>&lt;html&gt;</description></channel></rss>'
PAGE = b"<!DOCTYPE html>\n<html><body>502</body></html>"


@pytest.mark.parametrize("declared", ["application/json", "application/json; charset=utf-8", "text/html", "text/plain", ""])
@pytest.mark.parametrize("body", [b"[]", b' \n{"a": 1}', b"\xef\xbb\xbf[]", '{"a": 1}'.encode("utf-16")])
def test_what_begins_like_json_is_json_whatever_it_calls_itself(declared: str, body: bytes) -> None:
    assert unfit("json", declared, body) is None


@pytest.mark.parametrize("declared", ["text/xml", "application/rss+xml", "text/html; charset=utf-8", "text/plain", ""])
@pytest.mark.parametrize(
    "body",
    [
        FEED,
        b"\xef\xbb\xbf\n" + FEED,
        FEED.decode().encode("utf-16"),
        FEED.decode().encode("utf-16-le"),
        b"<feed/>",
        b'<?xml version="1.0"?><rss><channel><title><![CDATA[<html><body>quoted</body></html>]]></title></channel></rss>',
        b"<!-- <html> --><feed/>",
    ],
)
def test_what_begins_like_xml_is_xml_whatever_it_calls_itself(declared: str, body: bytes) -> None:
    assert unfit("xml", declared, body) is None


@pytest.mark.parametrize("kind", ["json", "xml"])
@pytest.mark.parametrize("declared", ["text/html", "application/json", "application/xml", ""])
@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        b"\n\n" + PAGE.lower(),
        b"<HTML><HEAD><TITLE>Sorry</TITLE></HEAD></HTML>",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html xmlns="x"></html>',
        b"<!-- cached -->\n<html lang='en'>",
        b"\xff\xfe" + PAGE.decode().encode("utf-16-le"),
    ],
)
def test_a_web_page_is_none_whatever_it_calls_itself(kind: Kind, declared: str, page: bytes) -> None:
    assert unfit(kind, declared, page) == "the answer is a web page"


def test_what_claims_to_be_right_and_is_no_page_is_left_to_the_parser() -> None:
    assert unfit("json", "application/problem+json", b"null") is None
    assert unfit("json", "application/json", b"") is None
    assert unfit("xml", "application/atom+xml", b"no feed") is None


@pytest.mark.parametrize(
    ("kind", "declared", "body", "says"),
    [
        ("json", "text/plain", b"busy", "not JSON but text/plain"),
        ("json", "", b"", "not JSON but of no kind"),
        ("json", "application/json", b"<error/>", "not JSON but application/json"),
        ("xml", "application/json", b"[]", "not XML but application/json"),
        ("xml", "image/png", b"\x89PNG", "not XML but image/png"),
        ("json", "application/json", b"\x1f\x8b\x08", "compressed once more"),
        ("xml", "application/x-gzip", b"\x1f\x8b\x08", "compressed once more"),
    ],
)
def test_anything_else_is_named(kind: Kind, declared: str, body: bytes, says: str) -> None:
    assert says in str(unfit(kind, declared, body))


def test_a_long_prologue_costs_no_time() -> None:
    assert unfit("xml", "text/xml", b"<?a?><!-- -->" * 100_000) is None


def test_what_was_cut_short_upstream_is_told_from_what_is_whole() -> None:
    assert is_whole("json", b'[{"a": 1}]\n')
    assert is_whole("json", '{"a": 1}\n'.encode("utf-16-le"))
    assert is_whole("xml", FEED + b"\n")
    assert not is_whole("json", b'[{"a": 1}, ')
    assert not is_whole("xml", FEED[:-5])
    assert not is_whole("json", b"")
