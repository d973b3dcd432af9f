"""The operator's pages, on their own listener."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from integration.web.conftest import Answer, ask, served
from sqlalchemy import update
from support.sink import Sink, free_port
from support.site import Site

from digest.errors import Busy
from digest.store import runs
from digest.store.schema import delivery
from digest.web.entry import SESSION
from digest.web.server import listen, serve_until

TOKEN = "a-token-of-more-than-thirty-two-characters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
HERE = {"Host": "localhost"}
Make = Callable[..., Site]
Ask = Callable[..., Answer]


@contextmanager
def operated(make_site: Make, **settings: object) -> Iterator[tuple[Site, Ask, int]]:
    """A site whose operator's pages are asked by the second, and its public port."""
    port, public = free_port(), free_port()
    given = {"web__operator_bind": f"127.0.0.1:{port}", "web__operator_token": TOKEN, "operator__email": "op@example.org"}
    site = make_site(**{**given, **settings})
    with served(site.app, public):
        yield site, lambda method, path, body=None, **more: ask(port, method, path, body, **{**HERE, **more}), public


@pytest.fixture
def operator_site(make_site: Make) -> Iterator[tuple[Site, Ask]]:
    with operated(make_site) as (site, web, _):
        yield site, web


def a_mail(site: Site, **columns: Any) -> int:
    """A delivery of today's edition, as it ended."""
    site.readers(1)
    site.publish()
    site.deliver()
    number = int(site.rows()[0].id)
    with site.app.store.write() as connection:
        connection.execute(update(delivery).where(delivery.c.id == number).values(columns))
    return number


PAGES = ("/", "/editions", "/failures", "/preview")


@pytest.mark.parametrize("path", [*PAGES, "/preview/daily"])
def test_nobody_sees_anything_without_the_token(operator_site: tuple[Site, Ask], path: str) -> None:
    _, web = operator_site
    answer = web("GET", path)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "<h1>For the operator</h1>" in answer.body
    assert re.findall(r'<form[^>]*action="([^"]*)"', answer.body) == ["/enter"]


@pytest.mark.parametrize("path", ["/pause", "/resume", "/retry", "/preview/daily/send"])
def test_nobody_does_anything_without_the_token(operator_site: tuple[Site, Ask], path: str) -> None:
    site, web = operator_site
    site.publish()
    assert web("POST", path).status == 401
    assert web("GET", path, **BEARER).status == 405
    assert "Digests are held back" not in web("GET", "/", **BEARER).body
    assert site.sink.accepted == []


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_nobody_elses_business(operator_site: tuple[Site, Ask], path: str) -> None:
    _, web = operator_site
    answer = web("GET", path, **BEARER)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"<script|\sstyle=|\son\w+=", answer.body)
    assert answer.body.count("<h1>") == 1
    links = set(re.findall(r'href="([^"#]*)"', answer.body))
    assert {"/", "/editions", "/failures", "/preview"} <= links <= {*PAGES, "/preview/daily", "/preview/weekly"}


def test_whoever_has_the_token_enters_stays_and_leaves(operator_site: tuple[Site, Ask]) -> None:
    _, web = operator_site
    entered = web("POST", "/enter", f"token={TOKEN}", **FORM, Sec_Fetch_Site="same-origin")
    assert (entered.status, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].partition(";")[0]
    assert "<h1>Status</h1>" in web("GET", "/", Cookie=cookie).body
    left = web("POST", "/leave", Cookie=cookie)
    assert left.status == 303
    assert left.headers["set-cookie"].startswith(f'{SESSION}="";')


