"""Whereto a redirect may lead, and what the operator is told."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.web.question import Server
from digest.sources.web.redirects import NotFollowed, is_own, next_address

BASE = "https://api.example.org/v1"


def server(base: str = BASE, source: str = "openalex", secret: str = "") -> Server:
    hosts = frozenset({"api.example.org", "mirror.example.org"})
    return Server(base, source, hosts, "", 0.0, {}, {"key": secret} if secret else {}, 0.0, 60.0)


def follow(location: str, **more: str) -> str:
    asked = server(**more)
    return str(next_address(httpx2.URL(f"{asked.base}/works"), location, asked))


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/v2/works", "https://api.example.org/v2/works"),
        ("works?page=2", "https://api.example.org/v1/works?page=2"),
        ("//api.example.org/x", "https://api.example.org/x"),
        ("https://API.example.org:443/x", "https://api.example.org/x"),
        ("https://mirror.example.org/x", "https://mirror.example.org/x"),
        ("https://api.example.org/ü", "https://api.example.org/%C3%BC"),
    ],
)
def test_a_redirect_leads_on_within_the_sources_hosts(location: str, leads_to: str) -> None:
    assert follow(location) == leads_to


def test_the_address_that_the_operator_wrote_is_allowed_as_it_stands() -> None:
    base = "http://10.0.0.5:8080"
    assert follow("http://10.0.0.5:8080/other", base=base) == "http://10.0.0.5:8080/other"
    for elsewhere in ("http://10.0.0.5/", "http://10.0.0.5:8081/", "http://10.0.0.6:8080/", "https://10.0.0.5:8080/"):
        with pytest.raises(NotFollowed):
            follow(elsewhere, base=base)


@pytest.mark.parametrize(
    "location",
    [
        "http://api.example.org/x",
        "http://mirror.example.org/x",
        "https://mirror.example.org:8443/x",
        "https://mirror.example.org:80/x",
        "https://elsewhere.example.net/",
        "https://mirror.example.org.elsewhere.example.net/",
        "https://mirror.example.org./",
        "https://x.mirror.example.org/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
    ],
)
def test_anything_else_is_refused_with_the_setting_to_write_it_in(location: str) -> None:
    with pytest.raises(NotFollowed, match="it redirects to ") as caught:
        follow(location)
    assert caught.value.fix == "if that is where it has moved to, write that in sources.openalex.url"


def test_the_error_says_where_it_leads_and_in_which_setting_that_would_go() -> None:
    with pytest.raises(NotFollowed, match=r"^it redirects to https://feeds\.example\.org/new$") as caught:
        follow("https://feeds.example.org/new", source="feed:nature")
    assert caught.value.fix == "if that is where it has moved to, write that in sources.feed.urls"


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://mirror.example.org/", "wss://mirror.example.org/", "javascript:alert(1)", "data:,x"],
)
def test_what_is_no_web_address_is_not_offered_to_the_operator(location: str) -> None:
    with pytest.raises(NotFollowed, match="which is no web address") as caught:
        follow(location)
    assert caught.value.fix == ""


@pytest.mark.parametrize(
    "location",
    [
        "https://user@mirror.example.org/",
        "https://user:pw@api.example.org/",
        "https://mirror.example.org\\@elsewhere.example.net/",
        "https://mirror.example.org/a b",
        "https://mirror.example.org/\x1b[31m",
        "https://mirror.example.org/\r\nX: y",
        "https://mirror.example.org/\u202e",
        "https://mirror.example.org/" + "x" * 2048,
        "https://mirror.example.org:99999/",
        "https://mirror.example.org:0/",
        "https://[::1/",
        "https://mirror.example.org:x/",
        "",
    ],
)
def test_what_is_no_proper_address_is_refused_in_clean_words(location: str) -> None:
    with pytest.raises(NotFollowed) as caught:
        follow(location)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_a_key_is_not_quoted_though_the_server_repeats_it() -> None:
    with pytest.raises(NotFollowed, match=r"\*\*\*") as caught:
        follow("https://elsewhere.example.net/?key=sesame+4", secret="sesame 4")
    assert "sesame" not in str(caught.value)


@given(st.text(max_size=60) | st.text(alphabet="htps:/@.[]%\\?#127exampleorg", max_size=40))
def test_no_text_leads_astray(location: str) -> None:
    base = httpx2.URL(BASE)
    try:
        there = next_address(base, location, server())
    except NotFollowed as refused:
        said = str(refused)
    else:
        said = ""
        assert is_own(there, base) or (there.scheme, there.host, there.port) == ("https", "mirror.example.org", None)
        assert not there.userinfo
    assert said.isprintable()
