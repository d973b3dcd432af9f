"""Who enters the operator's pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from starlette.requests import Request
from starlette.responses import Response

from digest.clock import SteppedClock
from digest.settings.web import WebSettings
from digest.tokens import Signer
from digest.web.entry import BY_TOKEN, LASTS, SESSION, Entry
from digest.web.visitors import Visitors

TOKEN = "a-token-of-more-than-thirty-two-characters"
SIGNER = Signer(["k" * 40])
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def entry(now: datetime = NOW, signer: Signer = SIGNER, **web: Any) -> Entry:
    settings = WebSettings.model_validate({"operator_token": TOKEN, **web})
    return Entry(settings, Visitors(settings.trusted_proxies, signer), signer, SteppedClock(now))


def request(*headers: tuple[str, str], client: str = "198.51.100.7") -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers]
    return Request({"type": "http", "headers": raw, "client": (client, 1)})


def given_cookie(at: datetime = NOW) -> str:
    response = Response()
    entry(at).let_in(response)
    return response.headers["set-cookie"]


def session(at: datetime = NOW) -> tuple[str, str]:
    return "cookie", given_cookie(at).partition(";")[0]


def test_what_lets_in_is_for_this_host_alone_and_no_script_sees_it() -> None:
    name, *attributes = given_cookie().split("; ")
    assert name.startswith(f"{SESSION}=")
    assert SESSION.startswith("__Host-")
    assert {one.lower() for one in attributes} >= {"secure", "httponly", "samesite=strict", "path=/", f"max-age={LASTS}"}
    assert "domain" not in given_cookie().lower()
    assert TOKEN not in name


def test_who_was_let_in_stays_in_for_twelve_hours() -> None:
    cookie = session()
    assert entry(NOW + timedelta(hours=11, minutes=59)).who(request(cookie)) == BY_TOKEN
    assert entry(NOW + timedelta(hours=12, seconds=1)).who(request(cookie)) is None


def test_a_new_token_or_another_key_ends_what_was_given() -> None:
    cookie = session()
    assert entry(operator_token=TOKEN + "2").who(request(cookie)) is None
    assert entry(signer=Signer(["other" * 10])).who(request(cookie)) is None
    assert entry(signer=Signer(["new" * 20, "k" * 40])).who(request(cookie)) == BY_TOKEN


def test_without_a_token_nothing_that_was_given_counts() -> None:
    cookie = session()
    closed = entry(operator_token=None)
    assert closed.who(request(cookie)) is None
    assert not closed.opens("")


def test_nobody_gives_himself_more_time() -> None:
    name, value = session()
    until, _, signature = value.removeprefix(f"{SESSION}=").partition("-")
    longer = f"{SESSION}={int(until) + 1}-{signature}"
    assert entry().who(request((name, longer))) is None


@given(some.text(some.characters(codec="latin-1"), max_size=60))
def test_what_was_made_up_lets_nobody_in(made_up: str) -> None:
    assert entry().who(request(("cookie", f"{SESSION}={made_up}"))) is None
    assert entry().who(request(("authorization", f"Bearer {made_up}"))) is None
    assert not entry().opens(made_up)


def test_a_program_shows_the_token_itself() -> None:
    assert entry().who(request(("authorization", f"Bearer {TOKEN}"))) == BY_TOKEN
    assert entry().who(request(("authorization", f"bearer {TOKEN}"))) == BY_TOKEN
    assert entry().who(request(("authorization", f"Basic {TOKEN}"))) is None


BEHIND: dict[str, Any] = {"operator_token": None, "operator_header": "X-Forwarded-User", "trusted_proxies": ["10.0.0.0/8"]}


@pytest.mark.parametrize(
    ("client", "names", "who"),
    [
        ("10.1.2.3", ["ann"], "ann"),
        ("198.51.100.7", ["ann"], None),  # he says so himself
        (
            "10.1.2.3",
            [
                "",
            ],
            None,
        ),
        ("10.1.2.3", [" "], None),
        ("10.1.2.3", [], None),
        ("10.1.2.3", ["ann", "bob"], None),  # what the visitor sent beside what the proxy says
    ],
)
def test_a_trusted_proxy_names_the_operator(client: str, names: list[str], who: str | None) -> None:
    asked = request(*(("X-Forwarded-User", name) for name in names), client=client)
    assert entry(**BEHIND).who(asked) == who
