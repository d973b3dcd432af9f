import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from digest.errors import BadInput
from digest.sources.base import Known
from digest.sources.fields import Unusable
from digest.sources.github import GitHubSettings, by_repository, read_stars, repository


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/Example/Net",
        "http://www.github.com/example/net/",
        "https://github.com/example/net.git",
        "https://GitHub.com/example/net/tree/main/src?tab=readme#top",
        "https://github.com:443/example/net",
    ],
)
def test_every_address_of_a_repository_leads_to_it(address: str) -> None:
    assert repository(address) == "example/net"


@pytest.mark.parametrize("name", ["net.js", "a_b-c.d", ".github", "n" * 100])
def test_a_name_may_have_dots_and_dashes(name: str) -> None:
    assert repository(f"https://github.com/ex-ample/{name}") == f"ex-ample/{name}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://github.com",
        "https://github.com/example",
        "https://github.com/example/",
        "https://github.com//net",
        "https://github.com/example/..",
        "https://github.com/example/.",
        "https://github.com/example/.git",
        "https://github.com/example/..git",
        "https://github.com/../net",
        "https://github.com/exa_mple/net",
        "https://github.com/example/net%2f..%2fadmin",
        "https://github.com/example/n\u0435t",
        "https://github.com/" + "e" * 40 + "/net",
        "https://github.com/example/" + "n" * 101,
        "https://github.com.example.org/example/net",
        "https://github.com@example.org/example/net",
        "https://gist.github.com/example/0123",
        "https://gitlab.com/example/net",
        "ftp://github.com/example/net",
        "https://[github.com/example/net",
        "example/net",
    ],
)
def test_what_is_no_repository_there_is_not_asked_for(address: str) -> None:
    assert repository(address) is None


def test_a_repository_of_two_papers_is_one() -> None:
    first, second, third = (
        Known((f"arxiv:2511.0000{n}",), code)
        for n, code in enumerate(
            ("https://github.com/example/net", "https://github.com/Example/Net.git", "https://example.org/x")
        )
    )
    other = Known(("arxiv:2511.00009",), "https://github.com/example/other")
    assert by_repository([first, third, other, second], 9) == {"example/net": [first, second], "example/other": [other]}
    assert by_repository([first, third, other, second], 1) == {"example/net": [first]}


def test_stars_are_read() -> None:
    assert read_stars(b'{"full_name": "example/net", "stargazers_count": 42, "archived": true, "new": {"a": 1}}') == 42
    assert read_stars(b'{"stargazers_count": 0}') == 0


@pytest.mark.parametrize("value", [None, -1, 1.5, True, "42", [42], 10**400])
def test_stars_that_are_no_count_are_not_taken_for_one(value: object) -> None:
    with pytest.raises(Unusable, match="stars"):
        read_stars(json.dumps({"stargazers_count": value}))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"<html>", "a web page"),
        (b'{"stargazers_c', "not JSON"),
        (b"[]", "no repository"),
        (b'{"message": "Not Found", "status": "404"}', "GitHub says: Not Found"),
    ],
)
def test_what_is_no_record_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_stars(raw)


def test_a_record_without_stars_tells_none() -> None:
    with pytest.raises(Unusable):
        read_stars(b"{}")


def test_the_settings_are_those_of_the_real_address_and_take_lengths_of_time() -> None:
    settings = GitHubSettings.model_validate({"token": "a-token"})
    assert (settings.enabled, settings.url, settings.limit) == (False, "https://api.github.com", 50)
    assert settings.again_after.total_seconds() == 24 * 3600
    assert "a-token" not in repr(settings)


@pytest.mark.parametrize("bad", [{"limit": 0}, {"again_after": "soon"}, {"url": "ftp://example.org"}, {"tokens": "x"}])
def test_settings_that_cannot_be_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GitHubSettings.model_validate(bad)


@given(st.text(max_size=60).map(lambda text: f"https://github.com/{text}"))
def test_what_is_asked_for_is_two_plain_words(address: str) -> None:
    if path := repository(address):
        owner, name = path.split("/")
        assert owner.replace("-", "").isalnum() or set(owner) == {"-"}
        assert path.isascii()
        assert name.strip(".")


@given(
    st.binary(max_size=100) | st.dictionaries(st.just("stargazers_count"), st.integers()).map(lambda d: json.dumps(d).encode())
)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput, Unusable):
        assert 0 <= read_stars(raw) <= 10**9
