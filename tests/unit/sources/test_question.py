"""Addresses that are put together, and secrets that are taken out."""

from digest.sources.web.question import Server


def server(base: str = "https://api.example.org", **more: object) -> Server:
    given = {
        "source": "x",
        "hosts": frozenset(),
        "pace": "",
        "gap": 0.0,
        "headers": {},
        "secrets": {},
        "begun": 0.0,
        "budget": 1.0,
    }
    return Server(base, **{**given, **more})  # type: ignore[arg-type]


def test_a_path_and_its_parameters_follow_the_base() -> None:
    assert server().address("/a", {"q": "b c&d", "x": "ü"}) == "https://api.example.org/a?q=b+c%26d&x=%C3%BC"
    assert server("https://api.example.org/v1").address("/a", {}) == "https://api.example.org/v1/a"
    assert server("https://example.org/feed/").address("", {}) == "https://example.org/feed/"


def test_a_base_keeps_its_own_parameters() -> None:
    base = "https://example.org/rss?lang=en"
    assert server(base).address("", {}) == base
    assert server(base).address("/all", {"n": "5"}) == "https://example.org/rss/all?lang=en&n=5"


def test_what_is_secret_is_taken_out_in_every_spelling() -> None:
    asked = server(secrets={"api_key": "open sesame/4"}, headers={"Authorization": "Bearer ghp_12345", "Accept": "text/xml"})
    for spelling in (
        "open sesame/4",
        "open+sesame%2F4",
        "open%20sesame/4",
        "open%20sesame%2F4",
        "Bearer ghp_12345",
        "ghp_12345",
    ):
        assert asked.masked(f"<{spelling}>") == "<***>"
        assert asked.masked_bytes(f"<{spelling}>".encode()) == b"<***>"
    assert asked.masked("Accept: text/xml, Bearer of news") == "Accept: text/xml, Bearer of news"


def test_an_empty_or_tiny_secret_mutilates_nothing() -> None:
    assert server(secrets={"a": "", "b": "x"}).masked("the next text") == "the next text"
