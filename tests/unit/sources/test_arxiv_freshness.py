"""Is what is due here? Sentences about single runs, and worlds in which both routes do as they like for weeks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.sources.arxiv.calendar import NO_MAILING, ZONE, feeds_due, today
from digest.sources.arxiv.freshness import (
    FAR_BACK,
    Due,
    Feed,
    Harvest,
    Judgement,
    judge,
    judge_harvest,
    what_is_due,
    why_ask,
    with_back_fill,
)
from digest.sources.base import Past

NO_MAIL = frozenset(map(date.fromisoformat, NO_MAILING))
THURSDAY, FRIDAY, SATURDAY = date(2026, 4, 23), date(2026, 4, 24), date(2026, 4, 25)
MONDAY, TUESDAY, WEDNESDAY = date(2026, 4, 27), date(2026, 4, 28), date(2026, 4, 29)
OLD, NEW, NEWER = "arxiv:2604.20000", "arxiv:2604.21000", "arxiv:2604.22000"
AFTERNOON = datetime(2026, 4, 27, 20, 0, tzinfo=UTC)
MANY = Harvest(NEW, 50, AFTERNOON)


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)


def known(covered: date, newest: str = OLD, papers: int = 50) -> Past:
    return Past(at(covered), newest, {"covered": covered.isoformat(), "papers": str(papers)})


def due(past: Past, now: datetime) -> Due:
    return what_is_due(past, now, NO_MAIL)


def after_monday() -> Due:
    """On Tuesday; Monday's feed was taken, and had fifty papers."""
    return due(known(MONDAY), at(TUESDAY))


def of(day: date, newest: str = NEW, papers: int = 50) -> Feed:
    return Feed(day, newest, papers, day)


def test_a_feed_of_the_day_with_newer_papers_is_fresh_and_nobody_else_is_asked() -> None:
    assert why_ask(after_monday(), of(TUESDAY)) == ""
    judged = judge(after_monday(), of(TUESDAY))
    assert judged.verdict == "fresh"
    assert judged.cursor == {"covered": "2026-04-28", "proven": "2026-04-28", "papers": "50"}
    assert judged.evidence == "the feed of 2026-04-28 has 50 papers, up to 2604.21000"


def test_a_feed_that_was_built_anew_with_old_papers_is_stale() -> None:
    old = Feed(MONDAY, OLD, 50, built=TUESDAY)
    assert why_ask(after_monday(), old) == "the feed is that of 2026-04-27, and that of 2026-04-28 is due"
    judged = judge(after_monday(), old, Harvest(OLD, 50, AFTERNOON))
    assert (judged.verdict, judged.covered) == ("stale", MONDAY)
    assert judged.evidence.endswith("is due; OAI-PMH has nothing newer either")


def test_old_papers_under_a_new_date_are_stale_too() -> None:
    redated = of(TUESDAY, OLD)
    assert why_ask(after_monday(), redated) == "the feed is dated 2026-04-28 and has nothing newer than 2604.20000"
    assert judge(after_monday(), redated, Harvest()).verdict == "stale"


@pytest.mark.parametrize("feed", [Feed(MONDAY, OLD, 50, TUESDAY), Feed(built=TUESDAY), of(TUESDAY, OLD), None])
def test_what_the_feed_lacks_and_the_second_route_has_is_fresh(feed: Feed | None) -> None:
    judged = judge(after_monday(), feed, MANY)
    assert (judged.verdict, judged.covered, judged.proven) == ("fresh", TUESDAY, TUESDAY)
    assert "taken from OAI-PMH: 50 papers, up to 2604.21000" in judged.evidence


def test_the_evidence_says_what_the_feed_was() -> None:
    feeds = (Feed(MONDAY, OLD, 50, TUESDAY), Feed(built=TUESDAY), None)
    said = [judge(after_monday(), feed, MANY).evidence.partition(";")[0] for feed in feeds]
    assert said == ["the feed is stale", "the feed is empty", "the feed could not be had"]


