import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.mail import read

from digest.outbox.identity import unsubscribe_mailto, unsubscribe_url
from digest.outbox.mailbox import Mailbox
from digest.outbox.message import MAX_HTML, MessageTooLarge, build, list_headers
from digest.outbox.quoted import quoted_printable
from digest.rendering.model import Rendered
from digest.subscribers.address import EmailAddress
from digest.tokens import random_token

MODEST = settings(max_examples=120, derandomize=True, deadline=None)
SENDER = Mailbox(EmailAddress("papers@example.org"), "Trending Papers")
READER = EmailAddress("ann@example.com")
DUE = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)


def mail(
    *,
    subject: str = "Sparse attention",
    text: str = "Hello\n",
    html: str = "<p>Hello</p>\n",
    sender: Mailbox = SENDER,
    message_id: str = "2026-11-22.abc@example.org",
    date: datetime = DUE,
    extra: Sequence[tuple[str, str]] = (),
) -> bytes:
    return build(
        sender=sender,
        recipient=READER,
        body=Rendered(subject, text, html),
        message_id=message_id,
        date=date,
        extra=extra,
    )


def parsed(raw: bytes) -> EmailMessage:
    """The message, after looking at it as a strict mail server would."""
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    head, body = raw.split(b"\r\n\r\n", 1)
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76
    message = read(raw)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            assert not value.defects, name
    return message


def parts(message: EmailMessage) -> list[str]:
    return [
        part.get_payload(decode=True).decode().replace("\r\n", "\n")  # type: ignore[union-attr]
        for part in message.iter_parts()
    ]


def field(raw: bytes, name: str) -> bytes:
    """A header field as it stands in the message, folded."""
    found = re.findall(rb"(?:^|\r\n)" + name.encode() + rb": ((?:.|\r\n[ \t])*)\r\n", raw.split(b"\r\n\r\n", 1)[0] + b"\r\n")
    assert len(found) == 1
    return bytes(found[0])


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def test_a_message_has_what_the_rfcs_ask_for_and_each_of_it_once() -> None:
    raw = mail()
    message = parsed(raw)
    assert field(raw, "From") == b'"Trending Papers" <papers@example.org>'
    assert message["To"] == "ann@example.com"
    assert message["Subject"] == "Sparse attention"
    assert message["Date"] == "Sun, 22 Nov 2026 07:00:00 +0000"
    assert message["Message-ID"] == "<2026-11-22.abc@example.org>"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in message.iter_parts()} == {"utf-8"}
    names = [name.lower() for name in message.keys()]  # noqa: SIM118 - a mapping would hide what comes twice
    assert len(set(names)) == len(names)


@MODEST
@given(ANY_TEXT, ANY_TEXT)
@example(" ", "\t")
@example("a \n b\t\n.\n..\nFrom me\n", "=_\n=3D=\n--=_\n")
@example("x" * 75 + " " * 3 + "y" * 76, "\u00e9" * 200)
@example("\r\r\n\n\r", "\x00\x0b\x0c\x1f\x85\u2028")
@example("no end of line", "\n")
def test_what_comes_out_of_the_parts_is_what_went_in(text: str, html: str) -> None:
    assert parts(parsed(mail(text=text, html=html))) == [lines(text), lines(html)]


@MODEST
@given(st.binary(max_size=400))
def test_quoted_printable_is_seven_bit_short_lines_that_no_relay_need_touch(content: bytes) -> None:
    encoded = quoted_printable(content)
    assert encoded.isascii()
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert not re.search(rb"[ \t](?:\r\n|$)|(?<!\r)\n|\r(?!\n)|[^\x09\x0d\x0a\x20-\x7e]", encoded)
    assert b"\r\n.\r\n" not in b"\r\n" + encoded + b"\r\n"


