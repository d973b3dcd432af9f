"""One source in its turn: what it brings is stored, what it fails of is noted, and nobody else suffers."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from support.hugging_face import HuggingFace
from support.invented import Invented, brings, raises, sighting
from support.site import MONDAY, Site
from support.waiting import until

from digest.errors import ServerUnavailable
from digest.flows.asking import Asker
from digest.flows.intake import AT_ONCE, MAX_PROBLEMS, Brought, Intake
from digest.papers.model import Reading, Sighting, Work
from digest.sources.base import Collected, Errand
from digest.sources.huggingface import HuggingFace as HuggingFaceSource
from digest.sources.huggingface import HuggingFaceSettings
from digest.sources.parsed import Parsed, Problem
from digest.sources.web import HttpError, Web
from digest.store import papers, runs, turns

DAY = timedelta(days=1)


@pytest.fixture
def ask(site: Site) -> Callable[..., Brought | None]:
    """Asks one source on terms of its own."""

    def asked(source: Invented, **terms: Any) -> Brought | None:
        return asker(site, **terms).ask(source)

    return asked


def asker(site: Site, **terms: Any) -> Asker:
    app = site.app
    return Asker(app.store, app.clock, app.web, Intake(app.store, rehearsal=bool(terms.get("rehearsal"))), **terms)


def noted(site: Site) -> Sequence[Any]:
    with site.app.store.read() as connection:
        return [one for one in runs.last(connection, site.now) if one.source.startswith("invented")]


def stored(site: Site, number: int) -> bool:
    with site.app.store.read() as connection:
        return bool(papers.find(connection, [f"arxiv:2603.{20000 + number}"]))


Ask = Callable[..., Brought]


def test_a_parser_that_trips_is_a_failed_run_in_one_line_and_costs_no_other_source(
    site: Site, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    tripping = Invented(raises(RecursionError("deep\x1b[31m")), "invented-1")
    brought = asker(site).ask_all([tripping, Invented()])
    assert [one.verdict for one in brought] == ["failed", "fresh"]
    assert brought[0].error.startswith("internal error: RecursionError('deep")
    assert [one.verdict for one in noted(site)] == ["fresh", "failed"]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage().count("\n") for record in errors] == [0]
    assert stored(site, 1)


def test_what_a_failed_run_brought_is_stored_and_what_it_failed_of_is_said(site: Site, ask: Ask) -> None:
    problem = Problem(None, "the second page could not be had")
    half = Collected(Parsed((sighting(1, site.now),), (problem,)), "failed")
    brought = ask(Invented(lambda _: half))
    assert (brought.verdict, brought.new, brought.error) == ("failed", 1, "the second page could not be had")
    assert stored(site, 1)
    (run,) = noted(site)
    assert (run.verdict, run.error, run.sightings, run.problems) == ("failed", "the second page could not be had", 1, 1)


def test_what_the_database_cannot_hold_fails_its_source_alone(site: Site) -> None:
    beyond = replace(sighting(1, site.now), readings=(Reading("invented", "votes", 10**30, site.now),))
    brought = asker(site).ask_all([Invented(lambda _: brings(beyond, cursor={"at": "1"})), Invented(name="invented-2")])
    assert [one.verdict for one in brought] == ["failed", "fresh"]
    assert [(one.verdict, bool(one.error)) for one in noted(site)] == [("failed", True), ("fresh", False)]


def test_a_source_is_handed_what_its_last_answer_left_and_not_what_a_failure_did(site: Site, ask: Ask) -> None:
    source = Invented(lambda _: brings(newest="arxiv:2603.20007", cursor={"token": "seven"}))
    ask(source)
    assert (source.errands[0].past.newest, source.errands[0].past.cursor) == ("", {})
    first_at = site.now
    for does in (raises(ServerUnavailable("away")), lambda _: Collected(Parsed(), "stale", cursor={"token": "eight"})):
        site.later(hours=1)
        source.does = does
        ask(source)
    site.later(hours=1)
    ask(source, since=date(2026, 2, 1))
    past = source.errands[-1].past
    assert (past.answered_at, past.newest, past.cursor) == (first_at, "arxiv:2603.20007", {"token": "seven"})
    assert source.errands[-1].since == date(2026, 2, 1)


def test_a_server_that_asks_to_be_left_alone_is_but_no_longer_than_a_day(site: Site, ask: Ask) -> None:
    hour = timedelta(minutes=55)
    source = Invented(raises(HttpError("Invented: it answered 429", status=429, wait=7200.0)))
    assert ask(source, fresh_for=hour).verdict == "failed"
    assert noted(site)[0].not_before == MONDAY + timedelta(hours=2)
    site.later(minutes=119)
    assert ask(source, fresh_for=hour) is None
    site.later(minutes=1)
    source.does = lambda errand: brings(verdict="failed", not_before=errand.now + timedelta(days=999))
    assert ask(source, fresh_for=hour).verdict == "failed"
    site.later(hours=24, seconds=-1)
    assert ask(source, fresh_for=hour) is None
    assert ask(source).verdict == "failed", "by hand it is asked all the same"


def test_sources_of_one_turn_are_never_asked_at_once_and_others_are(site: Site) -> None:
    at_it, most = [], []

    def busy(errand: Errand) -> Collected:
        at_it.append(1)
        most.append(len(at_it))
        Event().wait(0.02)
        at_it.pop()
        return brings(sighting(1, errand.now))

    one_turn = [Invented(busy, f"invented-{n}", "one turn") for n in range(4)]
    terms = {"patience": timedelta(seconds=30)}
    threads = [Thread(target=asker(site, **terms).ask, args=(source,)) for source in one_turn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1, 1, 1, 1]

    together = Barrier(2, timeout=30)

    def meets(errand: Errand) -> Collected:
        together.wait()
        return brings(sighting(1, errand.now))

    two_turns = [Thread(target=asker(site).ask, args=(Invented(meets, f"invented-{n}", f"turn {n}"),)) for n in range(2)]
    for thread in two_turns:
        thread.start()
    for thread in two_turns:
        thread.join(30)
    assert not together.broken


def test_who_waits_for_a_turn_goes_home_when_told_to_stop_and_nothing_is_noted(site: Site) -> None:
    with turns.alone(site.app.store, "asking invented", 0):
        brought: list[Brought | None] = []
        waiting = Thread(target=lambda: brought.append(asker(site, patience=timedelta(minutes=5)).ask(Invented())))
        waiting.start()
        site.app.web.abandon()
        waiting.join(30)
        assert [one.verdict for one in brought if one] == ["stopped"]
    assert noted(site) == []


def test_who_waits_for_an_answer_goes_home_when_told_to_stop_and_nothing_is_noted(
    site: Site, hugging_face: HuggingFace
) -> None:
    hugging_face.open.clear()
    source = HuggingFaceSource(HuggingFaceSettings(url=hugging_face.url))
    brought: list[Brought | None] = []
    waiting = Thread(target=lambda: brought.append(asker(site).ask(source)))
    waiting.start()
    until(lambda: hugging_face.requests)
    site.app.web.abandon()
    waiting.join(30)
    assert [one.verdict for one in brought if one] == ["stopped"]
    with site.app.store.read() as connection:
        assert [one.source for one in runs.last(connection, site.now)] == ["file"]


def test_a_paper_that_was_retracted_is_marked_and_is_no_candidate_any_more(site: Site, ask: Ask) -> None:
    ask(Invented())
    site.later(hours=1)
    brought = ask(Invented(lambda _: Collected(Parsed(retracted=("arxiv:2603.20001", "doi:10.1/unknown")), "fresh")))
    assert brought.retracted == 1
    with site.app.store.read() as connection:
        (paper,) = papers.find(connection, ["arxiv:2603.20001"])
        assert paper.retracted
        assert paper.id not in {one.paper.id for one in papers.candidates(connection, MONDAY - DAY, site.now)}


def test_what_is_right_and_not_for_us_is_counted_by_reason(site: Site, ask: Ask) -> None:
    revision = sighting(1, site.now, announces=False)
    brought = ask(Invented(lambda _: Collected(Parsed((revision,), passed_over={"older versions": 3}), "fresh")))
    assert brought.passed_over == {"older versions": 3, "of papers not known here": 1}
    assert (brought.new, stored(site, 1)) == (0, False)


def test_of_very_many_problems_the_first_are_handed_on_and_all_are_counted(site: Site, ask: Ask) -> None:
    problems = tuple(Problem(n, "no title") for n in range(1, 3001))
    brought = ask(Invented(lambda _: Collected(Parsed(problems=problems), "quiet")))
    assert (len(brought.problems), brought.unusable, noted(site)[0].problems) == (MAX_PROBLEMS, 3000, 3000)


def test_many_papers_are_stored_in_small_transactions_with_room_between_them_for_mails(site: Site) -> None:
    breaths: list[float] = []
    intake = Intake(site.app.store, sleep=breaths.append)
    many = Parsed(tuple(sighting(n, site.now) for n in range(2 * AT_ONCE + 1)))
    assert intake.take("invented", "fresh", many, site.now).new == 2 * AT_ONCE + 1
    assert len(breaths) == 2


def test_a_rehearsal_counts_and_leaves_everything_as_it_was(site: Site, ask: Ask) -> None:
    source = Invented(lambda errand: brings(sighting(1, errand.now), sighting(2, errand.now)))
    brought = ask(source, rehearsal=True)
    assert (brought.new, brought.known, brought.readings) == (2, 0, 2)
    assert (noted(site), stored(site, 1)) == ([], False)


class TestAttention:
    """A source that looks up what others brought."""

    @pytest.fixture
    def attentive(self) -> Invented:
        def look_up(errand: Errand) -> Collected:
            found = (sighting(int(one.ids[0][-2:]), errand.now, announces=False, ids=one.ids) for one in errand.known)
            return brings(*found, asked=tuple(one.ids[0] for one in errand.known))

        return Invented(look_up, brings="attention", limit=10)

    def looked_up(self, source: Invented) -> list[str]:
        return [one.ids[0] for one in source.errands[-1].known]

    def test_it_is_sent_for_papers_it_knows_something_about_as_many_as_it_may(
        self, site: Site, ask: Ask, attentive: Invented
    ) -> None:
        by_title = Sighting("invented", site.now, Work("A paper without an id", authors=("Ann Author",)))
        ask(Invented(lambda _: brings(by_title)))
        brought = ask(attentive)
        assert len(self.looked_up(attentive)) == 10
        assert all(id_.startswith("arxiv:") for id_ in self.looked_up(attentive))
        assert (brought.new, brought.known, brought.readings) == (0, 10, 10)

    def test_a_paper_that_was_looked_up_is_good_for_a_while(self, site: Site, ask: Ask, attentive: Invented) -> None:
        seen: set[str] = set()
        for _ in range(6):
            ask(attentive)
            assert not seen & {*self.looked_up(attentive)}
            seen |= {*self.looked_up(attentive)}
            site.later(minutes=1)
        assert len(seen) == 60
        asked = len(attentive.errands)
        idle = ask(attentive)
        assert (idle.verdict, idle.evidence) == ("quiet", "no paper waits to be looked up")
        assert ask(attentive, fresh_for=timedelta(minutes=55)) is None
        assert len(attentive.errands) == asked
        site.later(days=1)
        ask(attentive)
        assert set(self.looked_up(attentive)) < seen

    def test_papers_that_are_out_of_the_window_are_looked_up_for_a_day_long_ago_alone(
        self, site: Site, ask: Ask, attentive: Invented
    ) -> None:
        site.later(days=20)
        assert ask(attentive, window=timedelta(days=14)).verdict == "quiet"
        assert attentive.errands == []
        ask(attentive, since=MONDAY.date())
        assert len(self.looked_up(attentive)) == 10

    def test_what_a_failed_run_has_looked_up_is_not_looked_up_again(self, ask: Ask, attentive: Invented) -> None:
        whole = attentive.does
        attentive.does = lambda errand: replace(whole(errand), verdict="failed", evidence="it broke off")
        ask(attentive)
        first = self.looked_up(attentive)
        ask(attentive)
        assert not {*first} & {*self.looked_up(attentive)}

    def test_nothing_that_it_says_makes_a_paper(self, site: Site, ask: Ask, attentive: Invented) -> None:
        attentive.does = lambda errand: brings(sighting(777, errand.now, announces=False))
        assert ask(attentive).passed_over == {"of papers not known here": 1}
        assert not stored(site, 777)


def test_a_web_that_was_never_asked_is_closed_without_a_word() -> None:
    with Web() as web:
        assert not web.over
    assert web.over
