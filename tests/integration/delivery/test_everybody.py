"""Who is due gets his mail: once, with papers that he never got, at the time that he chose."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from support.sink import Session
from support.site import MONDAY, PAPERS, Site

from digest.flows import drafts, subscribe
from digest.flows.terms import Report
from digest.store import notices, papers, suppressions
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp

DAY = timedelta(days=1)


def would_get(site: Site, address: str) -> list[int]:
    """The papers of today's edition that a reader would get now, in order."""
    app = site.app
    edition = drafts.standing(app.store, app.settings.ranking, site.now, site.now.date())
    picks = drafts.for_reader(app.store, site.now, edition, app.usual, app.selection, drafts.reader(app.store, address))
    return [pick.paper_id for pick in picks]


def test_every_reader_who_is_due_gets_one_mail_and_his_row_says_submitted(site: Site) -> None:
    addresses = site.readers(30)
    site.publish()
    report = site.deliver()
    assert site.sink.recipients == sorted(addresses)
    assert set(site.states().values()) == {"submitted"}
    assert report.states == {"submitted": 30}
    assert report.failed == 0


def test_a_second_call_submits_nothing(site: Site) -> None:
    site.readers(5)
    site.publish()
    site.deliver()
    assert site.deliver() == Report()
    assert len(site.sink.accepted) == 5


def test_a_mail_names_its_reader_its_row_and_a_way_out(site: Site) -> None:
    (reader,) = site.readers(1)
    site.publish()
    site.deliver()
    (mail,) = site.sink.accepted
    row, message = site.row(reader), mail.message
    assert message["To"] == reader
    assert message["From"] == "Trending Papers <digest@example.org>"
    assert mail.message_id == f"<{row.message_id}>"
    assert message["Date"].datetime == row.due_at == MONDAY
    assert message["List-Unsubscribe"] == f"<https://papers.example.org/u/{site.reader(reader).token}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert row.attempts == 1
    assert row.reply == "250 2.0.0 taken"


def test_no_reader_gets_a_paper_twice_on_the_days_that_follow(site: Site) -> None:
    (reader,) = site.readers(1)
    for day in range(5):
        site.at(MONDAY + day * DAY)
        site.publish()
        site.deliver()
    got = [site.paper_ids(row) for row in site.rows()]
    assert [len(ids) for ids in got] == [5] * 5
    assert len(set().union(*got)) == 25
    assert len(site.sink.by_recipient[reader]) == 5


def test_a_reader_who_has_got_every_paper_is_skipped_and_told_why_in_his_row(site: Site) -> None:
    (reader,) = site.readers(1)
    for day in range(13):
        site.at(MONDAY + day * DAY)
        site.publish()
        report = site.deliver()
    assert report.states == {"skipped": 1}
    row = site.rows(reader)[0]
    assert (row.state, row.reply) == ("skipped", "nothing in it is new to him")
    assert len(site.sink.accepted) == 12


def test_a_paper_that_the_operator_hides_after_the_freezing_is_left_out(site: Site) -> None:
    (reader,) = site.readers(1)
    site.publish()
    first = would_get(site, reader)[0]
    with site.app.store.write() as connection:
        papers.set_hidden(connection, first, site.now)
    site.deliver()
    got = site.paper_ids(site.row(reader))
    assert len(got - {first}) == 5
    text = site.sink.accepted[0].message.get_body(("plain",)).get_content()
    assert {n for n in range(1, PAPERS + 1) if f"2603.{9999 + n}" in text} == got


def test_a_weekly_reader_gets_the_weekly_edition_and_no_daily_one(site: Site) -> None:
    site.at(MONDAY - DAY)
    site.subscribe("weekly@example.org", cadence="weekly")
    site.subscribe("hourly@example.org", cadence="weekly", hour="09:00")
    for day in range(3):
        site.at(MONDAY + day * DAY)
        site.publish()
        site.deliver()
        site.later(hours=4)
        site.deliver()
    assert site.sink.recipients == ["hourly@example.org", "weekly@example.org"]
    assert {(row.edition_cadence, row.due_at) for row in site.rows()} == {
        ("weekly", MONDAY),
        ("weekly", MONDAY + timedelta(hours=3)),
    }


