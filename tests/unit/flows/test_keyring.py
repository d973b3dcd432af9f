"""Which key signed what, and until when that is of use."""

from datetime import UTC, datetime, timedelta

from digest.flows.keyring import KeyUse, judge, signed_last
from digest.outbox.identity import message_id
from digest.store.keys import Named
from digest.tokens import Signer, key_name

NEW, OLD = "n" * 40, "o" * 40
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def mail(key: str, at: datetime, reader: str = "r" * 22) -> Named:
    what = at.date().isoformat()
    return Named(at, what, reader, message_id(Signer([key]), what, reader, "example.org"))


def test_a_mail_tells_which_key_signed_it() -> None:
    mails = [mail(NEW, NOON), mail(OLD, NOON - DAY), mail(OLD, NOON - 2 * DAY), mail("x" * 40, NOON)]
    assert judge([NEW, OLD], mails) == [KeyUse(key_name(NEW), True, NOON), KeyUse(key_name(OLD), False, NOON - DAY)]


def test_a_key_is_needed_for_as_long_as_papers_in_its_mails_can_be_rated() -> None:
    _, old = judge([NEW, OLD], [mail(OLD, NOON)])
    assert old.needed_until(NOON) == NOON + 61 * DAY
    assert old.needed_until(NOON + 62 * DAY) is None
    assert old.undone_until == NOON + 31 * DAY


def test_a_key_of_which_no_mail_is_known_is_needed_by_none() -> None:
    (only,) = judge([NEW], [])
    assert (only.last_edition, only.needed_until(NOON)) == (None, None)
    assert signed_last([only]) is None


def test_of_an_edition_of_two_keys_the_newer_counts_as_the_last() -> None:
    both = judge([NEW, OLD], [mail(OLD, NOON, "a" * 22), mail(NEW, NOON, "b" * 22)])
    assert signed_last(both) == both[0]
    assert signed_last(judge([NEW, OLD], [mail(OLD, NOON)])) == KeyUse(key_name(OLD), False, NOON)


def test_the_name_of_a_key_holds_nothing_of_it() -> None:
    names = {key_name(key) for key in (NEW, OLD, "f" * 40)}
    assert len(names) == 3
    assert all(len(name) == 8 and set(name) <= set("0123456789abcdef") for name in names)
    assert key_name("f" * 40) != "f" * 8
