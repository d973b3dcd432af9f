"""Papers turn out to be one while a worker, which has loaded their edition, goes on mailing."""

from dataclasses import replace
from datetime import timedelta

from support.invented import sighting
from support.site import Site

from digest.flows.mails import Mails
from digest.flows.queueing import queue_due
from digest.store import papers, workers


def test_a_paper_that_turns_out_to_be_one_he_got_is_kept_from_a_mail_not_yet_built(site: Site) -> None:
    addresses = site.readers(2)
    site.publish()
    site.deliver()
    got = min(site.paper_ids(site.row(addresses[1])))
    site.later(days=1)
    told_anew = sighting(1, site.now - timedelta(hours=1))
    with site.app.store.write() as connection:
        papers.record(connection, [told_anew])
        (new,) = papers.find(connection, told_anew.ids)
        former = papers.aliases_of(connection, [got])[got]
        papers.set_pinned(connection, new.id, site.now)
    site.publish()
    queue_due(site.app.store, site.app.schedule, site.now)
    with site.app.store.write() as connection:
        worker = workers.register(connection, site.now)
    mails = Mails(site.app.store, site.app.imprint)
    mails.prepare(worker, site.now, 1)
    with site.app.store.write() as connection:
        papers.record(connection, [replace(told_anew, ids=(*told_anew.ids, *former), readings=())])
    mails.prepare(worker, site.now, 1)
    first, second = (next(row for row in site.rows(address) if row.due_at == site.now) for address in addresses)
    assert new.id in site.paper_ids(first)
    assert second.picks
    assert new.id not in site.paper_ids(second)