def test_a_reader_with_an_hour_waits_for_it(site: Site) -> None:
    site.at(MONDAY - DAY)
    site.subscribe("tokyo@example.org", zone="Asia/Tokyo", hour="20:00")
    site.at(MONDAY)
    site.publish()
    site.deliver()
    site.at(MONDAY + timedelta(hours=4, minutes=59))
    site.deliver()
    assert site.sink.accepted == []
    site.later(minutes=1)
    site.deliver()
    assert site.sink.recipients == ["tokyo@example.org"]
    assert site.row("tokyo@example.org").due_at == MONDAY + timedelta(hours=5)


def test_a_mail_never_tried_is_skipped_when_it_is_no_news_any_more_and_its_papers_come_the_next_day(site: Site) -> None:
    (reader,) = site.readers(1)
    site.publish()
    wanted = would_get(site, reader)
    site.later(hours=12, seconds=1)
    report = site.deliver()
    assert report.late == 1
    assert site.row(reader).state == "skipped"
    assert site.sink.accepted == []
    site.at(MONDAY + DAY)
    site.publish()
    site.deliver()
    assert site.paper_ids(site.rows(reader)[0]) == set(wanted)


def test_a_mail_that_is_just_in_time_still_goes_out(site: Site) -> None:
    site.readers(1)
    site.publish()
    site.later(hours=12)
    site.deliver()
    assert len(site.sink.accepted) == 1


def test_somebody_who_subscribes_after_the_freezing_waits_for_the_next_edition(site: Site) -> None:
    site.publish()
    site.later(minutes=1)
    site.subscribe("late@example.org")
    site.deliver()
    assert site.sink.accepted == []
    site.at(MONDAY + DAY)
    site.publish()
    site.deliver()
    assert site.sink.recipients == ["late@example.org"]


def test_single_mails_go_before_editions(site: Site) -> None:
    site.readers(10)
    site.publish()
    _sign_up(site, "new@example.org")
    site.deliver()
    assert "new@example.org" in [one.recipient for one in site.sink.accepted[:2]]
    assert len(site.sink.accepted) == 11


def test_a_suppressed_address_gets_no_single_mail_either(site: Site) -> None:
    _sign_up(site, "before@example.org")
    with site.app.store.write() as connection:
        for address in ("before@example.org", "after@example.org"):
            suppressions.suppress(connection, EmailAddress.parse(address), "complaint", site.now)
        after = EmailAddress.parse("after@example.org")
        notices.enqueue(connection, kind="operator", recipient=after, key="1", content={}, now=site.now)
    site.deliver()
    assert site.sink.sessions == []
    assert [row.state for row in site.notices()] == ["skipped", "skipped"]


def test_only_so_many_mails_go_out_as_are_allowed(site: Site) -> None:
    site.readers(10)
    site.publish()
    assert site.deliver(limit=4).states == {"submitted": 4}
    assert site.open_rows() == {"queued": 6}


