"""The `[site]` section."""

import pytest
from pydantic import ValidationError

from digest.rendering.settings import SiteSettings

KEY = "k" * 32


def test_a_site_needs_no_settings() -> None:
    site = SiteSettings()
    assert (site.name, site.public_url, site.keys, site.language) == ("Trending Papers", None, (), "en")


@pytest.mark.parametrize("url", ["https://papers.example.org", "https://papers.example.org/", "http://localhost:8000/"])
def test_a_public_url_has_no_slash_at_its_end(url: str) -> None:
    assert SiteSettings(public_url=url).public_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["papers.example.org", "ftp://example.org", "https://", "https://example.org/?a=b", "https://a b"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="an address like"):
        SiteSettings(public_url=url)


def test_a_site_speaks_a_language_that_its_mails_have() -> None:
    assert SiteSettings(language="Deutsch").language == "de"
    with pytest.raises(ValidationError, match="one of en, de, fr, es"):
        SiteSettings(language="pt-BR")


def test_several_keys_are_read_newest_first() -> None:
    assert SiteSettings(secret_key=f"{KEY}1 {KEY}2").keys == (f"{KEY}1", f"{KEY}2")


def test_a_short_key_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError, match="32 characters") as caught:
        SiteSettings(secret_key=f"{KEY} tooshort")
    assert "tooshort" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 61])
def test_a_name_is_one_short_line(name: str) -> None:
    with pytest.raises(ValidationError):
        SiteSettings(name=name)
