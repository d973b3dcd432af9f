"""Records of OAI-PMH: what is new among what changed, what was taken back, and what is made of a broken answer."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.arxiv import Paper, oai, oai_error

from digest.errors import BadInput
from digest.papers.model import Sighting
from digest.sources.arxiv.oai import ArxivOaiSettings, parse
from digest.sources.arxiv.records import OaiError, read_page
from digest.sources.parsed import Parsed

NOW = datetime(2026, 4, 28, 6, 0, tzinfo=UTC)
SUBMITTED = datetime(2026, 4, 23, 21, 2, tzinfo=UTC)
PAPER = Paper("2604.21935", submitted=SUBMITTED)
OAI = "http://www.openarchives.org/OAI/2.0/"


def read(*papers: Paper, new_since: date | None = None) -> Parsed:
    return parse(oai(papers), seen_at=NOW, new_since=new_since, announces=False)


def one(paper: Paper) -> Sighting:
    parsed = read(paper)
    assert parsed.problems == ()
    return parsed.sightings[0]


def record(metadata: str, datestamp: str = "2026-04-27", identifier: str = "oai:arXiv.org:2604.21935") -> bytes:
    """A record with other metadata than arXivRaw."""
    header = f"<header><identifier>{identifier}</identifier><datestamp>{datestamp}</datestamp></header>"
    content = f"<GetRecord><record>{header}<metadata>{metadata}</metadata></record></GetRecord>"
    return f'<OAI-PMH xmlns="{OAI}">{content}</OAI-PMH>'.encode()


def test_a_record_is_read_whole() -> None:
    paper = replace(PAPER, authors="Jane Doe (LAB), Max Roe and Ann Poe", doi="10.1000/Abc", title="An\n   Invented Title")
    sighting = one(paper)
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces) == ("arxiv_oai", NOW, True)
    assert sighting.ids == ("arxiv:2604.21935", "doi:10.1000/abc")
    assert (work.title, work.abstract) == ("An Invented Title", "We invent a paper.")
    assert work.authors == ("Jane Doe", "Max Roe", "Ann Poe")
    assert work.categories == ("cs.AI", "cs.LG")
    assert (work.published_at, work.listed_on) == (SUBMITTED, None)
    assert set(work.links) == {"arxiv", "pdf", "doi"}


def test_of_an_answer_that_somebody_hands_over_every_paper_is_wanted() -> None:
    old = replace(PAPER, id="1904.00001", versions=3)
    handed_over, met = (parse(oai([old, PAPER]), seen_at=NOW, announces=wanted).sightings for wanted in (True, False))
    assert [sighting.announces for sighting in handed_over] == [True, True]
    assert [replace(sighting, announces=True) for sighting in met] == list(handed_over)
    assert not met[0].announces


def test_a_single_record_is_read_as_a_list_of_one() -> None:
    assert len(parse(oai([PAPER], verb="GetRecord"), seen_at=NOW, announces=False).sightings) == 1


def test_a_record_that_changed_without_being_new_announces_nothing() -> None:
    revised = replace(PAPER, versions=2)
    old = replace(PAPER, submitted=datetime(2026, 4, 19, 21, 2, tzinfo=UTC))
    week_old = replace(PAPER, submitted=datetime(2026, 4, 20, 21, 2, tzinfo=UTC))
    assert [one(paper).announces for paper in (PAPER, revised, old, week_old)] == [True, False, False, True]


def test_who_fills_in_days_gets_papers_revised_since_as_well() -> None:
    revised = replace(PAPER, versions=3, changed=date(2026, 4, 28))
    assert [read(revised, new_since=day).sightings[0].announces for day in (date(2026, 4, 23), date(2026, 4, 24))] == [
        True,
        False,
    ]


def test_a_record_without_dates_announces_nothing() -> None:
    raw = oai([PAPER])
    for old, new in ((b"2026-04-27</datestamp>", b"</datestamp>"), (b"Thu, 23 Apr 2026 21:02:00 GMT", b"")):
        parsed = parse(raw.replace(old, new), seen_at=NOW, announces=False)
        assert [sighting.announces for sighting in parsed.sightings] == [False]


@pytest.mark.parametrize("text", ["Thu, 23 Apr 0000 21:02:00 GMT", "Thu, 23 Apr 9999 21:02:00 GMT", "some day"])
def test_a_date_that_cannot_be_is_left_out_and_the_paper_kept(text: str) -> None:
    parsed = parse(oai([PAPER]).replace(b"Thu, 23 Apr 2026 21:02:00 GMT", text.encode()), seen_at=NOW, announces=False)
    assert parsed.sightings[0].work.published_at is None
    assert [problem.line for problem in parsed.problems] == [1]


def test_a_deleted_record_takes_its_paper_back() -> None:
    parsed = read(replace(PAPER, deleted=True), Paper("2604.00002"))
    assert parsed.retracted == ("arxiv:2604.21935",)
    assert parsed.passed_over == {"deleted records": 1}
    assert len(parsed.sightings) == 1


def test_a_deleted_record_of_another_archive_or_of_none_is_only_counted() -> None:
    raw = oai([replace(PAPER, deleted=True)])
    for identifier in (b"oai:test.example.com:1585310", b""):
        parsed = parse(raw.replace(b"oai:arXiv.org:2604.21935", identifier), seen_at=NOW, announces=False)
        assert (parsed.retracted, parsed.passed_over) == ((), {"deleted records": 1})


@pytest.mark.parametrize(
    ("comments", "size", "source_type", "withdrawn"),
    [
        ("This paper has been withdrawn by the author due to an error in Theorem 2.", "0kb", "", True),
        ("Withdrawn", "0kb", "", True),
        ("This article\n has been withdrawn by arXiv administrators", "0kb", "", True),
        ("Theorem 25 is incorrect", "0kb", "I", True),
        ("This paper has been withdrawn", "12kb", "D", False),
        ("12 pages; an earlier version has been withdrawn", "0kb", "", False),
        ("12 pages", "0kb", "D", False),
        ("12 pages", "12kb", "I", False),
    ],
)
def test_a_version_without_content_that_says_so_is_withdrawn(
    comments: str, size: str, source_type: str, *, withdrawn: bool
) -> None:
    parsed = read(replace(PAPER, versions=2, comments=comments, size=size, source_type=source_type))
    assert parsed.retracted == (("arxiv:2604.21935",) if withdrawn else ())
    assert len(parsed.sightings) == (0 if withdrawn else 1)


def test_a_record_in_arxivs_other_format_is_read() -> None:
    raw = record(
        """<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>2604.21935</id><created>2026-04-23</created>
        <authors><author><keyname>Doe</keyname><forenames>Jane</forenames><suffix>Jr.</suffix></author>
        <author><keyname>Deepti</keyname></author><author/></authors><title>A title</title>
        <categories>cs.AI cs.LG</categories><doi>10.1000/abc</doi><abstract> We invent. </abstract></arXiv>"""
    )
    [sighting] = parse(raw, seen_at=NOW, announces=False).sightings
    assert sighting.ids == ("arxiv:2604.21935", "doi:10.1000/abc")
    assert sighting.work.authors == ("Jane Doe Jr.", "Deepti")
    assert sighting.work.published_at == datetime(2026, 4, 23, tzinfo=UTC)
    assert sighting.announces
    [updated] = parse(
        raw.replace(b"</created>", b"</created><updated>2026-04-26</updated>"), seen_at=NOW, announces=False
    ).sightings
    assert not updated.announces


DC = """<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <dc:title>A title</dc:title><dc:creator>Doe, Jane</dc:creator><dc:creator>Roe, Max Jr.</dc:creator>
  <dc:subject>Computer Science - Artificial Intelligence</dc:subject>
  <dc:description>We invent.</dc:description><dc:description>Comment: 12 pages</dc:description>
  <dc:date>2026-04-23</dc:date>{}
  <dc:identifier>http://arxiv.org/abs/2604.21935</dc:identifier><dc:identifier>Journal 1, 2 (2026)</dc:identifier>
  <dc:identifier>doi:10.1000/abc</dc:identifier></oai_dc:dc>"""


def test_a_record_in_dublin_core_is_read() -> None:
    [sighting] = parse(record(DC.format("")), seen_at=NOW, announces=False).sightings
    assert sighting.ids == ("arxiv:2604.21935", "doi:10.1000/abc")
    assert (sighting.work.authors, sighting.work.abstract) == (("Jane Doe", "Max Jr. Roe"), "We invent.")
    assert sighting.work.published_at == datetime(2026, 4, 23, tzinfo=UTC)
    assert sighting.announces
    [revised] = parse(record(DC.format("<dc:date>2026-04-25</dc:date>")), seen_at=NOW, announces=False).sightings
    assert not revised.announces


def test_a_record_of_another_archive_is_known_by_its_title_and_page() -> None:
    raw = record(
        """<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
        <dc:title>A thesis</dc:title><dc:creator>某人</dc:creator><dc:date>2011</dc:date>
        <dc:identifier>http://theses.example.org/1996652</dc:identifier></oai_dc:dc>""",
        identifier="oai:theses.example.org:1996652",
    )
    [sighting] = parse(raw, seen_at=NOW, announces=False).sightings
    assert (sighting.ids, sighting.work.title, sighting.work.authors) == ((), "A thesis", ("某人",))
    assert sighting.work.links == {"page": "http://theses.example.org/1996652"}
    assert sighting.work.published_at is None


