import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.signed import BOTH, ED25519, RSA, SHORT, verified

from digest.outbox.dkim import Signing, aligned

MODEST = settings(max_examples=150, derandomize=True, deadline=None)
DUE = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
HEAD = (
    b'From: "Trending Papers" <papers@example.org>\r\n'
    b"To: ann@example.com\r\n"
    b"Subject: =?utf-8?q?Sparse_attention_=E2=80=94_and?=\r\n =?utf-8?q?_nine_more?=\r\n"
    b"Date: Sun, 22 Nov 2026 07:00:00 +0000\r\n"
    b"Message-ID: <2026-11-22.abc@example.org>\r\n"
    b'List-Id: "Trending Papers" <daily.papers.example.org>\r\n'
    b"List-Unsubscribe: <https://papers.example.org/u/token>,\r\n <mailto:out@papers.example.org?subject=unsubscribe>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Auto-Submitted: auto-generated\r\n"
    b"Feedback-ID: 2026-11-22:daily:digest:example.org\r\n"
    b"Content-Language: en\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="=_0123456789abcdef"\r\n'
)
BODY = b"--=_0123456789abcdef\r\n\r\nHello =E2=80=94 you=\r\n\r\n--=_0123456789abcdef--\r\n"
NAMES = re.findall(rb"^([\w-]+):", HEAD, re.MULTILINE)

line = st.text(st.sampled_from("aZ9 \t.=?<>:;_é"), max_size=30).map(lambda text: text.encode("latin-1"))
fold = st.sampled_from([b"\r\n ", b"\r\n\t", b"\r\n  \t ", b" ", b"\t"])
value = st.lists(st.tuples(line, fold), max_size=4).map(lambda parts: b"".join(a + b for a, b in parts) + b"end")
name = st.sampled_from([*NAMES, b"Reply-To", b"X-Other", b"DATE", b"subject", b"list-unsubscribe"])
heads = st.lists(st.tuples(name, st.sampled_from([b":", b": ", b":\t", b":  "]), value), max_size=12).map(
    lambda fields: b"".join(a + b + c + b"\r\n" for a, b, c in [*fields, (b"From", b": ", b"papers@example.org")])
)
bodies = st.lists(line, max_size=8).map(b"\r\n".join)


def message(head: bytes = HEAD, body: bytes = BODY, at: datetime = DUE, signing: Signing = BOTH) -> bytes:
    return signing.fields(head, body, at) + head + b"\r\n" + body


@pytest.mark.parametrize("key", [RSA, SHORT, ED25519], ids=lambda key: key.selector)
def test_what_a_key_signs_another_program_verifies(key) -> None:
    assert verified(message(signing=Signing("example.org", (key,)))) == [True]


def test_two_keys_give_two_signatures_that_hold_alone() -> None:
    assert verified(message()) == [True, True]
    assert verified(message(), RSA) == [True, False]
    assert verified(message(), ED25519) == [False, True]


@MODEST
@given(heads, bodies, st.sampled_from([b"", b"\r\n", b"\r\n\r\n\r\n"]))
@example(b"From: a@example.org\r\n", b"", b"")
@example(b"From: a@example.org\r\n", b"", b"\r\n")
@example(b"From: a@example.org\r\n", b"a\r", b"\r\n")
@example(b"from:a@example.org\r\nFROM:  b@example.org \r\n", b".", b"\r\n")
def test_any_header_and_body_verifies(head: bytes, body: bytes, end: bytes) -> None:
    assert verified(message(head, body + end)) == [True, True]


@pytest.mark.parametrize("name", NAMES, ids=bytes.decode)
def test_no_header_can_be_changed_or_taken_away(name: bytes) -> None:
    signed = message()
    changed = re.sub(rb"(?m)^(%b: .)" % name, rb"\1x", signed)
    assert changed != signed
    assert verified(changed) == [False, False]
    without = re.sub(rb"(?m)^%b: .*\r\n(?: .*\r\n)*" % name, b"", signed)
    assert verified(without) == [False, False]


