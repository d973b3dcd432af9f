import base64
import hashlib
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.web.conftest import served
from integration.web.morning import everything, kept
from sqlalchemy import event as listening
from sqlalchemy import select
from support.sink import free_port

from digest.errors import Busy, ConfigurationError
from digest.flows import subscribe
from digest.store import subscribers
from digest.store.schema import notice
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp, Subscriber
from digest.web import guard, server
from digest.web.app import create_app
from digest.web.server import listen
from digest.wiring import App, open_app

ANN = EmailAddress("ann@example.org")
HOST = "papers.example.org"
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"
Ask = Callable[..., Any]


@pytest.fixture
def ann(app: App) -> Subscriber:
    """A reader."""
    sign_up = SignUp(ANN, "Ann")
    return subscribe.subscribe(app.store, app.clock.now(), sign_up, confirmed=True, public_url=None, source="a test").subscriber


@pytest.fixture
def token(app: App) -> str:
    """Of a confirmation that is under way to Ann."""
    url = f"https://{HOST}"
    subscribe.subscribe(app.store, app.clock.now(), SignUp(ANN), confirmed=False, public_url=url, source="a test")
    with app.store.read() as connection:
        content = connection.execute(select(notice.c.content)).scalar_one()
    return str(content["confirm_url"]).removeprefix(f"{url}/confirm/")


def test_arxiv_is_thanked_where_it_is_asked_for_papers(
    tmp_path: Path, serving: Callable[[App], AbstractContextManager[Ask]]
) -> None:
    """In its own words (info.arxiv.org/help/api/tou)."""
    thanks = "Thank you to arXiv for use of its open access interoperability."
    for name, enabled in (("with", True), ("without", False)):
        asked = {"sources.arxiv_oai.enabled": enabled, "sources.arxiv_oai.categories": ["cs.LG"]}
        (tmp_path / name).mkdir()
        app = open_app(home=tmp_path / name, environ={"DIGEST_SITE__PUBLIC_URL": f"https://{HOST}"}, overrides=asked)
        with closing(app), serving(app) as ask:
            for path in ("/", "/archive", "/nowhere"):
                assert (thanks in ask("GET", path).body) is enabled


def state(app: App) -> str:
    with app.store.read() as connection:
        found = subscribers.by_address(connection, ANN)
    assert found is not None
    return found.state


def nameless(body: str) -> str:
    """A page without the token by which it is undone."""
    return re.sub(r"/undo/[A-Za-z0-9_.-]{59}\"", "/undo/…", body)


