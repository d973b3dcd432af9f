"""When does a refusal say that nobody lives at an address? Pure: what came back, and when, in; suppress or not out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.outbox.verdict import Verdict

APART = timedelta(hours=48)
"""A mailbox that is refused for so long does not come back by itself; one refusal may be the relay's bad hour."""

_MAILBOX_CODES = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
_MAILBOX_REPLIES = (550, 551, 553, 556)


def refuses_mailbox(verdict: Verdict) -> bool:
    """Whether a relay's reply is about the reader's mailbox, and for good.

    The enhanced code (RFC 3463) decides where there is one; policy and spam (x.7.x) are never the reader's fault.
    """
    if verdict.kind != "rejected" or verdict.phase != "rcpt":
        return False
    if verdict.enhanced:
        return verdict.enhanced in _MAILBOX_CODES
    return verdict.code in _MAILBOX_REPLIES


def should_suppress(earlier: Sequence[datetime], now: datetime) -> bool:
    """Whether a refusal now, after these earlier ones of other editions, ends it: two, 48 hours apart."""
    return any(now - refused_at >= APART for refused_at in earlier)
