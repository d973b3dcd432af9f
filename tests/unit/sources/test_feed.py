import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from digest.errors import BadInput
from digest.papers.model import Sighting
from digest.sources.feed import FeedSettings, announcing, feeds_of, judge, parse, slug
from digest.sources.feed_entries import read_date
from digest.sources.fields import Unusable
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
DAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"'
)


def rss(*items: str) -> bytes:
    inner = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0" {SPACES}><channel><title>A Blog</title>{inner}</channel></rss>'.encode()


def atom(*entries: str) -> bytes:
    inner = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {SPACES}><title>A Blog</title>{inner}</feed>'.encode()


def read(raw: bytes) -> Parsed:
    return parse(raw, source="feed:a-blog", seen_at=NOW)


def one(raw: bytes) -> Sighting:
    parsed = read(raw)
    assert parsed.problems == ()
    (sighting,) = parsed.sightings
    return sighting


def test_an_item_of_rss_is_read_whole() -> None:
    sighting = one(
        rss(
            "<title>An Invented Net</title><link>https://blog.example.org/net</link><guid>https://blog.example.org/?p=1</guid>"
            "<description>&lt;p&gt;We invent a &lt;b&gt;net&lt;/b&gt;, p&amp;lt;0.05.&lt;/p&gt;</description>"
            "<author>jane@example.org (Jane Doe)</author><category>nets</category><category domain='x'>invention</category>"
            "<pubDate>Fri, 20 Nov 2026 12:00:00 +0200</pubDate><media:title>Not This</media:title><media:description>Nor this, "
            "however long it is</media:description>"
        )
    )
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces, sighting.readings) == ("feed:a-blog", NOW, True, ())
    assert (work.title, work.abstract) == ("An Invented Net", "We invent a net, p<0.05.")
    assert (work.authors, work.categories) == (("Jane Doe",), ("nets", "invention"))
    assert (work.published_at, work.links) == (DAY, {"page": "https://blog.example.org/net"})
    assert len(sighting.ids) == 1
    assert sighting.ids[0].startswith("feed:")


def test_an_entry_of_atom_is_read_whole() -> None:
    sighting = one(
        atom(
            "<id>tag:blog.example.org,2026:1</id><title type='html'>AT&amp;amp;T &amp;lt;i&gt;nets&lt;/i&gt;</title>"
            "<link rel='self' href='https://blog.example.org/self'/><link rel='enclosure' href='https://blog.example.org/a.mp3'/>"
            "<link rel='alternate' type='application/pdf' href='https://blog.example.org/net.pdf'/>"
            "<link rel='alternate' type='text/html' href='https://blog.example.org/net'/>"
            "<author><name>Jane Doe</name><email>jane@example.org</email></author><author><name>Max Roe</name></author>"
            "<published>2026-11-20T10:00:00Z</published><updated>2026-11-21T10:00:00Z</updated><category term='nets'/>"
            "<summary>Short.</summary>"
            "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>We invent</p><p>a net.</p></div></content>"
        )
    )
    work = sighting.work
    assert (work.title, work.abstract) == ("AT&T <i>nets", "We invent a net.")
    assert (work.authors, work.categories) == (("Jane Doe", "Max Roe"), ("nets",))
    assert (work.published_at, work.links) == (DAY, {"page": "https://blog.example.org/net"})


