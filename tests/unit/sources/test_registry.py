from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import BadInput, UsageError
from digest.sources.registry import FORMATS, SOURCES, guess_format
from digest.sources.settings import SourcesSettings

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_a_name_a_title_and_a_section_in_the_settings(name: str) -> None:
    source = SOURCES[name]
    assert source.name == name
    assert source.title
    assert source.enabled(SourcesSettings()) == getattr(SourcesSettings(), name).enabled


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("raw", [b"", b"\xff\xfe\x00", b"{" * 5000, b"<html>", b"\n\n", b"[]"])
def test_every_format_reads_or_refuses_anything(name: str, raw: bytes) -> None:
    with suppress(BadInput):
        assert FORMATS[name](raw, source="file", seen_at=NOW).sightings == ()


@pytest.mark.parametrize(
    ("name", "format_"), [("page.txt", "page"), ("papers.JSONL", "jsonl"), ("a.ndjson", "jsonl"), ("2026-11-22.json", "hf")]
)
def test_the_name_of_a_file_tells_its_format(name: str, format_: str) -> None:
    assert guess_format(Path(name)) == format_


@pytest.mark.parametrize("name", ["papers", "papers.pdf", ".txt"])
def test_a_name_that_tells_none_asks_for_it(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        guess_format(Path(name))
    assert "--format page|jsonl|hf" in caught.value.fix


def test_a_saved_answer_stays_hugging_faces_whoever_hands_it_over() -> None:
    raw = b'[{"paper": {"id": "2611.04321", "title": "A Net", "upvotes": 3}}]'
    (sighting,) = FORMATS["hf"](raw, source="file", seen_at=NOW).sightings
    assert {sighting.source, *(reading.source for reading in sighting.readings)} == {"huggingface"}