def test_headers_alone_are_counted() -> None:
    headers = "".join(
        f"<header{status}><identifier>oai:arXiv.org:2604.0000{number}</identifier></header>"
        for number, status in enumerate(["", ' status="deleted"'])
    )
    parsed = parse(
        f'<OAI-PMH xmlns="{OAI}"><ListIdentifiers>{headers}</ListIdentifiers></OAI-PMH>'.encode(), seen_at=NOW, announces=False
    )
    assert parsed.passed_over == {"headers without a record": 1, "deleted records": 1}
    assert parsed.retracted == ("arxiv:2604.00001",)


def test_where_a_list_goes_on_is_told() -> None:
    assert read_page(oai([PAPER], token="from=2026-04-27&skip=2"), seen_at=NOW).token == "from=2026-04-27&skip=2"
    assert read_page(oai([PAPER]), seen_at=NOW).token == ""
    ended = oai([PAPER]).replace(b"</ListRecords>", b"<resumptionToken/></ListRecords>")
    assert read_page(ended, seen_at=NOW).token == ""


def test_that_no_record_matches_is_an_answer_without_papers() -> None:
    assert parse(oai_error("noRecordsMatch"), seen_at=NOW, announces=False) == Parsed()


@pytest.mark.parametrize("code", ["badArgument", "badResumptionToken", "cannotDisseminateFormat", "idDoesNotExist", "other"])
def test_an_error_of_the_protocol_is_told_in_its_words(code: str) -> None:
    with pytest.raises(OaiError, match=f"arXiv says {code}: It will not do") as raised:
        parse(oai_error(code, "It will\n   not do"), seen_at=NOW, announces=False)
    assert raised.value.code == code