def test_a_get_of_any_page_changes_nothing(app: App, web: Ask, ann: Subscriber) -> None:
    bob = SignUp(EmailAddress("bob@example.org"))
    subscribe.subscribe(app.store, app.clock.now(), bob, confirmed=False, public_url=f"https://{HOST}", source="a test")
    with app.store.read() as connection:
        url = connection.execute(select(notice.c.content)).scalar_one()["confirm_url"]
    before = everything(app)
    for path in (f"/u/{ann.token}", "/confirm/" + url.rpartition("/")[2], "/healthz", "/u/x", "/confirm/x", "/nothing"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            web(method, path)
            web(method, f"{path}?List-Unsubscribe=One-Click")
    assert everything(app) == before


def test_the_way_out_is_one_button(web: Ask, ann: Subscriber) -> None:
    page = web("GET", f"/u/{ann.token}")
    assert page.status == 200
    assert page.body.count("<form") == page.body.count("<button") == 1
    assert f'<form method="post" action="/u/{ann.token}"' in page.body
    # Whoever finds a forwarded mail learns nothing of its reader.
    assert "example.org" not in page.body.replace(HOST, "")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ONE_CLICK, {"Content_Type": FORM}),
        (
            '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            {"Content_Type": "multipart/form-data; boundary=b"},
        ),
        ("", {"Content_Type": FORM}),
        (None, {}),
        (ONE_CLICK, {"Content_Type": FORM, "Origin": "https://mail.example", "Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_one_click_takes_effect_before_it_is_answered(
    app: App, web: Ask, ann: Subscriber, body: str | None, headers: dict[str, str]
) -> None:
    answer = web("POST", f"/u/{ann.token}", body, **headers)
    assert state(app) == "unsubscribed"
    assert answer.status == 200
    assert not {"location", "set-cookie"} & answer.headers.keys()


def test_a_second_click_is_answered_like_the_first(app: App, web: Ask, ann: Subscriber) -> None:
    first = web("POST", f"/u/{ann.token}", ONE_CLICK)
    assert web("POST", f"/u/{ann.token}", ONE_CLICK).body == first.body
    with app.store.read() as connection:
        assert len(connection.execute(select(notice.c.id).where(notice.c.kind == "goodbye")).all()) == 1


@pytest.mark.parametrize(
    "made_up", ["x" * 22, "x", "%00", "..%2f..%2fetc", "%ff%fe", "x" * 3000, "'\"><script>alert(1)</script>"]
)
def test_nobody_learns_whether_a_token_is_known(app: App, web: Ask, ann: Subscriber, made_up: str) -> None:
    known = web("POST", f"/u/{ann.token}", ONE_CLICK)
    made_up = made_up.replace(" ", "%20").replace('"', "%22")
    answer = web("POST", f"/u/{made_up}", ONE_CLICK)
    if "%2f" not in made_up and "</" not in made_up:
        assert (answer.status, nameless(answer.body)) == (known.status, nameless(known.body))
        assert web("GET", f"/u/{made_up}").status == 200
    assert "<script" not in web("GET", f"/u/{made_up}").body


def test_confirming_is_one_button_too(app: App, web: Ask, token: str) -> None:
    page = web("GET", f"/confirm/{token}")
    assert page.status == 200
    assert f'<form method="post" action="/confirm/{token}"' in page.body
    assert state(app) == "pending"
    done = web("POST", f"/confirm/{token}", "")
    assert done.status == 200
    assert "a***@example.org" in done.body
    assert "Your first digest comes on" in done.body
    assert state(app) == "active"


def test_confirming_again_is_answered_alike_and_mails_nothing(app: App, web: Ask, token: str) -> None:
    first = web("POST", f"/confirm/{token}", "")
    before = kept(app)
    again = web("POST", f"/confirm/{token}", "")
    assert (again.status, again.body) == (200, first.body)
    assert "<form" not in web("GET", f"/confirm/{token}").body
    assert kept(app) == before


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("made_up", ["x" * 22, "x", "%00"])
def test_a_confirmation_that_is_not_valid_says_so(web: Ask, method: str, made_up: str) -> None:
    answer = web(method, f"/confirm/{made_up}")
    assert answer.status == 404
    assert "not valid any more" in answer.body


def test_the_unsubscribe_token_confirms_nobody(app: App, web: Ask, token: str) -> None:
    with app.store.read() as connection:
        reader = subscribers.by_address(connection, ANN)
    assert reader is not None
    assert web("POST", f"/confirm/{reader.token}").status == 404
    assert web("POST", f"/u/{token}").status == 200
    assert state(app) == "pending"


def test_the_process_says_that_it_lives(web: Ask) -> None:
    answer = web("GET", "/healthz")
    assert (answer.status, answer.body) == (200, "ok\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/u/", 404),
        ("GET", "/u/a/b", 404),
        ("POST", "/healthz", 405),
        ("PUT", f"/u/{'x' * 22}", 405),
    ],
)
def test_what_is_not_there_has_a_page_of_ours(web: Ask, method: str, path: str, status: int) -> None:
    answer = web(method, path)
    assert answer.status == status
    assert "<title>" in answer.body
    if status == 405:
        assert "GET" in answer.headers["allow"]


