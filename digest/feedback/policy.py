"""When does a refusal say that nobody lives at an address? Pure: what came back, and when, in; suppress or not out."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.outbox.verdict import Verdict

APART = timedelta(hours=48)
"""A mailbox that is refused for so long does not come back by itself; one refusal may be the relay's bad hour."""

_MAILBOX_CODES = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
_MAILBOX_REPLIES = (550, 551, 553, 556)
_ABOUT_US = re.compile(
    r"relay|rcpthosts|sender|authenti|authori[sz]|polic|prohibit|spam|block|blacklist|reputation|\b(spf|dkim|dmarc|rbl)\b|#5\.7\."
    r"|exceed|too many|limit|denied|unsolicited|\b(bulk|(?<!not )listed|reverse|ptr|helo|ehlo|your ip)\b",
    re.IGNORECASE,
)
"""What relays without enhanced codes say of who writes, often in the code for a mailbox that is gone."""
_FULL = re.compile(r"\bfull\b|quota", re.IGNORECASE)
_BUSY = re.compile(r"\bat a rate\b|too quickly", re.IGNORECASE)
"""What Gmail says, under 5.2.1 as of an account that is disabled, of one that gets much mail just now."""
_ADDRESS = re.compile(r"\S+@\S+")


def refuses_mailbox(verdict: Verdict) -> bool:
    """Whether a relay's reply is about the reader's mailbox, and for good.

    The enhanced code (RFC 3463) decides where there is one, and else the code, unless the words give another reason; policy and
    spam (x.7.x) are never the reader's fault.
    """
    if verdict.kind != "rejected" or verdict.phase != "rcpt":
        return False
    if verdict.enhanced:
        return verdict.enhanced in _MAILBOX_CODES and not _says(verdict, _BUSY)
    return verdict.code in _MAILBOX_REPLIES and not refuses_us(verdict) and not _says(verdict, _FULL)


def refuses_us(verdict: Verdict) -> bool:
    """Whether a relay refused a recipient for the sake of who writes: it does not relay for us, or a policy forbids it."""
    if verdict.kind != "rejected" or verdict.phase != "rcpt":
        return False
    if verdict.enhanced:
        return verdict.enhanced[1:3] == ".7"
    return _says(verdict, _ABOUT_US)


def _says(verdict: Verdict, what: re.Pattern[str]) -> bool:
    """Whether a reply has such words, be they not those of an address that it repeats."""
    return what.search(_ADDRESS.sub("", verdict.text)) is not None


def should_suppress(earlier: Sequence[datetime], now: datetime) -> bool:
    """Whether a refusal now, after these earlier ones of other editions, ends it: two, 48 hours apart."""
    return any(now - refused_at >= APART for refused_at in earlier)
