import re
from datetime import UTC, date, datetime

import pytest

from digest.edition.model import Edition
from digest.errors import BadInput
from digest.outbox.identity import (
    MAX_DOMAIN,
    is_rating_token,
    list_id,
    message_id,
    rating_token,
    rating_url,
    unsubscribe_mailto,
    unsubscribe_url,
)
from digest.store.schema import delivery
from digest.tokens import Signer, random_token

SIGNER = Signer(["k" * 32])


def test_a_delivery_has_one_message_id_however_often_it_is_tried() -> None:
    token = random_token()
    assert message_id(SIGNER, "2026-11-22", token, "example.org") == message_id(SIGNER, "2026-11-22", token, "example.org")


def test_every_delivery_has_a_message_id_of_its_own() -> None:
    readers = [random_token() for _ in range(50)]
    names = {message_id(SIGNER, day, reader, "example.org") for day in ("2026-11-22", "2026-11-23") for reader in readers}
    assert len(names) == 100


def test_a_message_id_tells_the_edition_and_nothing_about_the_reader() -> None:
    token = random_token()
    name = message_id(SIGNER, "2026-11-22-weekly", token, "example.org")
    assert re.fullmatch(r"2026-11-22-weekly\.[\w-]{22}@example\.org", name)
    assert token not in name


def test_under_the_longest_domain_that_may_send_the_database_takes_the_name_of_every_mail() -> None:
    longest = Edition(1, date(2026, 11, 22), "weekly", datetime(2026, 11, 22, tzinfo=UTC), ()).name
    name = message_id(SIGNER, longest, random_token(), "d" * MAX_DOMAIN)
    assert len(name) == delivery.c.message_id.type.length


def test_nobody_without_the_key_can_make_a_message_id() -> None:
    token = random_token()
    other = Signer(["o" * 32])
    assert message_id(SIGNER, "2026-11-22", token, "example.org") != message_id(other, "2026-11-22", token, "example.org")


def test_the_newest_key_names_mails() -> None:
    both = Signer(["n" * 32, "k" * 32])
    assert message_id(both, "a", "b", "example.org") == message_id(Signer(["n" * 32]), "a", "b", "example.org")


def test_the_way_out_is_a_short_address_under_the_public_url() -> None:
    token = random_token()
    assert unsubscribe_url("https://papers.example.org", token) == f"https://papers.example.org/u/{token}"


def test_the_links_that_rate_are_those_of_one_delivery_to_one_reader() -> None:
    ann, bob = random_token(), random_token()
    token = rating_token(SIGNER, 48210, ann)
    signature = token.removeprefix("48210-")
    assert re.fullmatch(r"[\w-]{22}", signature)
    assert ann not in token
    assert rating_url("https://papers.example.org", token) == f"https://papers.example.org/f/48210-{signature}"
    assert is_rating_token(SIGNER, 48210, ann, signature)
    assert not is_rating_token(SIGNER, 48211, ann, signature)
    assert not is_rating_token(SIGNER, 48210, bob, signature)
    assert not is_rating_token(Signer(["o" * 32]), 48210, ann, signature)


def test_the_mailed_way_out_is_there_only_where_mail_is_read() -> None:
    assert unsubscribe_mailto("", "token") == ""
    assert unsubscribe_mailto("leave@example.org", "token") == "mailto:leave@example.org?subject=unsubscribe%20token"
    assert unsubscribe_mailto("a%b+c@Example.org", "token") == "mailto:a%25b+c@example.org?subject=unsubscribe%20token"


def test_a_mailed_way_out_to_what_is_no_address_is_an_error() -> None:
    with pytest.raises(BadInput):
        unsubscribe_mailto("a@b?subject=x&cc=evil", "token")


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("https://papers.example.org", "daily.papers.example.org"),
        ("https://Papers.Example.org:8443/base", "daily.papers.example.org"),
        ("http://127.0.0.1:8000", "daily.127.0.0.1"),
        ("", "daily.localhost"),
    ],
)
def test_a_list_is_named_by_its_cadence_and_host(public_url: str, expected: str) -> None:
    assert list_id("daily", public_url) == expected
