"""Previews: what somebody would get tomorrow."""

import threading
from typing import Any

import pytest
from support.site import Site

from digest.errors import Busy
from digest.flows import previews as module
from digest.flows.previews import Previews
from digest.store.engine import Store
from digest.subscribers.model import Interest, Preferences
from digest.subscribers.wishes import Wishes

ROBOTS = Wishes(Preferences(share=1.0), (Interest("topic", "robot"),))


def previews(site: Site, store: Any = None, monotonic: Any = lambda: 0.0) -> Previews:
    app = site.app
    return Previews(store or app.store, app.settings.ranking, app.usual, app.selection, app.schedule, monotonic)


def test_a_preview_is_what_the_mail_of_the_next_day_has(site: Site) -> None:
    site.publish()
    found = previews(site).show(site.now, Wishes(Preferences(), ROBOTS.interests))
    assert found.date == site.now.date().replace(day=3)
    site.later(hours=23)
    site.subscribe("ann@example.org", topics=["robot"])
    site.later(hours=1)
    site.publish()
    site.deliver()
    mail = site.row("ann@example.org")
    told = {number for number, section, *_ in mail.picks if section == 0}
    ranked = {pick.paper_id for _, _, pick in found.shown if pick.section == "card" and pick.how != "explore"}
    assert ranked
    assert ranked <= told


def test_without_any_paper_there_is_an_empty_preview(site: Site) -> None:
    site.later(days=60)
    assert previews(site).show(site.now, ROBOTS).shown == ()


def test_before_the_first_edition_there_are_words_all_the_same(site: Site) -> None:
    found = previews(site).show(site.now, ROBOTS)
    assert [pick.matched for _, _, pick in found.shown][:2] == ["robot", "robot"]


def test_when_an_edition_is_frozen_the_preview_is_of_the_one_after(site: Site) -> None:
    made = previews(site)
    site.later(minutes=-1)
    before = made.show(site.now, ROBOTS).date
    site.later(minutes=1)
    assert (made.show(site.now, ROBOTS).date - before).days == 1


class Counting:
    """A store that counts how often the ranking's papers are read, and lets one wait in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0
        self.gate: threading.Event | None = None
        self.entered = threading.Event()

    def read(self) -> Any:
        self.reads += 1
        if self.gate is not None:
            self.entered.set()
            assert self.gate.wait(30)
        return self._store.read()


def test_the_ranking_is_made_once_in_ten_minutes(site: Site) -> None:
    now = [0.0]
    store = Counting(site.app.store)
    made = previews(site, store, lambda: now[0])
    spent = []
    for at in (0.0, 1.0, 599.0, 601.0):
        now[0], store.reads = at, 0
        made.show(site.now, ROBOTS)
        spent.append(store.reads)
    assert spent[1:3] == [1, 1]
    assert spent[0] == spent[3] > 1


def test_who_comes_while_the_ranking_is_made_anew_gets_the_former(site: Site) -> None:
    now = [0.0]
    store = Counting(site.app.store)
    made = previews(site, store, lambda: now[0])
    first = made.show(site.now, ROBOTS)
    now[0] = 601.0
    gate = store.gate = threading.Event()
    slow = threading.Thread(target=made.show, args=(site.now, ROBOTS))
    slow.start()
    try:
        assert store.entered.wait(30)
        store.gate = None
        assert made.show(site.now, ROBOTS).shown == first.shown
    finally:
        gate.set()
        slow.join(30)


def test_who_cannot_be_served_in_time_is_told_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    store = Counting(site.app.store)
    made = previews(site, store)
    gate = store.gate = threading.Event()
    slow = threading.Thread(target=made.show, args=(site.now, ROBOTS))
    slow.start()
    try:
        assert store.entered.wait(30)
        with pytest.raises(Busy):
            made.show(site.now, ROBOTS)
    finally:
        gate.set()
        slow.join(30)
    assert made.show(site.now, ROBOTS).shown
