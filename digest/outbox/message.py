"""A message as bytes: headers by the RFCs, a text part and an HTML part, seven bits, every line ended by CRLF.

Written by hand because the standard library folds a long List-Unsubscribe into encoded words, which mail clients do not
read (RFC 2047 5 forbids them there), and encodes quoted-printable in Python.
"""

import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from digest.outbox.mailbox import Mailbox
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

    Raises:
        MessageTooLarge: the HTML is over `MAX_HTML`.
        ValueError: a header has a control character, or is longer than a line may be.
    """
    html = body.html.encode()
    if len(html) > MAX_HTML:
        raise MessageTooLarge(f"the HTML part has {len(html):,} bytes, over the {MAX_HTML:,} that mail clients show whole")
    # In quoted-printable "=" is followed by two hex digits or an end of line, so "=_" never occurs in a part.
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    headers = [
        ("From", _mailbox(sender)),
        ("To", recipient.text),
        ("Subject", _text(body.subject)),
        ("Date", format_datetime(date)),
        ("Message-ID", f"<{message_id}>"),
        *([("Reply-To", _mailbox(reply_to))] if reply_to else []),
        *extra,
        ("Content-Language", language),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    lines = [_header(name, value) for name, value in headers]
    return b"".join(
        [
            *lines,
            b"\r\n",
            _part(boundary, "plain", body.text.encode()),
            _part(boundary, "html", html),
            f"--{boundary}--\r\n".encode(),
        ]
    )


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


def _header(name: str, value: str) -> bytes:
    unfolded = value.replace("\r\n ", " ")
    if _UNSAFE.search(unfolded) or _UNSAFE.search(name):
        raise ValueError(f"the header {name} has a control character")
    line = f"{name}: {value}\r\n".encode("ascii")
    if max(map(len, line.split(b"\r\n"))) > MAX_LINE:
        raise ValueError(f"the header {name} is too long")
    return line


def _text(value: str) -> str:
    """Unstructured text: encoded words (RFC 2047) where it is not ASCII, folded at 76."""
    single = " ".join(_UNSAFE.sub(" ", value).split())
    charset = "us-ascii" if single.isascii() and "=?" not in single else "utf-8"
    return Header(single, charset, maxlinelen=76, header_name="Subject").encode(linesep="\r\n")


def _mailbox(sender: Mailbox) -> str:
    return f"{_phrase(sender.name)} <{sender.address}>" if sender.name else sender.address.text


def _phrase(name: str) -> str:
    """A display name: quoted (RFC 5322 3.2.4), or in encoded words where it is not ASCII."""
    single = " ".join(_UNSAFE.sub(" ", name).split())
    if not single.isascii() or "=?" in single:
        return Header(single, "utf-8", maxlinelen=60).encode(linesep="\r\n")
    return '"' + single.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _part(boundary: str, subtype: str, content: bytes) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    )
    return head.encode() + quoted_printable(content) + b"\r\n"


def quoted_printable(content: bytes) -> bytes:
    """Quoted-printable (RFC 2045 6.7) with CRLF line ends, no line over 76, no bare CR or LF."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")
