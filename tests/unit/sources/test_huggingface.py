import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.papers.model import Reading, Sighting
from digest.papers.text import MAX_AUTHORS
from digest.sources.huggingface import judge, lists_due, parse
from digest.sources.parsed import Parsed

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
EVERY_LIST = [date(2026, 11, 24) - timedelta(days=age) for age in range(15)]


def entry(id_: str = "2611.04321", **paper: Any) -> dict[str, Any]:
    """An entry of the real shape, with invented content; `paper` overrides fields within it, None takes one out."""
    inner: dict[str, object] = {
        "id": id_,
        "authors": [
            {"_id": "0", "name": "Jane Doe", "hidden": False},
            {"_id": "0", "name": "Shy Author", "hidden": True},
            {"_id": "0", "name": "Max Roe", "hidden": False, "status": "claimed_verified"},
        ],
        "publishedAt": "2026-11-20T17:08:18.000Z",
        "submittedOnDailyAt": "2026-11-22T01:18:40.635Z",
        "submittedOnDailyBy": {"_id": "0", "fullname": "redacted", "user": "redacted", "type": "user"},
        "title": "An Invented\n  Network",
        "summary": "We invent a network.\nIt is deep.",
        "upvotes": 71,
        "discussionId": "0",
        "ai_summary": "A network is invented.",
        "ai_keywords": ["networks", "invention", "networks"],
        "githubRepo": "https://github.com/example/net",
        "githubStars": 12,
        "projectPage": "https://net.example.org/",
        "organization": {"_id": "0", "name": "inst", "fullname": "An Institute"},
    }
    inner.update(paper)
    return {
        "paper": {key: value for key, value in inner.items() if value is not None},
        "publishedAt": "2026-11-20T12:08:18.000Z",
        "title": "An invented network, as it was called outside",
        "summary": "Outside summary.",
        "thumbnail": "https://cdn.example.org/t.png",
        "numComments": 3,
        "submittedBy": {"_id": "0", "fullname": "redacted"},
        "isAuthorParticipating": False,
    }


def read(*entries: object) -> Parsed:
    return parse(json.dumps(entries).encode(), seen_at=NOW)


def one(**paper: Any) -> Sighting:
    parsed = read(entry(**paper))
    assert parsed.problems == ()
    return parsed.sightings[0]


def values(sighting: Sighting) -> dict[str, int]:
    return {reading.metric: reading.value for reading in sighting.readings}


def test_an_entry_is_read_whole() -> None:
    sighting = one()
    work = sighting.work
    assert (sighting.source, sighting.seen_at, sighting.ids) == ("huggingface", NOW, ("arxiv:2611.04321",))
    assert (work.title, work.abstract) == ("An Invented Network", "We invent a network. It is deep.")
    assert work.authors == ("Jane Doe", "Max Roe")
    assert (work.summary, work.summary_by) == ("A network is invented.", "Hugging Face")
    assert (work.keywords, work.organization) == (("networks", "invention"), "An Institute")
    assert work.published_at == datetime(2026, 11, 20, 17, 8, 18, tzinfo=UTC)
    assert work.listed_on == date(2026, 11, 22)
    assert work.links == {
        "huggingface": "https://huggingface.co/papers/2611.04321",
        "arxiv": "https://arxiv.org/abs/2611.04321",
        "pdf": "https://arxiv.org/pdf/2611.04321",
        "code": "https://github.com/example/net",
        "project": "https://net.example.org/",
    }


def test_counts_and_the_place_in_the_list_are_readings_of_now() -> None:
    assert one().readings == (
        Reading("huggingface", "votes", 71, NOW),
        Reading("huggingface", "comments", 3, NOW),
        Reading("huggingface", "stars", 12, NOW),
        Reading("huggingface", "rank", 1, NOW),
    )


def test_no_votes_yet_is_zero_and_missing_stars_are_not() -> None:
    assert values(one(upvotes=0, githubStars=None)) == {"votes": 0, "comments": 3, "rank": 1}


def test_a_field_that_the_paper_lacks_is_looked_for_beside_it() -> None:
    outside = entry(ai_summary=None, githubStars=None, title=None, summary="", organization=None)
    outside |= {"ai_summary": "Outside.", "githubStars": 5, "organization": {"name": "inst"}}
    sighting = read(outside).sightings[0]
    assert (sighting.work.summary, sighting.work.abstract) == ("Outside.", "Outside summary.")
    assert (sighting.work.title, sighting.work.organization) == ("An invented network, as it was called outside", "inst")
    assert values(sighting)["stars"] == 5


