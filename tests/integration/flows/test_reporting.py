"""What the operator is told of editions: once, when there is something to tell, and not of long ago."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from support.site import MONDAY, Site

from digest.flows.reporting import LOOK_BACK, SETTLED_AFTER, report
from digest.store import editions

OPERATOR = "op@example.org"
SECOND = timedelta(seconds=1)


@pytest.fixture
def empty(site: Site) -> Site:
    """A site whose edition of Monday is empty."""
    freeze(site, "no paper was seen in the last 14 days")
    return site


def freeze(site: Site, empty_because: str = "") -> None:
    with site.app.store.write() as connection:
        editions.freeze(
            connection, on=MONDAY.date(), cadence="daily", frozen_at=MONDAY, entries=(), empty_because=empty_because
        )


def test_an_empty_edition_is_told_at_once_and_once(empty: Site) -> None:
    assert report(empty.app.store, MONDAY, OPERATOR) == 1
    assert report(empty.app.store, MONDAY, OPERATOR) == 0
    (told,) = empty.notices()
    assert told.content["subject"] == "The daily edition of 2026-03-02 is empty"


def test_what_was_before_somebody_asked_to_be_told_is_history(empty: Site) -> None:
    assert report(empty.app.store, MONDAY + LOOK_BACK, OPERATOR) == 0
    assert report(empty.app.store, MONDAY + LOOK_BACK - SECOND, OPERATOR) == 1


def test_looking_whether_there_is_something_to_tell_keeps_nobody_from_writing(site: Site) -> None:
    freeze(site)
    settled = MONDAY + SETTLED_AFTER["daily"]
    with closing(sqlite3.connect(site.app.settings.home / "digest.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert report(site.app.store, settled, OPERATOR) == 0
    assert report(site.app.store, settled + SECOND, OPERATOR) == 0
    with closing(sqlite3.connect(site.app.settings.home / "digest.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert report(site.app.store, settled + 2 * SECOND, OPERATOR) == 0


def test_readers_whom_an_outage_kept_from_an_edition_are_told_of(site: Site) -> None:
    site.readers(2)
    site.publish()
    site.deliver(limit=1)
    site.later(hours=13)
    assert site.deliver().late == 1
    assert report(site.app.store, MONDAY + SETTLED_AFTER["daily"] + SECOND, OPERATOR) == 1
    (told,) = site.notices()
    assert told.content["subject"] == "The daily edition of 2026-03-02 lost mails"
    assert ["skipped as too late", "1"] in told.content["facts"]
