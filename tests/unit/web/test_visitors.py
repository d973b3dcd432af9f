"""Who asks."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some
from starlette.requests import Request

from digest.tokens import Signer
from digest.web.visitors import Visitors

PROXIES = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
SIGNER = Signer(["k" * 40])


def request(client: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": (client, 1) if client else None})


def address(client: str, *forwarded: str) -> str:
    return str(Visitors(PROXIES, SIGNER).address(request(client, *forwarded)))


@pytest.mark.parametrize(
    ("client", "forwarded", "seen"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),  # he is no proxy of ours, whatever he says
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["192.0.2.1, 203.0.113.9"], "203.0.113.9"),  # what comes before was told by a stranger
        ("127.0.0.1", ["203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9", "10.1.2.3"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("127.0.0.1", ["203.0.113.9:5050"], "203.0.113.9"),
        ("127.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("", ["203.0.113.9"], "::"),
    ],
)
def test_only_trusted_proxies_say_for_whom_they_ask(client: str, forwarded: list[str], seen: str) -> None:
    assert address(client, *forwarded) == seen


@given(some.lists(some.text(some.characters(max_codepoint=255)), max_size=5))
def test_no_header_is_too_strange(forwarded: list[str]) -> None:
    assert address("127.0.0.1", *forwarded)


def test_a_household_of_ipv6_is_one_visitor_and_no_address_can_be_read() -> None:
    visitors = Visitors([], SIGNER)
    one, other, stranger = (visitors.key(request(at)) for at in ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"))
    assert one == other != stranger
    assert "2001" not in one


def test_the_proof_of_consent_says_where_from_but_not_who() -> None:
    visitors = Visitors([], SIGNER)
    assert visitors.origin(request("198.51.100.7")) == "198.51.100.0/24"
    assert visitors.origin(request("2001:db8:1:2::3")) == "2001:db8:1::/48"
