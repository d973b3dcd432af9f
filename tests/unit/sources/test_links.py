import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.links import links_of_id, safe_url


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/example/net",
        "http://net.example.org",
        "https://example.org:8443/a_b/~c?q=1&r=%20#part",
        "https://medium.example/@author/post",
        "https://xn--bcher-kva.example/",
    ],
)
def test_an_ordinary_address_is_kept_as_it_is(url: str) -> None:
    assert safe_url(url) == url
    assert safe_url(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com/example/net",
        "//example.org/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "https://",
        "https:///a",
        "https://localhost/a",
        "https://example/a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://0x7f.0.0.1/a",
        "https://0177.0.0.0x1/a",
        "https://2130706433/a",
        "https://[::1]/a",
        "https://jane@example.org/a",
        "https://jane:secret@example.org/a",
        "https://example.org\\@evil.example/a",
        "https://example.org/a b",
        "https://example.org/a\nb",
        "https://example.org/a\r\nBcc: x",
        "https://example.org/\x00",
        "https://example.org/\u202e",
        'https://example.org/"onclick="x',
        "https://example.org/<b>",
        "https://example.org/%zz",
        "https://example.org:0/a",
        "https://example.org:99999/a",
        "https://example.org:x/a",
        "https://-example.org/a",
        "https://exa_mple.org/a",
        "https://bücher.example/",
        "https://example.org/" + "x" * 500,
    ],
)
def test_anything_else_is_no_link(url: str) -> None:
    assert safe_url(url) is None


@given(
    st.text(max_size=80)
    | st.text(max_size=60).map("https://example.org/{}".format)
    | st.text(max_size=40).map("https://{}".format)
)
def test_what_is_kept_is_plain_and_stays_as_it_is(text: str) -> None:
    if url := safe_url(text):
        assert url.isascii()
        assert url.startswith(("https://", "http://"))
        assert not set(url) & set(" \\\"<>'`\t\r\n") - {"'"}
        assert safe_url(url) == url


def test_the_links_of_a_paper_are_built_from_its_id() -> None:
    assert links_of_id("arxiv:math/0309136")["arxiv"] == "https://arxiv.org/abs/math/0309136"
    assert links_of_id("doi:10.1234/a%b#c?d") == {"doi": "https://doi.org/10.1234/a%25b%23c%3Fd"}
    assert links_of_id("title:a net|doe") == {}