def test_where_the_second_route_fails_too_the_feed_is_stale() -> None:
    judged = judge(after_monday(), of(MONDAY, OLD), Harvest(fault="no answer", had=False))
    assert (judged.verdict, judged.covered) == ("stale", MONDAY)
    assert judged.evidence.endswith("OAI-PMH could not be asked: no answer")


def test_a_harvest_that_breaks_off_fails_whatever_it_brought() -> None:
    judged = judge(after_monday(), of(MONDAY, OLD), replace(MANY, fault="HTTP 500"))
    assert (judged.verdict, judged.covered) == ("failed", MONDAY)


def test_where_the_feed_cannot_be_had_nothing_newer_elsewhere_is_no_proof() -> None:
    assert judge(after_monday(), None, Harvest()).verdict == "failed"


def test_where_nothing_is_due_a_feed_that_cannot_be_had_is_no_loss() -> None:
    weekend = due(known(FRIDAY), at(SATURDAY))
    assert why_ask(weekend, None) == ""
    assert judge(weekend, None).verdict == "quiet"


def test_a_weekend_is_quiet() -> None:
    weekend = due(known(FRIDAY), at(SATURDAY))
    judged = judge(weekend, Feed(built=SATURDAY))
    assert (judged.verdict, judged.covered) == ("quiet", FRIDAY)
    assert judged.evidence == "no papers are due now; the last were those of 2026-04-24; the next are due on Monday 2026-04-27"


def test_later_on_the_day_the_same_feed_is_still_fresh() -> None:
    later = due(known(TUESDAY, NEW), at(TUESDAY, 15))
    assert why_ask(later, of(TUESDAY)) == ""
    judged = judge(later, of(TUESDAY))
    assert judged.verdict == "fresh"
    assert judged.evidence == "the papers of 2026-04-28 are here; the next are due on Wednesday 2026-04-29"


def test_before_the_next_feed_is_due_the_last_one_makes_no_alarm() -> None:
    assert judge(due(known(TUESDAY, NEW), at(WEDNESDAY, 0)), of(TUESDAY)).verdict == "quiet"


def test_a_feed_that_comes_before_its_time_is_taken() -> None:
    judged = judge(due(known(MONDAY), at(TUESDAY, 0)), of(TUESDAY))
    assert (judged.verdict, judged.covered) == ("fresh", TUESDAY)


def test_a_holiday_is_quiet_and_a_feed_that_comes_nevertheless_is_taken() -> None:
    thanksgiving = date(2026, 11, 26)
    holiday = due(known(date(2026, 11, 25)), at(thanksgiving))
    assert judge(holiday, Feed(built=thanksgiving)).verdict == "quiet"
    assert judge(holiday, Feed(thanksgiving, "arxiv:2611.20000", 40, thanksgiving)).covered == thanksgiving


def test_days_that_were_missed_are_filled_in() -> None:
    since_thursday = due(known(THURSDAY), at(TUESDAY))
    assert why_ask(since_thursday, of(TUESDAY)) == "papers announced between 2026-04-23 and 2026-04-28 may be missing"
    assert since_thursday.since == THURSDAY
    judged = judge(since_thursday, of(TUESDAY), MANY)
    assert (judged.verdict, judged.covered) == ("fresh", TUESDAY)
    assert judged.evidence.endswith("completed from OAI-PMH")


def test_missed_days_that_cannot_be_filled_in_are_not_forgotten() -> None:
    since_thursday = due(known(THURSDAY), at(TUESDAY))
    for harvest in (Harvest(fault="no answer", had=False), Harvest(NEW, 3, AFTERNOON, "HTTP 500")):
        judged = judge(since_thursday, of(TUESDAY), harvest)
        assert (judged.verdict, judged.covered) == ("failed", THURSDAY)


def test_a_weekend_between_two_feeds_misses_nothing() -> None:
    assert why_ask(due(known(FRIDAY), at(MONDAY)), of(MONDAY)) == ""


