from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import BadInput, UsageError
from digest.sources.formats import ENDINGS, FORMATS, guess_format

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"'
ENTRY = "<entry><title>A Net</title><link href='https://rss.arxiv.org/x'/></entry></feed>"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("raw", [b"", b"\xff\xfe\x00", b"{" * 5000, b"<" * 5000, b"<html>", b"\n\n", b"[]", b"{}", b"<a/>"])
def test_every_format_reads_or_refuses_anything(name: str, raw: bytes) -> None:
    with suppress(BadInput):
        assert FORMATS[name](raw, source="file", seen_at=NOW).sightings == ()


def test_the_formats_are_those_that_operators_know() -> None:
    assert list(FORMATS) == "page jsonl hf arxiv_rss arxiv_oai arxiv_api biorxiv s2 openalex feed".split()


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("page.txt", "page"),
        ("papers.JSONL", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("2026-11-22.json", "hf"),
        ("a.xml", "feed"),
        ("a.RSS", "feed"),
        ("a.atom", "feed"),
    ],
)
def test_the_name_of_a_file_tells_its_format(name: str, format_: str) -> None:
    assert guess_format(Path(name)) == format_


@pytest.mark.parametrize(
    ("head", "format_"),
    [
        ("[]", "hf"),
        ('[{"paper": {"id": "2611.04321"}}]', "hf"),
        ('\ufeff\n [ {"paper": {"id"', "hf"),
        ('[{"paperId": "0a", "externalIds": {}}]', "s2"),
        ('[null, {"paperId": "0a"', "s2"),
        ('{"paperId": "0a", "title": "A Net"}', "s2"),
        ('{"total": 2, "offset": 0, "data": [{"title"', "s2"),
        ('{"recommendedPapers": [{', "s2"),
        ('{"messages": [{"status": "ok"}], "collection": [', "biorxiv"),
        ('{"collection": [{"doi": "10.1101/1", "results": "x"', "biorxiv"),
        ('{"meta": {"count": 2}, "results": [{"id"', "openalex"),
        ('{"id": "https://openalex.org/W1", "doi": null', "openalex"),
        ('[{"id": "https://openalex.org/W1", "doi": null', "openalex"),
    ],
)
def test_the_beginning_of_json_tells_whose_answer_it_is(head: str, format_: str) -> None:
    assert guess_format(Path("saved.json"), head.encode()) == format_


@pytest.mark.parametrize(
    ("head", "format_"),
    [
        ('<?xml version="1.0"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">', "arxiv_oai"),
        ("<!-- <rss> --><oai:OAI-PMH xmlns:oai='x'>", "arxiv_oai"),
        (f"{ATOM}><id>https://arxiv.org/api/x</id><title>arXiv Query: id_list=1</title>{ENTRY}", "arxiv_api"),
        (f"{ATOM}><id>https://arxiv.org/</id><title>arXiv Search Results</title>{ENTRY}", "arxiv_api"),
        (f"{ATOM}><id>http://rss.arxiv.org/atom/cs.AI</id>{ENTRY}", "arxiv_rss"),
        ("<rss version='2.0'><channel><link>http://rss.arxiv.org/rss/cs.AI</link><item/></channel></rss>", "arxiv_rss"),
        (f"{ATOM}><id>https://blog.example.org/</id>{ENTRY}", "feed"),
        ("<rss version='2.0'><channel><item><link>http://rss.arxiv.org/rss/cs.AI</link></item></channel></rss>", "feed"),
        ('<rdf:RDF xmlns:rdf="x" xmlns="http://purl.org/rss/1.0/"><channel>', "feed"),
        ("\ufeff<rss><channel/></rss>", "feed"),
    ],
)
@pytest.mark.parametrize("name", ["saved.xml", "saved.rss", "saved.atom"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_beginning_of_xml_tells_whose_answer_it_is(name: str, head: str, format_: str, encoding: str) -> None:
    assert guess_format(Path(name), head.encode(encoding)) == format_


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("saved.json", "<html>"),
        ("saved.json", '{"error": "not found"}'),
        ("saved.json", "3"),
        ("saved.xml", "<html>"),
        ("saved.xml", "<svg xmlns='http://www.w3.org/2000/svg'>"),
        ("saved.xml", '{"paper": 1}'),
        ("saved.xml", "plain"),
    ],
)
def test_a_content_that_tells_none_asks_for_it(name: str, head: str) -> None:
    with pytest.raises(UsageError, match="the content of") as caught:
        guess_format(Path(name), head.encode())
    assert "|".join(FORMATS) in caught.value.fix


@pytest.mark.parametrize("name", ["papers", "papers.pdf", ".txt", "papers.xml.gz"])
def test_a_name_that_tells_none_asks_for_it(name: str) -> None:
    with pytest.raises(UsageError, match="the name of") as caught:
        guess_format(Path(name), b"<rss>")
    assert "--format page|jsonl|hf" in caught.value.fix


def test_endings_are_those_that_tell_something() -> None:
    assert frozenset({".txt", ".jsonl", ".ndjson", ".json", ".xml", ".rss", ".atom", ".rdf"}) == ENDINGS


def test_a_saved_answer_stays_its_sources_whoever_hands_it_over() -> None:
    raw = b'[{"paper": {"id": "2611.04321", "title": "A Net", "upvotes": 3}}]'
    (sighting,) = FORMATS["hf"](raw, source="file", seen_at=NOW).sightings
    assert {sighting.source, *(reading.source for reading in sighting.readings)} == {"huggingface"}
    raw = b'{"collection": [{"doi": "10.1101/1", "title": "A Net", "version": "1", "server": "medRxiv"}]}'
    assert FORMATS["biorxiv"](raw, source="file", seen_at=NOW).sightings[0].source == "medrxiv"


def test_papers_of_a_file_that_is_nobodys_answer_are_those_of_whoever_hands_it_over() -> None:
    feed = b"<rss><channel><item><title>A Net</title></item></channel></rss>"
    assert FORMATS["feed"](feed, source="folder", seen_at=NOW).sightings[0].source == "folder"
    assert FORMATS["jsonl"](b'{"title": "A Net"}', source="folder", seen_at=NOW).sightings[0].source == "folder"
