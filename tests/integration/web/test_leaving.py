"""The pages behind the links that every digest has: leave, pause, undo, and have the link to the preferences mailed."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from integration.web.morning import everything, kept
from sqlalchemy import update
from support.sink import Session, Sink
from support.site import Site

from digest.flows import joining, subscribe
from digest.outbox.access import undo, whose
from digest.store import deliveries, events, suppressions
from digest.store.schema import delivery
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Subscriber
from digest.tokens import random_token

HOST = "papers.example.org"
ANN = EmailAddress("ann@example.org")
DAY = timedelta(days=1)
FORM = "application/x-www-form-urlencoded"
Ask = Callable[..., Any]


@pytest.fixture
def ann(site: Site) -> Subscriber:
    """A reader without an hour, who signed up an hour ago and has topics of her own."""
    site.later(hours=-1)
    (reader,) = site.subscribe(ANN.text, topics=["a secret topic"])
    site.later(hours=1)
    return reader


@pytest.fixture
def web(site: Site, ann: Subscriber, serving: Callable[..., Any]) -> Iterator[Ask]:
    with serving(site.app) as ask:
        yield ask


def state(site: Site) -> str:
    return site.reader(ANN.text).state


def told(site: Site) -> list[str]:
    """What Ann is mailed that is no edition."""
    return [row.kind for row in site.notices()]


def last_notice(site: Site) -> dict[str, Any]:
    return dict(site.notices()[-1].content)


def undo_path(page: Any) -> str:
    """Where the button leads that takes back what this page tells."""
    (path,) = re.findall(r'<form class="other" method="post" action="(/undo/[^"]*)"', page.body)
    return str(path)


def turns(site: Site) -> list[str]:
    with site.app.store.read() as connection:
        return [event.kind for event in events.history(connection, site.reader(ANN.text).id)]


def test_a_look_at_any_of_the_pages_changes_nothing(site: Site, web: Ask, ann: Subscriber) -> None:
    left = web("POST", f"/u/{ann.token}")
    before = everything(site.app)
    for path in (f"/u/{ann.token}", undo_path(left), f"/p/ask/{ann.token}", f"/p/pause/{ann.token}/2"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            web(method, path)
    assert everything(site.app) == before


def test_no_page_tells_whose_it_is_or_what_he_wants(web: Ask, ann: Subscriber) -> None:
    pages = [web(method, f"/{path}/{ann.token}") for path in ("p/ask", "u") for method in ("GET", "POST")]
    pages += [web(method, undo_path(pages[-1])) for method in ("GET", "POST")]
    pages.append(web("POST", f"/p/pause/{ann.token}/1"))
    for page in pages:
        assert page.status == 200
        assert not re.search(r"ann\b|example\.org|secret", page.body.replace(HOST, ""), re.IGNORECASE)
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert not {"location", "set-cookie"} & page.headers.keys()


@pytest.mark.parametrize("path", ["u/{}", "p/ask/{}", "p/pause/{}/2"])
@pytest.mark.parametrize("made_up", ["x" * 22, "x", "%00", "x" * 3000])
def test_who_is_known_and_who_is_made_up_are_answered_alike(
    site: Site, web: Ask, ann: Subscriber, path: str, made_up: str
) -> None:
    def answer(token: str) -> tuple[int, str]:
        page = web("POST", f"/{path.format(token)}")
        return page.status, re.sub(r'action="/undo/[A-Za-z0-9_.-]{59}"', "", page.body)

    assert answer(made_up) == answer(ann.token)


def test_who_makes_up_a_link_to_leave_by_keeps_nobody_from_writing(site: Site, web: Ask) -> None:
    with site.app.store.write():
        assert web("POST", f"/u/{'x' * 22}").status == 200


def test_who_left_by_mistake_is_as_he_was_after_one_press(site: Site, web: Ask, ann: Subscriber) -> None:
    before = site.reader(ANN.text)
    left = web("POST", f"/u/{ann.token}")
    assert state(site) == "unsubscribed"
    site.later(minutes=5)
    page = web("GET", undo_path(left))
    assert re.findall(r'<form method="post" action="([^"]*)"', page.body) == [undo_path(left)]
    assert state(site) == "unsubscribed"
    assert "All is as it was." in web("POST", undo_path(left)).body
    assert site.reader(ANN.text) == before


def test_a_second_press_of_undo_is_answered_like_the_first(site: Site, web: Ask, ann: Subscriber) -> None:
    path = undo_path(web("POST", f"/u/{ann.token}"))
    first, before = web("POST", path), kept(site.app)
    assert web("POST", path).body == web("GET", path).body == first.body
    assert kept(site.app) == before


def mailed_undo(sink: Sink) -> str:
    """Where the one mail that Ann got takes back what was done."""
    (mail,) = sink.by_recipient[ANN.text]
    body = mail.message.get_body(("plain",))
    assert body is not None
    (path,) = re.findall(rf"https://{HOST}(/undo/\S+)", body.get_content())
    return str(path)


def test_whom_a_stranger_unsubscribed_reads_of_it_and_undoes_it(site: Site, sink: Sink, web: Ask, ann: Subscriber) -> None:
    web("POST", f"/u/{ann.token}")
    site.later(minutes=1)
    site.deliver()
    path = mailed_undo(sink)
    site.later(days=29)
    assert "Come back to" in web("GET", path).body
    assert web("POST", path).status == 200
    assert state(site) == "active"


def test_the_mail_that_was_withdrawn_by_the_mistake_comes_after_all(site: Site, sink: Sink, web: Ask, ann: Subscriber) -> None:
    site.publish()
    site.deliver(only=EmailAddress.parse("nobody@example.org"))
    left = web("POST", f"/u/{ann.token}")
    assert site.row(ANN.text).state == "skipped"
    web("POST", undo_path(left))
    site.later(minutes=1)
    site.deliver()
    assert ["List-Id" in mail.message for mail in sink.by_recipient[ANN.text]] == [True]  # and no goodbye, which is not true


def test_who_was_away_at_his_hour_by_mistake_gets_his_mail_after_all(
    site: Site, sink: Sink, serving: Callable[..., Any]
) -> None:
    site.later(hours=-1)
    (bob,) = site.subscribe("bob@example.org", hour="06:30")
    site.later(hours=1)
    site.publish()
    with serving(site.app) as web:
        site.later(minutes=29)
        path = undo_path(web("POST", f"/u/{bob.token}"))
        site.later(minutes=2)
        site.deliver()
        web("POST", path)
        site.deliver()
    assert ["List-Id" in mail.message for mail in sink.by_recipient["bob@example.org"]] == [False, True]


def test_of_a_pause_that_was_made_longer_at_once_he_is_told_once(site: Site, sink: Sink, web: Ask, ann: Subscriber) -> None:
    for weeks in (1, 4):
        web("POST", f"/p/pause/{ann.token}/{weeks}")
        site.later(seconds=5)
    site.deliver()
    (mail,) = sink.by_recipient[ANN.text]
    assert mail.message["Subject"] == "Trending Papers: paused until 30 March 2026"


def test_an_undo_works_for_thirty_days(site: Site, web: Ask, ann: Subscriber) -> None:
    path = undo_path(web("POST", f"/u/{ann.token}"))
    site.later(days=30, seconds=1)
    for method in ("GET", "POST"):
        page = web(method, path)
        assert (page.status, "not valid any more" in page.body) == (404, True)
    assert state(site) == "unsubscribed"


def test_a_stranger_brings_nobody_back_who_left_by_himself(site: Site, web: Ask, ann: Subscriber) -> None:
    pausing = undo_path(web("POST", f"/p/pause/{ann.token}/1"))
    site.later(hours=1)
    web("POST", f"/u/{ann.token}")
    site.later(minutes=2)
    again = undo_path(web("POST", f"/u/{ann.token}"))
    for path in (pausing, again, f"/undo/{ann.token}"):
        assert web("POST", path).status == 404
    assert state(site) == "unsubscribed"


def test_who_presses_twice_can_undo_it_from_either_page(site: Site, web: Ask, ann: Subscriber) -> None:
    web("POST", f"/u/{ann.token}")
    site.later(seconds=20)
    web("POST", undo_path(web("POST", f"/u/{ann.token}")))
    assert (state(site), told(site)) == ("active", ["goodbye"])


@pytest.mark.parametrize("made_up", ["x", "%00", f"{'x' * 22}.{'0' * 13}.{'x' * 22}", "<script>", "x" * 3000])
def test_an_undo_that_was_made_up_is_told_so(site: Site, web: Ask, made_up: str) -> None:
    for method in ("GET", "POST"):
        page = web(method, f"/undo/{made_up}")
        assert page.status == 404
        assert "<script" not in page.body


def test_whoever_types_the_address_of_one_who_left_takes_no_undo_away(site: Site, web: Ask, ann: Subscriber) -> None:
    path = undo_path(web("POST", f"/u/{ann.token}"))
    assert web("POST", "/subscribe", f"email={ANN}&topics=spam", Content_Type=FORM).status == 303
    joining.settle(site.app.store, site.now, site.app.signer, f"https://{HOST}")
    assert "confirm" in told(site)
    assert web("POST", path).status == 200
    assert site.reader(ANN.text).preferences == ann.preferences
    assert state(site) == "active"


def test_an_undo_of_another_reader_or_of_an_operator_s_act_does_nothing(site: Site, web: Ask, ann: Subscriber) -> None:
    subscribe.unsubscribe(site.app.store, site.now, ANN)
    assert web("POST", f"/undo/{undo(site.app.signer, ann.token, site.now)}").status == 404
    assert web("POST", f"/undo/{undo(site.app.signer, random_token(), site.now)}").status == 404
    assert state(site) == "unsubscribed"


def test_who_was_suppressed_or_erased_meanwhile_is_not_brought_back(site: Site, web: Ask, ann: Subscriber) -> None:
    path = undo_path(web("POST", f"/u/{ann.token}"))
    with site.app.store.write() as connection:
        suppressions.add(connection, ANN, "operator", site.now)
    assert web("POST", path).status == 404
    assert state(site) == "unsubscribed"
    subscribe.erase(site.app.store, site.now, ANN)
    assert web("POST", path).status == 404


def test_what_was_on_its_way_when_he_left_is_named(site: Site, web: Ask, ann: Subscriber) -> None:
    site.publish()
    site.deliver(only=EmailAddress.parse("nobody@example.org"))
    with site.app.store.write() as connection:
        connection.execute(update(delivery).values(state="submitting"))
    page = web("POST", f"/u/{ann.token}")
    assert "One mail was already on its way when you left" in page.body
    assert site.row(ANN.text).state == "submitting"
    with site.app.store.write() as connection:
        connection.execute(update(delivery).values(state="submitted"))
    assert "on its way" not in web("POST", f"/u/{ann.token}").body


def test_a_mail_on_the_wire_is_named_and_is_the_last(site: Site, sink: Sink, web: Ask, ann: Subscriber) -> None:
    site.publish()
    pages: list[str] = []

    async def leave(_session: Session, recipient: str) -> None:
        if recipient == ANN.text and not pages:
            import asyncio

            pages.append((await asyncio.to_thread(web, "POST", f"/u/{ann.token}")).body)

    site.sink.on["CONTENT"] = leave
    site.deliver()
    site.sink.on.clear()
    site.later(days=1)
    site.publish()
    site.deliver()
    assert "One mail was already on its way" in pages[0]
    assert ["List-Id" in mail.message for mail in sink.by_recipient[ANN.text]] == [True, False]


@pytest.mark.parametrize("weeks", [1, 2, 4])
def test_a_pause_ends_by_itself_and_he_is_told_of_it(site: Site, web: Ask, ann: Subscriber, weeks: int) -> None:
    page = web("GET", f"/p/ask/{ann.token}")
    assert re.findall(r'<form class="other" method="post" action="([^"]*)"', page.body) == [
        f"/p/pause/{ann.token}/{n}" for n in (1, 2, 4)
    ]
    until = site.now + timedelta(weeks=weeks)
    done = web("POST", f"/p/pause/{ann.token}/{weeks}")
    assert f"No digest comes before {until.day} March 2026." in done.body
    reader = site.reader(ANN.text)
    assert (reader.state, reader.paused_until) == ("paused", until)
    assert (told(site), last_notice(site)["until"]) == (["paused"], until.date().isoformat())


def test_a_pause_is_undone_from_the_mail_that_tells_of_it(site: Site, web: Ask, ann: Subscriber) -> None:
    before = site.reader(ANN.text)
    web("POST", f"/p/pause/{ann.token}/4")
    path = last_notice(site)["undo_url"].removeprefix(f"https://{HOST}")
    assert "End the pause?" in web("GET", path).body
    web("POST", path)
    assert site.reader(ANN.text) == before
    assert turns(site) == ["subscribed", "paused", "resumed"]


def test_a_link_makes_no_pause_shorter_and_undoing_a_longer_one_gives_back_the_shorter(
    site: Site, web: Ask, ann: Subscriber
) -> None:
    subscribe.pause(site.app.store, site.now, ANN, site.now + 10 * DAY)
    before = site.reader(ANN.text)
    web("POST", f"/p/pause/{ann.token}/1")
    assert site.reader(ANN.text) == before
    longer = web("POST", f"/p/pause/{ann.token}/4")
    assert site.reader(ANN.text).paused_until == site.now + 28 * DAY
    web("POST", undo_path(longer))
    assert site.reader(ANN.text) == before


def test_who_had_paused_and_left_is_paused_again_by_undoing_it(site: Site, web: Ask, ann: Subscriber) -> None:
    subscribe.pause(site.app.store, site.now, ANN, site.now + 10 * DAY)
    before = site.reader(ANN.text)
    path = undo_path(web("POST", f"/u/{ann.token}"))
    site.later(days=1)
    web("POST", path)
    assert site.reader(ANN.text) == before


def test_a_pause_that_would_be_over_is_not_brought_back(site: Site, web: Ask, ann: Subscriber) -> None:
    subscribe.pause(site.app.store, site.now, ANN, site.now + 10 * DAY)
    path = undo_path(web("POST", f"/u/{ann.token}"))
    site.later(days=11)
    web("POST", path)
    assert (state(site), site.reader(ANN.text).paused_until) == ("active", None)


@pytest.mark.parametrize("weeks", ["0", "3", "52", "-1", "x", "%00", "1%0a"])
def test_there_is_no_other_pause(site: Site, web: Ask, ann: Subscriber, weeks: str) -> None:
    assert web("POST", f"/p/pause/{ann.token}/{weeks}").status == 404
    assert state(site) == "active"


def test_nobody_fills_a_mailbox_by_a_link(site: Site, web: Ask, ann: Subscriber) -> None:
    pauses = []
    for _ in range(5):
        pauses.append(web("POST", f"/p/pause/{ann.token}/1"))
        if pauses[-1].status == 200:
            web("POST", undo_path(pauses[-1]))
        web("POST", f"/p/ask/{ann.token}")
        site.later(minutes=5)
    assert [one.status for one in pauses] == [200, 200, 200, 429, 429]
    assert "<title>Too often today" in pauses[-1].body
    comes_back = []
    for _ in range(3):
        comes_back.append(web("POST", undo_path(web("POST", f"/u/{ann.token}"))).status)
        site.later(seconds=1)
    assert (comes_back, state(site)) == ([200, 200, 429], "unsubscribed")
    assert {kind: told(site).count(kind) for kind in set(told(site))} == {"paused": 3, "goodbye": 3, "preferences": 3}


def test_whoever_is_unsubscribed_reads_of_it_however_often_a_stranger_undid_it_before(
    site: Site, sink: Sink, web: Ask, ann: Subscriber
) -> None:
    while web("POST", undo_path(web("POST", f"/u/{ann.token}"))).status == 200:
        site.later(seconds=1)
    assert state(site) == "unsubscribed"
    site.deliver()
    path = mailed_undo(sink)
    site.later(days=1)
    assert web("POST", path).status == 200
    assert state(site) == "active"


@pytest.mark.parametrize("hidden_by", ["/u/{}", "/p/pause/{}/4"])
def test_whoever_is_paused_reads_of_it_whatever_a_stranger_did_and_undid_after_it(
    site: Site, sink: Sink, web: Ask, ann: Subscriber, hidden_by: str
) -> None:
    before = site.reader(ANN.text)
    web("POST", f"/p/pause/{ann.token}/1")
    paused = site.reader(ANN.text)
    site.later(seconds=1)
    path = undo_path(web("POST", hidden_by.format(ann.token)))
    site.later(seconds=1)
    web("POST", path)
    assert site.reader(ANN.text) == paused
    site.later(seconds=1)
    site.deliver()
    (mail,) = sink.by_recipient[ANN.text]
    assert mail.message["Subject"] == "Trending Papers: paused until 9 March 2026"
    body = mail.message.get_body(("plain",))
    assert body is not None
    (path,) = re.findall(rf"https://{HOST}(/undo/\S+)", body.get_content())
    assert web("POST", path).status == 200
    assert site.reader(ANN.text) == before


def test_who_asks_is_mailed_a_link_that_opens_his_preferences_for_an_hour(
    site: Site, sink: Sink, web: Ask, ann: Subscriber
) -> None:
    page = web("POST", f"/p/ask/{ann.token}")
    assert (page.status, "Look into your inbox." in page.body) == (200, True)
    assert ann.token not in page.body
    site.deliver()
    (mail,) = sink.by_recipient[ANN.text]
    body = mail.message.get_body(("plain",))
    assert body is not None
    (link,) = re.findall(rf"https://{HOST}/p/(\S+)", body.get_content())
    assert whose(site.app.signer, link, site.now) == (ann.token, site.now + timedelta(hours=1))


@pytest.mark.parametrize("gone", ["unsubscribed", "complained"])
def test_who_is_no_reader_is_mailed_no_link(site: Site, web: Ask, ann: Subscriber, gone: str) -> None:
    if gone == "unsubscribed":
        subscribe.unsubscribe(site.app.store, site.now, ANN)
    else:
        with site.app.store.write() as connection:
            suppressions.suppress(connection, ANN, "complaint", site.now)
    before = told(site)
    assert web("POST", f"/p/ask/{ann.token}").status == 200
    assert web("POST", f"/p/pause/{ann.token}/1").status == 200
    assert told(site) == before
    assert state(site) == gone


def test_who_signs_up_and_reads_already_is_mailed_the_link_once_a_day(site: Site, web: Ask, ann: Subscriber) -> None:
    for _ in range(3):
        web("POST", "/subscribe", "email=ANN%40example.org", Content_Type="application/x-www-form-urlencoded")
        joining.settle(site.app.store, site.now, site.app.signer, f"https://{HOST}")
    assert told(site) == ["preferences"]
    assert whose(site.app.signer, last_notice(site)["access_url"].rpartition("/")[2], site.now)[0] == ann.token


def test_a_digest_leads_to_both_pages(site: Site, sink: Sink, web: Ask, ann: Subscriber) -> None:
    site.publish()
    site.deliver()
    (mail,) = sink.by_recipient[ANN.text]
    for kind in ("plain", "html"):
        body = mail.message.get_body((kind,))
        assert body is not None
        for path in (f"/u/{ann.token}", f"/p/ask/{ann.token}"):
            assert f"https://{HOST}{path}" in body.get_content()
            assert web("GET", path).status == 200


def test_whoever_left_has_no_mail_in_the_ledger_that_is_to_go(site: Site, web: Ask, ann: Subscriber) -> None:
    site.publish()
    site.deliver(only=EmailAddress.parse("nobody@example.org"))
    web("POST", f"/u/{ann.token}", "List-Unsubscribe=One-Click", Content_Type="application/x-www-form-urlencoded")
    with site.app.store.read() as connection:
        assert deliveries.on_its_way(connection, ann.id) == 0
        assert deliveries.counts(connection, site.row(ANN.text).edition_id) == {"skipped": 1}
