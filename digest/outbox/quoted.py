"""Quoted-printable (RFC 2045 6.7), for whole parts and for pieces that are put together later.

No line begins with a dot, so nothing is doubled on the wire (RFC 5321 4.5.2): what is signed and stored is what is sent.
"""

import binascii
import re
from dataclasses import dataclass

from digest.rendering.slots import Stencil

MAX_LINE = 76

_SOFT = b"=\r\n"
_GOES_ON = MAX_LINE - len("=")
_DOT = re.compile(rb"^\.(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A stencil, encoded: piece, slot, piece, …, piece. What goes into a slot is `quoted`, or a whole sheet, filled."""

    pieces: tuple[bytes, ...]
    slots: tuple[str, ...]

    @classmethod
    def of(cls, stencil: Stencil) -> "Sheet":
        """Every slot begins a line, and ends one in a soft line break unless the text does so itself."""
        pieces, last = [], len(stencil.slots)
        for at, text in enumerate(stencil.texts):
            piece = quoted(text)
            if at > 0 and not text.startswith("\n") and (text or at < last):
                piece = _SOFT + piece
            if at < last and piece and not piece.endswith(b"\r\n"):
                piece += _SOFT
            pieces.append(piece)
        return cls(tuple(pieces), stencil.slots)


def quoted_printable(content: bytes) -> bytes:
    """A whole part, with CRLF line ends: no line over 76, no bare CR or LF."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _finished(binascii.b2a_qp(lines, istext=True))


def quoted(text: str) -> bytes:
    """Text that begins a line and may be followed by another piece: what ends it is no blank, and leaves room for "="."""
    if text.isascii() and "=" not in text and (plain := _plain(text)) is not None:
        return plain.encode()
    # With a sign behind it the last line is broken as one that goes on.
    encoded = binascii.b2a_qp(text.encode() + b"x", istext=True)[:-1]
    if encoded.endswith((b" ", b"\t")):
        encoded = encoded[:-1] + b"=\n=%02X" % encoded[-1]
    return _finished(encoded)


def _plain(text: str) -> str | None:
    """The same for ASCII in a fraction of the time; None where something in it has to be encoded."""
    lines = []
    for line in text.split("\n"):
        if line[-1:] == " " or not line.isprintable():
            return None
        while len(line) > _GOES_ON and line[0] != ".":
            lines.append(line[:_GOES_ON] + "=")
            line = line[_GOES_ON:]
        if line[:1] == ".":
            return None
        lines.append(line)
    return "\r\n".join(lines)


def _finished(encoded: bytes) -> bytes:
    if b"\n." in encoded or encoded[:1] == b".":
        encoded = _DOT.sub(_without_dot, encoded)
    return encoded.replace(b"\n", b"\r\n")


def _without_dot(line: re.Match[bytes]) -> bytes:
    """The line with its first dot encoded; one without room for that is broken, which may bring another dot to the front."""
    if len(line[1]) + len("=2E") < MAX_LINE:
        return b"=2E" + line[1]
    return b"=2E=\n" + _DOT.sub(_without_dot, line[1])
