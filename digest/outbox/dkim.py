"""DKIM signatures (RFC 6376): RSA with SHA-256, and Ed25519 (RFC 8463) beside it, made fast enough to sign every mail.

The body is signed in its simple form: it leaves here as seven bits, quoted-printable and ended by one CRLF, so no relay has a
reason to touch it, and one SHA-256 over the ready bytes does for all keys. Headers are signed in their relaxed form, for relays
do fold them anew.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Algorithm = Literal["rsa", "ed25519"]

_NAME = b"DKIM-Signature: "
_WIDTH = 76
_SEALED = (b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type")
"""Listed once more than they occur, Reply-To also where there is none, so that nobody can add another (RFC 6376 8.15): a reader
is shown one of two, and not always the signed one. What relays add where it lacks (Date, Message-ID) is always there."""
_SEALED_IF_THERE = (b"list-unsubscribe", b"list-unsubscribe-post")
"""A mail with a way out has no second one (RFC 8058 3.1); to a mail that is of no list a provider may add his."""
_COVERED = frozenset({*_SEALED, *_SEALED_IF_THERE, b"content-language", b"list-id", b"auto-submitted", b"feedback-id"})
"""The others are signed as often as they occur: forwarders add a List-Id of their own, providers a Feedback-ID."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key, ready to sign, under the selector by which receivers find its public half."""

    selector: str
    algorithm: Algorithm
    bits: int
    public: str
    """The public half as it stands in p= of the record (RFC 6376 3.6.1, RFC 8463 4)."""
    sign: Callable[[bytes], bytes] = field(repr=False, compare=False)
    """The signature of what RFC 6376 3.7 puts together, the same for the same bytes. It keeps other threads waiting."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs: one domain (d=), and a key for each signature."""

    domain: str
    keys: tuple[Key, ...]

    def fields(self, head: bytes, body: bytes, at: datetime) -> bytes:
        """The DKIM-Signature fields that go before `head`, each ended by CRLF; the same bytes for the same arguments.

        Args:
            head: the header, every line ended by CRLF, without the empty line.
            body: what follows the empty line, as it goes over the wire but for doubled dots.
            at: becomes t=, in whole seconds; fixed for a delivery, so that a second copy is the same.
        """
        names, covered = _covered(head)
        made = []
        common = b"d=%b;\r\n t=%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
            self.domain.encode(),
            at.timestamp(),
            names,
            b64encode(hashlib.sha256(_simple(body)).digest()),
        )
        for key in self.keys:
            tags = f"v=1; a={key.algorithm}-sha256; c=relaxed/simple;\r\n s={key.selector};\r\n ".encode() + common
            # The field itself comes last, without its signature and without its line's end (RFC 6376 3.7).
            signature = b64encode(key.sign(covered + b"dkim-signature:" + tags.replace(b"\r\n ", b" ")))
            made += [_NAME, tags, *_wrapped(signature), b"\r\n"]
        return b"".join(made)


def aligned(domain: str, sender: str) -> bool:
    """Whether a signature of `domain` speaks for addresses in the domain `sender`: in that one, or in one below it.

    DMARC asks for this (RFC 7489 3.1.1).
    """
    return "." in domain and f".{sender}".endswith(f".{domain}")


def _covered(head: bytes) -> tuple[bytes, bytes]:
    """The names for h=, folded, and what they stand for, in relaxed form (RFC 6376 3.4.2).

    From the last to the first: a name that stands there n times means the last n (RFC 6376 5.4.2).
    """
    names: list[bytes] = []
    lines: list[bytes] = []
    relaxed = head.replace(b"\t", b" ").replace(b"\r\n ", b" ")
    while b"  " in relaxed:
        relaxed = relaxed.replace(b"  ", b" ")
    for line in reversed(relaxed.split(b"\r\n")):
        name, _, value = line.partition(b":")
        name = name.rstrip(b" ").lower()
        if name in _COVERED:
            names.append(name)
            lines.append(b"%b:%b\r\n" % (name, value.strip(b" ")))
    names += [*_SEALED, *(name for name in _SEALED_IF_THERE if name in names)]
    return b":".join(_folded(names)), b"".join(lines)


def _folded(names: Iterable[bytes]) -> Iterator[bytes]:
    """The names, with a fold before each that the line has no room for."""
    length = len(" h=")
    for name in names:
        length += len(name) + 1
        if length > _WIDTH:
            length = len(name) + 2
            yield b"\r\n " + name
        else:
            yield name


def _wrapped(signature: bytes) -> Iterator[bytes]:
    width = _WIDTH - len(" b=")
    for start in range(0, len(signature), width):
        yield b"\r\n " * bool(start) + signature[start : start + width]


def _simple(body: bytes) -> bytes:
    """The body without empty lines at its end, and ended by CRLF (RFC 6376 3.4.3)."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n"):
        return body
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n"
