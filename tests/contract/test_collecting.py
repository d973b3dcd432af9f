"""What sources bring, and what comes of their runs, on every database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

from support.invented import Invented, brings, raises, sighting

from digest.clock import SteppedClock
from digest.errors import ServerUnavailable
from digest.flows.asking import Asker
from digest.flows.intake import Brought, Intake
from digest.flows.outages import Alarm
from digest.sources.base import Collected
from digest.sources.parsed import Parsed
from digest.sources.web import Web
from digest.store import notices, papers, runs
from digest.store.engine import Store

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Life:
    """Asks sources at times that are told."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, SteppedClock(START)

    def ask(self, *sources: Invented, after: timedelta = HOUR, **terms: Any) -> list[Brought]:
        self.clock.advance(after)
        intake = Intake(self.store, rehearsal=bool(terms.get("rehearsal")))
        with Web() as web:
            return Asker(self.store, self.clock, web, intake, **terms).ask_all(sources)

    def titles(self) -> list[str]:
        with self.store.read() as connection:
            return sorted(paper.work.title for paper in papers.listed(connection))

    def last_run(self) -> Any:
        with self.store.read() as connection:
            (run,) = runs.last(connection, self.clock.now())
            return run


def test_a_run_is_noted_and_its_cursor_is_handed_to_the_next_one(store: Store) -> None:
    life = Life(store)
    source = Invented(lambda errand: brings(sighting(1, errand.now), newest="arxiv:2603.20001", cursor={"at": "é"}))
    (brought,) = life.ask(source)
    assert (brought.new, brought.readings) == (1, 1)
    life.ask(source)
    assert source.errands[1].past.cursor == {"at": "é"}
    assert source.errands[1].past.answered_at == START + HOUR


def test_a_rehearsal_leaves_no_trace(store: Store) -> None:
    life = Life(store)
    source = Invented(lambda errand: brings(*(sighting(number, errand.now) for number in range(700))))
    assert [(one.new, one.readings) for one in life.ask(source, rehearsal=True)] == [(700, 700)]
    assert life.titles() == []
    with store.read() as connection:
        assert runs.last(connection, life.clock.now()) == []


def test_what_the_database_cannot_hold_fails_its_source_alone(store: Store) -> None:
    life = Life(store)
    beyond = replace(sighting(1, START), readings=(replace(sighting(1, START).readings[0], value=10**30),))
    brought = life.ask(Invented(lambda _: brings(beyond)), Invented(lambda _: brings(sighting(2, START)), "invented-2"))
    assert [(one.verdict, bool(one.error)) for one in brought] == [("failed", True), ("fresh", False)]
    assert life.titles() == ["An invented paper, number 2"]


def test_what_was_looked_up_is_not_looked_up_again_for_a_while(store: Store) -> None:
    life = Life(store)
    life.ask(Invented(lambda errand: brings(*(sighting(number, errand.now) for number in range(5)))))
    attentive = Invented(
        lambda errand: Collected(Parsed(), "fresh", asked=tuple(one.ids[0] for one in errand.known)),
        "attentive",
        brings="attention",
        limit=3,
    )
    for _ in range(3):
        life.ask(attentive)
    assert [len(errand.known) for errand in attentive.errands] == [3, 2]
    life.ask(attentive, after=DAY)
    assert len(attentive.errands[-1].known) == 3


def test_a_paper_that_was_taken_back_is_no_candidate(store: Store) -> None:
    life = Life(store)
    life.ask(Invented(lambda errand: brings(sighting(1, errand.now), sighting(2, errand.now))))
    life.ask(Invented(lambda _: Collected(Parsed(retracted=("arxiv:2603.20001",)), "fresh")))
    with store.read() as connection:
        found = papers.candidates(connection, START - DAY, life.clock.now())
    assert [one.paper.work.title for one in found] == ["An invented paper, number 2"]


def test_the_operator_is_told_once_of_each_outage_and_once_of_its_end(store: Store) -> None:
    life = Life(store)
    source = Invented(raises(ServerUnavailable("Invented: no answer")))
    for _ in range(30):
        life.ask(source, alarm=Alarm("ann@example.org"))
    source.does = lambda errand: brings(sighting(1, errand.now))
    for _ in range(3):
        life.ask(source, alarm=Alarm("ann@example.org"))
    with store.read() as connection:
        told = [notice.content["subject"] for notice in notices.listed(connection)][::-1]
    assert told == ["Invented is missing since Mon 2026-03-02 07:00Z", "Invented is back"]


def test_two_who_ask_the_same_source_ask_it_once(store: Store) -> None:
    life = Life(store)
    source = Invented(lambda errand: brings(sighting(1, errand.now)))
    terms = {"after": timedelta(0), "fresh_for": HOUR, "patience": timedelta(seconds=30)}
    both = [Thread(target=life.ask, args=(source,), kwargs=terms) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert len(source.errands) == 1
    assert life.last_run().verdict == "fresh"