def test_mails_to_one_address_leave_the_others_where_they_are(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.deliver(only=EmailAddress.parse("Reader2@example.org"))
    assert site.sink.recipients == ["reader2@example.org"]
    assert site.open_rows() == {"queued": 3}


def test_a_reader_with_two_mails_due_gets_both_and_no_paper_twice(site: Site) -> None:
    (reader,) = site.readers(1)
    site.at(MONDAY + timedelta(hours=15))
    site.publish()
    site.at(MONDAY + DAY)
    site.publish()
    report = site.deliver()
    assert report.states == {"submitted": 2}
    older, newer = sorted(site.rows(reader), key=lambda row: row.due_at)
    assert not site.paper_ids(older) & site.paper_ids(newer)
    assert [one.message_id for one in site.sink.accepted] == [f"<{older.message_id}>", f"<{newer.message_id}>"]


def test_a_limit_counts_mails_and_not_how_often_they_were_looked_at(site: Site) -> None:
    site.readers(6)
    for moment in (MONDAY + timedelta(hours=15), MONDAY + DAY):
        site.at(moment)
        site.publish()
    assert site.deliver(limit=11).states == {"submitted": 11}
    assert len(site.sink.accepted) == 11


def test_the_papers_of_a_mail_in_doubt_count_as_seen_by_the_next_edition(site: Site) -> None:
    (reader,) = site.readers(1)
    site.publish()
    site.sink.on["CONTENT"] = lambda *_: "drop"
    site.deliver()
    assert site.row(reader).state == "in_doubt"
    del site.sink.on["CONTENT"]
    site.at(MONDAY + timedelta(minutes=5))
    _publish_the_next_day(site)
    site.deliver()
    newer, doubtful = site.rows(reader)
    assert (doubtful.state, newer.state) == ("in_doubt", "submitted")
    assert not site.paper_ids(newer) & site.paper_ids(doubtful)


def test_the_papers_of_a_deferred_mail_count_as_seen_by_the_next_edition(site: Site) -> None:
    (reader,) = site.readers(1)
    site.publish()
    site.sink.on["RCPT"] = lambda *_: "451 4.2.0 later"
    site.deliver()
    del site.sink.on["RCPT"]
    site.later(minutes=1)
    _publish_the_next_day(site)
    site.deliver()
    newer, deferred = site.rows(reader)
    assert (deferred.state, newer.state) == ("queued", "submitted")
    site.later(minutes=10)
    site.deliver()
    assert not site.paper_ids(newer) & site.paper_ids(deferred)
    assert [site.rows(reader)[n].state for n in (0, 1)] == ["submitted", "submitted"]


def test_a_stop_finishes_the_mails_on_the_wire_and_frees_the_rest(site: Site) -> None:
    addresses = site.readers(20)
    site.publish()

    async def scenario() -> Report:
        stop, both, release = asyncio.Event(), asyncio.Semaphore(0), asyncio.Event()
        loop = asyncio.get_running_loop()

        async def wait(_session: Session, _recipient: str) -> None:
            loop.call_soon_threadsafe(both.release)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(release.wait(), loop))

        site.sink.on["CONTENT"] = wait
        task = asyncio.create_task(site.delivering(stop=stop))
        await both.acquire()
        await both.acquire()
        stop.set()
        release.set()
        return await task

    report = asyncio.run(asyncio.wait_for(scenario(), 30))
    assert report.states == {"submitted": 2}
    assert sorted(site.states().values()) == ["queued"] * 18 + ["submitted"] * 2
    del site.sink.on["CONTENT"]
    site.deliver()
    assert site.sink.recipients == sorted(addresses)


def test_a_stop_does_not_wait_for_the_pace(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__rate=0.01, smtp__connections=2)
    site.readers(4)
    site.publish()

    async def scenario() -> Report:
        stop = asyncio.Event()
        return await site.delivering(stop=stop, progress=lambda _report: stop.set())

    assert asyncio.run(asyncio.wait_for(scenario(), 30)).states == {"submitted": 1}
    assert site.open_rows() == {"queued": 3}


def _sign_up(site: Site, address: str) -> None:
    sign_up = SignUp(EmailAddress.parse(address))
    url = "https://papers.example.org"
    subscribe.subscribe(site.app.store, site.now, sign_up, confirmed=False, public_url=url, source="a test")


def _publish_the_next_day(site: Site) -> None:
    """Freeze tomorrow's edition already now, so that it meets what is not settled yet."""
    from digest.flows.publish import publish

    publish(
        site.app.store,
        site.app.schedule,
        site.app.settings.ranking,
        site.app.settings.sources,
        site.now,
        (site.now + DAY).date(),
    )
