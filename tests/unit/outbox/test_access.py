"""Links that open what is a reader's own."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from digest.outbox.access import LIFE, access, feed, undo, whose, whose_feed, whose_undo
from digest.tokens import Signer, random_token

SIGNER, OTHER = Signer(["k" * 40]), Signer(["o" * 40])
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
READER = random_token()


def test_a_link_opens_for_an_hour_and_then_still_tells_whose_it_was() -> None:
    link = access(SIGNER, READER, NOW)
    assert whose(SIGNER, link, NOW) == (READER, NOW + LIFE)
    assert whose(SIGNER, link, NOW + LIFE - timedelta(seconds=1)) == (READER, NOW + LIFE)
    assert whose(SIGNER, link, NOW + LIFE) == (READER, None)


def test_keys_can_be_rotated() -> None:
    assert whose(Signer(["n" * 40, "k" * 40]), access(SIGNER, READER, NOW), NOW) == (READER, NOW + LIFE)
    assert whose(OTHER, access(SIGNER, READER, NOW), NOW) == ("", None)


def test_nobody_lengthens_a_link_or_turns_it_to_another_reader() -> None:
    reader, until, mac = access(SIGNER, READER, NOW).split(".")
    assert whose(SIGNER, f"{reader}.{int(until, 16) + 1:x}.{mac}", NOW) == ("", None)
    assert whose(SIGNER, f"{random_token()}.{until}.{mac}", NOW) == ("", None)


def test_what_opens_one_thing_opens_nothing_else() -> None:
    reader, until, mac = access(SIGNER, READER, NOW).split(".")
    assert whose_feed(SIGNER, f"{reader}.{mac}") == ""
    assert whose(SIGNER, f"{reader}.{until}.{feed(SIGNER, READER).split('.')[1]}", NOW) == ("", None)
    assert whose_feed(SIGNER, feed(SIGNER, READER)) == READER


@given(some.text())
def test_what_we_did_not_make_opens_nothing(made_up: str) -> None:
    assert whose(SIGNER, made_up, NOW) == ("", None)
    assert whose_feed(SIGNER, made_up) == ""


@given(some.text(alphabet="0123456789abcdef.", max_size=12), some.text(min_size=22, max_size=22))
def test_nor_what_looks_like_it(until: str, mac: str) -> None:
    assert whose(SIGNER, f"{READER}.{until}.{mac}", NOW) == ("", None)


@given(some.timedeltas(timedelta(), timedelta(days=30000)))
def test_an_undo_names_the_reader_and_the_instant_of_the_act(later: timedelta) -> None:
    at = NOW + later
    assert whose_undo(SIGNER, undo(SIGNER, READER, at)) == (READER, at)
    assert len(undo(SIGNER, READER, at)) == 59
    assert whose_undo(OTHER, undo(SIGNER, READER, at))[0] == ""


@given(some.text() | some.from_regex(r"[A-Za-z0-9_-]{22}\.[0-9a-f]{13}\.[A-Za-z0-9_-]{22}", fullmatch=True))
def test_an_undo_that_we_did_not_make_takes_nothing_back(made_up: str) -> None:
    assert whose_undo(SIGNER, made_up)[0] == ""


def test_an_undo_of_one_act_takes_back_no_other() -> None:
    reader, at, mac = undo(SIGNER, READER, NOW).split(".")
    assert whose_undo(SIGNER, f"{reader}.{int(at, 16) + 1:013x}.{mac}")[0] == ""
    assert whose_undo(SIGNER, f"{random_token()}.{at}.{mac}")[0] == ""
    assert whose_undo(SIGNER, f"{reader}.{at}.{SIGNER.sign('preferences', f'{reader}.{at}')}")[0] == ""
