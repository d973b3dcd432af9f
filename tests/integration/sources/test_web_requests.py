"""What goes out to a server, and how many at a time."""

import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.website import XML, Answer, Asked, Website

from digest import __version__
from digest.errors import ConfigurationError
from digest.sources.web import Web
from digest.sources.web.connecting import connect


def test_the_body_comes_as_it_is(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer({"body": b'[{"a": 1}]\n'})
    at = open_web().at(site.url, source="example")
    assert at.get("/papers", {"date": "2026-03-02", "q": "a b"}, asked="The site") == b'[{"a": 1}]\n'
    assert site.paths == ["/papers?date=2026-03-02&q=a+b"]
    assert hourglass.waits == []


def test_a_request_says_who_asks_for_what_and_nothing_else(site: Website, open_web: Any) -> None:
    site.will_answer({}, {"body": b"<feed/>", "headers": XML})
    at = open_web().at(site.url, source="example", headers={"X-Api-Key": "sesame"})
    at.get("/", asked="The site")
    at.get("/", kind="xml", asked="The site")
    json_headers, xml_headers = ({name.lower(): text for name, text in asked.headers.items()} for asked in site.requests)
    assert json_headers == {
        "host": site.url.removeprefix("http://"),
        "user-agent": f"trending-papers-digest/{__version__}",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "x-api-key": "sesame",
    }
    assert "application/atom+xml" in xml_headers["accept"]


def test_a_question_can_be_posted(site: Website, open_web: Any) -> None:
    site.will_answer({"body": b"[1]"})
    at = open_web().at(site.url, source="example")
    assert at.post("/batch", {"ids": ["ü", "b"]}, {"fields": "title"}, asked="The site") == b"[1]"
    (asked,) = site.requests
    assert (asked.method, asked.path, asked.headers["Content-Type"]) == ("POST", "/batch?fields=title", "application/json")
    assert json.loads(asked.body) == {"ids": ["ü", "b"]}


def test_no_cookie_is_ever_sent_back(site: Website, open_web: Any) -> None:
    site.will_answer({"headers": {"Content-Type": "application/json", "Set-Cookie": "id=1; Path=/"}})
    at = open_web().at(site.url, source="example")
    at.get("/", asked="The site")
    at.get("/", asked="The site")
    assert [asked.headers["Cookie"] for asked in site.requests] == [None, None]


def test_the_environment_neither_leads_elsewhere_nor_adds_a_password(
    site: Website, open_web: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password sesame\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    open_web().at(site.url, source="example").get("/", asked="The site")
    assert site.requests[0].headers["Authorization"] is None


def test_requests_in_a_row_share_a_connection(site: Website, open_web: Any) -> None:
    at = open_web().at(site.url, source="example")
    for _ in range(3):
        at.get("/", asked="The site")
    assert [asked.connection for asked in site.requests] == [1, 1, 1]


def test_a_name_is_looked_up_and_its_next_address_tried_when_one_is_dead(site: Website, open_web: Any) -> None:
    looked_up = []

    def resolve(host: str) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.2", "127.0.0.1"]

    at = open_web(resolve=resolve).at(f"http://papers.example.org:{site.port}", source="example")
    assert at.get("/", asked="The site") == b"[]"
    assert looked_up == ["papers.example.org"]
    assert site.requests[0].headers["Host"] == f"papers.example.org:{site.port}"


def test_an_ipv6_address_can_be_written_as_the_base(site: Website, open_web: Any) -> None:
    asked = []

    async def connect_here(address: str, port: int, seconds: float | None) -> Any:
        asked.append((address, port))
        return await connect("127.0.0.1", site.port, seconds)

    open_web(connect=connect_here).at("http://[::1]:8080", source="example").get("/", asked="The site")
    assert asked == [("::1", 8080)]
    assert site.requests[0].headers["Host"] == "[::1]:8080"


def test_a_key_that_no_header_can_carry_is_the_operators_mistake(open_web: Any) -> None:
    for key in ("se\nsame", "sesame ", "", "sésame"):
        with pytest.raises(ConfigurationError, match="x is to send as X-Api-Key") as caught:
            open_web().at("http://127.0.0.1", source="x", headers={"X-Api-Key": key})
        assert "sources.x" in caught.value.fix
        assert "same" not in str(caught.value)


def test_nothing_secret_is_logged(site: Website, open_web: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    at = open_web().at(site.url, source="example", headers={"X-Api-Key": "sesame-1"}, secrets={"key": "sesame-2"})
    at.get("/", asked="The site")
    assert site.paths == ["/?key=sesame-2"]
    assert "sesame" not in caplog.text


class Crowd:
    """A page whose answers wait for company, and then as long as one too many would take; `most` were there at once."""

    def __init__(self, enough: int) -> None:
        self.enough, self.here, self.most = enough, 0, 0
        self.changed = threading.Condition()

    def __call__(self, _asked: Asked) -> Answer:
        with self.changed:
            self.here += 1
            self.most = max(self.most, self.here)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.enough, timeout=10)
            self.changed.wait_for(lambda: self.most > self.enough, timeout=0.05)
            self.here -= 1
        return Answer()


def ask_from_threads(web: Web, threads: int, *sites: Any) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for asked in [pool.submit(sites[number % len(sites)].get, "/", asked="The site") for number in range(threads)]:
            assert asked.result() == b"[]"


def test_only_so_many_requests_run_at_once_over_all_sources(site: Website, open_web: Any) -> None:
    site.respond = crowd = Crowd(enough=2)
    web = open_web(at_once=2)
    ask_from_threads(web, 6, web.at(site.url, source="a"), web.at(site.url, source="b"))
    assert crowd.most == 2


def test_requests_of_one_pace_go_one_at_a_time_whoever_makes_them(site: Website, open_web: Any) -> None:
    site.respond = crowd = Crowd(enough=1)
    web = open_web(at_once=4)
    ask_from_threads(web, 4, web.at(site.url, source="a", pace="slow"), web.at(site.url, source="b", pace="slow"))
    assert crowd.most == 1
    assert {asked.connection for asked in site.requests} == {1}


def test_a_gap_is_kept_from_the_end_of_one_request_to_the_start_of_the_next(
    site: Website, open_web: Any, hourglass: Any
) -> None:
    def answer(_asked: Asked) -> Answer:
        hourglass.shown += 10
        return Answer()

    site.respond = answer
    at = open_web().at(site.url, source="a", pace="slow", gap=3.0)
    for _ in range(3):
        at.get("/", asked="The site")
    assert hourglass.waits == [3.0, 3.0, 3.0]


def test_a_gap_that_has_passed_is_not_waited_for_again(site: Website, open_web: Any, hourglass: Any) -> None:
    at = open_web().at(site.url, source="a", pace="slow", gap=3.0)
    for waited in (5.0, 2.0, 7.0):
        hourglass.shown += waited
        at.get("/", asked="The site")
    assert hourglass.waits == [1.0]


def test_sources_of_one_pace_keep_the_gap_between_them(site: Website, open_web: Any, hourglass: Any) -> None:
    web = open_web()
    first, second, other = (
        web.at(site.url, source=name, pace=pace, gap=3.0) for name, pace in [("a", "x"), ("b", "x"), ("c", "y")]
    )
    first.get("/", asked="The site")
    assert hourglass.waits == [3.0]
    second.get("/", asked="The site")
    assert hourglass.waits == [3.0, 3.0]
    other.get("/", asked="The site")
    assert hourglass.waits == [3.0, 3.0]


def test_a_failed_request_counts_for_the_gap_too(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer({"status": 503}, {})
    open_web().at(site.url, source="a", pace="slow", gap=5.0).get("/", asked="The site")
    assert hourglass.waits == [5.0, 5.0]


def test_a_client_that_is_never_used_loads_no_http_library() -> None:
    script = (
        "import sys, threading; from digest.sources.web import Web\n"
        "with Web() as web: site = web.at('https://example.org', source='x'); site.remaining()\n"
        "print(threading.active_count(), [name for name in ('httpx2', 'httpcore2', 'anyio', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "1 []\n"
