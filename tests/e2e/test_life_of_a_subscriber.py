"""From the first word to the last: a reader signs up, confirms, reads, and leaves with one click."""

import email.policy
import re
from datetime import timedelta
from urllib.parse import urlsplit

import httpx2
from support.operator import Operator
from support.sink import Sink, free_port
from support.site import MONDAY
from support.waiting import until

ANN = "ann@example.org"


def test_the_life_of_a_subscriber(operator: Operator, sink: Sink) -> None:
    port = free_port()
    operator.set(site__public_url=f"http://localhost:{port}", web__bind=f"127.0.0.1:{port}")
    signed_up = MONDAY - timedelta(hours=12)
    web = operator.start("web", now=signed_up)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as browser:
        until(lambda: _answers(browser), "the web part")

        operator.call("subscribers", "add", ANN, "--hour", "7", now=signed_up)
        operator.call("deliver", now=signed_up)
        (confirm,) = _inbox(sink)
        assert confirm.startswith("Confirm")
        link = _link(sink, "/confirm/")
        # A scanner follows every link, and nothing happens.
        assert ANN.partition("@")[0] not in browser.get(link).text
        assert _state(operator) == "pending"
        assert browser.post(link).status_code == 200
        assert _state(operator) == "active"
        operator.call("deliver", now=signed_up + timedelta(minutes=1))
        assert _inbox(sink)[1].startswith("Welcome")

        operator.call("run", now=MONDAY)
        assert len(_inbox(sink)) == 2
        operator.call("run", now=MONDAY + timedelta(hours=1))
        assert len(_inbox(sink)) == 3
        digest = sink.accepted[2].message
        assert digest["List-Id"].endswith("<daily.localhost>")

        way_out = _path(str(digest["List-Unsubscribe"]).strip("<>"))
        assert browser.get(way_out).status_code == 200
        assert _state(operator) == "active"
        clicked = browser.post(way_out, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status_code == 200
        assert "location" not in clicked.headers
        assert _state(operator) == "unsubscribed"

    operator.call("deliver", now=MONDAY + timedelta(hours=1, minutes=1))
    assert _inbox(sink)[3].startswith("You have left")
    for day in (1, 2, 7):
        done = operator.call("run", "--json", now=MONDAY + timedelta(days=day, hours=2))
        assert done.json["deliveries"]["states"] == {}
    assert len(_inbox(sink)) == 4
    kinds = [event["kind"] for event in operator.call("subscribers", "history", ANN, "--json").json["events"]]
    assert kinds == ["subscribed", "confirmed", "unsubscribed"]

    web.terminate()
    _, log = web.communicate(timeout=30)
    assert web.returncode == 0
    assert urlsplit(way_out).path.rpartition("/")[2] not in log


def _answers(browser: httpx2.Client) -> bool:
    try:
        return browser.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def _inbox(sink: Sink) -> list[str]:
    """The subjects of Ann's mails, in order; nobody else has any."""
    assert {one.recipient for one in sink.accepted} <= {ANN}
    return [str(email.message_from_bytes(one.content, policy=email.policy.default)["Subject"]) for one in sink.accepted]


def _link(sink: Sink, path: str) -> str:
    text = sink.accepted[-1].message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = re.search(rf"http://localhost:[0-9]+{path}\S+", text)
    assert found
    return _path(found[0])


def _path(url: str) -> str:
    return urlsplit(url).path


def _state(operator: Operator) -> str:
    state: str = operator.call("subscribers", "show", ANN, "--json").json["state"]
    return state
