import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.outbox.verdict import MAX_REPLY, Kind, Phase, Verdict, judge


@pytest.mark.parametrize(
    ("phase", "code", "expected"),
    [
        ("content", 200, "submitted"),
        ("content", 250, "submitted"),
        ("content", 251, "submitted"),
        ("content", 299, "submitted"),
        ("content", 300, "deferred"),
        ("content", 452, "deferred"),
        ("content", 554, "rejected"),
        ("content", 354, "deferred"),
        ("mail", 451, "deferred"),
        ("rcpt", 421, "deferred"),
        ("rcpt", 450, "deferred"),
        ("rcpt", 499, "deferred"),
        ("rcpt", 500, "rejected"),
        ("rcpt", 550, "rejected"),
        ("rcpt", 599, "rejected"),
        ("data", 503, "rejected"),
        ("data", 250, "deferred"),
        ("rcpt", 0, "deferred"),
        ("rcpt", -1, "deferred"),
        ("rcpt", 600, "deferred"),
        ("rcpt", 999, "deferred"),
    ],
)
def test_a_reply_is_judged_by_its_first_digit_and_nonsense_is_a_passing_fault(phase: Phase, code: int, expected: Kind) -> None:
    assert judge(phase, code, "").kind == expected


@given(st.sampled_from(["mail", "rcpt", "data", "content"]), st.integers(-10, 1000), st.text(max_size=50))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_only_the_reply_to_content_can_mean_that_it_was_taken(phase: Phase, code: int, text: str) -> None:
    verdict = judge(phase, code, text)
    assert (verdict.kind == "submitted") == (phase == "content" and 200 <= code <= 299)
    assert (verdict.phase, verdict.code, verdict.text) == (phase, code, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.1.1 no such user", "5.1.1"),
        (" 4.7.1 later", "4.7.1"),
        ("2.0.0", "2.0.0"),
        ("5.7.515 Access denied", "5.7.515"),
        ("no such user 5.1.1", ""),
        ("3.1.1 nonsense", ""),
        ("5.1.1234 too long", ""),
        ("5.1", ""),
        ("", ""),
    ],
)
def test_the_enhanced_code_stands_at_the_beginning(text: str, expected: str) -> None:
    assert Verdict("rejected", "rcpt", 550, text).enhanced == expected


def test_a_reply_is_one_clean_line_of_limited_length() -> None:
    assert Verdict("rejected", "rcpt", 550, "5.1.1 no\r\nsuch\x07 user\u202e").reply == "550 5.1.1 no such user"
    assert Verdict("lost", "mail", 0, "connection reset").reply == "connection reset"
    assert len(Verdict("rejected", "rcpt", 550, "x" * 100_000).reply) <= MAX_REPLY