def test_every_answer_carries_the_security_headers(web: Ask, ann: Subscriber) -> None:
    for method, path in (("GET", f"/u/{ann.token}"), ("GET", "/healthz"), ("GET", "/nothing"), ("POST", "/healthz")):
        headers = web(method, path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-") or path == "/healthz"
        assert "script-src" not in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert "server" not in headers


def test_the_policy_allows_the_one_style_of_the_page(web: Ask, ann: Subscriber) -> None:
    page = web("GET", f"/u/{ann.token}")
    (style,) = re.findall(r"<style>(.*?)</style>", page.body, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in page.headers["content-security-policy"]
    assert "<script" not in page.body
    assert not re.search(r"\sstyle=|\son\w+=", page.body)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_a_token_are_neither_kept_nor_found_nor_told_on(web: Ask, ann: Subscriber, method: str) -> None:
    headers = web(method, f"/u/{ann.token}").headers
    assert headers["cache-control"] == "no-store"
    assert "noindex" in headers["x-robots-tag"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "papers.example.org.evil.example", "", "[::1", "a@papers.example.org"])
def test_it_answers_for_no_other_host(app: App, web: Ask, ann: Subscriber, host: str) -> None:
    answer = web("POST", f"/u/{ann.token}", ONE_CLICK, Host=host)
    assert answer.status in (400, 421)
    assert state(app) == "active"
    assert "location" not in answer.headers


@pytest.mark.parametrize("host", ["Papers.Example.org:443", "papers.example.org.", "localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_it_answers_for_its_own_names_in_any_spelling(web: Ask, host: str) -> None:
    assert web("GET", "/healthz", Host=host).status == 200


def test_what_a_proxy_says_of_another_host_is_not_believed(web: Ask, ann: Subscriber) -> None:
    page = web(
        "GET", f"/u/{ann.token}", X_Forwarded_Host="evil.example", X_Forwarded_Proto="http", Forwarded="host=evil.example"
    )
    assert page.status == 200
    assert "evil.example" not in page.body + str(page.headers)


def test_a_body_over_64_kb_is_refused_before_it_is_acted_on(app: App, web: Ask, ann: Subscriber) -> None:
    refused = web("POST", f"/u/{ann.token}", b"x" * 65_537, Content_Type=FORM)
    assert (refused.status, refused.headers["connection"]) == (413, "close")
    assert "<h1>That is too much at once</h1>" in refused.body
    assert web("POST", "/api/v1/search", b"x" * 65_537).headers["content-type"] == "application/problem+json"
    assert state(app) == "active"
    assert web("POST", f"/u/{ann.token}", b"x" * 65_536, Content_Type=FORM).status == 200


def test_a_body_without_a_length_is_counted_too(app: App, web: Ask, ann: Subscriber) -> None:
    def endless() -> Iterator[bytes]:
        yield from [b"x" * 8192] * 9

    answer = web("POST", f"/u/{ann.token}", endless())
    assert answer.status == 413
    assert state(app) == "active"


def test_half_a_request_is_none(app: App, web: Ask, ann: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_WITHIN", 0.05)
    answer = web("POST", f"/u/{ann.token}", b"List", Content_Length="26")
    assert answer.status == 408
    assert "<h1>That came too slowly</h1>" in answer.body
    assert state(app) == "active"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: papers"])
def test_who_asks_for_nothing_is_not_waited_for(app: App, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(server, "HEAD_WITHIN", 0.05)
    port = free_port()
    with served(app, port), socket.create_connection(("127.0.0.1", port), timeout=5) as silent:
        silent.sendall(sent)
        assert silent.recv(1) == b""


def test_who_got_an_answer_and_then_asks_by_halves_is_not_waited_for_either(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_WITHIN", 0.3)
    port = free_port()
    with served(app, port), socket.create_connection(("127.0.0.1", port), timeout=5) as slow, slow.makefile("rb") as answers:
        for _ in range(2):
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: papers\r\n\r\n")
            head = b"".join(iter(answers.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 ")
            answers.read(int(head.lower().split(b"content-length: ")[1].split()[0]))
        slow.sendall(b"GET / HTTP/1.1\r\nHost: papers")
        assert answers.read(1) == b""


def test_the_log_names_no_token_and_no_address(
    app: App, serving: Callable[..., Any], ann: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(app) as web:
        web("POST", f"/u/{ann.token}?t={ann.token}", ONE_CLICK)
        web("GET", "/confirm/" + "y" * 22)
        web("GET", f"/{ann.token}")
    lines = [record.getMessage() for record in caplog.records if record.name == "digest.web.guard"]
    assert sorted(re.sub(r"\d+ ms", "N ms", line) for line in lines if "healthz" not in line) == [
        "GET /confirm/… 404 N ms",
        "GET /… 404 N ms",
        "POST /u/… 200 N ms",
    ]
    assert ann.token not in caplog.text
    assert "ann@example.org" not in caplog.text


def test_a_locked_database_asks_the_visitor_to_come_again(app: App, web: Ask, ann: Subscriber) -> None:
    app.store.engine.dispose()
    listening.listen(app.store.engine, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout=10"))
    with app.store.engine.connect() as holder:
        holder.execution_options(writes=True)
        with holder.begin():
            answer = web("POST", f"/u/{ann.token}", ONE_CLICK)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "60"
    assert "Nothing was changed" in answer.body
    assert state(app) == "active"
    assert web("POST", f"/u/{ann.token}", ONE_CLICK).status == 200


@dataclass(frozen=True)
class Broken:
    """Stands for an application whose database fails in a way that nobody foresaw."""

    app: App

    def __getattr__(self, name: str) -> Any:
        if name == "store":
            raise RuntimeError("this is a secret of the machine")
        return getattr(self.app, name)


def test_what_nobody_foresaw_is_told_in_general_words(app: App, ann: Subscriber, serving: Callable[..., Any]) -> None:
    with serving(Broken(app)) as web:
        answer = web("POST", f"/u/{ann.token}")
    assert answer.status == 500
    assert "Something broke" in answer.body
    assert "secret" not in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_below_a_path_the_pages_answer_with_and_without_it(tmp_path: Path, serving: Callable[..., Any]) -> None:
    app = open_app(home=tmp_path, environ={"DIGEST_SITE__PUBLIC_URL": f"http://{HOST}/mail"})
    with closing(app), serving(app) as web:
        token = "x" * 22
        for path in (f"/mail/u/{token}", f"/u/{token}"):
            assert f'action="/mail/u/{token}"' in web("GET", path).body
            assert web("POST", path, ONE_CLICK).status == 200
        for path in ("/mail", "/mail/", "/"):
            assert 'action="/mail/subscribe"' in web("GET", path).body
        assert web("GET", "/mailbox").status == 404
        assert "strict-transport-security" not in web("GET", "/mail/healthz").headers


def test_without_a_public_address_there_is_no_web(tmp_path: Path) -> None:
    with closing(open_app(home=tmp_path, environ={})) as app, pytest.raises(ConfigurationError, match=r"site\.public_url"):
        create_app(app)


@pytest.mark.parametrize(
    ("bind", "error"),
    [("nowhere", ConfigurationError), ("192.0.2.1:8000", ConfigurationError), ("no-such-host.invalid:80", ConfigurationError)],
)
def test_an_address_that_is_not_ours_is_refused(bind: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        listen(bind)


def test_a_port_that_is_taken_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1:0") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Busy) as caught:
            listen(f"127.0.0.1:{port}")
    assert str(port) in str(caught.value)
    assert "web.bind" in caught.value.fix


def test_it_ends_well_when_it_is_told_to(tmp_path: Path) -> None:
    with listen("127.0.0.1:0") as probe:
        port = probe.getsockname()[1]
    environ = {**os.environ, "DIGEST_HOME": str(tmp_path), "DIGEST_SITE__PUBLIC_URL": f"https://{HOST}"}
    environ["DIGEST_WEB__BIND"] = f"127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-m", "digest", "web"], stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stderr is not None
        assert "answering on" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert "Traceback" not in process.stderr.read()
        assert process.wait(30) == 0
