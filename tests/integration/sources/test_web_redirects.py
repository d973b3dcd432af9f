"""Servers that send us elsewhere: to where the source may go, and to where nobody should."""

from collections.abc import Sequence
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest
from support.website import Website, raw

from digest.errors import ServerUnavailable
from digest.sources.web import HttpError
from digest.sources.web.connecting import connect

INTERNET = "93.184.215.14"


class Wires:
    """All connections of a client end at one local server, whichever address they go to; `made` are those addresses.

    Names have the addresses of `names`, one set after the other each time they are looked up, or else themselves.
    """

    def __init__(self, site: Website, names: dict[str, list[Sequence[str]]] | None = None) -> None:
        self.made: list[tuple[str, int]] = []
        self._site, self._names = site, names or {}

    def resolve(self, host: str) -> Sequence[str]:
        known = self._names.get(host)
        if known is None:
            return [host]
        return known.pop(0) if len(known) > 1 else known[0]

    async def connect(self, address: str, port: int, seconds: float | None) -> Any:
        self.made.append((address, port))
        return await connect("127.0.0.1", self._site.port, seconds)


def to(location: str, status: int = 302) -> dict[str, Any]:
    return {"status": status, "headers": {"Location": location}}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_operators_own_origin_is_followed(site: Website, open_web: Any, status: int) -> None:
    site.will_answer(to("/new?x=1", status), {"body": b"[1]"})
    assert open_web().at(site.url, source="example").get("/old", asked="The site") == b"[1]"
    assert site.paths == ["/old", "/new?x=1"]


def test_credentials_go_along_within_the_operators_own_origin(site: Website, open_web: Any) -> None:
    site.will_answer(to("/new?x=1"), to(f"{site.url}/newer?key=sesame"), {})
    at = open_web().at(site.url, source="example", headers={"X-Api-Key": "open"}, secrets={"key": "sesame"})
    at.get("/old", {"q": "a"}, asked="The site")
    assert site.paths == ["/old?q=a&key=sesame", "/new?x=1&key=sesame", "/newer?key=sesame"]
    assert [asked.headers["X-Api-Key"] for asked in site.requests] == ["open"] * 3


def test_a_redirect_may_be_written_in_any_alphabet(site: Website, open_web: Any) -> None:
    for location in ("/höher".encode(), b"/h%C3%B6her", "/höher".encode("latin-1")):
        site.will_answer({"write": raw(b"HTTP/1.1 302 Found\r\nLocation: %b\r\n\r\n" % location)}, {})
        open_web().at(site.url, source="example").get("/old", asked="The site")
    assert site.paths == ["/old", "/h%C3%B6her"] * 3


def test_at_most_three_redirects_are_followed(site: Website, open_web: Any) -> None:
    site.will_answer(to("/1"), to("/2"), to("/3"), {"body": b"[1]"})
    at = open_web().at(site.url, source="example")
    assert at.get("/0", asked="The site") == b"[1]"
    site.will_answer(to("/loop"))
    with pytest.raises(HttpError, match="The site: it redirects more than 3 times") as caught:
        at.get("/loop", asked="The site")
    assert caught.value.status == 302
    assert len(site.paths) == 4 + 4


def test_the_gap_of_a_pace_is_kept_before_a_redirect_is_followed(site: Website, open_web: Any, hourglass: Any) -> None:
    site.will_answer(to("/new"), {})
    open_web().at(site.url, source="example", pace="slow", gap=3.0).get("/old", asked="The site")
    assert hourglass.waits == [3.0, 3.0]


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://127.0.0.1:{other}/", r"^The site: it redirects to http://127\.0\.0\.1:\d+/$"),
        ("http://127.0.0.1/", r"redirects to http://127\.0\.0\.1/"),
        ("http://localhost:{port}/", "redirects to http://localhost"),
        ("https://127.0.0.1:{port}/", r"redirects to https://127\.0\.0\.1"),
        ("http://169.254.169.254/latest/meta-data", "redirects to http://169"),
        ("http://[::ffff:127.0.0.1]:{port}/", "redirects to http://"),
        ("//10.0.0.1/", r"redirects to http://10\.0\.0\.1"),
        ("file:///etc/passwd", "which is no web address"),
        ("gopher://127.0.0.1:{port}/_x", "which is no web address"),
        ("http://somebody:secret@127.0.0.1:{port}/", "with a user name in it"),
        ("http://127.0.0.1:{port}\\@localhost/", "what is no address"),
        ("", "without saying where"),
    ],
)
def test_a_redirect_to_anywhere_else_is_refused(site: Website, open_web: Any, location: str, says: str) -> None:
    with Website() as other:
        site.will_answer(to(location.format(port=site.port, other=other.port)))
        with pytest.raises(HttpError, match=says) as caught:
            open_web().at(site.url, source="example", hosts=("papers.example.org",)).get("/", asked="The site")
        assert (caught.value.status, site.paths, other.paths) == (302, ["/"], [])


def test_a_redirect_to_another_scheme_tells_the_operator_what_to_write(site: Website, open_web: Any) -> None:
    wires = Wires(site, {"papers.example.org": [[INTERNET]]})
    site.will_answer(to("https://papers.example.org/api"))
    web = open_web(resolve=wires.resolve, connect=wires.connect)
    with pytest.raises(HttpError, match=r"The site: it redirects to https://papers\.example\.org/api") as caught:
        web.at("http://papers.example.org", source="example", hosts=("papers.example.org",)).get("/api", asked="The site")
    assert caught.value.fix == "if that is where it has moved to, write that in sources.example.url"


