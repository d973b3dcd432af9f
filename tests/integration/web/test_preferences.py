"""A reader's preferences: real requests to the real program."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from integration.web.morning import kept
from sqlalchemy import select
from support.site import Site

from digest.flows import liking, subscribe
from digest.outbox.access import access
from digest.store import events, profiles, subscribers
from digest.store.schema import interest, metadata
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Interest, Subscriber
from digest.wiring import App

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
ANN = EmailAddress("ann@example.org")
BIBTEX = "@article{x, title={On the folding of {Graphs}}, author={Doe, Jane}}"
Ask = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path, morning_home: Path) -> Path:
    """Its editions are frozen."""
    return shutil.copytree(morning_home, tmp_path / "home")


@pytest.fixture
def web(site: Site, serving: Callable[[App], AbstractContextManager[Ask]]) -> Iterator[Ask]:
    """Asks the pages of a site with sixty papers, a day before its next edition."""
    with serving(site.app) as asking:
        yield asking


@pytest.fixture
def ann(site: Site) -> Subscriber:
    """A reader who chose something."""
    (reader,) = site.subscribe(ANN.text, topics=["graphs"], size=5, hour="08:00", zone="Europe/Berlin")
    return reader


@pytest.fixture
def path(site: Site, ann: Subscriber) -> str:
    """Of her preferences."""
    return f"/p/{access(site.app.signer, ann.token, site.now)}"


def wanted(site: Site, ann: Subscriber) -> list[tuple[str, str]]:
    with site.app.store.read() as connection:
        found = subscribers.interests(connection, [ann.id], site.now).get(ann.id, ())
    return [(one.kind, one.value) for one in found]


def post(web: Ask, path: str, fields: Any = ()) -> Any:
    return web("POST", path, urlencode(fields), **FORM)


def test_the_page_shows_what_was_chosen_and_hardly_whose_it_is(web: Ask, path: str) -> None:
    page = web("GET", path)
    assert page.status == 200
    assert ">\ngraphs</textarea>" in page.body
    assert 'type="time" value="08:00"' in page.body
    assert 'value="Europe/Berlin" aria-describedby="zone-hint"' in page.body
    assert "a***@example.org" in page.body
    assert "ann@" not in page.body
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"


def test_a_reader_chooses_the_language_of_his_mails(site: Site, web: Ask, path: str) -> None:
    assert '<option value="" selected>As usual here (English)</option>' in web("GET", path).body
    page = post(web, path, [("language", "fr"), ("act", "save")])
    assert '<option value="fr" lang="fr" selected>Français</option>' in page.body
    with site.app.store.read() as connection:
        known = subscribers.by_address(connection, ANN)
    assert known is not None
    assert known.preferences.language == "fr"
    assert post(web, path, [("language", "tlh")]).status == 422


def test_looking_at_every_page_changes_nothing(site: Site, web: Ask, path: str) -> None:
    before = kept(site.app)
    for more in ("", "/erase", "/export", "/pause", "/resume"):
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            web(method, path + more)
    post(web, path, {"topics": "robots", "act": "preview"})
    post(web, path, {"topics": "robots", "act": "edit"})
    assert kept(site.app) == before


def test_as_much_bibtex_as_the_field_takes_is_taken(web: Ask, path: str) -> None:
    page = web("GET", path)
    (form,) = re.findall(rf'<form method="post" action="{path}"[^>]*>', page.body)
    assert 'enctype="multipart/form-data"' in form  # where each sign of BibTeX counts once, and not for three
    (most,) = re.findall(r'name="papers"[^>]*maxlength="([0-9]+)"', page.body)
    entries = (f"@article{{x{number}, title={{On {number} {{Graphs}}}}, author={{Doe, Jane}}}}\r\n" for number in range(10_000))
    papers = "".join(entries)[: int(most)]
    head = "--b\r\nContent-Disposition: form-data; name="
    body = f'{head}"papers"\r\n\r\n{papers}\r\n{head}"act"\r\n\r\nsave\r\n--b--\r\n'
    taken = web("POST", path, body, Content_Type="multipart/form-data; boundary=b")
    assert taken.status == 200
    assert "Your choices are kept." in taken.body


def test_the_page_leads_to_the_readers_own_feed(web: Ask, path: str) -> None:
    (own,) = re.findall(r'href="(/feed/for/[^"]*)"', web("GET", path).body)
    feed = web("GET", own)
    assert feed.status == 200
    assert feed.headers["content-type"].startswith("application/atom+xml")


def test_everything_can_be_changed_at_once(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    fields = [("topics", "robots"), ("topic", "protein folding"), ("keywords", "vision"), ("authors", "Doe, Jane")]
    fields += [("categories", "cs.cl"), ("mutes", "poetry"), ("share", "25"), ("size", "7"), ("day", "0"), ("day", "2")]
    fields += [("hour", "06:30"), ("zone", "Asia/Tokyo"), ("cadence", "daily"), ("papers", f"2603.10001\n{BIBTEX}")]
    page = post(web, path, fields)
    assert page.status == 200
    assert 'role="status"' in page.body
    assert "Your choices are kept. Papers that you like: 2 new. Your next digest comes on Wednesday at 06:30." in page.body
    reader = site.reader(ANN.text)
    chosen = reader.preferences
    assert (chosen.zone, str(chosen.hour), chosen.size, chosen.share) == ("Asia/Tokyo", "06:30:00", 7, 0.25)
    assert chosen.days == frozenset({0, 2})
    assert wanted(site, ann) == [
        ("topic", "robots"),
        ("topic", "protein folding"),
        ("keyword", "vision"),
        ("author", "Jane Doe"),
        ("category", "cs.CL"),
        ("mute", "poetry"),
        ("liked", "arxiv:2603.10001"),
        ("liked", "title:on the folding of graphs|doe"),
    ]
    with site.app.store.read() as connection:
        assert [one.kind for one in events.history(connection, ann.id)][1:] == ["changed", "rated"]


def test_what_the_page_shows_can_be_sent_back_and_changes_nothing(site: Site, web: Ask, path: str) -> None:
    page = web("GET", path).body
    fields = [
        (name, unescape(text)) for name, text in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n([^<]*)</textarea>', page)
    ]
    fields += re.findall(r'<input[^>]* name="(\w+)" [^>]*value="([^"]*)" checked>', page)
    fields += re.findall(r'<input class="wide" id="\w+" name="(\w+)"[^>]* value="([^"]*)"', page)
    assert {name for name, _ in fields} > {"topics", "hour", "zone", "size", "day", "cadence"}
    before = kept(site.app)
    assert "Your choices are kept." in post(web, path, fields).body
    assert kept(site.app) == before


def test_the_weight_of_an_interest_that_stays_is_kept(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    with site.app.store.write() as connection:
        subscribers.set_interests(connection, ann.id, "topic", [Interest("topic", "graphs", 2.5)], site.now)
    post(web, path, {"topics": "graphs\nrobots"})
    with site.app.store.read() as connection:
        rows = connection.execute(select(interest.c.value, interest.c.weight).where(interest.c.valid_to.is_(None))).all()
    assert [tuple(row) for row in rows] == [("graphs", 2.5), ("robots", 1.0)]


def test_a_changed_reader_is_learned_anew(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    post(web, path, {"topics": "robots"})
    with site.app.store.read() as connection:
        assert profiles.lacking(connection, 1, "", after_id=0, limit=9) == [ann.id]


def test_what_is_wrong_is_told_beside_the_field_and_nothing_is_kept(site: Site, web: Ask, path: str) -> None:
    before = kept(site.app)
    page = post(web, path, {"topics": "robots", "size": "99", "zone": "Tokyo", "papers": "none"})
    assert page.status == 422
    assert 'role="alert"' in page.body
    assert '<a href="#size">Papers in a mail</a>: &#39;99&#39; is not a size: a number from 1 to 25.' in page.body
    assert "did you mean Asia/Tokyo?" in page.body
    assert ">\nrobots</textarea>" in page.body
    assert kept(site.app) == before


def test_papers_that_can_be_read_are_kept_and_the_others_are_named(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    page = post(web, path, {"papers": "2603.10001\n<b>what is this</b>\n2603.10002"})
    assert page.status == 200
    assert "Line 2: no arXiv id, no DOI and no entry of BibTeX" in page.body
    assert "<b>" not in page.body
    assert [value for kind, value in wanted(site, ann) if kind == "liked"] == ["arxiv:2603.10001", "arxiv:2603.10002"]


def test_what_was_said_of_papers_is_listed_and_can_be_taken_back(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    for key, verdict in (("arxiv:2603.10001", "more"), ("arxiv:2603.10002", "less")):
        liking.rate(site.app.store, site.now, ann.id, key, verdict, by="a test")  # type: ignore[arg-type]
    page = web("GET", path).body
    assert "A quantum study, number 1</span>" in page
    assert re.findall(r'name="forget" value="([^"]*)"', page) == ["arxiv:2603.10002", "arxiv:2603.10001"]
    post(web, path, {"topics": "graphs", "forget": "arxiv:2603.10002"})
    assert wanted(site, ann) == [("topic", "graphs"), ("liked", "arxiv:2603.10001")]


def test_a_preview_keeps_nothing_and_hands_everything_on(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    page = post(web, path, {"topics": "robots", "size": "4", "share": "100", "papers": BIBTEX, "act": "preview"})
    assert page.status == 200
    assert "A robot study" in page.body
    assert "close to your topic “robots”" in page.body
    assert f'<form method="post" action="{path}" enctype="multipart/form-data">' in page.body
    assert 'name="email"' not in page.body
    handed = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.body)
    fields = {name: unescape(value) for name, value in handed}
    again = post(web, path, {**fields, "act": "edit"})
    assert ">\nrobots</textarea>" in again.body
    assert wanted(site, ann) == [("topic", "graphs")]
    assert "1 new" in post(web, path, {**fields, "act": "save"}).body
    assert wanted(site, ann)[0] == ("topic", "robots")


def test_a_preview_leaves_out_what_the_reader_got_and_what_he_rated(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    fields = {"topics": "robots", "share": "100", "act": "preview"}
    first = set(re.findall(r'<h3>\d+\. <a href="/papers/(arxiv:[^"]*)"', post(web, path, fields).body))
    rated, *_ = sorted(first)
    liking.rate(site.app.store, site.now, ann.id, rated, "more", by="a test")
    site.later(hours=26)
    site.publish()
    site.deliver()
    site.later(hours=-26)
    again = set(re.findall(r'href="/papers/(arxiv:[^"]*)"', post(web, path, fields).body))
    (mail,) = site.rows(ANN.text)
    with site.app.store.read() as connection:
        got = {row.key for row in connection.execute(select(metadata.tables["paper"])) if row.id in site.paper_ids(mail)}
    assert got
    assert not again & (got | {rated})


def test_a_pause_ends_by_itself_or_by_a_button(site: Site, web: Ask, path: str) -> None:
    page = post(web, f"{path}/pause", {"weeks": "2"})
    assert "until Monday, 16 March 2026" in page.body
    reader = site.reader(ANN.text)
    assert (reader.state, reader.paused_until) == ("paused", site.now + timedelta(weeks=2))
    assert "Your digests come again." in post(web, f"{path}/resume").body
    assert site.reader(ANN.text).state == "active"


@pytest.mark.parametrize("weeks", ["", "0", "3", "-1", "1e9", "four"])
def test_a_pause_of_another_length_is_none(site: Site, web: Ask, path: str, weeks: str) -> None:
    assert post(web, f"{path}/pause", {"weeks": weeks}).status == 422
    assert site.reader(ANN.text).state == "active"


def test_a_paused_reader_changes_his_choices_and_stays_paused(site: Site, web: Ask, path: str) -> None:
    post(web, f"{path}/pause", {"weeks": "4"})
    assert "Your next digest" not in post(web, path, {"size": "9"}).body
    reader = site.reader(ANN.text)
    assert (reader.state, reader.preferences.size) == ("paused", 9)


def test_an_export_holds_all_that_is_kept(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    liking.rate(site.app.store, site.now, ann.id, "arxiv:2603.10001", "more", by="a test")
    subscribe.change(site.app.store, site.now, ANN, interests={"topic": [Interest("topic", "robots")]})
    assert post(web, f"/p/ask/{ann.token}").status == 200
    site.later(hours=2)
    site.deliver()
    path = f"/p/{access(site.app.signer, ann.token, site.now)}"
    answer = web("GET", f"{path}/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="digest.json"'
    assert answer.headers["cache-control"] == "no-store"
    told = json.loads(answer.body)
    assert (told["email"], told["state"], told["consent"]["source"]) == (ANN.text, "active", "a test")
    assert told["wishes"]["topic"] == ["robots"]
    assert told["wishes"]["liked"] == ["arxiv:2603.10001"]
    assert {one["value"]: one["until"] is None for one in told["interests"]} == {
        "graphs": False,
        "arxiv:2603.10001": True,
        "robots": True,
    }
    assert [event["kind"] for event in told["events"]] == ["subscribed", "rated", "changed"]
    (mail,) = told["digests"]
    assert (mail["edition"], mail["state"]) == ("2026-03-02", "submitted")
    assert mail["message_id"] == site.row(ANN.text).message_id
    assert mail["reply"].startswith("250")
    assert [(one["kind"], one["state"]) for one in told["mails"]] == [("preferences", "submitted")]
    assert set(mail["papers"]) == set(told["papers_got"])
    assert all(key.startswith("arxiv:2603.") for key in mail["papers"])


def test_erasing_asks_once_and_forgets_everything(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    page = web("GET", f"{path}/erase")
    assert re.findall(r"<form[^>]*>", page.body) == [f'<form method="post" action="{path}/erase">']
    assert page.body.count("<button") == 1
    assert site.reader(ANN.text).state == "active"
    assert "Everything is erased." in post(web, f"{path}/erase").body
    assert "ann@example.org" not in str(kept(site.app))
    for method in ("GET", "POST"):
        assert web(method, path).status == 404
        assert web(method, f"{path}/erase").status == 404


def test_who_left_sees_and_erases_what_is_kept_and_changes_nothing(site: Site, web: Ask, path: str) -> None:
    subscribe.unsubscribe(site.app.store, site.now, ANN)
    page = web("GET", path)
    assert "This address gets no digests now." in page.body
    assert "<form" not in page.body
    for more in ("", "/pause", "/resume"):
        assert post(web, path + more, {"weeks": "1", "size": "9"}).status == 409
    reader = site.reader(ANN.text)
    assert (reader.state, reader.preferences.size) == ("unsubscribed", 5)
    assert web("GET", f"{path}/export").status == 200
    assert post(web, f"{path}/erase").status == 200


def test_after_an_hour_the_link_leads_to_a_new_one_and_to_nothing_else(
    site: Site, web: Ask, ann: Subscriber, path: str
) -> None:
    site.later(hours=1)
    before = kept(site.app)
    for method, more in (("GET", ""), ("POST", ""), ("GET", "/export"), ("POST", "/erase"), ("POST", "/pause")):
        page = web(method, path + more)
        assert page.status == 410
        assert f'href="/p/ask/{ann.token}"' in page.body
        assert "graphs" not in page.body
    assert kept(site.app) == before


S = "x" * 22


@pytest.mark.parametrize(
    "made_up", ["x", f"{S}.1.{S}", f"{S}.ffffffff.{S}", "%00", "..", f"{S}.{S}.{S}.{S}", "%2e%2e%2f", "ask"]
)
def test_a_link_that_is_made_up_opens_nothing(site: Site, web: Ask, ann: Subscriber, made_up: str) -> None:
    before = kept(site.app)
    for method, more in (("GET", ""), ("POST", ""), ("GET", "/export"), ("POST", "/erase")):
        assert web(method, f"/p/{made_up}{more}").status == 404
    assert kept(site.app) == before


def test_a_link_opens_for_its_own_reader_alone(site: Site, web: Ask, ann: Subscriber, path: str) -> None:
    (bob,) = site.subscribe("bob@example.org")
    other = path.replace(ann.token, bob.token)
    assert web("GET", other).status == 404
    assert post(web, f"{other}/erase").status == 404
    assert site.reader("bob@example.org").state == "active"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe=%ff&topics=%ff", "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="topics"; filename="x"\r\n\r\nhello\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b"--b\r\nbroken", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\n", "multipart/form-data"),
        (
            b'--b\r\nContent-Disposition: form-data; name="topics"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b; charset=no-such",
        ),
        (b"{}", "application/json"),
        (b"papers=" + b"%40article%7B" * 4000, "application/x-www-form-urlencoded"),
        (b"forget=" + b"&forget=%00" * 2000, "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_of_any_kind_is_answered(web: Ask, path: str, body: bytes, kind: str) -> None:
    assert web("POST", path, body, Content_Type=kind).status in (200, 400, 422)


def test_a_log_holds_no_link(web: Ask, path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    web("GET", f"{path}/export")
    web("GET", "/healthz")
    assert path.removeprefix("/p/") not in caplog.text