def test_one_bad_record_costs_none_of_its_neighbours() -> None:
    bad = [
        replace(PAPER, title=""),
        replace(PAPER, title="x" * 20_000),
        replace(PAPER, id="2704.00001"),
        replace(PAPER, title="\u202e\u2066\ufeff"),
    ]
    papers = [entry for number, item in enumerate(bad) for entry in (item, Paper(f"2604.0000{number}"))]
    parsed = read(*papers)
    assert [sighting.ids[0] for sighting in parsed.sightings] == [f"arxiv:2604.0000{number}" for number in range(4)]
    assert [problem.line for problem in parsed.problems] == [1, 3, 5, 7]


def test_a_record_with_nothing_in_it_is_told_by_its_number() -> None:
    empty = b"<record/><record><header/><metadata/></record><record><metadata><other/></metadata></record><record>"
    parsed = parse(oai([PAPER]).replace(b"<record>", empty, 1), seen_at=NOW, announces=False)
    assert [problem.line for problem in parsed.problems] == [1, 2, 3]
    assert len(parsed.sightings) == 1


def test_three_hundred_authors_are_kept() -> None:
    names = ", ".join(f"Author {number}" for number in range(299)) + " and Author 299"
    assert len(one(replace(PAPER, authors=names)).work.authors) == 300


def test_an_id_in_capitals_is_the_same_paper() -> None:
    raw = oai([Paper("math/0309136", submitted=SUBMITTED)]).replace(b"math/0309136", b"MATH/0309136")
    assert parse(raw, seen_at=NOW, announces=False).sightings[0].ids == ("arxiv:math/0309136",)


def test_what_was_complete_when_a_page_breaks_off_is_kept() -> None:
    raw = oai([Paper(f"2604.0000{number}") for number in range(4)], token="more")
    page = read_page(raw[: raw.rindex(b"<record>")], seen_at=NOW)
    assert len(page.parsed.sightings) == 3
    assert "breaks off" in page.broken
    assert page.parsed.problems[-1].what == page.broken


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"broken xml", "not an answer of OAI-PMH"),
        (b"", "not an answer of OAI-PMH"),
        (b"<rss/>", "no answer of OAI-PMH"),
        (f'<OAI-PMH xmlns="{OAI}"><Identify/></OAI-PMH>'.encode(), "lists no records"),
    ],
)
def test_what_is_no_list_of_records_is_refused_as_a_whole(raw: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse(raw, seen_at=NOW, announces=False)


@given(st.data())
def test_a_page_with_damage_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    raw = oai([Paper("2604.00001", doi="10.1000/a"), Paper("2604.00002", deleted=True)], token="more")
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 40)))
    with suppress(BadInput):
        page = read_page(raw[:start] + data.draw(st.binary(max_size=10)) + raw[end:], seen_at=NOW)
        assert all(sighting.work.title for sighting in page.parsed.sightings)


@given(st.dates(date(2026, 3, 1), date(2026, 4, 28)), st.dates(date(2026, 3, 1), date(2026, 4, 28)), st.integers(1, 3))
def test_only_a_first_version_of_the_last_week_is_news(submitted: date, changed: date, versions: int) -> None:
    at = datetime(submitted.year, submitted.month, submitted.day, 12, tzinfo=UTC)
    sighting = read(replace(PAPER, submitted=at, changed=changed, versions=versions)).sightings[0]
    assert sighting.announces == (versions == 1 and submitted + timedelta(days=7) >= changed)


def test_categories_are_checked_and_may_be_none() -> None:
    assert ArxivOaiSettings(enabled=True).categories == ()
    assert ArxivOaiSettings(categories=("CS.ai", "cs")).categories == ("cs.AI", "cs")
    with pytest.raises(ValidationError, match=r"write it like cs\.AI"):
        ArxivOaiSettings(categories=("cs:cs:AI",))
