"""Feeds as XML."""

from datetime import UTC, date, datetime, timedelta, timezone
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from digest.edition.model import Entry, How, Pick
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.rendering.environment import Environments
from digest.rendering.feed import AUTHORS, EntryView, entry_view, feed_view, render_feed, timestamp
from digest.rendering.settings import SiteSettings

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = date(2026, 11, 22)
FROZEN = datetime(2026, 11, 22, 6, tzinfo=UTC)
URL = "https://papers.example.org"
SITE = SiteSettings()
ENVIRONMENTS = Environments()
texts = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    ["]]>", "<b>&amp;</b>", "\x00\x0b", "\ud800", "\ufffe", "&#0;"]
)


def view(work: Work, url: str = f"{URL}/papers/1", frozen_at: datetime = FROZEN, pick: Pick | None = None) -> EntryView:
    entry = Entry(1, frozenset(), 1, 1.0, (Term("votes", 3, 1.0, "+3 votes"),), work, DAY, {})
    return entry_view(entry, DAY, frozen_at, url, pick)


def rendered(*entries: EntryView, title: str = "Papers", updated: datetime | None = None) -> Element:
    feed = feed_view(title, f"{URL}/feed.xml", f"{URL}/", updated, entries)
    made: Element = fromstring(render_feed(feed, SITE, ENVIRONMENTS).encode())
    return made


@given(
    st.builds(
        Work,
        title=texts,
        abstract=texts,
        authors=st.lists(texts, max_size=3).map(tuple),
        categories=st.lists(texts, max_size=3).map(tuple),
        organization=texts,
        summary=texts,
        summary_by=texts,
        links=st.dictionaries(st.sampled_from(["page", "code", "arxiv"]), texts),
    ),
    texts,
)
def test_whatever_a_source_says_is_well_formed_and_text(work: Work, matched: str) -> None:
    feed = rendered(view(work, pick=Pick(1, "card", "topic", matched)))
    assert {element.tag.partition("}")[2] for element in feed.iter()} <= {
        *("feed", "id", "title", "updated", "author", "name", "link", "entry", "published", "category", "content"),
        *("div", "p", "a"),
    }
    assert all(name.text for name in feed.iter(f"{ATOM}name"))
    assert all(category.get("term") for category in feed.iter(f"{ATOM}category"))


@given(texts)
def test_the_name_of_a_topic_is_text_too(topic: str) -> None:
    assert (rendered(title=f"{topic} · Papers").findtext(f"{ATOM}title") or "").endswith("· Papers")


def test_a_feed_is_as_new_as_its_newest_paper() -> None:
    older, newer = view(Work("A"), f"{URL}/a", FROZEN - timedelta(days=1)), view(Work("B"), f"{URL}/b")
    assert rendered(newer, older, updated=FROZEN + timedelta(days=1)).findtext(f"{ATOM}updated") == "2026-11-22T06:00:00Z"
    assert rendered(updated=FROZEN).findtext(f"{ATOM}updated") == "2026-11-22T06:00:00Z"
    assert rendered().findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"


def test_a_paper_that_comes_twice_is_told_as_it_came_first_and_where() -> None:
    again, other, first = (view(Work(title), f"{URL}/{url}") for title, url in (("Again", "a"), ("Other", "b"), ("First", "a")))
    titles = [entry.findtext(f"{ATOM}title") for entry in rendered(again, other, first).findall(f"{ATOM}entry")]
    assert titles == ["Other", "First"]


def test_of_many_authors_the_first_are_named() -> None:
    feed = rendered(view(Work("A", authors=tuple(f"Author {n}" for n in range(1000)))))
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    assert len(entry.findall(f"{ATOM}author")) == AUTHORS


@pytest.mark.parametrize(
    ("how", "matched", "why"),
    [
        ("", "", "+3 votes"),
        ("topic", "fish", "close to your topic “fish”; +3 votes"),
        ("explore", "", "outside your interests; +3 votes"),
    ],
)
def test_a_readers_feed_says_why_a_paper_is_there_for_him(how: How, matched: str, why: str) -> None:
    assert view(Work("A"), pick=Pick(1, "card", how, matched)).why == why


def test_an_instant_is_told_in_utc() -> None:
    assert timestamp(datetime(2026, 11, 22, 8, 0, 0, 5, timezone(timedelta(hours=2)))) == "2026-11-22T06:00:00Z"
