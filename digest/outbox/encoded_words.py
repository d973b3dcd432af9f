"""Encoded words (RFC 2047): text that is not ASCII in a header."""

import binascii
import string

MAX_FOLDED = 76
"""Columns of a line of a header that has encoded words (RFC 2047 2)."""
MAX_WORD = 75

_AROUND = len("=?utf-8?q??=")
# What may stand as it is in a phrase (RFC 2047 5.3), and hence everywhere.
_Q = {character: character for character in string.ascii_letters + string.digits + "!*+-/"} | {" ": "_"}


def encoded_words(text: str, column: int) -> str:
    """The text as encoded words, folded between them, for a value that begins in this column.

    No character is split between two words. Which of both encodings is used is the one that takes less room.
    """
    raw = text.encode()
    plain = sum(character in _Q for character in text)
    as_q = 3 * len(raw) - 2 * plain <= 4 * len(raw) / 3
    words: list[str] = []
    room = MAX_FOLDED - column - _AROUND
    chunk: list[str] = []
    width = 0
    for character in text:
        piece = _Q.get(character) or "".join(f"={byte:02X}" for byte in character.encode()) if as_q else character
        more = len(piece) if as_q else len(piece.encode())
        if chunk and (width + more if as_q else 4 * -(-(width + more) // 3)) > room:
            words.append(_word(chunk, as_q=as_q))
            chunk, width, room = [], 0, MAX_WORD - _AROUND
        chunk.append(piece)
        width += more
    return "\r\n ".join([*words, _word(chunk, as_q=as_q)])


def _word(pieces: list[str], *, as_q: bool) -> str:
    text = "".join(pieces)
    return f"=?utf-8?q?{text}?=" if as_q else f"=?utf-8?b?{binascii.b2a_base64(text.encode(), newline=False).decode()}?="
