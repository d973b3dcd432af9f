"""Addresses behind which nobody reads, or a program acts: the public form mails them nothing.

Whoever wants to vex others types addresses that are not his. A confirmation to `abuse@` or `postmaster@` (RFC 2142) is a
complaint at our provider; one to `LIST-request@` or `LIST-subscribe@` (RFC 2142 6) is a command to a list, and one to
`LIST-bounces@` or `noreply@` is read by nobody. Such an address cannot say yes, so it is not asked. Behind `info@`, `team@` or
`news@` people do read, and a group may want a digest: those are let in. An operator who knows better adds any of them himself.
"""

import re

from digest.subscribers.address import EmailAddress

_NOBODY = frozenset(
    "abuse bounce bounces cron daemon devnull donotreply ftp hostmaster listmaster listserv mailerdaemon mailman majordomo "
    "nobody noc noreply null postmaster root security spam sympa usenet uucp webmaster www".split()
)
# A list's own addresses, and what mail servers make of a sender's for bounces (VERP, BATV, SRS).
_OF_A_LIST = re.compile(
    r".+-(bounces?|confirm|join|leave|owner|request|subscribe|unsubscribe)|.+-(un)?subscribe-.+=.+|owner-.+|bounces?[-+=.].+"
)
_OF_A_SENDER = re.compile(r"(prvs|srs[01]|btv1)[-+=].+|(no|donot)-?reply[-+._].+")
_SEPARATORS = re.compile(r"[-._]")


def is_role(address: EmailAddress) -> bool:
    """Whether mail to this address reaches a duty or a program rather than somebody who could subscribe."""
    local = address.text.rpartition("@")[0].casefold()
    name = local.partition("+")[0]
    return bool(
        _SEPARATORS.sub("", name) in _NOBODY
        or _OF_A_LIST.fullmatch(name)
        or _OF_A_LIST.fullmatch(local)
        or _OF_A_SENDER.match(local)
    )
