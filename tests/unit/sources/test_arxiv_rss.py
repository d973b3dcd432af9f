"""The announcement feed, as RSS and as Atom: what a feed of rss.arxiv.org says, and what is made of one that is broken."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.arxiv import Paper, atom, no_feed, rss

from digest.errors import BadInput
from digest.papers.model import Sighting
from digest.papers.text import MAX_AUTHORS, MAX_TITLE
from digest.sources.arxiv.feed import FEED_LIMIT, NoSuchCategory, read_feed
from digest.sources.arxiv.freshness import Feed
from digest.sources.arxiv.rss import ArxivRssSettings, parse
from digest.sources.parsed import Parsed

NOW = datetime(2026, 4, 27, 12, 0, tzinfo=UTC)
MONDAY = date(2026, 4, 27)
PAPER = Paper("2604.21935")


def read(*papers: Paper, kinds: tuple[str, ...] = ("new", "cross")) -> Parsed:
    return parse(rss(papers, built=MONDAY), seen_at=NOW, kinds=kinds)


def one(paper: Paper) -> Sighting:
    parsed = read(paper)
    assert parsed.problems == ()
    return parsed.sightings[0]


def shown(*papers: Paper, built: date = MONDAY) -> Feed:
    return read_feed(rss(papers, built=built), seen_at=NOW)[1]


@pytest.mark.parametrize("write", [rss, atom])
def test_an_entry_is_read_whole(write: type) -> None:
    parsed = parse(write([replace(PAPER, title="An\n  Invented Title", doi="10.1000/Abc")], built=MONDAY), seen_at=NOW)
    [sighting] = parsed.sightings
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.announces) == ("arxiv_rss", NOW, True)
    assert sighting.ids[0] == "arxiv:2604.21935"
    assert (work.title, work.abstract) == ("An Invented Title", "We invent a paper.")
    assert (work.authors, work.categories) == (("Jane Doe", "Max Roe"), ("cs.AI", "cs.LG"))
    assert work.published_at == datetime(2026, 4, 27, 4, 0, tzinfo=UTC)
    assert work.listed_on == MONDAY
    assert work.links["arxiv"] == "https://arxiv.org/abs/2604.21935"
    assert work.links["pdf"] == "https://arxiv.org/pdf/2604.21935"
    assert parsed.problems == ()


def test_the_doi_is_a_second_id() -> None:
    sighting = one(replace(PAPER, doi="10.1000/Abc"))
    assert sighting.ids == ("arxiv:2604.21935", "doi:10.1000/abc")
    assert sighting.work.links["doi"] == "https://doi.org/10.1000/abc"


def test_the_time_at_which_an_atom_feed_was_built_is_not_the_day_of_its_papers() -> None:
    _, feed = read_feed(atom([replace(PAPER, day=date(2026, 4, 24))], built=MONDAY), seen_at=NOW)
    assert (feed.day, feed.built) == (date(2026, 4, 24), MONDAY)


def test_replacements_add_to_known_papers_and_announce_none() -> None:
    kinds = ("new", "cross", "replace", "replace-cross")
    papers = [Paper(f"2604.0000{number}", kind=kind) for number, kind in enumerate(kinds)]
    sightings = read(*papers).sightings
    assert [sighting.announces for sighting in sightings] == [True, True, False, False]
    assert sightings[2].work.listed_on is sightings[2].work.published_at is None


def test_the_operator_says_which_kinds_are_news() -> None:
    parsed = read(Paper("2604.00001"), Paper("2604.00002", kind="cross"), kinds=("new",))
    assert [sighting.announces for sighting in parsed.sightings] == [True, False]


def test_an_old_paper_in_one_more_category_is_no_news() -> None:
    papers = [Paper(id_, kind="cross") for id_ in ("2604.00001", "2603.00001", "2602.00001", "math/0309136")]
    assert [sighting.announces for sighting in read(*papers).sightings] == [True, True, False, False]


def test_when_a_paper_in_one_more_category_was_published_is_not_known() -> None:
    work = one(replace(PAPER, kind="cross")).work
    assert (work.published_at, work.listed_on) == (None, MONDAY)


def test_where_the_kind_is_missing_the_text_before_the_abstract_tells_it() -> None:
    raw = rss([replace(PAPER, kind="replace", versions=2)], built=MONDAY)
    without = raw.replace(b"<arxiv:announce_type>replace</arxiv:announce_type>", b"")
    assert [sighting.announces for sighting in parse(without, seen_at=NOW).sightings] == [False]


def test_where_nothing_tells_the_kind_the_first_version_is_new() -> None:
    for versions, announces in ((1, True), (3, False)):
        raw = rss([replace(PAPER, kind="new", versions=versions)], built=MONDAY)
        bare = raw.replace(b"<arxiv:announce_type>new</arxiv:announce_type>", b"").replace(b"Announce Type: new", b"")
        [sighting] = parse(bare, seen_at=NOW).sightings
        assert sighting.announces is announces


def test_an_abstract_that_speaks_of_announcements_keeps_its_words() -> None:
    words = "Announce Type: new is what this abstract is about."
    assert one(replace(PAPER, abstract=words)).work.abstract == words


def test_a_description_without_the_usual_beginning_is_the_abstract() -> None:
    raw = rss([PAPER], built=MONDAY).replace(b"arXiv:2604.21935v1 Announce Type: new \nAbstract: ", b"")
    assert parse(raw, seen_at=NOW).sightings[0].work.abstract == "We invent a paper."


def test_tex_in_names_stays_for_those_who_render_it() -> None:
    work = one(replace(PAPER, authors=r"Paulo Andr\'e Doe,  Deepti, H{\aa}kan Roe, ")).work
    assert work.authors == (r"Paulo Andr\'e Doe", "Deepti", r"H{\aa}kan Roe")


def test_ids_in_other_spellings_are_the_same_paper() -> None:
    raw = rss([PAPER], built=MONDAY)
    for guid in (b"OAI:ARXIV.ORG:2604.21935V1", b"https://arxiv.org/abs/2604.21935v1", b"", b"tag:somewhere,2604"):
        other = raw.replace(b"oai:arXiv.org:2604.21935v1", guid)
        assert [sighting.ids for sighting in parse(other, seen_at=NOW).sightings] == [("arxiv:2604.21935",)]


def test_a_paper_that_stands_twice_in_a_feed_counts_once_and_as_news() -> None:
    parsed = read(replace(PAPER, kind="replace"), replace(PAPER, kind="new"))
    assert [sighting.announces for sighting in parsed.sightings] == [True]
    assert parsed.passed_over == {"repeated entries": 1}


def test_a_category_that_arxiv_does_not_know_is_named_with_its_words() -> None:
    with pytest.raises(NoSuchCategory, match=r"Bad archive 'xx\.AI'") as raised:
        parse(no_feed("xx.AI"), seen_at=NOW)
    assert raised.value.fix == "correct sources.arxiv_rss.categories"


def test_an_empty_feed_of_a_weekend_is_a_feed() -> None:
    parsed, feed = read_feed(rss([], built=date(2026, 4, 25)), seen_at=NOW)
    assert parsed == Parsed()
    assert feed == Feed(None, "", 0, date(2026, 4, 25))


def test_a_feed_shows_the_latest_day_and_the_newest_paper_that_it_announces() -> None:
    papers = [Paper("2604.00007"), Paper("2604.00003"), Paper("2604.09999", kind="replace"), Paper("2602.00001", kind="cross")]
    assert shown(*papers) == Feed(MONDAY, "arxiv:2604.00007", 2, MONDAY)


def test_a_feed_whose_entries_have_no_dates_is_that_of_the_day_it_was_built() -> None:
    raw = rss([PAPER], built=MONDAY)
    head, entry = raw.split(b"<item>")
    [start, _, end] = [entry.partition(b"<pubDate>")[0], b"", entry.partition(b"</pubDate>")[2]]
    parsed, feed = read_feed(head + b"<item>" + start + end, seen_at=NOW)
    assert (feed.day, len(parsed.sightings)) == (MONDAY, 1)


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 27 Apr 0000 00:00:00 -0400",
        "Mon, 27 Apr 0001 00:00:00 -0400",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "Tue, 28 Apr 2026 00:00:00 -0400",
        "Fri, 27 Apr 9999 00:00:00 -0400",
        "Mon, 31 Feb 2026 00:00:00 -0400",
        "yesterday",
        "27",
    ],
)
def test_a_day_that_cannot_be_is_left_out_and_the_paper_kept(text: str) -> None:
    raw = rss([PAPER, Paper("2604.00002")], built=MONDAY).replace(b"Mon, 27 Apr 2026 00:00:00 -0400", text.encode())
    parsed, feed = read_feed(raw, seen_at=NOW)
    assert [sighting.work.listed_on for sighting in parsed.sightings] == [None, None]
    assert [problem.line for problem in parsed.problems] == [1, 2]
    assert feed.day is None


def test_an_id_of_a_month_to_come_would_be_the_newest_for_years_and_is_refused() -> None:
    parsed, feed = read_feed(rss([PAPER, Paper("9912.00001")], built=MONDAY), seen_at=NOW)
    assert [sighting.ids[0] for sighting in parsed.sightings] == ["arxiv:2604.21935"]
    assert str(parsed.problems[0]) == "line 2: arxiv:9912.00001 lies in the future"
    assert feed.newest == "arxiv:2604.21935"


def test_one_bad_entry_costs_none_of_its_neighbours() -> None:
    bad = [
        replace(PAPER, title=""),
        replace(PAPER, title="x" * 20_000),
        replace(PAPER, id="abc"),
        replace(PAPER, id=""),
        replace(PAPER, id="2613.00001"),
    ]
    papers = [entry for number, item in enumerate(bad) for entry in (item, Paper(f"2604.0000{number}"))]
    parsed = read(*papers)
    assert [sighting.ids[0] for sighting in parsed.sightings] == [f"arxiv:2604.0000{number}" for number in range(5)]
    assert [problem.line for problem in parsed.problems] == [1, 3, 5, 7, 9]
    assert "has no title" in parsed.problems[0].what
    assert "20000 characters" in parsed.problems[1].what
    assert "no arXiv id: 'oai:arXiv.org:abcv1'" in parsed.problems[2].what


def test_an_entry_with_nothing_in_it_is_told_by_its_number() -> None:
    raw = rss([PAPER], built=MONDAY).replace(b"<item>", b"<item/><item><title/><guid/></item><item>")
    parsed = parse(raw, seen_at=NOW)
    assert [problem.line for problem in parsed.problems] == [1, 2]
    assert len(parsed.sightings) == 1


def test_an_entry_of_id_and_title_alone_will_do() -> None:
    item = b"<item><title>A title</title><guid>oai:arXiv.org:2604.00001v1</guid><new:field xmlns:new='u'>x</new:field></item>"
    [sighting] = parse(b"<rss><channel>" + item + b"</channel></rss>", seen_at=NOW).sightings
    assert (sighting.work.authors, sighting.work.categories, sighting.work.abstract) == ((), (), "")
    assert sighting.announces


def test_direction_and_control_characters_do_not_come_through() -> None:
    tricky = replace(
        PAPER, title="A\u202eevil\u2066 \U000e0041title\u0085", authors="Jane\u200b \u202eDoe", abstract="a\u2028b"
    )
    work = one(tricky).work
    assert (work.title, work.authors, work.abstract) == ("Aevil title", ("Jane Doe",), "a b")


def test_a_long_title_is_cut_and_tex_and_emoji_stay() -> None:
    assert len(one(replace(PAPER, title="word " * 150)).work.title) <= MAX_TITLE
    assert one(replace(PAPER, title=r"$\alpha$-nets 🚀 & <b>")).work.title == r"$\alpha$-nets 🚀 & <b>"


def test_three_hundred_authors_are_kept_and_five_hundred_are_bounded() -> None:
    assert len(one(replace(PAPER, authors=", ".join(f"Author {n}" for n in range(300)))).work.authors) == 300
    assert len(one(replace(PAPER, authors=", ".join(f"Author {n}" for n in range(500)))).work.authors) == MAX_AUTHORS


def test_what_was_complete_when_a_feed_breaks_off_is_kept() -> None:
    raw = rss([Paper(f"2604.0000{number}") for number in range(5)], built=MONDAY)
    parsed, feed = read_feed(raw[: raw.index(b"2604.00003")], seen_at=NOW)
    assert [sighting.ids[0] for sighting in parsed.sightings] == [f"arxiv:2604.0000{number}" for number in range(3)]
    assert "breaks off" in parsed.problems[-1].what
    assert feed.cut == "the feed breaks off"


def test_a_full_feed_may_have_left_something_out() -> None:
    papers = [Paper(f"2604.{number:05}", abstract="", authors="") for number in range(FEED_LIMIT)]
    assert shown(*papers[:-1]).cut == ""
    assert shown(*papers).cut == "the feed is full (2,000 entries)"


def test_ten_thousand_entries_are_read_and_not_one_more() -> None:
    papers = [Paper(f"2604.{number:05}", abstract="", authors="") for number in range(10_003)]
    parsed = read(*papers)
    assert len(parsed.sightings) == 10_000
    assert [problem.what for problem in parsed.problems] == ["more than 10,000 entries; the rest is left out"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<!DOCTYPE html><html><head><title>502</title></head></html>", "a web page"),
        (b"<html><body>Rate exceeded.</body></html>", "a web page"),
        (b"", "not a feed of arXiv"),
        (b"Rate exceeded.", "not a feed of arXiv"),
        (b'{"error": "x"}', "not a feed of arXiv"),
        (b"\x1f\x8b\x08\x00", "not a feed of arXiv"),
        (b"<OAI-PMH/>", "no feed of arXiv"),
        (b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel/></rss>", "not a feed of arXiv"),
    ],
)
def test_what_is_no_feed_is_refused_as_a_whole(raw: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse(raw, seen_at=NOW)


def test_an_answer_of_the_query_api_is_no_announcement() -> None:
    head = b'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
    with pytest.raises(BadInput, match="query API"):
        parse(head + b"<o:totalResults>0</o:totalResults></feed>", seen_at=NOW)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, seen_at=NOW)


@given(st.data())
def test_a_feed_with_damage_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    raw = rss([Paper("2604.00001", doi="10.1000/a"), Paper("2604.00002", kind="cross")], built=MONDAY)
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 40)))
    with suppress(BadInput):
        parsed, feed = read_feed(raw[:start] + data.draw(st.binary(max_size=10)) + raw[end:], seen_at=NOW)
        assert all(sighting.ids and sighting.work.title for sighting in parsed.sightings)
        assert feed.papers == sum(sighting.announces for sighting in parsed.sightings)


TEXT = st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)


@given(TEXT, TEXT, TEXT, st.sampled_from(["new", "cross", "replace", "replace-cross", "absonly"]))
def test_any_words_in_an_entry_are_read(title: str, abstract: str, authors: str, kind: str) -> None:
    with suppress(BadInput):
        parsed = read(Paper("2604.00001", title=title, abstract=abstract, authors=authors, kind=kind))
        assert len(parsed.sightings) + len([problem for problem in parsed.problems if problem.line]) >= 1


def test_categories_are_needed_where_the_source_is_wanted() -> None:
    assert ArxivRssSettings(categories=("cs.ai", "HEP-TH", "cs.AI")).categories == ("cs.AI", "hep-th")
    with pytest.raises(ValidationError, match=r"sources\.arxiv_rss\.categories is needed"):
        ArxivRssSettings(enabled=True)
    with pytest.raises(ValidationError, match=r"write it like cs\.AI"):
        ArxivRssSettings(categories=("artificial intelligence",))


def test_days_without_mailing_are_dates() -> None:
    assert date(2026, 12, 25) in ArxivRssSettings().days_without_mailing
    with pytest.raises(ValidationError, match="write it like 2026-12-25"):
        ArxivRssSettings(no_mailing=("Christmas",))


def test_replacements_cannot_be_wanted_as_news() -> None:
    with pytest.raises(ValidationError):
        ArxivRssSettings(kinds=("replace",))  # type: ignore[arg-type]
