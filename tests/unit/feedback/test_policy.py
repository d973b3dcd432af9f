from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feedback.policy import refuses_mailbox, refuses_us, should_suppress
from digest.outbox.verdict import Phase, Verdict, judge

ABOUT_US = [
    (550, "5.7.1 relaying denied"),
    (550, "relay not permitted"),
    (550, "Verification failed for <digest@example.org>\nUnrouteable address\nSender verify failed"),
    (550, "Administrative prohibition"),
    (550, "Blocked - see https://lists.example.org/?ip=192.0.2.1"),
    (550, "SPF check failed"),
    (550, "Access denied"),
    (550, "You are not allowed to connect: 192.0.2.1 is listed"),
    (550, "Client host has no reverse DNS, no PTR record"),
    (550, "invalid HELO"),
    (550, "Mail from your IP 192.0.2.1 is not accepted here"),
    (550, "Unsolicited mail is not wanted"),
    (550, "Sorry, we do not take bulk mail"),
    (550, "DMARC fail"),
    (550, "Domain example.org has exceeded the max emails per hour"),
    (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
    (553, "no (#5.7.1)"),
    (554, "Relay access denied"),
]
NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (550, "5.1.1 no such user"),
        (550, "5.1.2 no such host"),
        (553, "5.1.3 bad address"),
        (550, "5.1.6 moved"),
        (556, "5.1.10 null MX"),
        (550, "5.2.1 disabled"),
        (550, "no such user"),
        (551, "not local"),
        (553, ""),
        (556, "no mail here"),
        (550, "<sender@relay.example.org>: unknown user"),
        (550, "sorry, no mailbox here by that name. (#5.1.1)"),
        (550, "Requested action not taken: mailbox unavailable"),
        (550, "5.1.1 The email account that you tried to reach does not exist. Please try double-checking"),
        (550, "5.2.1 The email account that you tried to reach is disabled"),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
        (550, "#5.1.0 Address rejected."),
        (550, "Recipient address rejected: User unknown in virtual mailbox table"),
        (550, "Unrouteable address"),
        (550, "User ann not listed in Domino Directory"),
        (550, "Invalid recipient"),
        (553, "sorry, this recipient is not in my validrcptto list (#5.1.1)"),
        (550, "Unknown user: the host shipped no account enlisted under that script"),
    ],
)
def test_a_relay_that_knows_no_such_mailbox_speaks_of_the_reader(code: int, text: str) -> None:
    assert refuses_mailbox(judge("rcpt", code, text))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (550, "5.7.1 rejected by policy"),
        (550, "5.7.26 unauthenticated"),
        (554, "5.7.515 access denied"),
        (550, "5.2.2 mailbox full"),
        (552, "5.3.4 too big"),
        (550, "5.4.7 expired"),
        (552, "mailbox full"),
        (554, "no"),
        (500, "what?"),
        (450, "4.1.1 greylisted"),
        (550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"),
        (550, "5.2.1 user is receiving mail too quickly"),
        (550, "4.7.1 muddled"),
        (550, "mailbox is full"),
        (550, "over quota"),
        *ABOUT_US,
    ],
)
def test_other_refusals_are_not_the_readers_fault(code: int, text: str) -> None:
    assert not refuses_mailbox(judge("rcpt", code, text))


@pytest.mark.parametrize(("code", "text"), ABOUT_US)
def test_a_relay_that_does_not_relay_for_us_speaks_of_us_and_only_where_it_was_told_of_a_recipient(
    code: int, text: str
) -> None:
    assert refuses_us(judge("rcpt", code, text))
    assert not refuses_us(judge("content", code, text))
    assert not refuses_us(judge("rcpt", 450, text))


@pytest.mark.parametrize(
    "text", ["5.1.1 relay knows no such user", "5.2.2 full", "no such user", "<spam@policy.example.org>: who?"]
)
def test_a_relay_that_speaks_of_the_mailbox_does_not_speak_of_us(text: str) -> None:
    assert not refuses_us(judge("rcpt", 550, text))


@given(st.sampled_from([2, 4, 5]), st.integers(0, 999), st.integers(400, 599))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_policy_and_spam_are_never_the_readers_fault(kind: int, detail: int, code: int) -> None:
    assert not refuses_mailbox(judge("rcpt", code, f"{kind}.7.{detail} user unknown"))


@pytest.mark.parametrize("phase", ["mail", "data", "content"])
def test_only_the_answer_to_the_recipient_speaks_of_him(phase: Phase) -> None:
    assert not refuses_mailbox(judge(phase, 550, "5.1.1 no such user"))


@pytest.mark.parametrize("kind", ["deferred", "lost", "in_doubt", "submitted"])
def test_what_is_no_refusal_refuses_nobody(kind: str) -> None:
    assert not refuses_mailbox(Verdict(kind, "rcpt", 550, "5.1.1 no such user"))  # type: ignore[arg-type]


def test_one_refusal_ends_nothing() -> None:
    assert not should_suppress([], NOW)


def test_two_refusals_48_hours_apart_end_it() -> None:
    assert should_suppress([NOW - timedelta(hours=48)], NOW)
    assert not should_suppress([NOW - timedelta(hours=47, minutes=59)], NOW)


def test_many_refusals_in_one_bad_day_end_nothing() -> None:
    assert not should_suppress([NOW - timedelta(hours=hours) for hours in range(1, 30)], NOW)


def test_the_first_of_several_refusals_counts() -> None:
    assert should_suppress([NOW - timedelta(hours=1), NOW - timedelta(days=9), NOW - timedelta(hours=2)], NOW)
