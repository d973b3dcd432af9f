from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from digest.sources.settings import SourcesSettings
from digest.sources.slices import Slice, WebSlice

SLICES = [name for name, field in SourcesSettings.model_fields.items() if isinstance(field.default, Slice)]
ASKED_OVER_HTTP = [name for name in SLICES if isinstance(getattr(SourcesSettings(), name), WebSlice)]


def read(**sections: Any) -> SourcesSettings:
    return SourcesSettings.model_validate(sections)


def test_only_hugging_face_and_the_feeds_that_somebody_names_are_on() -> None:
    settings = SourcesSettings()
    assert [name for name in SLICES if getattr(settings, name).enabled] == ["huggingface", "feed"]
    assert settings.feed.urls == {}


def test_a_run_has_five_minutes_and_an_outage_a_day_before_somebody_is_told() -> None:
    settings = SourcesSettings()
    assert (settings.budget, settings.alarm_after) == (timedelta(minutes=5), timedelta(hours=24))
    assert (settings.at_once, settings.keep) == (4, 64)


@pytest.mark.parametrize("name", ASKED_OVER_HTTP)
def test_every_source_asks_the_real_server_over_tls_unless_told_otherwise(name: str) -> None:
    assert getattr(SourcesSettings(), name).url.startswith("https://")


@pytest.mark.parametrize("name", ASKED_OVER_HTTP)
def test_an_address_loses_its_last_slash(name: str) -> None:
    settings = read(**{name: {"url": "http://127.0.0.1:8080/mirror/"}})
    assert getattr(settings, name).url == "http://127.0.0.1:8080/mirror"


@pytest.mark.parametrize("name", ASKED_OVER_HTTP)
@pytest.mark.parametrize(
    "url",
    [
        "",
        "huggingface.co",
        "ftp://huggingface.co",
        "file:///etc/passwd",
        "https://",
        "https://a:b@huggingface.co",
        "https://h.co/#part",
        "https://h.co/a b",
        "https://h.co/\u202e",
        "https://h.co:0",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValidationError):
        read(**{name: {"url": url}})


@pytest.mark.parametrize(
    ("section", "needs"),
    [
        ({"folder": {"enabled": True}}, r"sources\.folder\.path"),
        ({"arxiv_rss": {"enabled": True}}, r"sources\.arxiv_rss\.categories"),
    ],
)
def test_a_source_that_is_on_needs_what_it_cannot_do_without(section: dict[str, Any], needs: str) -> None:
    with pytest.raises(ValidationError, match=needs):
        read(**section)


@pytest.mark.parametrize(
    "sections",
    [
        {"folder": {"paht": "papers"}},
        {"arxiv": {"enabled": True}},
        {"huggingface": {"days": 0}},
        {"at_once": 0},
        {"at_once": 51},
        {"budget": "0s"},
        {"budget": "5"},
        {"keep": -1},
        {"arxiv_rss": {"categories": ["no category!"]}},
        {"arxiv_rss": {"kinds": ["newest"]}},
        {"arxiv_rss": {"no_mailing": ["25 December"]}},
        {"feed": {"urls": {"A Journal": "journal.example.org"}}},
    ],
)
def test_a_setting_that_is_none_is_refused(sections: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**sections)


def test_each_of_the_two_preprint_servers_has_its_own_section() -> None:
    settings = read(medrxiv={"enabled": True, "categories": ["epidemiology"]})
    assert (settings.medrxiv.enabled, settings.biorxiv.enabled) == (True, False)
    assert settings.biorxiv.categories == ()
