"""Mails as their readers' programs read them."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache

# The library parses a header anew whenever it is asked for, in more time than it takes to make and send most mails.
_parsed = lru_cache(maxsize=2000)(policy.default.header_fetch_parse)


class _Remembering(policy.EmailPolicy):
    """The modern policy: a header that was parsed is not parsed again. What it gives cannot be changed."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return _parsed(name, value)


_POLICY = _Remembering()


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=_POLICY)