def test_an_item_of_rdf_is_read_whole() -> None:
    raw = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" {SPACES}>
      <channel rdf:about="https://journal.example.org/"><title>A Journal</title>
        <items><rdf:Seq><rdf:li rdf:resource="https://journal.example.org/1"/></rdf:Seq></items></channel>
      <item rdf:about="https://journal.example.org/1"><title>An Invented Net</title><link>https://journal.example.org/1</link>
        <dc:creator>Doe, J.</dc:creator><dc:creator>Gomez Cuautle, D. D.</dc:creator><dc:date>2026-11-20T10:00:00Z</dc:date>
        <dc:identifier>doi:10.1234/ABC</dc:identifier><dc:subject>nets</dc:subject></item></rdf:RDF>"""
    sighting = one(raw.encode())
    assert sighting.ids == ("doi:10.1234/abc",)
    assert sighting.work.authors == ("J. Doe", "D. D. Gomez Cuautle")
    assert (sighting.work.published_at, sighting.work.categories) == (DAY, ("nets",))
    assert sighting.work.links == {"page": "https://journal.example.org/1", "doi": "https://doi.org/10.1234/abc"}


ITEM = "<title>A Net</title><link>https://x.example.org/</link>"
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
LINK = '<link rel="alternate" type="text/html" href="https://x.example.org/"/>'


@pytest.mark.parametrize(
    "raw",
    [
        f'<rdf:RDF {RDF} xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel/><item>{ITEM}</item></rdf:RDF>',
        f'<rdf:RDF {RDF} xmlns="http://channel.netscape.com/rdf/simple/0.9/"><channel/><item>{ITEM}</item></rdf:RDF>',
        f'<rss version="0.91"><channel><item>{ITEM}</item></channel></rss>',
        f'<rss version="0.92"><channel><item>{ITEM.replace("A Net", "<![CDATA[A Net]]>")}</item></channel></rss>',
        f'<rss version="2.0" xmlns="http://backend.userland.com/rss2"><channel><item>{ITEM}</item></channel></rss>',
        f'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>A Net</title>{LINK}</entry></feed>',
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A Net</title>{LINK}</entry></feed>',
        f'<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>A Net</a:title><a:{LINK[1:]}</a:entry></a:feed>',
    ],
)
def test_feeds_of_every_age_are_read(raw: str) -> None:
    sighting = one(raw.encode())
    assert (sighting.work.title, sighting.work.links) == ("A Net", {"page": "https://x.example.org/"})


def test_the_longest_text_is_the_abstract() -> None:
    body = "<content:encoded><![CDATA[<p>The whole of it, &amp; more.</p><script>track()</script>]]></content:encoded>"
    item = f"<title>A Net</title><description>Short.</description>{body}<dc:description>Mid size.</dc:description>"
    assert one(rss(item)).work.abstract == "The whole of it, & more."


def test_plain_text_of_atom_is_no_html_unless_it_looks_like_it() -> None:
    plain, html = "$x&lt;y$ &amp;amp; so on", "&lt;p&gt;One &amp;amp; two&lt;/p&gt;"
    assert one(atom(f"<title>{plain}</title><summary>{html}</summary>")).work.title == "$x<y$ &amp; so on"
    assert one(atom(f"<title>{plain}</title><summary>{html}</summary>")).work.abstract == "One & two"


def test_markup_that_nobody_escaped_is_text_all_the_same() -> None:
    assert one(rss("<title>A <i>Net</i></title><description><p>One</p><p>two</p></description>")).work.abstract == "One two"


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ("<link>https://arxiv.org/abs/2611.04321v2</link>", ("arxiv:2611.04321",)),
        ("<guid isPermaLink='false'>oai:arXiv.org:2611.04321v1</guid>", ("arxiv:2611.04321",)),
        ("<link>https://huggingface.co/papers/2611.04321</link>", ("arxiv:2611.04321",)),
        ("<guid>https://doi.org/10.1234/ABC</guid>", ("doi:10.1234/abc",)),
        ("<prism:doi>10.1234/ABC</prism:doi>", ("doi:10.1234/abc",)),
        ("<dc:identifier>doi:10.1234/abc</dc:identifier><prism:doi>10.1234/ABC</prism:doi>", ("doi:10.1234/abc",)),
        (
            "<link>https://arxiv.org/abs/2611.04321</link><arxiv:DOI>10.1234/abc</arxiv:DOI>",
            ("arxiv:2611.04321", "doi:10.1234/abc"),
        ),
        ("<link>https://j.example.org/doi/10.1234/abc.1?rss=1</link>", ("doi:10.1234/abc.1",)),
        ("<link>https://j.example.org/doi/full/10.1234/abc</link>", ("doi:10.1234/abc",)),
        (
            "<link>https://www.biorxiv.org/content/10.1101/2026.11.20.123456v2.full?rss=1</link>",
            ("doi:10.1101/2026.11.20.123456",),
        ),
        ("<link>https://j.example.org/doi/10.1234%2Fabc</link>", ("doi:10.1234/abc",)),
    ],
)
def test_a_strong_id_is_found_where_one_is_told(fields: str, ids: tuple[str, ...]) -> None:
    assert one(rss(f"<title>A Net</title>{fields}")).ids == ids


def test_an_entry_that_names_two_papers_of_arxiv_makes_them_no_one_paper() -> None:
    parsed = read(
        rss("<title>A Net</title><guid>https://arxiv.org/abs/2611.04321v2</guid><link>https://arxiv.org/abs/2611.00002</link>")
    )
    assert [sighting.ids for sighting in parsed.sightings] == [("arxiv:2611.04321",)]
    assert [str(problem) for problem in parsed.problems] == ["line 1: it names arxiv:2611.00002, too; left out"]


@pytest.mark.parametrize(
    "fields",
    [
        "<link>https://j.example.org/articles/10.1234/abc/comments</link>",
        "<dc:identifier>urn:issn:1234-5678</dc:identifier><guid>x1</guid>",
        "<link>https://j.example.org/2611.04321</link>",
    ],
)
def test_what_only_resembles_an_id_is_none(fields: str) -> None:
    assert one(rss(f"<title>A Net</title>{fields}")).ids[0].startswith("feed:")


def test_a_weak_id_stays_the_same_and_does_not_depend_on_letters_in_capitals() -> None:
    first = one(rss("<title>A Net</title><guid>https://blog.example.org/?p=1</guid>")).ids
    assert first == one(rss("<title>Renamed</title><guid>HTTPS://blog.example.org/?P=1</guid>")).ids
    assert first != one(rss("<title>A Net</title><guid>https://blog.example.org/?p=2</guid>")).ids


def test_a_number_is_another_id_in_another_feed() -> None:
    raw = rss("<title>A Net</title><guid isPermaLink='false'>17</guid>")
    assert read(raw).sightings[0].ids != parse(raw, source="feed:other", seen_at=NOW).sightings[0].ids


def test_items_that_lead_to_the_same_page_are_not_the_same() -> None:
    link = "<link>https://blog.example.org/</link>"
    parsed = read(rss(f"<title>A Net</title>{link}", f"<title>B Net</title>{link}", f"<title>a net!</title>{link}"))
    assert [sighting.work.title for sighting in parsed.sightings] == ["A Net", "B Net"]


def test_an_item_without_id_and_address_has_none() -> None:
    assert one(rss("<title>A Net</title>")).ids == ()


@pytest.mark.parametrize(
    ("fields", "page"),
    [
        ("<guid>https://blog.example.org/1</guid>", "https://blog.example.org/1"),
        ("<guid isPermaLink='false'>https://blog.example.org/1</guid>", None),
        ("<link> https://blog.example.org/caf\u00e9 </link>", "https://blog.example.org/caf%C3%A9"),
        ("<link/><atom:link href='https://blog.example.org/1'/>", "https://blog.example.org/1"),
        ("<atom:link rel='self' href='https://blog.example.org/1'/>", None),
        ("<link>http://blog.example.org/1</link>", "http://blog.example.org/1"),
        ("<link>javascript:alert(1)</link><guid>https://blog.example.org/1</guid>", "https://blog.example.org/1"),
    ],
)
def test_the_address_of_an_item_is_found(fields: str, page: str | None) -> None:
    assert one(rss(f"<title>A Net</title>{fields}")).work.links.get("page") == page


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "/relative",
        "https://[::1",
        "//x.example.org/",
        "https://a:b@x.example.org/",
        "http://127.0.0.1/",
        "https://x.example.org/a b",
    ],
)
def test_an_address_that_is_not_safe_is_reported_and_the_paper_kept(link: str) -> None:
    parsed = read(rss(f"<title>A Net</title><link>{link}</link>"))
    assert parsed.sightings[0].work.links == {}
    assert "no address to link to" in parsed.problems[0].what


@pytest.mark.parametrize(
    ("fields", "authors"),
    [
        ("<dc:creator>Jane Doe, Max Roe</dc:creator>", ("Jane Doe", "Max Roe")),
        ("<dc:creator><![CDATA[ Jane Doe ]]></dc:creator><dc:creator>Max Roe</dc:creator>", ("Jane Doe", "Max Roe")),
        ("<author>Jane Doe and Max Roe</author>", ("Jane Doe", "Max Roe")),
        ("<author>noreply@example.org</author>", ()),
        ("<author>noreply@example.org</author><dc:creator>Jane Doe</dc:creator>", ("Jane Doe",)),
        ("<author>jane@example.org (Jane Doe)</author>", ("Jane Doe",)),
        ("<atom:author><atom:name>Jane Doe</atom:name><atom:email>jane@example.org</atom:email></atom:author>", ("Jane Doe",)),
        ("<dc:creator>Jane &amp;amp; Max</dc:creator>", ("Jane", "Max")),
        ("", ()),
    ],
)
def test_authors_are_named_and_nobodys_mail_address_is_shown(fields: str, authors: tuple[str, ...]) -> None:
    assert one(rss(f"<title>A Net</title>{fields}")).work.authors == authors


def test_three_hundred_authors_are_kept() -> None:
    assert (
        len(one(rss("<title>A</title>" + "".join(f"<dc:creator>A{n} B</dc:creator>" for n in range(300)))).work.authors) == 300
    )


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("Fri, 20 Nov 2026 10:00:00 GMT", DAY),
        ("Fri, 20 Nov 2026 10:00:00 +0000", DAY),
        ("Fri, 20 Nov 2026 10:00:00 -0000", DAY),
        ("Fri, 20 Nov 2026 10:00:00 Z", DAY),
        ("Fri, 20 Nov 2026 10:00:00 UT", DAY),
        ("Fri, 20 Nov 2026 05:00:00 EST", DAY),
        ("Fri, 20 Nov 2026 02:00:00 PST", DAY),
        ("Fri, 20 Nov 2026 15:30:00 +0530", DAY),
        ("Fri, 20 Nov 2026 10:00:00 XYZ", DAY),
        ("Fri, 20 Nov 2026 10:00:00", DAY),
        ("Fri, 20 Nov 26 10:00:00 GMT", DAY),
        ("20 Nov 2026 10:00 GMT", DAY),
        ("Fri 20 Nov 2026 10:00:00 GMT", DAY),
        ("friday, 20 november 2026 10:00:00 gmt", DAY),
        ("Thu, 20 Nov 2026 10:00:00 GMT", DAY),
        ("Fri, 20 Nov 2026 10:00:00 GMT (a comment)", DAY),
        ("Fri, 20 Nov 2026", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T10:00:00Z", DAY),
        ("2026-11-20 10:00:00", DAY),
        ("2026-11-20T11:00:00+01:00", DAY),
        ("2026-1-5", datetime(2026, 1, 5, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 23:00:00 GMT", datetime(2026, 11, 22, 23, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_all_their_spellings(written: str, instant: datetime) -> None:
    assert one(rss(f"<title>A Net</title><pubDate>{written}</pubDate>")).work.published_at == instant


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "Fri, 20 Nov 0000 10:00:00 GMT",
        "Fri, 20 Nov 0026 10:00:00 GMT",
        "Fri, 99 Nov 2026 10:00:00 GMT",
        "Fri, 20 Nov 2026 99:00:00 GMT",
        "Fri, 20 Nov 2026 10:00:00 +9900",
        "2026-11-20T10:00:00+99:00",
        "2026-02-30",
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 20 Nov 2099 10:00:00 GMT",
        "9999-12-31T23:59:59-23:00",
        "1700000000",
        "x" * 20_000,
    ],
)
def test_a_date_that_is_none_or_lies_ahead_is_reported_and_the_paper_kept(written: str) -> None:
    parsed = read(rss(f"<title>A Net</title><pubDate>{written}</pubDate>"))
    assert parsed.sightings[0].work.published_at is None
    assert len(parsed.problems) == 1


def test_where_one_date_cannot_be_used_the_next_one_counts() -> None:
    assert one(rss("<title>A</title><pubDate>soon</pubDate><dc:date>2026-11-20T10:00:00Z</dc:date>")).work.published_at == DAY


@given(st.text(max_size=70) | st.text(alphabet="0123456789 :,+-FrinovGMT", max_size=50))
def test_any_text_is_a_date_that_has_been_or_unusable(text: str) -> None:
    with suppress(Unusable):
        assert datetime(1899, 12, 31, tzinfo=UTC) < read_date("date", text, NOW) <= NOW


def test_the_feed_of_arxiv_is_a_feed_like_others() -> None:
    item = (
        "<title>An Invented Net</title><link>https://arxiv.org/abs/2611.04321</link><category>cs.LG</category>"
        "<description>arXiv:2611.04321v1 Announce Type: {kind} \nAbstract: We invent $x&lt;y$ nets.</description>"
        "<guid isPermaLink='false'>oai:arXiv.org:2611.04321v1</guid><pubDate>Fri, 20 Nov 2026 00:00:00 -0500</pubDate>"
        "<arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>Jane Doe, Paulo Andr\\'e</dc:creator>"
    )
    sighting = one(rss(item.format(kind="new")))
    assert (sighting.ids, sighting.announces) == (("arxiv:2611.04321",), True)
    assert sighting.work.abstract == "We invent $x<y$ nets."
    assert sighting.work.authors == ("Jane Doe", "Paulo Andr\\'e")
    assert not one(rss(item.format(kind="replace-cross"))).announces


def test_an_error_of_arxivs_is_no_paper() -> None:
    error = "<id>https://arxiv.org/api/errors#x</id><title>Error</title><summary>incorrect id format for abc</summary>"
    parsed = read(atom(error))
    assert parsed.sightings == ()
    assert parsed.problems[0].what == "arXiv says: incorrect id format for abc"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "<title/>",
        "<title>  </title>",
        "<title>&lt;p&gt;&lt;/p&gt;</title>",
        "<title>???</title>",
        "<title>" + "x" * 20_000 + "</title>",
        "<media:title>Not a title</media:title>",
        "<description>No title at all</description>",
    ],
)
def test_an_item_without_a_title_is_reported_by_its_place_and_the_others_live(bad: str) -> None:
    parsed = read(rss("<title>First Net</title>", bad, "<title>Last Net</title>"))
    assert [sighting.work.title for sighting in parsed.sightings] == ["First Net", "Last Net"]
    assert [problem.line for problem in parsed.problems] == [2]


def test_hostile_text_is_made_harmless_and_tex_and_emoji_stay() -> None:
    title = "A\u202eN&#x200B;et\u0085 $\\alpha$ \U0001f469\u200d\U0001f52c"
    assert one(rss(f"<title>{title}</title>")).work.title == "ANet $\\alpha$ \U0001f469\u200d\U0001f52c"


def test_an_item_listed_twice_counts_once_and_is_counted() -> None:
    parsed = read(
        rss(*["<title>A Net</title><guid>https://x.example.org/1</guid>"] * 3, "<title>B Net</title>", "<title>B Net</title>")
    )
    assert len(parsed.sightings) == 2
    assert parsed.passed_over == {"listed twice": 3}


def test_ten_thousand_items_are_read_and_more_are_cut_off() -> None:
    parsed = read(rss(*(f"<title>Net {n}</title><guid>https://x.example.org/{n}</guid>" for n in range(10_002))))
    assert len(parsed.sightings) == 10_000
    assert parsed.problems[-1].what == "more than 10,000 entries; the rest is left out"


@pytest.mark.parametrize("inside", ["R&D", "&eacute;&nbsp;", "a\x00b\x1b[31m", "&#0;", "&nosuch;", "a[b[0]]>c"])
def test_a_feed_that_breaks_the_rules_of_xml_in_the_usual_ways_is_read_all_the_same(inside: str) -> None:
    second = f"<title>Second</title><description>{inside}</description>"
    assert len(read(rss("<title>First</title>", second, "<title>Third</title>")).sightings) == 3


def test_a_feed_that_breaks_off_keeps_the_items_before() -> None:
    whole = rss("<title>First Net</title>", "<title>Second Net</title>", "<title>Third Net</title>")
    parsed = read(whole[: whole.index(b"Third")])
    assert [sighting.work.title for sighting in parsed.sightings] == ["First Net", "Second Net"]
    assert "breaks off" in parsed.problems[-1].what


@pytest.mark.parametrize("raw", [rss(), atom(), b"<rss/>", b'<rss version="2.0"><channel/></rss>'])
def test_a_feed_without_items_is_one(raw: bytes) -> None:
    assert read(raw) == Parsed()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not an RSS or Atom feed"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"<html><body>Busy</body></html>", "a web page"),
        (b'{"items": []}', "not an RSS or Atom feed"),
        (b"<OAI-PMH/>", "begins with <oai-pmh>"),
        (b"<!DOCTYPE rss [<!ENTITY x 'y'>]><rss/>", "document type"),
        (b"<rss", "not an RSS or Atom feed"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(raw)


def test_no_file_is_opened_and_no_address_asked_for_what_a_feed_refers_to(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret of the machine")
    include = f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{canary.as_uri()}" parse="text"/>'
    assert one(rss(f"<title>A Net</title><description>{include}</description>")).work.abstract == ""
    with pytest.raises(BadInput):
        read(f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{canary.as_uri()}">]>'.encode() + rss("<title>&x;</title>")[21:])


HOSTILE = 540_000


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        ("<title>A</title><description><![CDATA[", "<", "]]></description>"),
        ("<title>A</title><description><![CDATA[", "<a '\"'", "]]></description>"),
        ("<title>A</title><description><![CDATA[", "<!--", "]]></description>"),
        ("<title>A</title><description>", "&amp;", "</description>"),
        ("<title>A</title><description>", "&", "</description>"),
        ("<title>A</title><description>", "&lt;p>x&lt;/p>", "</description>"),
        ("<title>A", " ", "B</title>"),
        ("<title>A</title>", "<category>x</category>", ""),
        ("<title>A</title>", "<dc:creator>x and </dc:creator>", ""),
        ("<title>A</title><author>", "@(", "</author>"),
        ("<title>A</title><link>http://x.example.org", "/doi/10.1234/", "</link>"),
        ("<title>A</title>", "<link>http://x.example.org/doi/10.1234/a</link>", ""),
        ("<title>A</title><pubDate>", "1 ", "</pubDate>"),
        ("<title>A</title><p:x xmlns:p='urn:x' ", "", "/>"),
        ("<title>A</title></item>", "<item/>", "<item><title>B</title>"),
    ],
)
def test_a_hostile_feed_takes_no_longer_than_others(before: str, piece: str, after: str) -> None:
    pieces = piece * (HOSTILE // len(piece)) if piece else " ".join(f"a{n}='1'" for n in range(50_000))
    raw = rss(before + pieces + after)
    started = time.process_time()
    assert read(raw).sightings[0].work.title.startswith("A")
    assert time.process_time() - started < 2.0


FIELDS = st.sampled_from(
    [
        "title",
        "link",
        "guid",
        "description",
        "author",
        "dc:creator",
        "pubDate",
        "dc:date",
        "category",
        "prism:doi",
        "atom:link",
        "p",
    ]
)
TEXTS = st.text(
    alphabet=st.characters(min_codepoint=32, exclude_characters="<&\ufffe\uffff", exclude_categories=["Cs"]), max_size=30
)
ELEMENTS = st.tuples(FIELDS, TEXTS).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>")
ITEMS = st.lists(st.lists(ELEMENTS, max_size=5).map("".join), max_size=5)


@given(ITEMS, st.booleans())
def test_any_item_is_a_paper_or_counted(items: list[str], is_atom: bool) -> None:
    parsed = read((atom if is_atom else rss)(*items))
    counted = len(parsed.sightings) + sum(parsed.passed_over.values()) + len({problem.line for problem in parsed.problems})
    assert counted >= len(items)
    assert all(sighting.work.title for sighting in parsed.sightings)


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda raw: rss("<title>A</title>")[:-16] + b"<item>" + raw))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        read(raw)


@pytest.mark.parametrize(
    ("arrived", "since_news", "verdict"),
    [(1, 0, "fresh"), (20, 0, "fresh"), (0, 0, "quiet"), (0, 7, "quiet"), (0, 8, "stale")],
)
def test_the_verdict_goes_by_what_is_new(arrived: int, since_news: int, verdict: str) -> None:
    found, evidence = judge(arrived, 20, NOW - timedelta(days=since_news), NOW, timedelta(days=7))
    assert found == verdict
    assert "20 entries" in evidence


def test_an_archive_announces_nothing_unless_it_has_just_arrived() -> None:
    old = "<title>Old Net</title><guid>https://x.example.org/1</guid><pubDate>Fri, 20 Nov 2020 10:00:00 GMT</pubDate>"
    parsed = read(
        rss(old, "<title>New Net</title><pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate>", "<title>Undated Net</title>")
    )
    shown = announcing(parsed, (), NOW - timedelta(days=30))
    assert [sighting.announces for sighting in shown.sightings] == [False, True, True]
    assert shown.passed_over == {"older than 30 days": 1}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Café Science: the Blog", "cafe-science-the-blog"),
        ("  A  ", "a"),
        ("arXiv cs.LG", "arxiv-cs-lg"),
        ("An Invented Journal of Invented Things", "an-invented-journal-of-invente"),
    ],
)
def test_a_feed_is_called_by_the_plain_letters_of_its_title(title: str, name: str) -> None:
    assert slug(title) == name


def test_a_title_without_plain_letters_has_a_name_of_its_own_too() -> None:
    assert slug("数学") != slug("物理")
    assert slug("数学").isalnum()


def test_each_feed_is_a_source_of_its_own() -> None:
    settings = FeedSettings(urls={"A Blog": "https://blog.example.org/feed/", "数学": "http://x.example.org/?feed=rss2"})
    first, second = feeds_of(settings)
    assert (first.name, first.turn, first.title, first.enabled, first.brings) == (
        "feed:a-blog",
        "feed:a-blog",
        "A Blog",
        True,
        "papers",
    )
    assert second.title == "数学"
    assert second.name.startswith("feed:")
    assert feeds_of(FeedSettings()) == ()
    assert not feeds_of(FeedSettings(enabled=False, urls={"A": "https://a.example.org"}))[0].enabled


@pytest.mark.parametrize(
    "urls",
    [
        {"": "https://x.example.org/"},
        {"   ": "https://x.example.org/"},
        {"x" * 41: "https://x.example.org/"},
        {"a\u202eb": "https://x.example.org/"},
        {"a\nb": "https://x.example.org/"},
        {"A": "x.example.org"},
        {"A": "ftp://x.example.org/"},
        {"A": "https://a:b@x.example.org/"},
        {"A": ""},
        {"A Blog": "https://x.example.org/", "a blog!": "https://y.example.org/"},
        {"A": ["https://x.example.org/"]},
    ],
)
def test_feeds_that_cannot_be_are_refused(urls: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="urls"):
        FeedSettings(urls=urls)