def test_a_feed_that_is_cut_is_completed() -> None:
    cut = replace(of(TUESDAY), cut="the feed is full (2,000 entries)")
    assert why_ask(after_monday(), cut) == "the feed is full (2,000 entries)"
    assert judge(after_monday(), cut, MANY).covered == TUESDAY
    assert judge(after_monday(), cut, Harvest(fault="HTTP 503", had=False)).verdict == "failed"
    assert judge(after_monday(), cut, Harvest(OLD, 30, AFTERNOON)).verdict == "failed"
    later = due(known(TUESDAY, NEW), at(TUESDAY, 15))
    assert why_ask(later, cut) == ""


def test_a_second_route_that_lags_behind_does_not_prove_the_last_day() -> None:
    two_days = due(known(FRIDAY), at(TUESDAY))
    of_monday = Harvest(NEW, 50, datetime(2026, 4, 24, 17, 0, tzinfo=UTC))
    judged = judge(two_days, of(FRIDAY, OLD), of_monday)
    assert (judged.verdict, judged.covered) == ("stale", FRIDAY)
    assert judged.evidence.endswith("OAI-PMH has 50 papers, up to 2604.21000, none of that day")
    assert judge(two_days, of(FRIDAY, OLD), MANY).covered == TUESDAY


@pytest.mark.parametrize("feed", [of(TUESDAY, OLD, 3), Feed(built=TUESDAY), Feed(TUESDAY, "", 0, TUESDAY)])
def test_where_papers_are_few_a_day_without_any_is_quiet_but_proves_nothing(feed: Feed) -> None:
    few = due(known(MONDAY, papers=3), at(TUESDAY))
    judged = judge(few, feed, Harvest())
    assert (judged.verdict, judged.covered, judged.proven) == ("quiet", TUESDAY, MONDAY)
    then = due(Past(at(TUESDAY), OLD, judged.cursor), at(WEDNESDAY))
    assert why_ask(then, of(WEDNESDAY)) == "papers announced between 2026-04-27 and 2026-04-29 may be missing"
    assert then.since == MONDAY


def test_where_papers_are_few_a_feed_of_the_day_before_is_stale() -> None:
    few = due(known(MONDAY, papers=3), at(TUESDAY))
    assert judge(few, Feed(MONDAY, OLD, 3, built=TUESDAY), Harvest()).verdict == "stale"


def test_the_first_run_takes_the_feed_of_the_last_day() -> None:
    first = due(Past(), at(TUESDAY))
    assert why_ask(first, of(TUESDAY)) == ""
    assert judge(first, of(TUESDAY)).covered == TUESDAY


def test_the_first_run_at_a_weekend_asks_for_the_papers_of_friday() -> None:
    first = due(Past(), at(SATURDAY))
    assert first.since == THURSDAY
    assert why_ask(first, Feed(built=SATURDAY)) == "the feed is empty, and that of 2026-04-24 is due"
    judged = judge(first, Feed(built=SATURDAY), Harvest(NEW, 80, datetime(2026, 4, 23, 10, 0, tzinfo=UTC)))
    assert (judged.verdict, judged.covered) == ("fresh", FRIDAY)


def test_after_a_long_absence_only_the_last_two_weeks_are_asked_for() -> None:
    assert due(known(date(2026, 1, 5)), at(TUESDAY)).since == TUESDAY - FAR_BACK


def test_a_back_fill_that_was_asked_for_is_told() -> None:
    tuesday = judge(after_monday(), of(TUESDAY))
    assert with_back_fill(tuesday, MANY, 400, FRIDAY).evidence.endswith("; 400 papers filled in from 2026-04-24 on")
    weekend = judge(due(known(FRIDAY), at(SATURDAY)), Feed())
    assert with_back_fill(weekend, MANY, 1, FRIDAY).verdict == "fresh"
    assert with_back_fill(weekend, Harvest(), 0, FRIDAY).verdict == "quiet"
    broken = with_back_fill(tuesday, Harvest(fault="HTTP 500"), 3, FRIDAY)
    assert broken.verdict == "failed"
    assert broken.evidence.endswith("; for the back-fill, OAI-PMH broke off: HTTP 500")


