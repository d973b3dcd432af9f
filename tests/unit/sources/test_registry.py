import pytest

from digest.sources.registry import sources_of
from digest.sources.settings import SourcesSettings

SETTINGS = SourcesSettings.model_validate(
    {"feed": {"urls": {"A Blog": "https://blog.example.org/feed", "数学": "https://x.example.org/"}}}
)
SOURCES = sources_of(SETTINGS)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_a_name_a_title_and_a_section_in_the_settings(name: str) -> None:
    source = SOURCES[name]
    section = getattr(SETTINGS, name.partition(":")[0])
    assert source.name == name
    assert source.title.isprintable()
    assert source.title
    assert source.turn
    assert source.brings in ("papers", "attention")
    assert source.enabled == section.enabled


def test_a_name_fits_where_it_is_kept() -> None:
    settings = SourcesSettings.model_validate({"feed": {"urls": {"A" * 40: "https://blog.example.org/"}}})
    assert max(map(len, sources_of(settings))) <= 40


def test_a_feed_is_a_source_with_the_operators_title() -> None:
    assert [source.title for name, source in SOURCES.items() if name.startswith("feed:")] == ["A Blog", "数学"]


def test_what_is_collected_unless_somebody_says_otherwise_is_hugging_face() -> None:
    assert [name for name, source in sources_of(SourcesSettings()).items() if source.enabled] == ["huggingface"]


def test_routes_to_one_server_take_turns() -> None:
    assert {source.turn for name, source in SOURCES.items() if name.startswith("arxiv")} == {"arxiv"}
