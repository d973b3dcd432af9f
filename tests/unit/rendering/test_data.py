"""Papers and entries as data."""

import json
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.edition.model import Entry
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.rendering.data import entry_data, paper_data, readings_data

AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
texts = st.text(st.characters(codec=None), max_size=40)


@given(
    st.builds(
        Work,
        title=texts,
        abstract=texts,
        authors=st.lists(texts).map(tuple),
        summary=texts,
        links=st.dictionaries(texts, texts),
    )
)
def test_whatever_a_source_says_can_be_written_as_json(work: Work) -> None:
    told = json.loads(json.dumps(paper_data("arxiv:1", work, "https://x.example/1"), allow_nan=False).encode())
    assert told["title"]
    assert all(told["authors"])


def test_only_addresses_of_known_kinds_that_lead_to_the_web_are_told() -> None:
    links = {
        "page": "https://x.example/1",
        "code": "javascript:alert(1)",
        "pdf": "https://x.example/a b",
        "evil": "https://y.example",
    }
    assert paper_data("k", Work("A", links=links), "u")["links"] == {"page": "https://x.example/1"}


def test_what_is_not_known_is_null() -> None:
    told = paper_data("k", Work("A"), "u")
    assert (told["published_at"], told["listed_on"]) == (None, None)
    told = paper_data("k", Work("A", published_at=AT, listed_on=AT.date()), "u")
    assert (told["published_at"], told["listed_on"]) == ("2026-11-22T06:00:00Z", "2026-11-22")


def test_of_each_day_metric_and_source_the_last_reading_is_told() -> None:
    hour = timedelta(hours=1)
    readings = [("hf", "votes", AT, 1), ("hf", "stars", AT, 7), ("s2", "votes", AT, 2), ("hf", "votes", AT + hour, 3)]
    told = readings_data([*readings, ("hf", "votes", AT + 24 * hour, 4)])
    assert sorted((one["source"], one["metric"], one["at"][:13], one["value"]) for one in told) == [
        ("hf", "stars", "2026-11-22T06", 7),
        ("hf", "votes", "2026-11-22T07", 3),
        ("hf", "votes", "2026-11-23T06", 4),
        ("s2", "votes", "2026-11-22T06", 2),
    ]


def test_an_entry_tells_every_term_of_its_score() -> None:
    entry = Entry(
        1,
        frozenset(),
        4,
        1.5,
        (Term("votes", 3, 1.0, "+3\x00 votes"), Term("stars", None, 0.5)),
        Work("A"),
        date(2026, 11, 20),
        {"votes": 3},
    )
    told = entry_data(entry)
    assert sum(term["score"] for term in told["terms"]) == told["score"]
    assert [(term["signal"], term["value"], term["reason"]) for term in told["terms"]] == [
        ("votes", 3, "+3 votes"),
        ("stars", None, ""),
    ]
    assert told["first_seen_on"] == "2026-11-20"