def test_the_shifted_date_beside_a_paper_is_not_its_own() -> None:
    assert one(publishedAt=None).work.published_at is None


def test_a_list_of_midnights_gives_its_day() -> None:
    assert one(submittedOnDailyAt="2026-11-21T00:00:00.000Z").work.listed_on == date(2026, 11, 21)


def test_a_paper_without_a_summary_names_nobody_as_its_author() -> None:
    assert one(ai_summary=None).work.summary_by == ""


@pytest.mark.parametrize("id_", ["2611.04321v2", "2611.04321V12", "arXiv:2611.04321", "ARXIV:2611.04321", " 2611.04321 "])
def test_neither_version_nor_case_nor_prefix_make_another_id(id_: str) -> None:
    assert one(id=id_).ids == ("arxiv:2611.04321",)


def test_an_old_id_that_changes_its_case_is_the_same_paper() -> None:
    assert one(id="CS/0309136").ids == one(id="cs/0309136v1").ids == ("arxiv:cs/0309136",)


def test_keys_that_nobody_knows_yet_are_passed_over() -> None:
    assert one(aNewKey={"deep": [1, 2]}, submittedOnDailyBy=None) == one()


def test_three_hundred_authors_are_a_list_of_names_cut_at_our_limit() -> None:
    authors = [{"name": f"Author {number}"} for number in range(300)]
    assert one(authors=authors).work.authors == tuple(f"Author {number}" for number in range(min(300, MAX_AUTHORS)))


def test_a_title_of_tex_and_emoji_stays_as_it_is() -> None:
    title = "$\\mathcal{O}(n)$ Attention, 50% off 🤗 for $5"
    assert one(title=title).work.title == title


@pytest.mark.parametrize("noise", ["\u202e", "\x00", "\x1b[31m", "\u2066", "\ud800", "\u200b"])
def test_no_character_that_hides_or_turns_text_gets_into_a_title(noise: str) -> None:
    title = one(title=f"A {noise}Net").work.title
    assert title.startswith("A ")
    assert title.endswith("Net")
    assert noise not in title
    title.encode()


@pytest.mark.parametrize(
    "written", ["2026-11-20T17:08:18+00:00", "2026-11-20 17:08:18Z", "2026-11-20T22:38:18+05:30", "2026-11-20T17:08:18"]
)
def test_a_time_counts_in_its_own_zone_and_in_utc_where_it_tells_none(written: str) -> None:
    assert one(publishedAt=written).work.published_at == datetime(2026, 11, 20, 17, 8, 18, tzinfo=UTC)


def test_a_date_without_leading_zeros_is_a_date() -> None:
    assert one(publishedAt="2026-9-5").work.published_at == datetime(2026, 9, 5, tzinfo=UTC)


def test_falling_votes_are_a_reading_like_any_other() -> None:
    later = parse(json.dumps([entry(upvotes=70)]), seen_at=NOW + timedelta(hours=1)).sightings[0]
    assert (values(one())["votes"], values(later)["votes"]) == (71, 70)


def test_ten_thousand_entries_are_read_and_the_bad_ones_among_them_counted() -> None:
    entries = [entry(f"26{1 + n % 12:02}.{n:05}") if n % 10 else {"paper": None} for n in range(10_000)]
    parsed = read(*entries)
    assert (len(parsed.sightings), len(parsed.problems)) == (9_000, 1_000)


def test_entries_beyond_reason_are_left_out_and_it_says_so() -> None:
    parsed = read(*[entry()] * 2, *[3] * 10_000)
    assert str(parsed.problems[-1]) == "line 10001: more than 10,000 entries; the rest is left out"
    assert len(parsed.problems) == 10_000


def test_an_address_that_is_not_clean_is_reported_and_the_paper_kept() -> None:
    parsed = read(entry(githubRepo="https://github.com/\nexample/net", projectPage="javascript:alert(1)"))
    assert parsed.sightings[0].work.links.keys() == {"huggingface", "arxiv", "pdf"}
    assert len(parsed.problems) == 2


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        "2611.04321",
        [],
        {},
        {"paper": None},
        {"paper": []},
        entry(id_="not-an-id"),
        {"paper": {"id": "2611.04321", "title": ""}, "title": " "},
        entry(title="x" * 20_000),
        entry(title=["A Net"]),
    ],
)
def test_a_bad_entry_is_reported_by_its_place_and_the_others_keep_theirs(bad: object) -> None:
    parsed = read(entry("2611.00001"), bad, entry("2611.00003"))
    assert [values(sighting)["rank"] for sighting in parsed.sightings] == [1, 3]
    assert [problem.line for problem in parsed.problems] == [2]


