"""What a conversation with the relay came to. "Submitted" is all that a 250 says."""

import re
from typing import Literal, NamedTuple

from digest.papers.text import clean

Kind = Literal["submitted", "deferred", "rejected", "lost", "in_doubt"]
Phase = Literal["mail", "rcpt", "data", "content"]

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
MAX_REPLY = 300


class Verdict(NamedTuple):
    """The end of one attempt.

    `lost` means that the connection ended before the first byte of content: nothing happened. `in_doubt` means that it
    ended after that, with no reply: the relay may have taken the message or not, and nobody can know (RFC 5321 4.2.5).
    """

    kind: Kind
    phase: Phase
    code: int = 0
    text: str = ""

    @property
    def reply(self) -> str:
        """The relay's words for people, on one line."""
        return clean(f"{self.code or ''} {self.text}", MAX_REPLY)

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), or nothing."""
        found = _ENHANCED.match(self.text)
        return found[1] if found else ""


def judge(phase: Phase, code: int, text: str) -> Verdict:
    """What a reply means; an unknown code is judged by its first digit (RFC 5321 4.3.2), and nonsense as a passing fault."""
    if phase == "content" and 200 <= code < 300:
        return Verdict("submitted", phase, code, text)
    return Verdict("rejected" if 500 <= code < 600 else "deferred", phase, code, text)
