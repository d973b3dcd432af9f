"""A mailbox as a header names it: an address, and the name that a reader sees (RFC 5322 3.4)."""

import re
import unicodedata
from dataclasses import dataclass

from digest.errors import BadInput
from digest.subscribers.address import EmailAddress

MAX_NAME = 100
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`Name <address>`; the name may be empty."""

    address: EmailAddress
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "Mailbox":
        """Read `Name <address>`, `"Name" <address>` or a bare address.

        Raises:
            BadInput: it is neither, or holds characters that could break a header.
        """
        text = text.strip()
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
            raise BadInput(f"{text[:80]!r} holds control characters", fix="write it on one line: Name <address>")
        named = _NAMED.fullmatch(text)
        if named is None:
            return cls(EmailAddress.parse(text))
        name = named["name"].strip()
        if len(name) > 1 and name[0] == name[-1] == '"':
            name = re.sub(r"\\(.)", r"\1", name[1:-1]).strip()
        if len(name) > MAX_NAME:
            raise BadInput(f"the name before <{named['address']}> is longer than {MAX_NAME} characters", fix="shorten it")
        return cls(EmailAddress.parse(named["address"]), name)