@pytest.mark.parametrize("value", [-1, 1.5, 10**400, True, "71", [71]])
def test_a_count_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(upvotes=value))
    assert "votes" not in values(parsed.sightings[0])
    assert "votes" in parsed.problems[0].what


BAD_TIMES = (
    "0000-00-00T00:00:00.000Z",
    "0001-01-01T00:00:00Z",
    "2026-11-22T99:00",
    "2026-11-20T12:00:00+99:00",
    "2031-01-01T00:00:00Z",
    3,
    {},
)


@pytest.mark.parametrize("value", BAD_TIMES)
def test_a_date_that_is_none_is_reported_and_the_paper_kept(value: object) -> None:
    parsed = read(entry(publishedAt=value, submittedOnDailyAt=value))
    assert (parsed.sightings[0].work.published_at, parsed.sightings[0].work.listed_on) == (None, None)
    assert len(parsed.problems) == 2


def test_a_paper_that_stands_twice_in_a_list_is_counted_where_it_stands_first() -> None:
    parsed = read(entry(), entry("2611.00002"), entry(upvotes=99))
    assert [(sighting.ids[0], values(sighting)["votes"]) for sighting in parsed.sightings] == [
        ("arxiv:2611.04321", 71),
        ("arxiv:2611.00002", 71),
    ]
    assert [problem.line for problem in parsed.problems] == [3]


def test_fields_of_strange_types_are_absent() -> None:
    sighting = one(authors="Jane", ai_keywords={"a": 1}, organization=["x"], ai_summary=3, summary=[1], githubRepo=7)
    assert (sighting.work.authors, sighting.work.keywords, sighting.work.organization) == ((), (), "")
    assert sighting.work.summary == ""


def test_an_empty_list_is_a_list() -> None:
    assert parse(b"[]", seen_at=NOW) == Parsed()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\n<html>", "a web page"),
        (b'{"error": "Invalid date"}', "Invalid date"),
        (b'{"papers": []}', "no list"),
        (b"3", "no list"),
        (b'[{"paper": {"id": "2611.0', "not JSON"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse(raw, seen_at=NOW)


@pytest.mark.parametrize(
    "votes", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 5000], ids=lambda votes: votes[:9]
)
def test_a_number_that_json_does_not_have_costs_its_own_count_alone(votes: str) -> None:
    raw = json.dumps([entry(), entry("2611.00002", upvotes=77777), entry("2611.00003")]).replace("77777", votes)
    parsed = parse(raw.encode(), seen_at=NOW)
    assert [problem.line for problem in parsed.problems] == [2]
    assert str(parsed.problems[0]) == "line 2: `votes` is not a whole number; left out"
    assert [[one.metric for one in sighting.readings if one.metric == "votes"] for sighting in parsed.sightings] == [
        ["votes"],
        [],
        ["votes"],
    ]


@pytest.mark.parametrize("stray", [b"\xe9", b"\x0b", b"\x00", b"\n"], ids=ascii)
def test_a_character_that_json_does_not_have_costs_nothing_but_itself(stray: bytes) -> None:
    raw = json.dumps([entry(title="A caf net"), entry("2611.00002")]).encode().replace(b"caf", b"caf" + stray)
    parsed = parse(raw, seen_at=NOW)
    assert [sighting.work.title.replace("\ufffd", "").split() for sighting in parsed.sightings] == [
        ["A", "caf", "net"],
        ["An", "Invented", "Network"],
    ]
    assert parsed.problems == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _overridden(fields: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(entry(**fields))


FIELDS = st.sampled_from(sorted(entry()["paper"]))


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON, max_size=6).map(_overridden), max_size=5))
def test_any_entry_is_a_paper_or_a_problem(entries: list[object]) -> None:
    parsed = read(*entries)
    assert len(parsed.sightings) + len({problem.line for problem in parsed.problems}) >= len(entries)
    assert all(reading.value <= 10**9 for sighting in parsed.sightings for reading in sighting.readings)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(BadInput):
        parse(raw, seen_at=NOW)


