import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers.address import EmailAddress
from digest.subscribers.roles import is_role

NOBODY = [
    "abuse",
    "Postmaster",
    "mailer-daemon",
    "MAILER_DAEMON",
    "root",
    "hostmaster",
    "webmaster",
    "noreply",
    "no-reply",
    "no.reply",
    "no_reply",
    "do-not-reply",
    "donotreply",
    "noreply-accounts",
    "no-reply+digest",
    "abuse+case1",
    "papers-request",
    "papers-owner",
    "papers-bounces",
    "papers-bounces+ann=example.org",
    "papers-subscribe",
    "papers-unsubscribe",
    "papers-subscribe-ann=example.org",
    "owner-papers",
    "bounce-123-abc",
    "bounces+123",
    "prvs=1234567890=ann",
    "SRS0=HHH=TT=example.org=ann",
    "majordomo",
    "listserv",
]
SOMEBODY = [
    "ann",
    "info",
    "team",
    "news",
    "office",
    "contact",
    "papers",
    "lab-papers",
    "root.beer",
    "ann.abuse.research",
    "abu.sewell",
    "noreen",
    "norman+digest",
    "ann+noreply",
    "owner",
    "request",
    "bouncer",
    "ann-bouncer",
    "wwwendy",
]


@pytest.mark.parametrize("local", NOBODY)
def test_where_nobody_reads_no_one_is_asked(local: str) -> None:
    assert is_role(EmailAddress.parse(f"{local}@example.org"))


@pytest.mark.parametrize("local", SOMEBODY)
def test_where_people_read_they_may_subscribe(local: str) -> None:
    assert not is_role(EmailAddress.parse(f"{local}@example.org"))


@given(st.sampled_from(NOBODY), st.data())
def test_the_case_of_a_role_never_matters(local: str, data: st.DataObject) -> None:
    drawn = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in local)
    assert is_role(EmailAddress(f"{drawn}@example.org"))


@given(st.text("abuseroot-+._=", min_size=1, max_size=200))
def test_any_local_part_is_judged_at_once(local: str) -> None:
    assert is_role(EmailAddress(f"{local}@example.org")) == is_role(EmailAddress(f"{local.upper()}@example.org"))
