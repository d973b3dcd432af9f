"""A message as bytes: headers by the RFCs, a text part and an HTML part, seven bits, every line ended by CRLF.

Written by hand because the standard library folds a long List-Unsubscribe into encoded words, which mail clients do not
read (RFC 2047 5 forbids them there), and encodes quoted-printable in Python.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from digest.outbox.dkim import Signing
from digest.outbox.encoded_words import MAX_FOLDED, encoded_words
from digest.outbox.mailbox import Mailbox
from digest.outbox.quoted import quoted_printable
from digest.rendering.model import Rendered
from digest.subscribers.address import EmailAddress

MAX_HTML = 95_000
"""Bytes. Gmail clips at about 102,000, and what it cuts is the way out."""
MAX_LINE = 998

_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


class MessageTooLarge(ValueError):
    """The HTML part is larger than mail clients show."""


def build(
    *,
    sender: Mailbox,
    recipient: EmailAddress,
    body: Rendered,
    message_id: str,
    date: datetime,
    reply_to: Mailbox | None = None,
    extra: Sequence[tuple[str, str]] = (),
    language: str = "en",
    signing: Signing | None = None,
) -> bytes:
    """The message (RFC 5322) as multipart/alternative (RFC 2046 5.1.4), the same bytes for the same arguments.

    Args:
        sender: the parsed `email.from`.
        recipient: the one address in To.
        body: subject and both parts.
        message_id: without its angle brackets.
        date: becomes Date.
        reply_to: where answers go, if not to the sender.
        extra: further headers, ASCII, in order; a list of addresses is folded after its commas.
        language: Content-Language.
        signing: who signs it; None: nobody.

    Raises:
        MessageTooLarge: the HTML is over `MAX_HTML`.
        ValueError: a header has a control character, or is longer than a line may be.
    """
    html = body.html.encode()
    refuse_large(len(html))
    boundary = boundary_of(message_id)
    head = b"".join(
        header(name, value)
        for name, value in headers(
            sender=sender,
            recipient=recipient.text,
            subject=subject_value(body.subject),
            date=format_datetime(date),
            message_id=message_id,
            reply_to=reply_to,
            extra=extra,
            language=language,
            boundary=boundary,
        )
    )
    content = b"".join(
        [
            part_head(boundary, "plain"),
            quoted_printable(body.text.encode()),
            b"\r\n",
            part_head(boundary, "html"),
            quoted_printable(html),
            part_end(boundary),
        ]
    )
    return b"".join([signing.fields(head, content, date) if signing else b"", head, b"\r\n", content])


def refuse_large(html: int) -> None:
    """Refuse an HTML part of so many bytes where mail clients would not show it whole.

    Raises:
        MessageTooLarge: it is over `MAX_HTML`.
    """
    if html > MAX_HTML:
        raise MessageTooLarge(f"the HTML part has {html:,} bytes, over the {MAX_HTML:,} that mail clients show whole")


def boundary_of(what: str) -> str:
    """A boundary (RFC 2046 5.1.1) that no part can hold: quoted-printable has hex digits or an end of line after each "="."""
    return "=_" + hashlib.sha256(what.encode()).hexdigest()[:32]


def headers(
    *,
    sender: Mailbox,
    recipient: str,
    subject: str,
    date: str,
    message_id: str,
    reply_to: Mailbox | None,
    extra: Sequence[tuple[str, str]],
    language: str,
    boundary: str,
) -> list[tuple[str, str]]:
    """Names and values of a message's header, in order."""
    return [
        ("From", _mailbox(sender)),
        ("To", recipient),
        ("Subject", subject),
        ("Date", date),
        ("Message-ID", f"<{message_id}>"),
        *([("Reply-To", _mailbox(reply_to))] if reply_to else []),
        *extra,
        ("Content-Language", language),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]


def part_head(boundary: str, subtype: str) -> bytes:
    """What stands before a part; its line end before the first one belongs to the header."""
    return (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    ).encode()


def part_end(boundary: str) -> bytes:
    """What stands behind the last part."""
    return f"\r\n--{boundary}--\r\n".encode()


def list_headers(
    *,
    list_name: str,
    list_id: str,
    unsubscribe_url: str,
    unsubscribe_mailto: str = "",
    feedback_id: str = "",
) -> list[tuple[str, str]]:
    """The headers of a mailing list (RFC 2919, RFC 2369) with one-click unsubscribing (RFC 8058 3.1)."""
    ways_out = [f"<{unsubscribe_url}>"] + ([f"<{unsubscribe_mailto}>"] if unsubscribe_mailto else [])
    headers = [
        ("List-Id", f"{_phrase(list_name)} <{list_id}>"),
        ("List-Unsubscribe", ",\r\n ".join(ways_out)),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Auto-Submitted", "auto-generated"),
    ]
    return [*headers, ("Feedback-ID", feedback_id)] if feedback_id else headers


def header(name: str, value: str) -> bytes:
    """One header field.

    Raises:
        ValueError: it has a control character, is not ASCII, or is longer than a line may be.
    """
    unfolded = value.replace("\r\n ", " ")
    if _UNSAFE.search(unfolded) or _UNSAFE.search(name):
        raise ValueError(f"the header {name} has a control character")
    line = f"{name}: {value}\r\n".encode("ascii")
    if max(map(len, line.split(b"\r\n"))) > MAX_LINE:
        raise ValueError(f"the header {name} is too long")
    return line


def subject_value(value: str) -> str:
    """Unstructured text: encoded words (RFC 2047) where it is not ASCII, folded at 76."""
    single = " ".join(_UNSAFE.sub(" ", value).split())
    if not single.isascii() or "=?" in single:
        return encoded_words(single, len("Subject: "))
    return _folded(single, len("Subject: "))


def _mailbox(sender: Mailbox) -> str:
    return f"{_phrase(sender.name)} <{sender.address}>" if sender.name else sender.address.text


def _phrase(name: str) -> str:
    """A display name: quoted (RFC 5322 3.2.4), or in encoded words where it is not ASCII."""
    single = " ".join(_UNSAFE.sub(" ", name).split())
    if not single.isascii() or "=?" in single:
        return encoded_words(single, len("Reply-To: "))
    return '"' + single.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded(text: str, column: int) -> str:
    """ASCII that begins in this column, with folds at blanks."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and column + len(lines[-1]) + 1 + len(word) > MAX_FOLDED:
            lines.append("")
            column = 1
        lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n ".join(lines)
