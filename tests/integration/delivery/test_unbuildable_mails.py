"""A mail that cannot be built is nobody's business but its own: three tries, then it waits for the operator."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.site import Site

from digest.flows.settling import settle
from digest.store.schema import subscriber

VICTIM = "reader3@example.org"


@pytest.fixture
def template(home: Path) -> Path:
    """The operator's own template, which makes a mail of fifteen cards larger than may be, and one of ten not."""
    folder = home / "templates" / "email" / "digest"
    folder.mkdir(parents=True)
    path = folder / "card.html"
    path.write_text("<tr><td>{{ card.place }}. {{ card.paper.title }}{{ 'x' * 6300 }}</td></tr>\n")
    return path


def readers(site: Site, number: int) -> list[str]:
    """So many readers; one of them wants fifteen cards."""
    addresses = site.readers(number)
    with site.app.store.write() as connection:
        connection.execute(subscriber.update().where(subscriber.c.address == VICTIM).values(size=15))
    return addresses


@pytest.mark.usefixtures("template")
def test_a_mail_that_cannot_be_built_is_tried_three_times_and_parked_while_the_others_go(site: Site) -> None:
    addresses = readers(site, 8)
    site.publish()
    assert site.deliver().states == {"submitted": 7, "deferred": 1}
    assert site.sink.recipients == sorted(set(addresses) - {VICTIM})
    row = site.row(VICTIM)
    assert (row.state, row.failures, row.attempts) == ("queued", 1, 0)
    assert "over the 95,000 that mail clients show whole" in row.reply
    assert site.deliver().states == {}
    site.later(minutes=5)
    assert site.deliver().states == {"deferred": 1}
    site.later(minutes=5)
    report = site.deliver()
    assert report.states == {"parked": 1}
    assert report.failed == 1
    site.later(hours=1)
    assert site.deliver().states == {}
    assert not any(VICTIM in line for line in site.sink.commands("RCPT"))


def test_a_parked_mail_goes_when_the_operator_has_mended_it_and_says_so(make_site: Callable[..., Site], template: Path) -> None:
    site = make_site()
    readers(site, 4)
    site.publish()
    for _ in range(3):
        site.deliver()
        site.later(minutes=5)
    assert site.row(VICTIM).state == "parked"
    template.unlink()
    mended = make_site()
    mended.deliver()
    assert mended.row(VICTIM).state == "parked"
    assert settle(mended.app.store, mended.now, mended.row(VICTIM).id, "queued")
    assert mended.deliver().states == {"submitted": 1}
    assert len(mended.sink.by_recipient[VICTIM]) == 1


@pytest.mark.usefixtures("template")
def test_a_parked_mail_may_be_settled_by_hand(site: Site) -> None:
    readers(site, 4)
    site.publish()
    for _ in range(3):
        site.deliver()
        site.later(minutes=5)
    assert settle(site.app.store, site.now, site.row(VICTIM).id, "rejected")
    assert site.row(VICTIM).state == "rejected"