def test_a_wrong_token_is_said_to_be_and_nobody_guesses_for_long(operator_site: tuple[Site, Ask]) -> None:
    _, web = operator_site
    answers = [web("POST", "/enter", f"token={TOKEN[:-1]}{n}", **FORM) for n in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert "That is not the token." in answers[0].body
    assert "set-cookie" not in answers[0].headers
    assert web("POST", "/enter", f"token={TOKEN}", **FORM).status == 429


@pytest.mark.parametrize("path", ["/pause", "/resume", "/retry", "/preview/daily/send", "/enter"])
@pytest.mark.parametrize(
    "headers",
    [{"Sec_Fetch_Site": "cross-site"}, *({"Origin": name} for name in ("https://evil.example", "null", "file://", "http://["))],
)
def test_another_sites_page_acts_for_nobody(operator_site: tuple[Site, Ask], path: str, headers: dict[str, str]) -> None:
    _, web = operator_site
    answer = web("POST", path, f"token={TOKEN}", **FORM, **BEARER, **headers)
    assert answer.status == 403
    assert "That came from another site" in answer.body


def test_the_pages_have_no_other_name_than_ours(operator_site: tuple[Site, Ask]) -> None:
    _, web = operator_site
    assert web("GET", "/", Host="evil.example", **BEARER).status == 421
    assert web("GET", "/", Host="127.0.0.1:8001", **BEARER).status == 200


def test_a_proxy_that_is_trusted_names_the_operator(make_site: Make) -> None:
    settings = {"web__operator_token": "", "web__operator_header": "X-Forwarded-User", "web__trusted_proxies": ["127.0.0.1"]}
    with operated(make_site, **settings) as (_, web, _):
        assert "You are ann." in web("GET", "/", X_Forwarded_User="ann").body
        refused = web("GET", "/")
        assert refused.status == 401
        assert "The proxy in front of this page has not said who you are." in refused.body
        assert "<form" not in refused.body


def test_a_header_from_anybody_else_is_not_believed(make_site: Make) -> None:
    settings = {"web__operator_header": "X-Forwarded-User", "web__trusted_proxies": ["10.0.0.0/8"]}
    with operated(make_site, **settings) as (_, web, _):
        assert web("GET", "/", X_Forwarded_User="ann").status == 401


def test_readers_find_nothing_of_it(make_site: Make) -> None:
    with operated(make_site) as (_, _, public):
        for path in ("/editions", "/failures", "/enter", "/pause"):
            assert ask(public, "GET", path, **HERE, **BEARER).status == 404


def test_without_a_place_for_them_there_are_no_operators_pages(make_site: Make) -> None:
    port = free_port()
    site = make_site(web__operator_token=TOKEN)
    with served(site.app, port), pytest.raises(ConnectionError):
        ask(free_port(), "GET", "/")


def test_both_listeners_end_together_and_a_place_that_is_taken_is_named(make_site: Make) -> None:
    with listen("127.0.0.1:0") as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        site = make_site(web__operator_bind=place, web__operator_token=TOKEN)
        with pytest.raises(Busy, match=place) as refused:
            asyncio.run(serve_until(site.app, asyncio.Event(), f"127.0.0.1:{free_port()}"))
    assert "web.operator_bind" in refused.value.fix


def test_the_first_page_says_how_things_stand(operator_site: tuple[Site, Ask]) -> None:
    site, web = operator_site
    late = web("GET", "/", **BEARER).body
    assert '<th scope="row">Next edition</th><td>due now</td>' in late
    site.readers(2)
    site.publish()
    site.deliver()
    page = web("GET", "/", **BEARER).body
    assert "2026-03-02: 2 submitted" in page
    assert '<th scope="row">Subscribers</th><td>2 active</td>' in page
    assert '<th scope="row">Queue</th><td>empty</td>' in page


def test_what_a_source_said_cannot_become_markup(make_site: Make) -> None:
    with operated(make_site, sources__huggingface__enabled=True) as (site, web, _):
        with site.app.store.write() as connection:
            error = "<script>alert(1)</script>"
            runs.record(
                connection, source="huggingface", started_at=site.now, finished_at=site.now, verdict="failed", error=error
            )
        page = web("GET", "/", **BEARER).body
    assert "huggingface: failed" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_the_last_editions_are_drawn_and_written(operator_site: tuple[Site, Ask]) -> None:
    site, web = operator_site
    assert "There is none yet." in web("GET", "/editions", **BEARER).body
    site.readers(3)
    site.publish()
    site.deliver()
    page = web("GET", "/editions", **BEARER).body
    charts = re.findall(r"<figcaption>([^<]*)</figcaption>\n<svg[^>]*role=\"img\"", page)
    assert charts == [
        "Submitted", "Deferred", "Refused or given up", "Unsubscribed", "From freezing to the last mail",
        "Papers to choose from",
    ]  # fmt: skip
    assert '<desc id="submitted-said">2 Mar: 3</desc>' in page
    row = re.search(r'<th scope="row">2026-03-02</th>\n(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    assert re.findall(r">([^<]*)</td>", row[1])[1:10] == ["3", "3", "0", "0", "0", "0", "0", "0", "0"]


def test_a_failure_stands_with_the_servers_words_and_can_be_tried_again(operator_site: tuple[Site, Ask]) -> None:
    site, web = operator_site
    number = a_mail(site, state="rejected", reply="550 5.1.1 <b>no such user</b>")
    page = web("GET", "/failures", **BEARER).body
    assert "<code>550 5.1.1 &lt;b&gt;no such user&lt;/b&gt;</code>" in page
    assert ">1 rejected</h2>" in page
    assert "<b>r***@example.org</b>" in page
    assert "reader0@" not in page
    assert re.findall(r'<form[^>]*action="([^"]*)"', page) == ["/retry"]
    assert re.findall(r'name="mail" value="([^"]*)"', page) == [f"delivery {number}"]
    answer = web("POST", "/retry", f"mail=delivery+{number}", **FORM, **BEARER)
    assert (answer.status, answer.headers["location"]) == (303, "/failures")
    assert site.row("reader0@example.org").state == "queued"
    assert web("POST", "/retry", f"mail=delivery+{number}", **FORM, **BEARER).status == 409


def test_mails_of_which_the_same_was_said_stand_together_and_are_tried_again_by_one_button(
    operator_site: tuple[Site, Ask],
) -> None:
    site, web = operator_site
    addresses = site.readers(5)
    site.publish()
    site.deliver()
    with site.app.store.write() as connection:
        connection.execute(update(delivery).values(state="rejected", reply="550 5.7.1 Spam"))
        connection.execute(
            update(delivery).where(delivery.c.id == site.row(addresses[4]).id).values(state="parked", reply="It cannot be made")
        )
    page = web("GET", "/failures", **BEARER).body
    assert sorted(re.findall(r">([^<]*)</h2>", page)) == ["1 parked", "4 rejected"]
    assert page.count("550 5.7.1 Spam") == 1
    named = re.findall(r'<input type="hidden" name="mail" value="([^"]*)"', page)
    assert len(named) == 4
    body = "&".join(f"mail={name.replace(' ', '+')}" for name in named)
    assert web("POST", "/retry", body, **FORM, **BEARER).status == 303
    assert [site.row(address).state for address in addresses] == [*["queued"] * 4, "parked"]


@pytest.mark.parametrize("state", ["submitted", "held", "in_doubt"])
def test_what_may_have_arrived_is_not_tried_again_by_a_button(operator_site: tuple[Site, Ask], state: str) -> None:
    site, web = operator_site
    number = a_mail(site, state=state)
    assert f'value="delivery {number}"' not in web("GET", "/failures", **BEARER).body
    assert web("POST", "/retry", f"mail=delivery+{number}", **FORM, **BEARER).status == 409
    assert site.row("reader0@example.org").state == state


@pytest.mark.parametrize(
    "named",
    ["", "mail=subscriber+1", "mail=delivery+x", "mail=delivery+%C2%B2", "mail=notice+" + "9" * 30, "mail=notice+1&mail=x"],
)
def test_there_is_nothing_else_to_try_again(operator_site: tuple[Site, Ask], named: str) -> None:
    _, web = operator_site
    assert web("POST", "/retry", named, **FORM, **BEARER).status == 404


def test_digests_are_held_back_and_let_go(operator_site: tuple[Site, Ask]) -> None:
    site, web = operator_site
    site.readers(2)
    site.publish()
    assert web("POST", "/pause", **BEARER).status == 303
    page = web("GET", "/", **BEARER).body
    assert "Digests are held back since Mon 2026-03-02" in page
    assert re.findall(r'<form[^>]*action="([^"]*)"', page)[0] == "/resume"
    site.deliver()
    assert site.sink.accepted == []
    assert set(site.states().values()) == {"queued"}
    assert web("POST", "/resume", **BEARER).status == 303
    site.deliver()
    assert set(site.states().values()) == {"submitted"}


def test_the_digest_is_shown_as_it_would_be_mailed_and_cannot_act(operator_site: tuple[Site, Ask]) -> None:
    site, web = operator_site
    answer = web("GET", "/preview/daily", **BEARER)
    assert answer.status == 200
    assert "you@example.org" in answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert site.rows() == []
    assert web("GET", "/preview/yearly", **BEARER).status == 404


def test_it_is_sent_to_the_operator_and_nobody_else(operator_site: tuple[Site, Ask]) -> None:
    site, web = operator_site
    answer = web("POST", "/preview/daily/send", **BEARER)
    assert (answer.status, "It is on its way" in answer.body) == (200, True)
    (mail,) = site.sink.accepted
    assert mail.recipient == "op@example.org"
    assert site.rows() == site.notices() == []


def test_what_the_mail_server_says_to_that_is_shown(make_site: Make) -> None:
    with (
        Sink(RCPT=lambda _session, _word: "550 5.7.1 We do not <b>relay</b>") as refusing,
        operated(make_site, sink=refusing) as (_, web, _),
    ):
        answer = web("POST", "/preview/daily/send", **BEARER)
    assert answer.status == 502
    assert "550 5.7.1 We do not &lt;b&gt;relay&lt;/b&gt;" in answer.body


def test_a_monitor_has_the_token_or_runs_on_this_machine(operator_site: tuple[Site, Ask]) -> None:
    _, web = operator_site
    assert "digest_ready{" in web("GET", "/metrics").body
    afar = {"X_Forwarded_For": "198.51.100.7"}
    assert web("GET", "/metrics", **afar).status == 404
    assert "digest_ready{" in web("GET", "/metrics", **afar, **BEARER).body
