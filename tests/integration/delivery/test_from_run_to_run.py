"""What mails of an edition share is kept from one run of a process to the next, and not for ever; and by one thread alone."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.site import Site

from digest.flows.mails import EDITIONS_KEPT, Mails
from digest.rendering.digest_mail import DigestRenderer
from digest.store import editions, vocabularies


def test_an_edition_is_loaded_once_however_many_runs_mail_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    mails = Mails(site.app.store, site.app.imprint)
    addresses = site.readers(3)
    site.publish()
    loaded: list[int] = []
    load = editions.load
    monkeypatch.setattr(editions, "load", lambda connection, number: loaded.append(number) or load(connection, number))
    for _ in addresses:
        site.deliver(limit=1, mails=mails)
    assert site.states() == dict.fromkeys(addresses, "submitted")
    assert len(loaded) == 1


def test_editions_of_former_days_are_let_go(site: Site) -> None:
    mails = Mails(site.app.store, site.app.imprint)
    site.readers(1)
    for _ in range(EDITIONS_KEPT + 2):
        site.publish()
        site.deliver(mails=mails)
        site.later(days=1)
    assert len({row.edition_id for row in site.rows()}) > EDITIONS_KEPT
    assert len(mails._editions) == EDITIONS_KEPT


def test_the_vocabulary_is_loaded_only_where_a_profile_is_lacking(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.subscribe("ann@example.org", topics=["robots"])
    site.publish()
    loaded: list[int] = []
    load = vocabularies.load
    monkeypatch.setattr(vocabularies, "load", lambda connection, version: loaded.append(version) or load(connection, version))
    site.deliver()
    assert loaded == [1]
    site.later(days=1)
    site.publish()
    loaded.clear()
    site.deliver()
    assert loaded == []
    assert [row.state for row in site.rows()] == ["submitted", "submitted"]


def test_all_chunks_of_a_run_are_prepared_by_one_thread(make_site: Callable[..., Site]) -> None:
    threads: list[int] = []

    class Watched(Mails):
        def prepare(self, *arguments: Any, **named: Any) -> Any:
            threads.append(threading.get_ident())
            return super().prepare(*arguments, **named)

    site = make_site(smtp__connections=2, delivery__chunk=10)
    addresses = site.readers(40)
    site.publish()
    site.deliver(mails=Watched(site.app.store, site.app.imprint))
    assert site.states() == dict.fromkeys(addresses, "submitted")
    assert len(threads) > 3
    assert len(set(threads)) == 1


def test_cards_are_rendered_beside_the_loop(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []
    card = DigestRenderer.card

    def watched(self: DigestRenderer, *arguments: Any, **named: Any) -> Any:
        rendered.append(threading.current_thread().name)
        return card(self, *arguments, **named)

    monkeypatch.setattr(DigestRenderer, "card", watched)
    addresses = site.readers(20)
    site.publish()
    site.deliver()
    assert site.states() == dict.fromkeys(addresses, "submitted")
    assert len(rendered) > 3
    assert {name.rpartition("_")[0] for name in rendered} == {"prepare"}
