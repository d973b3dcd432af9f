"""What a server says against a mail: for now, for good, about the reader, or about us."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
from support.sink import Hook, Session
from support.site import MONDAY, Site

from digest.errors import ServerUnavailable
from digest.flows import subscribe
from digest.store import events, suppressions
from digest.subscribers.address import EmailAddress

DAY = timedelta(days=1)
VICTIM = "reader3@example.org"
NO_SUCH_USER = "550 5.1.1 no such user"


def says(answer: str, whom: str = VICTIM) -> Hook:
    """Answers for one recipient only."""
    return lambda _session, recipient: answer if recipient == whom else None


@pytest.mark.parametrize("phase", ["RCPT", "DATA", "CONTENT"])
def test_a_mail_refused_for_now_is_delivered_later_and_the_others_at_once(site: Site, phase: str) -> None:
    addresses = site.readers(6)
    site.publish()
    site.sink.on[phase] = says("451 4.3.0 try again later")
    report = site.deliver()
    assert report.states == {"submitted": 5, "deferred": 1}
    assert report.failed == 0
    row = site.row(VICTIM)
    assert (row.state, row.attempts, row.reply) == ("queued", 1, "451 4.3.0 try again later")
    site.later(minutes=4, seconds=59)
    assert site.deliver().states == {}
    del site.sink.on[phase]
    site.later(minutes=2)
    assert site.deliver().states == {"submitted": 1}
    assert site.sink.recipients == sorted(addresses)
    assert site.row(VICTIM).attempts == 2


def test_a_sender_refused_for_now_defers_too(site: Site) -> None:
    site.readers(2)
    site.publish()
    site.sink.on["MAIL"] = lambda *_: "450 4.7.1 too much mail"
    assert site.deliver().states == {"deferred": 2}
    del site.sink.on["MAIL"]
    site.later(minutes=6)
    assert site.deliver().states == {"submitted": 2}


def test_the_gaps_between_tries_grow_to_an_hour_until_twenty_hours_after_it_was_due(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.sink.on["RCPT"] = says("450 4.2.0 greylisted")
    tried = []
    for _ in range(40):
        site.deliver()
        row = site.row(VICTIM)
        tried.append(site.now)
        if row.state != "queued":
            break
        site.at(row.next_try_at)
    gaps = [(after - before) / timedelta(minutes=1) for before, after in pairwise(tried)]
    assert all(least <= gap <= 1.2 * least for least, gap in zip((5, 10, 20, 40, 60), gaps[:5], strict=True))
    assert all(60 <= gap <= 72 for gap in gaps[4:])
    assert row.state == "expired"
    assert row.reply == "450 4.2.0 greylisted"
    assert tried[-1] <= MONDAY + timedelta(hours=20)
    assert tried[-1] + timedelta(minutes=72) >= MONDAY + timedelta(hours=20)
    site.later(hours=2)
    assert site.deliver().states == {}


def test_a_deferred_mail_that_nobody_tried_again_in_time_expires(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.sink.on["RCPT"] = says("450 4.2.0 greylisted")
    site.deliver()
    site.later(hours=20, seconds=1)
    site.deliver()
    assert site.row(VICTIM).state == "expired"


def test_a_deferred_mail_may_be_older_than_one_that_was_never_tried(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.sink.on["RCPT"] = says("450 4.2.0 greylisted")
    site.deliver()
    del site.sink.on["RCPT"]
    site.later(hours=19)
    assert site.deliver().states == {"submitted": 1}


@pytest.mark.parametrize("phase", ["RCPT", "DATA", "CONTENT"])
def test_a_mail_refused_for_good_is_rejected_and_the_others_go(site: Site, phase: str) -> None:
    addresses = site.readers(6)
    site.publish()
    site.sink.on[phase] = says("554 5.6.0 not like this")
    report = site.deliver()
    assert report.states == {"submitted": 5, "rejected": 1}
    assert report.failed == 1
    row = site.row(VICTIM)
    assert (row.state, row.attempts, row.reply) == ("rejected", 1, "554 5.6.0 not like this")
    del site.sink.on[phase]
    site.later(hours=1)
    site.deliver()
    assert site.sink.recipients == sorted(set(addresses) - {VICTIM})


def test_a_code_that_nobody_knows_is_judged_by_its_first_digit(site: Site) -> None:
    site.readers(3)
    site.publish()
    answers = {"reader0@example.org": "299 fine", "reader1@example.org": "499 hm", "reader2@example.org": "599 no"}
    site.sink.on["RCPT"] = lambda _session, recipient: answers[recipient]
    site.deliver()
    assert site.states() == {
        "reader0@example.org": "submitted",
        "reader1@example.org": "queued",
        "reader2@example.org": "rejected",
    }


def test_a_mailbox_refused_in_two_editions_48_hours_apart_is_suppressed(site: Site) -> None:
    site.readers(4)
    site.sink.on["RCPT"] = says(NO_SUCH_USER)
    seen = []
    for day in range(4):
        _next_day(site, day)
        seen.append(site.reader(VICTIM).state)
    assert seen == ["active", "active", "bounced", "bounced"]
    assert len([one for one in site.sink.commands("RCPT") if VICTIM in one]) == 3
    with site.app.store.read() as connection:
        entry = suppressions.find(connection, EmailAddress.parse(VICTIM))
    assert entry is not None
    assert (entry.reason, entry.note) == ("bounce", NO_SUCH_USER)
    assert len(site.sink.accepted) == 12


def test_a_mailbox_refused_without_an_enhanced_code_counts_by_its_reply(site: Site) -> None:
    site.readers(4)
    site.sink.on["RCPT"] = says("550 who is that?")
    for day in (0, 2):
        _next_day(site, day)
    assert site.reader(VICTIM).state == "bounced"


def test_a_reader_who_is_erased_while_his_mailbox_is_refused_costs_nobody_a_mail(site: Site) -> None:
    site.readers(6)
    site.publish()

    def refuse_and_erase(_session: Session, recipient: str) -> str | None:
        if recipient != VICTIM:
            return None
        subscribe.erase(site.app.store, site.now, EmailAddress.parse(VICTIM))
        return NO_SUCH_USER

    site.sink.on["RCPT"] = refuse_and_erase
    assert site.deliver().states["submitted"] == 5
    assert site.rows(VICTIM) == []


def test_refusals_within_48_hours_suppress_nobody(site: Site) -> None:
    site.readers(4)
    site.sink.on["RCPT"] = says(NO_SUCH_USER)
    _next_day(site, 0)
    _next_day(site, 1)
    del site.sink.on["RCPT"]
    _next_day(site, 2)
    assert site.reader(VICTIM).state == "active"
    assert len(site.sink.by_recipient[VICTIM]) == 1


@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        ("RCPT", "550 5.7.1 we do not like your address"),
        ("RCPT", "550 5.7.515 not authenticated"),
        ("RCPT", "552 5.2.2 mailbox full"),
        ("CONTENT", "550 5.1.1 this looks like spam"),
    ],
)
def test_a_refusal_that_is_not_about_the_mailbox_never_suppresses(site: Site, phase: str, answer: str) -> None:
    site.readers(4)
    site.sink.on[phase] = says(answer)
    for day in range(4):
        _next_day(site, day)
    assert site.reader(VICTIM).state == "active"
    assert [row.state for row in site.rows(VICTIM)] == ["rejected"] * 4


def test_a_refusal_is_written_into_the_readers_history(site: Site) -> None:
    site.readers(4)
    site.publish()
    site.sink.on["RCPT"] = says(NO_SUCH_USER)
    site.deliver()
    with site.app.store.read() as connection:
        history = events.history(connection, site.reader(VICTIM).id)
    assert [(event.kind, event.details.get("reply")) for event in history][-1] == ("refused", NO_SUCH_USER)


def _mail_at_eight_hours(site: Site, days: int) -> None:
    """Eight readers get their mails by themselves, each at an hour of his own."""
    for hour in range(8):
        site.subscribe(f"reader{hour}@example.org", hour=f"{hour + 7:02}:00")
    for day in range(days):
        site.at(MONDAY + day * DAY)
        site.publish()
        for _ in range(8):
            site.later(hours=1)
            site.deliver()


def test_a_server_that_refuses_everybody_at_an_hour_of_his_own_suppresses_nobody(site: Site) -> None:
    site.sink.on["RCPT"] = lambda *_: NO_SUCH_USER
    _mail_at_eight_hours(site, days=4)
    assert {row.state for row in site.rows()} == {"rejected"}
    assert {site.reader(f"reader{hour}@example.org").state for hour in range(8)} == {"active"}


def test_a_server_that_does_not_relay_for_us_costs_few_readers_their_edition_though_each_has_his_hour(site: Site) -> None:
    for hour in range(5):
        site.subscribe(f"reader{hour}@example.org", hour=f"{hour + 7:02}:00")
    site.publish()
    site.sink.on["RCPT"] = lambda *_: "554 5.7.1 Relay access denied"
    for _ in range(5):
        site.later(hours=1)
        with suppress(ServerUnavailable):
            site.deliver()
    assert sorted(site.states().values()) == ["queued"] * 3 + ["rejected"] * 2
    del site.sink.on["RCPT"]
    site.later(hours=1)
    site.deliver()
    assert sorted(site.states().values()) == ["rejected"] * 2 + ["submitted"] * 3


def test_a_mailbox_that_is_gone_is_told_from_a_server_that_refuses_everybody_at_other_hours_too(site: Site) -> None:
    site.sink.on["RCPT"] = says(NO_SUCH_USER)
    _mail_at_eight_hours(site, days=3)
    states = {hour: site.reader(f"reader{hour}@example.org").state for hour in range(8)}
    assert states == dict.fromkeys(range(8), "active") | {3: "bounced"}


def test_who_came_back_is_not_judged_by_what_was_said_of_his_mailbox_before(site: Site) -> None:
    site.readers(4)
    site.sink.on["RCPT"] = says(NO_SUCH_USER)
    for day in (0, 2):
        _next_day(site, day)
    assert site.reader(VICTIM).state == "bounced"
    with site.app.store.write() as connection:
        suppressions.remove(connection, EmailAddress.parse(VICTIM))
    site.later(days=3)
    site.subscribe(VICTIM)
    _next_day(site, 6)
    assert site.rows(VICTIM)[0].state == "rejected"
    assert site.reader(VICTIM).state == "active"
    _next_day(site, 8)
    assert site.reader(VICTIM).state == "bounced"


def test_an_error_that_ends_a_run_tells_no_reader(site: Site) -> None:
    site.readers(8)
    site.publish()
    site.sink.on["RCPT"] = lambda _, recipient: f"554 5.7.1 <{recipient.upper()}>: Relay access denied"
    with pytest.raises(ServerUnavailable, match="Relay access denied") as raised:
        site.deliver()
    assert "reader" not in str(raised.value).lower()


def test_a_server_that_refuses_our_sender_stops_the_run_and_no_reader_pays(site: Site) -> None:
    addresses = site.readers(8)
    site.publish()
    site.sink.on["MAIL"] = lambda *_: "553 5.1.8 sender address rejected"
    with pytest.raises(ServerUnavailable, match=r"refuses the sender digest@example\.org: 553") as raised:
        site.deliver()
    assert raised.value.exit_code == 69
    assert "email.from" in raised.value.fix
    assert {(row.state, row.attempts, row.next_try_at) for row in site.rows()} == {("queued", 0, None)}
    del site.sink.on["MAIL"]
    site.deliver()
    assert site.sink.recipients == sorted(addresses)


@pytest.mark.parametrize(
    "answer",
    ["554 5.7.1 Relay access denied", "550 relay not permitted", "550 5.7.26 unauthenticated", "530 5.7.0 login first"],
)
def test_a_server_that_does_not_relay_for_us_stops_the_run_and_no_reader_pays(site: Site, answer: str) -> None:
    addresses = site.readers(8)
    site.publish()
    site.sink.on["RCPT"] = lambda *_: answer
    with pytest.raises(ServerUnavailable) as raised:
        site.deliver()
    assert answer in str(raised.value)
    assert "login" in raised.value.fix
    assert {(row.state, row.attempts, row.next_try_at) for row in site.rows()} == {("queued", 0, None)}
    del site.sink.on["RCPT"]
    site.deliver()
    assert site.sink.recipients == sorted(addresses)


def test_a_server_that_relays_for_nobody_is_not_told_of_all_readers(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=2)
    site.readers(120)
    site.publish()
    site.sink.on["RCPT"] = lambda *_: "554 5.7.1 Relay access denied"
    with pytest.raises(ServerUnavailable, match="no mail of ours for anybody"):
        site.deliver()
    assert len(site.sink.commands("RCPT")) < 110
    assert site.open_rows() == {"queued": 120}


@pytest.mark.parametrize("answer", ["550 5.7.1 our policy", "530 SMTP authentication is required"])
@pytest.mark.parametrize(("refused", "readers"), [(2, 2), (6, 7)], ids=["few, and nobody else", "many, and then one is taken"])
def test_a_policy_against_some_readers_is_believed(site: Site, refused: int, readers: int, answer: str) -> None:
    whom = set(site.readers(readers)[:refused])
    site.publish()
    site.sink.on["RCPT"] = lambda _, recipient: answer if recipient in whom else None
    report = site.deliver()
    states = site.states()
    assert {address for address, state in states.items() if state == "rejected"} == whom
    assert set(states.values()) <= {"rejected", "submitted"}
    assert report.states == Counter(states.values())


def test_a_quota_that_ends_in_the_middle_stops_the_run_and_no_reader_pays(make_site: Callable[..., Site]) -> None:
    site = make_site(smtp__connections=3)
    addresses = site.readers(12)
    site.publish()
    site.sink.on["MAIL"] = lambda *_: "550 5.4.5 daily sending quota exceeded" if len(site.sink.accepted) >= 5 else None
    with pytest.raises(ServerUnavailable, match="quota"):
        site.deliver()
    waiting = [row for row in site.rows() if row.state == "queued"]
    assert {(row.attempts, row.next_try_at) for row in waiting} == {(0, None)}
    assert len(waiting) + len(site.sink.accepted) == 12
    del site.sink.on["MAIL"]
    site.deliver()
    assert site.sink.recipients == sorted(addresses)


def test_a_server_that_wants_a_login_before_it_hears_a_sender_is_told_apart_from_one_that_refuses_him(site: Site) -> None:
    site.readers(3)
    site.publish()
    site.sink.on["MAIL"] = lambda *_: "530 5.7.0 Authentication required"
    with pytest.raises(ServerUnavailable, match="Authentication required") as raised:
        site.deliver()
    assert "wants a login or TLS" in raised.value.fix


def test_a_sender_refused_once_in_between_is_tried_again_at_once(site: Site) -> None:
    addresses = site.readers(6)
    site.publish()
    refused = []

    def once(session: Session, sender: str) -> str | None:
        if session.accepted == 1 and not refused:
            refused.append(sender)
            return "550 5.7.0 a bad moment"
        return None

    site.sink.on["MAIL"] = once
    assert site.deliver().states == {"submitted": 6}
    assert site.sink.recipients == sorted(addresses)
    assert refused == ["digest@example.org"]


def _next_day(site: Site, day: int) -> None:
    site.at(MONDAY + day * DAY)
    site.publish()
    site.deliver()