def test_oai_pmh_by_itself_is_fresh_stale_or_failed() -> None:
    assert judge_harvest(after_monday(), MANY).cursor["covered"] == "2026-04-28"
    assert judge_harvest(after_monday(), Harvest(OLD, 3)).verdict == "stale"
    assert judge_harvest(after_monday(), replace(MANY, fault="HTTP 500")).verdict == "failed"
    assert judge_harvest(due(known(FRIDAY), at(SATURDAY)), None).verdict == "quiet"
    few = judge_harvest(due(known(MONDAY, papers=2), at(TUESDAY)), Harvest())
    assert (few.verdict, few.covered, few.proven) == ("quiet", TUESDAY, MONDAY)


FEEDS = st.none() | st.builds(
    Feed,
    st.none() | st.dates(date(2026, 4, 1), date(2026, 5, 10)),
    st.sampled_from(["", OLD, NEW, NEWER]),
    st.integers(0, 60),
    st.none() | st.dates(date(2026, 4, 1), date(2026, 5, 10)),
    st.sampled_from(["", "the feed breaks off"]),
)
HARVESTS = st.none() | st.builds(
    Harvest,
    st.sampled_from(["", OLD, NEW, NEWER]),
    st.integers(0, 60),
    st.none() | st.integers(0, 20).map(lambda days: datetime(2026, 4, 15, tzinfo=UTC) + timedelta(days=days)),
    st.sampled_from(["", "HTTP 500"]),
    st.booleans(),
)
CURSORS: st.SearchStrategy[Mapping[str, str]] = st.one_of(
    st.just({}),
    st.builds(
        lambda day, back, papers: {
            "covered": day.isoformat(),
            "proven": (day - timedelta(days=back)).isoformat(),
            "papers": str(papers),
        },
        st.dates(date(2026, 4, 10), date(2026, 4, 27)),
        st.integers(0, 5),
        st.integers(0, 60),
    ),
)


@given(CURSORS, st.sampled_from(["", OLD, NEW]), st.integers(0, 96), FEEDS, HARVESTS)
def test_every_verdict_keeps_its_word(
    cursor: Mapping[str, str], newest: str, hours: int, feed: Feed | None, harvest: Harvest | None
) -> None:
    now = at(MONDAY, 0) + timedelta(hours=hours)
    feed = feed and replace(feed, day=feed.day and min(feed.day, today(now)))
    state = what_is_due(Past(None, newest, cursor), now, NO_MAIL)
    judged = judge(state, feed, harvest)
    came = (feed is not None and feed.newest > newest) or (harvest is not None and harvest.newest > newest)
    assert judged.evidence
    assert judged.cursor.keys() <= {"covered", "proven", "papers"}
    assert (judged.covered or date.min) >= (state.covered or date.min)
    assert (judged.covered or date.min) <= today(now)
    assert (judged.proven or date.min) <= (judged.covered or date.min)
    if judged.verdict in ("stale", "failed"):
        assert state.days or why_ask(state, feed)
        assert judged.covered == state.covered
    if judged.verdict == "fresh":
        assert came or state.proven == today(now)
        assert not feeds_due(judged.covered, now, NO_MAIL)
    if judged.verdict == "quiet":
        assert not feeds_due(judged.covered, now, NO_MAIL) or not state.days


