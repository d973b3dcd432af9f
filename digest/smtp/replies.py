"""A relay's replies (RFC 5321 4.2), read from whatever pieces they come in."""

from collections.abc import Iterator
from typing import NamedTuple

MAX_REPLY = 2**15
"""Octets of one reply with all its lines."""
MAX_LINES = 1000
KNOWN = 16
"""So many lines are remembered: relays say the same words to every message, and reading them is half of what one costs."""

_CODES = {b"%d" % code: code for code in (*range(200, 300), 354, *range(400, 600))}
_NO_END = "the server's reply has no end"


class Reply(NamedTuple):
    """What a relay said, its lines parted by line feeds. With code 0 it said nothing, and this is what happened."""

    code: int
    text: str


class BadReply(Exception):
    """This is no reply, or it has no end; says which."""


class ReplyReader:
    """Finds replies in a stream of octets; holds no more of it than one reply may have."""

    def __init__(self) -> None:
        self._known: dict[bytes, Reply] = {}
        self._rest = b""
        self._lines: list[bytes] = []
        self._code = 0
        self._size = 0

    @property
    def amid(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Every reply that these octets complete.

        Raises:
            BadReply: there is something else, or too much; nothing after it can be understood.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            reply = None if self._lines else self._known.get(line)
            if reply or (reply := self._line(line)):
                yield reply
        if self._size + len(self._rest) > MAX_REPLY:
            raise BadReply(_NO_END)

    def _line(self, line: bytes) -> Reply | None:
        code, mark = _CODES.get(line[:3]), line[3:4]
        if code is None or mark not in b" -\r" or (self._lines and code != self._code):
            raise BadReply(f"the server's reply makes no sense: {line[:80]!r}")
        self._size += len(line)
        if self._size > MAX_REPLY or len(self._lines) == MAX_LINES:
            raise BadReply(_NO_END)
        self._lines.append(line[4:].strip())
        self._code = code
        if mark == b"-":
            return None
        reply = Reply(code, b"\n".join(self._lines).decode("utf-8", "replace"))
        if len(self._lines) == 1 and len(self._known) < KNOWN and len(line) <= 512:
            self._known[line] = reply
        self._lines.clear()
        self._size = 0
        return reply