def test_a_redirect_to_a_host_of_the_source_is_followed_without_credentials(site: Website, open_web: Any) -> None:
    wires = Wires(site, {"mirror.example.org": [[INTERNET]]})
    site.will_answer(to("http://mirror.example.org/new"), {"body": b"[1]"})
    at = open_web(resolve=wires.resolve, connect=wires.connect).at(
        "http://10.0.0.5:8080",
        source="example",
        hosts=("mirror.example.org",),
        headers={"Authorization": "Bearer open", "X-Api-Key": "sesame-1"},
        secrets={"key": "sesame-2"},
    )
    assert at.get("/old", asked="The site") == b"[1]"
    assert wires.made == [("10.0.0.5", 8080), (INTERNET, 80)]
    assert site.paths == ["/old?key=sesame-2", "/new"]
    assert site.requests[1].headers["Host"] == "mirror.example.org"
    assert "sesame" not in str(site.requests[1].headers)
    assert site.requests[1].headers["Authorization"] is None


@pytest.mark.parametrize("query", ["?key=sesame-2", "?k=a&other=sesame-2"])
def test_a_redirect_that_would_hand_on_the_key_is_refused(site: Website, open_web: Any, query: str) -> None:
    wires = Wires(site, {"mirror.example.org": [[INTERNET]]})
    site.will_answer(to(f"http://mirror.example.org/new{query}"))
    at = open_web(resolve=wires.resolve, connect=wires.connect).at(
        site.url, source="example", hosts=("mirror.example.org",), secrets={"key": "sesame-2"}
    )
    with pytest.raises(HttpError, match="would hand on the key") as caught:
        at.get("/old", asked="The site")
    assert len(site.paths) == 1
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], [INTERNET, "192.168.1.1"], ["64:ff9b::7f00:1"], ["fd00:ec2::254"], ["fe80::1%lo"]],
)
def test_a_host_of_the_source_with_any_private_address_is_not_asked(site: Website, open_web: Any, addresses: list[str]) -> None:
    wires = Wires(site, {"mirror.example.org": [addresses]})
    site.will_answer(to("http://mirror.example.org/new"))
    at = open_web(resolve=wires.resolve, connect=wires.connect).at(site.url, source="example", hosts=("mirror.example.org",))
    with pytest.raises(HttpError, match=r"mirror\.example\.org has the address \S+, which is not public"):
        at.get("/old", asked="The site")
    assert len(wires.made) == len(site.paths) == 1


def test_a_name_that_changes_its_address_in_between_leads_nowhere_else(site: Website, open_web: Any) -> None:
    wires = Wires(site, {"mirror.example.org": [[INTERNET], ["127.0.0.1"]]})
    site.will_answer(to("http://mirror.example.org/new"), {"body": b"[1]"})
    at = open_web(resolve=wires.resolve, connect=wires.connect).at(site.url, source="example", hosts=("mirror.example.org",))
    assert at.get("/old", asked="The site") == b"[1]"
    assert wires.made[1:] == [(INTERNET, 80)]


def test_an_address_that_one_source_may_ask_is_not_open_to_the_redirects_of_another(site: Website, open_web: Any) -> None:
    wires = Wires(site, {"papers.example.org": [["127.0.0.1"]]})
    web = open_web(resolve=wires.resolve, connect=wires.connect)
    web.at("http://papers.example.org", source="own").get("/", asked="The site")
    site.will_answer(to("http://papers.example.org/inside"))
    with pytest.raises(HttpError, match="not public"):
        web.at("http://elsewhere.example.net", source="other", hosts=("papers.example.org",)).get("/", asked="The site")
    assert site.paths == ["/", "/"]


def test_a_redirect_of_a_posted_question_is_never_followed(site: Website, open_web: Any) -> None:
    site.will_answer(to("/new", 308))
    with pytest.raises(HttpError, match=r"it redirects to http://127\.0\.0\.1:\d+/new") as caught:
        open_web().at(site.url, source="example").post("/old", [], asked="The site")
    assert "sources.example.url" in caught.value.fix
    assert site.paths == ["/old"]


@pytest.mark.usefixtures("trusted")
def test_over_tls_the_server_proves_the_name_that_was_asked_for(tls: SSLContext, open_web: Any) -> None:
    with Website(tls=tls) as site:
        wires = Wires(site, {"localhost": [[INTERNET]], "papers.example.org": [[INTERNET]]})
        web = open_web(resolve=wires.resolve, connect=wires.connect)
        at = web.at(f"https://127.0.0.1:{site.port}", source="example", hosts=("localhost", "papers.example.org"))
        site.will_answer(to("https://localhost/new"), {"body": b"[1]"}, to("https://papers.example.org/new"))
        assert at.get("/old", asked="The site") == b"[1]"
        assert wires.made == [("127.0.0.1", site.port), (INTERNET, 443)]
        assert site.requests[1].headers["Host"] == "localhost"
        with pytest.raises(ServerUnavailable, match="its certificate is not trusted: Hostname mismatch"):
            at.get("/old", asked="The site")
        assert len(site.paths) == 3 + 2


def test_a_certificate_that_nobody_vouches_for_is_named_as_the_cause(data: Path, tls: SSLContext, open_web: Any) -> None:
    with Website(tls=tls) as site, pytest.raises(ServerUnavailable, match="The site: its certificate is not trusted: self"):
        open_web().at(site.url, source="example").get("/", asked="The site")
    assert site.paths == []
