"""Signing up on the web."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from digest.flows import joining, subscribe
from digest.store import suppressions
from digest.store.schema import metadata, notice, sign_up
from digest.store.schema import subscriber as subscribers
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp
from digest.wiring import App

URL = "https://papers.example.org"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
Ask = Callable[..., Any]


def rows(app: App, table: Any) -> list[Any]:
    with app.store.read() as connection:
        return list(connection.execute(select(table)))


def join(web: Ask, address: str, **headers: str) -> Any:
    return web("POST", "/subscribe", f"email={address.replace('@', '%40')}", **FORM, **headers)


def settle(app: App) -> int:
    return joining.settle(app.store, app.clock.now(), app.signer, URL)


def test_the_first_page_has_one_field_and_one_button(web: Ask) -> None:
    page = web("GET", "/")
    assert page.status == 200
    assert "<h1>Get trending papers in your email inbox once a day!</h1>" in page.body
    assert re.findall(r'<form[^>]*action="([^"]*)"', page.body) == ["/subscribe"]
    assert page.headers["cache-control"] == "public, max-age=60"


def test_whoever_signs_up_is_mailed_one_link_and_nothing_that_he_typed(app: App, web: Ask) -> None:
    answer = join(web, "ann@example.org")
    assert (answer.status, answer.headers["location"]) == (303, "/check-inbox")
    assert web("GET", "/check-inbox").status == 200
    assert settle(app) == 1
    (mail,) = rows(app, notice)
    (ann,) = rows(app, subscribers)
    assert (mail.kind, mail.recipient, ann.state) == ("confirm", "ann@example.org", "pending")
    asked = {"asked_on", "asked_at", "asked_from"}
    assert set(mail.content) == {"confirm_url", "address", "valid_until", "language", *asked}
    assert ann.consent["source"] == "the site, from 127.0.0.0/24"
    assert rows(app, sign_up) == []


def test_the_mail_says_when_it_was_asked_for_and_not_when_that_was_looked_at(app: App) -> None:
    asked = datetime(2026, 11, 22, 23, 58, 30, tzinfo=UTC)
    joining.note(app.store, asked, EmailAddress("ann@example.org"), {}, "a visitor", "192.0.2.0/24")
    joining.settle(app.store, asked + timedelta(minutes=5), app.signer, URL + "/digest")
    (mail,) = rows(app, notice)
    said = {name: mail.content[name] for name in ("asked_on", "asked_at", "asked_from")}
    assert said == {"asked_on": "2026-11-22", "asked_at": "23:58", "asked_from": "papers.example.org"}
    assert "192.0.2" not in str(mail.content)


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [("", "de-AT,de;q=0.9,en;q=0.5", "de"), ("", "ja", ""), ("&language=fr", "de", "fr"), ("&language=", "es", "es")],
)
def test_mails_speak_the_language_that_was_chosen_or_else_the_browsers(
    app: App, web: Ask, chosen: str, accepted: str, language: str
) -> None:
    assert web("POST", "/subscribe", f"email=ann%40example.org{chosen}", Accept_Language=accepted, **FORM).status == 303
    settle(app)
    (mail,) = rows(app, notice)
    (ann,) = rows(app, subscribers)
    assert (mail.content["language"], ann.language) == (language, language)


def test_nothing_is_mailed_before_the_visitor_is_answered(app: App, web: Ask) -> None:
    join(web, "ann@example.org")
    assert rows(app, notice) == rows(app, subscribers) == []
    assert [row.address for row in rows(app, sign_up)] == ["ann@example.org"]


@pytest.mark.parametrize("written", ["nope", "", "a@b", "ann@example.org%0d%0aBcc:x@example.org", "<script>alert(1)</script>"])
def test_what_is_no_address_is_asked_for_again(app: App, web: Ask, written: str) -> None:
    answer = web("POST", "/subscribe", f"email={written}", **FORM)
    assert answer.status == 422
    assert 'role="alert">That is not an email address.' in answer.body
    assert "<script" not in answer.body
    assert rows(app, sign_up) == []


@pytest.mark.parametrize("domain", ["аpple.com", "xn--pple-43d.com", "xn--80ak6aa92e.com", "сосо.com"])
def test_a_domain_that_can_be_taken_for_another_is_not_let_in(app: App, web: Ask, domain: str) -> None:
    answer = web("POST", "/subscribe", f"email=ann%40{quote(domain)}", **FORM)
    assert answer.status == 422
    assert 'role="alert">The letters after the @ can be taken for others.' in answer.body
    assert rows(app, sign_up) == []


def test_a_domain_in_another_alphabet_is_as_welcome_as_any(app: App, web: Ask) -> None:
    assert web("POST", "/subscribe", f"email=ann%40{quote('пример.рф')}", **FORM).status == 303
    settle(app)
    assert [mail.recipient for mail in rows(app, notice)] == ["ann@xn--e1afmkfd.xn--p1ai"]


def test_where_nobody_reads_nothing_is_mailed_and_the_answer_is_the_same(
    app: App, web: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    roles = ("postmaster", "no-reply", "papers-request", "mailer-daemon")
    answers = [join(web, f"{local}@example.org") for local in (*roles, "info")]
    seen = [{**one.headers, "date": "", "status": one.status, "body": one.body} for one in answers]
    assert seen == [seen[0]] * 5
    assert settle(app) == 5
    assert [mail.recipient for mail in rows(app, notice)] == ["info@example.org"]
    assert [row.address for row in rows(app, subscribers)] == ["info@example.org"]
    assert not [local for local in roles if local in caplog.text]


def test_a_program_that_fills_in_every_field_is_told_the_same_and_nothing_is_noted(app: App, web: Ask) -> None:
    answer = web("POST", "/subscribe", "email=ann%40example.org&website=https%3A%2F%2Fspam.example", **FORM)
    assert (answer.status, answer.headers["location"]) == (303, "/check-inbox")
    assert rows(app, sign_up) == []


@pytest.mark.parametrize(
    "headers",
    [
        *({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}),
        *({"Origin": name} for name in ("https://evil.example", "null", "http://[", "https://papers.example.org.evil.example")),
    ],
)
def test_another_site_cannot_sign_its_visitors_up(app: App, web: Ask, headers: dict[str, str]) -> None:
    assert join(web, "ann@example.org", **headers).status == 403
    assert rows(app, sign_up) == []


@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "same-origin", "Origin": "null"}, {"Origin": "https://papers.example.org"}, {}]
)
def test_our_own_page_can(app: App, web: Ask, headers: dict[str, str]) -> None:
    assert join(web, "ann@example.org", **headers).status == 303
    assert len(rows(app, sign_up)) == 1


def test_a_visitor_signs_up_five_times_a_minute_at_most(app: App, web: Ask) -> None:
    answers = [join(web, f"reader{n}@example.org") for n in range(7)]
    assert [answer.status for answer in answers] == [303] * 5 + [429] * 2
    assert answers[-1].headers["retry-after"] == "3600"
    assert len(rows(app, sign_up)) == 5


def test_a_bomb_of_a_thousand_sign_ups_is_one_mail_in_a_day_and_three_in_a_week(app: App) -> None:
    begun = app.clock.now()
    for n in range(1000):
        now = begun + timedelta(minutes=n)
        joining.note(app.store, now, EmailAddress("ann@example.org"), {}, f"visitor {n}", "192.0.2.0/24")
        if n % 100 == 99:
            joining.settle(app.store, now, app.signer, URL)
    assert len(rows(app, notice)) == 1
    for day in range(1, 8):
        now = begun + timedelta(days=day)
        joining.note(app.store, now, EmailAddress("Ann@example.org"), {}, f"visitor {day}", "192.0.2.0/24")
        joining.settle(app.store, now, app.signer, URL)
    assert len(rows(app, notice)) <= 5


def test_a_bomb_of_many_spellings_of_one_mailbox_is_one_mail_too(app: App) -> None:
    for n, local in enumerate(["ann", "Ann", "a.nn", "an.n", "a.n.n", *(f"ann+{n}" for n in range(50))]):
        address = EmailAddress(f"{local}@{'gmail' if n % 3 else 'googlemail'}.com")
        joining.note(app.store, app.clock.now(), address, {}, f"visitor {n}", "192.0.2.0/24")
    joining.settle(app.store, app.clock.now(), app.signer, URL)
    assert len(rows(app, notice)) == 1


@pytest.mark.parametrize("encoding", ["utf-7", "undefined", "unicode_escape", "punycode", '"utf-16"'])
def test_a_form_in_an_encoding_that_no_browser_uses_is_refused(app: App, web: Ask, encoding: str) -> None:
    body = '--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n+2AA-\\ud800@example.org\r\n--b--\r\n'
    answer = web("POST", "/subscribe", body, Content_Type=f"multipart/form-data; boundary=b; charset={encoding}")
    assert answer.status == 400
    assert "not in UTF-8" in answer.body


def test_limits_outlast_a_restart(app: App) -> None:
    now = app.clock.now()
    ann = EmailAddress("ann@example.org")
    assert all(joining.note(app.store, now, ann, {}, "somebody", "192.0.2.0/24") for _ in range(5))
    app.store.engine.dispose()
    assert not joining.note(app.store, now, ann, {}, "somebody", "192.0.2.0/24")
    assert joining.note(app.store, now + timedelta(minutes=1), ann, {}, "somebody", "192.0.2.0/24")


def known_in_every_way(app: App) -> dict[str, str]:
    """An address for each thing that we may know of one."""
    now = app.clock.now()
    addresses = {state: f"{state}@example.org" for state in ("active", "pending", "unsubscribed", "suppressed", "unknown")}
    for state in ("active", "unsubscribed", "pending"):
        who = SignUp(EmailAddress(addresses[state]))
        subscribe.subscribe(app.store, now, who, confirmed=state != "pending", public_url=URL, source="a test")
    subscribe.unsubscribe(app.store, now, EmailAddress(addresses["unsubscribed"]))
    with app.store.write() as connection:
        suppressions.add(connection, EmailAddress(addresses["suppressed"]), "bounced", now)
    return addresses


def test_the_answer_is_the_same_whatever_we_know_of_an_address(app: App, web: Ask) -> None:
    answers = [join(web, address) for address in known_in_every_way(app).values()]
    without_date = [{name: value for name, value in one.headers.items() if name != "date"} for one in answers]
    assert all(one == without_date[0] for one in without_date)
    assert {(one.status, one.body) for one in answers} == {(303, "")}


def test_settling_mails_nobody_who_is_not_to_be_mailed(app: App, web: Ask) -> None:
    addresses = known_in_every_way(app)
    for address in addresses.values():
        join(web, address)
    settle(app)
    mailed = [row.recipient for row in rows(app, notice) if row.kind == "confirm"]
    assert addresses["suppressed"] not in mailed
    assert addresses["active"] not in mailed
    assert mailed.count(addresses["pending"]) == 1
    assert {addresses["unknown"], addresses["unsubscribed"]} <= set(mailed)


def test_what_is_noted_takes_the_same_statements_whatever_we_know(app: App) -> None:
    """Time is a poor witness on a busy machine; that the same is done is what makes it the same."""
    from sqlalchemy import event as listening

    addresses = known_in_every_way(app)
    said: dict[str, list[str]] = {}
    heard: list[str] = []
    listening.listen(app.store.engine, "before_cursor_execute", lambda *of: heard.append(of[2]))
    for turn in range(20):
        for number, (state, address) in enumerate(addresses.items()):
            heard.clear()
            visitor = f"visitor {turn} {number}"
            at = app.clock.now() + timedelta(hours=turn)
            joining.note(app.store, at, EmailAddress(address), {}, visitor, "192.0.2.0/24")
            said[state] = list(heard)
    assert all(one == said["unknown"] for one in said.values())


def test_no_address_of_a_machine_is_stored(app: App, web: Ask) -> None:
    join(web, "ann@example.org")
    settle(app)
    everything = str([rows(app, table) for table in metadata.sorted_tables])
    assert "127.0.0.1" not in everything
