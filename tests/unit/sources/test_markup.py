import time
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.markup import looks_like_html, text, text_of_tree


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("One<br>Two<br/>Three<hr />Four", "One Two Three Four"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("H<sub>2</sub>O and <i>E.</i>&nbsp;<b>coli</b>", "H2O and E. coli"),
        ('See <a href="https://x.example.org/?a=1&amp;b=2" title="a > b">this</a>.', "See this."),
        ("a<!-- <p>hidden</p> -->b", "ab"),
        ("a<!-- never closed", "a"),
        ("a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"),
        ("<!DOCTYPE html><?xml version='1.0'?>a<![endif]-->", "a"),
        ("<P CLASS='x'>One</P>", "One"),
        ("<p\nclass=x\n>One</p\n>", "One"),
        ("<img src='x.png' alt='a'>text", "text"),
        ("<jats:title>Abstract</jats:title><jats:p>We <jats:italic>grow</jats:italic> it.</jats:p>", "Abstract We grow it."),
        ('<jats:p>See <jats:ext-link xlink:href="https://x.example.org">this</jats:ext-link>.</jats:p>', "See this."),
        ("We <named-content>grow</named-content><disp-formula><tex-math>x^2</tex-math></disp-formula> it.", "We grow it."),
        ("where <math><mi>x</mi><mo>=</mo><mn>1</mn></math>.", "where x=1."),
    ],
)
def test_tags_go_and_their_text_stays(source: str, expected: str) -> None:
    assert text(source, 1000) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>alert('x < y')</script>",
        "<SCRIPT type='text/javascript'>var a = '<p>';</SCRIPT >",
        "<style media=screen>p { color: red }</style>",
        "<script async>x</script>",
        "<iframe src='https://x.example.org'>x</iframe>",
        "<template>x</template>",
        "<script/>",
    ],
)
def test_what_a_reader_would_not_see_goes_with_its_tags(hidden: str) -> None:
    assert text(f"before {hidden}after", 1000) == "before after"


@pytest.mark.parametrize("source", ["before <script>never closed <p>x", "before <style>x</styl", "before <script>x</scrip"])
def test_what_is_hidden_and_never_closed_is_hidden_to_the_end(source: str) -> None:
    assert text(source, 1000) == "before"


@pytest.mark.parametrize(
    "source",
    [
        "p<0.05 and q > 3",
        "$x<y$ and $y>z$, for all x",
        "a<b and c>d",
        "List<T> and Map<K, V>",
        "if i<n then p<q or s>u",
        "x < y",
        "x<-y <= z",
        "<3 you",
        "ends with <",
        "ends with <p",
        "<https://x.example.org/>",
        "R&D, AT&T; ?a=1&section=2",
    ],
)
def test_what_is_no_markup_stays_as_it_stands(source: str) -> None:
    assert text(source, 1000) == source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("&lt;p&gt;", "<p>"),
        ("&amp;lt;p&amp;gt;", "&lt;p&gt;"),
        ("&amp;amp;", "&amp;"),
        ("&eacute;&#233;&#xE9;&#XE9;", "éééé"),
        ("&#0;&#x110000;&#xD800;", "\ufffd\ufffd\ufffd"),
        ("&nosuch; &#; &#x;", "&nosuch; &#; &#x;"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
    ],
)
def test_entities_are_decoded_exactly_once(source: str, expected: str) -> None:
    assert text(source, 1000) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("10<sup>6</sup> cells", "10⁶ cells"),
        ("Ca<sup>2+</sup>", "Ca²⁺"),
        ("10<sup><i>-3</i></sup>.", "10⁻³."),
        ("the 5<sup>th</sup> of 10", "the 5th of 10"),
    ],
)
def test_a_raised_number_is_not_joined_to_the_one_before(source: str, expected: str) -> None:
    assert text(source, 1000) == expected


def test_the_result_is_clean_and_as_long_as_it_may_be() -> None:
    assert text("<p>a\u202eb\x07c</p>", 100) == "ab c"
    cut = text("<p>" + "word " * 10_000 + "</p>", 100)
    assert len(cut) <= 100
    assert cut.endswith("word…")


def test_a_text_that_begins_with_a_thousand_empty_blocks_is_found() -> None:
    assert text("<div> <p>\n</p></div>" * 20_000 + "<p>Here.</p>", 50) == "Here."


def test_a_tree_gives_the_same_text_as_its_source() -> None:
    source = "<div><p>H<sub>2</sub>O,</p><p>10<sup>6</sup><script>x</script> cells &amp; <b>&lt;b&gt;</b></p>tail</div>"
    assert text_of_tree(fromstring(source), 1000) == text(source, 1000) == "H2O, 10⁶ cells & <b> tail"


@pytest.mark.parametrize(
    ("source", "is_html"),
    [("<p>One</p>", True), ("One<br/>Two", True), ("$x<y$ and a>b", False), ("List<T>", False), ("", False)],
)
def test_html_in_a_plain_text_is_noticed(source: str, is_html: bool) -> None:
    assert looks_like_html(source) is is_html


@pytest.mark.parametrize(
    "piece",
    ["<", "<a ", "<p>", "</p>", "<!--", "<![CDATA[", "<script>", "<a '\"'", "<a \"'\" '", "&", "&amp", "&#", "<!", "<sup>1"],
)
def test_hostile_markup_takes_no_longer_than_other(piece: str) -> None:
    source = piece * (540_000 // len(piece))
    started = time.process_time()
    text(source, 6000)
    looks_like_html(source)
    assert time.process_time() - started < 2.0


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["<", ">", "&", ";", "p", "script", "/", "'", '"', "=", " ", "!--"])).map("".join)
)
def test_any_text_is_read_and_stays_within_its_limit(source: str) -> None:
    assert len(text(source, 50)) <= 50


@given(st.text(alphabet=st.characters(exclude_characters="<>&", categories=["L", "N"]), max_size=100))
def test_text_without_markup_is_only_cleaned(source: str) -> None:
    assert text(f"<p>{source}</p>", 500) == text(source, 500)