@pytest.mark.parametrize(
    "added",
    [
        "From: x@evil.example",
        "To: x@evil.example",
        "Subject: x",
        "Date: x",
        "Message-ID: <x>",
        "Reply-To: x@evil.example",
        "MIME-Version: 1.0",
        "Content-Type: text/plain",
        "List-Unsubscribe: <https://evil.example>",
        "List-Unsubscribe-Post: x",
    ],
)
def test_no_second_one_can_be_added_before_or_after(added: str) -> None:
    signature, head = BOTH.fields(HEAD, BODY, DUE), f"{added}\r\n".encode()
    assert verified(signature + head + HEAD + b"\r\n" + BODY) == [False, False]
    assert verified(signature + HEAD + head + b"\r\n" + BODY) == [False, False]


@pytest.mark.parametrize("added", ["Received: from here", "List-Id: <theirs.example>", "Feedback-ID: theirs", "X-Spam: no"])
def test_what_relays_add_before_does_no_harm(added: str) -> None:
    assert verified(f"{added}\r\n".encode() + message()) == [True, True]


def test_a_mail_of_no_list_may_be_given_a_way_out_by_a_provider() -> None:
    signed = message(b"From: a@example.org\r\nSubject: Please confirm\r\n")
    assert verified(b"List-Unsubscribe: <https://provider.example>\r\n" + signed) == [True, True]


def test_headers_may_be_folded_anew_on_the_way() -> None:
    signed = message()
    unfolded = signed.replace(b"\r\n =?utf", b"  =?utf").replace(b"To: ann", b"TO:\t ann")
    assert unfolded != signed
    assert verified(unfolded) == [True, True]


@MODEST
@given(st.integers(0, len(BODY) - 3), st.binary(min_size=1, max_size=1))
def test_no_byte_of_the_body_can_be_changed(place: int, other: bytes) -> None:
    changed = BODY[:place] + other + BODY[place + 1 :]
    assert verified(message()[: -len(BODY)] + changed) == [changed == BODY] * 2


def test_the_same_mail_has_the_same_signatures_and_another_time_has_others() -> None:
    assert message() == message()
    assert message(at=DUE + timedelta(microseconds=1)) == message()
    later = message(at=DUE + timedelta(seconds=1))
    assert b"; t=" not in later
    assert b" t=1795330801;" in later
    assert verified(later) == [True, True]


def test_lines_stay_short_however_long_the_names_are() -> None:
    domain = ".".join(["a-rather-long-label"] * 3) + ".example.org"
    fields = Signing(domain, (RSA, ED25519)).fields(HEAD, BODY, DUE)
    assert max(map(len, fields.split(b"\r\n"))) <= 78
    assert fields.endswith(b"\r\n")
    assert all(line[:1] in b" D" and line.strip() for line in fields.split(b"\r\n")[:-1])
    assert verified(message(signing=Signing(domain, (RSA,))), RSA, domain=domain) == [True]


def test_the_whole_body_is_signed_and_everything_that_a_one_click_needs() -> None:
    tags = BOTH.fields(HEAD, BODY, DUE).replace(b"\r\n ", b"").replace(b" ", b"")
    assert b";l=" not in tags
    named = tags.partition(b";h=")[2].partition(b";")[0].split(b":")
    assert {name.lower() for name in NAMES} <= set(named)
    assert named.count(b"from") == 2
    assert named.count(b"reply-to") == 1  # there is none, and none may come


@pytest.mark.parametrize(
    ("domain", "sender", "speaks"),
    [
        ("example.org", "example.org", True),
        ("example.org", "news.example.org", True),
        ("news.example.org", "example.org", False),
        ("example.org", "badexample.org", False),
        ("org", "example.org", False),
        ("example.org", "example.com", False),
    ],
)
def test_a_domain_speaks_for_itself_and_those_below(domain: str, sender: str, speaks: bool) -> None:
    assert aligned(domain, sender) is speaks