def test_a_later_page_goes_on_counting_places_where_the_one_before_ended() -> None:
    parsed = parse(json.dumps([entry(), {}]), seen_at=NOW, before=100)
    assert values(parsed.sightings[0])["rank"] == 101
    assert [problem.line for problem in parsed.problems] == [102]


def test_the_first_run_reads_the_lists_of_fourteen_days_back_the_newest_first() -> None:
    assert lists_due(TUESDAY, {}, 14) == EVERY_LIST


@pytest.mark.parametrize(
    ("ago", "ages"),
    [
        (timedelta(0), [0, 1]),
        (timedelta(hours=1), [0, 1]),
        (timedelta(hours=6), [0, 1, 2, 3]),
        (timedelta(hours=12), [0, 1, 2, 3, 4, 5, 6, 7]),
        (timedelta(hours=24), list(range(15))),
    ],
)
def test_the_older_a_list_the_less_often_it_is_read_again(ago: timedelta, ages: list[int]) -> None:
    read_at = dict.fromkeys(EVERY_LIST, TUESDAY - ago)
    assert lists_due(TUESDAY, read_at, 14) == [EVERY_LIST[age] for age in ages]


def test_within_a_day_each_list_of_the_window_is_read() -> None:
    read_at: dict[date, datetime] = {}
    reads = dict.fromkeys(EVERY_LIST, 0)
    for hour in range(24):
        now = TUESDAY.replace(hour=0) + timedelta(hours=hour)
        for day in lists_due(now, read_at, 14):
            read_at[day] = now
            reads[day] += 1
    assert list(reads.values()) == [24, 24, 4, 4, 2, 2, 2, 2, *[1] * 7]


def test_a_list_that_was_never_read_is_due_however_old() -> None:
    read_at = dict.fromkeys(EVERY_LIST, TUESDAY)
    del read_at[EVERY_LIST[9]]
    assert lists_due(TUESDAY, read_at, 14) == [EVERY_LIST[0], EVERY_LIST[1], EVERY_LIST[9]]


def test_a_back_fill_reads_every_list_since_its_day_whatever_was_read() -> None:
    read_at = dict.fromkeys(EVERY_LIST, TUESDAY)
    days = lists_due(TUESDAY, read_at, 14, since=date(2026, 9, 1))
    assert (days[0], days[-1], len(days)) == (date(2026, 11, 24), date(2026, 9, 1), 85)


def test_a_back_fill_from_tomorrow_on_is_todays_list() -> None:
    assert lists_due(TUESDAY, {}, 14, since=date(2026, 11, 25)) == [date(2026, 11, 24)]


def had(today: str = "", yesterday: str = "", now: datetime = TUESDAY) -> dict[date, frozenset[str]]:
    return {now.date(): frozenset(today.split()), now.date() - timedelta(days=1): frozenset(yesterday.split())}


SATURDAY = datetime(2026, 11, 28, 13, 0, tzinfo=UTC)
SUNDAY = SATURDAY + timedelta(days=1)
MORNING = TUESDAY.replace(hour=11, minute=59)
NOON = TUESDAY.replace(hour=12)


@pytest.mark.parametrize(
    ("now", "today", "yesterday", "verdict"),
    [
        (TUESDAY, "a b", "c", "fresh"),
        (TUESDAY, "a b", "a", "fresh"),
        (TUESDAY, "a", "", "fresh"),
        (MORNING, "a", "b", "fresh"),
        (SATURDAY, "a", "b", "fresh"),
        (MORNING, "", "b", "quiet"),
        (MORNING, "b", "b", "quiet"),
        (SATURDAY, "", "b", "quiet"),
        (SUNDAY, "", "", "quiet"),
        (SUNDAY, "b", "b c", "quiet"),
        (NOON, "", "b", "stale"),
        (NOON, "", "", "stale"),
        (TUESDAY, "b", "b c", "stale"),
    ],
)
def test_the_verdict_goes_by_what_todays_list_has_that_yesterdays_has_not(
    now: datetime, today: str, yesterday: str, verdict: str
) -> None:
    found, evidence = judge(had(today, yesterday, now), now, failed=False)
    assert found == verdict
    assert f"{now:%Y-%m-%d}" in evidence


def test_a_run_that_lacks_a_list_of_the_last_two_days_has_failed_whatever_the_other_says() -> None:
    assert judge(had("a", ""), TUESDAY, failed=True)[0] == "failed"