@MODEST
@given(ANY_TEXT.filter(lambda text: bool(one_line(text))))
@example(
    "Größer, schneller — “besser”: Δx ≤ 0.5 für alle x ∈ ℝ, und das in jeder Zeile von neuem, bis zum Ende der Betreffzeile"
)
@example("日本語のとても長い件名" * 12)
@example("=?utf-8?q?evil?= and =?us-ascii?b?ZXZpbA==?=")
@example("a?b=c_d =20 " * 9)
@example("x\r\nBcc: evil@example.org\r\n\r\nbody")
@example("👩‍👩‍👧‍👦" * 20)
@example("word " * 60)
@example("aaaa " + "b" * 90 + " cccc")
def test_a_subject_comes_out_as_it_went_in_but_for_blanks(subject: str) -> None:
    raw = mail(subject=subject)
    message = parsed(raw)
    assert str(message["Subject"]) == one_line(subject)
    folded = field(raw, "Subject")
    for word in ENCODED_WORD.findall(folded):
        assert len(word) <= 75
    if not subject.isascii():
        # Encoded words stand alone, and no character is split between two (RFC 2047 5 and 2).
        words = folded.split()
        assert all(ENCODED_WORD.fullmatch(word) for word in words)
        for word in words:
            str(read(b"Subject: " + word + b"\r\n\r\n")["Subject"]).encode()
        assert all(len(line) <= 78 for line in (b"Subject: " + folded).split(b"\r\n"))


def test_a_subject_of_plain_words_is_folded_and_not_encoded() -> None:
    raw = mail(subject="Attention is all you need, again: " * 5)
    folded = field(raw, "Subject")
    assert b"=?" not in folded
    assert all(len(line) <= 78 for line in (b"Subject: " + folded).split(b"\r\n"))


HOSTILE_NAMES = [
    'Ann" <evil@example.org>, "Bob',
    "Ann, Bob",
    "a\\",
    '\\"',
    "<evil@example.org>",
    "Ann (the first)",
    "=?utf-8?q?Ann?=",
    "Zoë Papers",
    "論文ダイジェスト" * 10,
    "x\r\nBcc: evil@example.org",
    "x\r\n\r\n<script>",
    "a@b.example",
    "Group: ann@example.org;",
    "ß" * 100,
    "long " * 20,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=[repr(name)[:20] for name in HOSTILE_NAMES])
def test_no_name_makes_another_sender_or_another_header(name: str) -> None:
    raw = mail(sender=Mailbox(SENDER.address, name))
    message = parsed(raw)
    (address,) = message["From"].addresses
    assert address.addr_spec == "papers@example.org"
    assert message["Bcc"] is None
    phrase = field(raw, "From").removesuffix(b" <papers@example.org>")
    if phrase.startswith(b"=?"):
        # Not by `display_name`: the library leaves blanks between encoded words of a phrase, against RFC 2047 6.2.
        assert str(make_header(decode_header(phrase.decode()))) == one_line(name)
    else:
        assert address.display_name == one_line(name)


@MODEST
@given(ANY_TEXT.map(lambda name: name[:100]).filter(lambda name: bool(one_line(name))))
def test_any_name_names_and_does_nothing_else(name: str) -> None:
    message = parsed(mail(sender=Mailbox(SENDER.address, name)))
    assert [address.addr_spec for address in message["From"].addresses] == ["papers@example.org"]


def test_a_sender_without_a_name_is_an_address() -> None:
    assert field(mail(sender=Mailbox(SENDER.address)), "From") == b"papers@example.org"


def ways_out(public_url: str, inbound: str = "leave@example.org") -> list[tuple[str, str]]:
    token = random_token()
    return list_headers(
        list_name="Trending Papers",
        list_id="daily.papers.example.org",
        unsubscribe_url=unsubscribe_url(public_url, token),
        unsubscribe_mailto=unsubscribe_mailto(inbound, token),
        feedback_id="2026-11-22:daily:digest:example.org",
    )


@pytest.mark.parametrize("public_url", ["https://p.example", "https://" + "papers." * 5 + "example"])
def test_the_ways_out_stand_in_the_message_to_the_letter(public_url: str) -> None:
    assert len(public_url) <= 50
    extra = ways_out(public_url)
    raw = mail(extra=extra)
    folded = field(raw, "List-Unsubscribe")
    assert b"=?" not in folded
    assert all(len(line) <= 78 for line in folded.split(b"\r\n"))
    web, mailto = folded.replace(b"\r\n ", b" ").split(b", ")
    assert re.fullmatch(b"<" + public_url.encode() + rb"/u/[\w-]{22}>", web)
    assert re.fullmatch(rb"<mailto:leave@example\.org\?subject=unsubscribe%20[\w-]{22}>", mailto)
    assert field(raw, "List-Unsubscribe-Post") == b"List-Unsubscribe=One-Click"
    assert field(raw, "List-Id") == b'"Trending Papers" <daily.papers.example.org>'
    assert field(raw, "Auto-Submitted") == b"auto-generated"
    assert field(raw, "Feedback-ID") == b"2026-11-22:daily:digest:example.org"
    parsed(raw)