@dataclass
class World:
    """arXiv over some weeks: what it announced on which day, and who has got to know of it."""

    papers: dict[date, list[str]]
    no_mailing: frozenset[date]
    past: Past = field(default_factory=Past)
    had: set[str] = field(default_factory=set)
    verdicts: list[Judgement] = field(default_factory=list)

    def until(self, day: date) -> list[date]:
        return [one for one in sorted(self.papers) if one <= day]

    def feed(self, now: datetime, how: str) -> tuple[Feed | None, list[str]]:
        day = today(now)
        days = self.until(day)
        if how == "down":
            return None, []
        if how == "empty" or not days:
            return Feed(built=day), []
        if how in ("stale", "redated") and len(days) > 1:
            shown, dated = days[-2], days[-2] if how == "stale" else day
        elif days[-1] == day:
            shown = dated = day
        else:
            return Feed(built=day), []
        papers = self.papers[shown]
        if how == "cut":
            return Feed(dated, max(papers, default=""), len(papers), day, "the feed breaks off"), papers[len(papers) // 2 :]
        return Feed(dated if papers else None, max(papers, default=""), len(papers), day), papers

    def harvest(self, state: Due, now: datetime, how: str) -> tuple[Harvest, list[str]]:
        if how == "down":
            return Harvest(fault="no answer", had=False), []
        days = [day for day in self.until(today(now)) if day >= state.since]
        days = days[:-1] if how == "lagging" else days
        papers = [paper for day in days for paper in self.papers[day]]
        if how == "breaks":
            return Harvest(max(papers[:1], default=""), len(papers[:1]), None, "HTTP 500"), papers[:1]
        submitted = [at(day, 13) - timedelta(days=3 if day.weekday() == 0 else 1) for day in days if self.papers[day]]
        return Harvest(max(papers, default=""), len(papers), max(submitted, default=None)), papers

    def run(self, now: datetime, feed_is: str, oai_is: str) -> None:
        state = what_is_due(self.past, now, self.no_mailing)
        feed, papers = self.feed(now, feed_is)
        self.had |= set(papers)
        harvest = None
        if why_ask(state, feed):
            harvest, papers = self.harvest(state, now, oai_is)
            self.had |= set(papers)
        judged = judge(state, feed, harvest)
        self.verdicts.append(judged)
        if judged.verdict in ("fresh", "quiet"):
            newest = max(self.past.newest, feed.newest if feed else "", harvest.newest if harvest else "")
            self.past = Past(now, newest, judged.cursor)


FAULTS = st.tuples(
    st.sampled_from(["fine", "fine", "fine", "stale", "redated", "empty", "down", "cut"]),
    st.sampled_from(["fine", "fine", "lagging", "down", "breaks"]),
)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([3, 40]))
def test_whatever_both_routes_do_for_a_week_no_paper_is_lost(data: st.DataObject, usual: int) -> None:
    start = date(2026, 11, 16)
    days = [start + timedelta(days=number) for number in range(16)]
    number = 0
    papers: dict[date, list[str]] = {}
    for day in days:
        # On some days arXiv announces although it said that it would not, and small categories have days without papers.
        if day.weekday() >= 5 or (day in NO_MAIL and data.draw(st.booleans())):
            continue
        count = data.draw(st.integers(0, usual)) if usual < 10 else usual
        papers[day] = [f"arxiv:2611.{number + one:05}" for one in range(1, count + 1)]
        number += count
    world = World(papers, NO_MAIL)
    world.run(at(days[0]), "fine", "fine")
    for day in days[1:-3]:
        for hour in (2, 14):
            world.run(at(day, hour), *data.draw(FAULTS))
    # Then all is well for three days.
    for day in days[-3:]:
        world.run(at(day, 9), "fine", "fine")
    lost = {paper for of_day in papers.values() for paper in of_day} - world.had
    assert not lost
    assert world.verdicts[-1].verdict in ("fresh", "quiet")
    assert all(judged.verdict != "stale" for judged in world.verdicts[-3:])


@pytest.mark.parametrize("counts", [[0], [40], [0, 3, 0, 0, 1, 9], [12, 7, 30]])
def test_a_year_in_which_all_is_well_raises_no_alarm(counts: list[int]) -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    announced = [day for day in days if day.weekday() < 5 and day not in NO_MAIL]
    papers = {
        day: [f"arxiv:{day:%y%m}.{100 * day.day + one:05}" for one in range(counts[number % len(counts)])]
        for number, day in enumerate(announced)
    }
    world = World(papers, NO_MAIL)
    for day in days:
        world.run(at(day, 7), "fine", "fine")
    assert {judged.verdict for judged in world.verdicts} <= {"fresh", "quiet"}
    assert {paper for of_day in papers.values() for paper in of_day} == world.had