def test_the_way_out_of_a_public_url_of_fifty_characters_fits_a_line_that_no_library_breaks() -> None:
    public_url = "https://" + "p" * 33 + ".example.org"[:9]
    assert len(public_url) == 50
    assert len(unsubscribe_url(public_url, random_token())) < 78


def test_without_inbound_mail_there_is_one_way_out() -> None:
    raw = mail(extra=ways_out("https://p.example", inbound=""))
    assert re.fullmatch(rb"<https://p\.example/u/[\w-]{22}>", field(raw, "List-Unsubscribe"))


def test_a_list_whose_name_is_not_ascii_is_named_in_encoded_words() -> None:
    extra = list_headers(list_name="Zoë’s “Papers”", list_id="daily.p.example", unsubscribe_url="https://p.example/u/x")
    raw = mail(extra=extra)
    assert field(raw, "List-Id").endswith(b"?= <daily.p.example>")
    assert "Feedback-ID" not in parsed(raw)


@pytest.mark.parametrize("value", ["a\nBcc: b@example.org", "a\rb", "a\r\nb", "a\x00b", "a\x7fb", "a\r\n\r\nb", "é"])
def test_a_header_with_a_control_or_foreign_character_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"control character|ascii"):
        mail(extra=[("X-Extra", value)])


@pytest.mark.parametrize("name", ["X\r\nBcc", "X\n", "X\x00"])
def test_a_header_whose_name_has_a_control_character_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        mail(extra=[(name, "a")])


def test_a_message_id_cannot_bring_a_header_in() -> None:
    with pytest.raises(ValueError, match="control character"):
        mail(message_id="a@b>\r\nBcc: <evil@example.org")


def test_a_header_longer_than_a_line_may_be_is_refused() -> None:
    assert parsed(mail(extra=[("X-Long", "x" * (998 - len("X-Long: ")))]))
    with pytest.raises(ValueError, match="too long"):
        mail(extra=[("X-Long", "x" * (999 - len("X-Long: ")))])


def test_the_same_arguments_give_the_same_bytes() -> None:
    extra = ways_out("https://p.example")
    one = mail(extra=extra, subject="Zoë’s papers", text="α\n", html="<p>β</p>")
    assert one == mail(extra=extra, subject="Zoë’s papers", text="α\n", html="<p>β</p>")
    assert one != mail(extra=extra, subject="Zoë’s papers", text="α\n", html="<p>β</p>", message_id="other@example.org")


def test_date_tells_the_moment_whatever_the_zone() -> None:
    tokyo = DUE.astimezone(timezone(timedelta(hours=9)))
    assert parsed(mail(date=tokyo))["Date"].datetime == DUE


def test_html_that_mail_clients_would_cut_is_refused_by_its_bytes() -> None:
    assert parsed(mail(html="x" * MAX_HTML))
    with pytest.raises(MessageTooLarge, match="95,001 bytes"):
        mail(html="x" * (MAX_HTML + 1))
    with pytest.raises(MessageTooLarge):
        mail(html="é" * (MAX_HTML // 2 + 1))


def test_no_text_can_close_the_part_that_it_stands_in() -> None:
    raw = mail()
    boundary = read(raw).get_boundary()
    hostile = f"before\n--{boundary}--\nafter\n--{boundary}\nContent-Type: text/html\n\n<b>evil</b>\n"
    message = parsed(mail(text=hostile, html=hostile))
    assert parts(message) == [hostile, hostile]


def test_answers_go_where_the_operator_says_whatever_the_name() -> None:
    answers = Mailbox(EmailAddress("desk@example.org"), "Rédaction, Paris")
    raw = build(
        sender=SENDER,
        recipient=READER,
        body=Rendered("A", "Hello\n", "<p>Hello</p>\n"),
        message_id="a@example.org",
        date=DUE,
        reply_to=answers,
    )
    (reply_to,) = parsed(raw)["Reply-To"].addresses
    assert (reply_to.display_name, reply_to.addr_spec) == (answers.name, "desk@example.org")
