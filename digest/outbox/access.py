"""Links that open what is a reader's own, for a while: whoever finds a forwarded mail is not let in by any of them."""

import re
from datetime import UTC, datetime, timedelta

from digest.tokens import Signer

LIFE = timedelta(hours=1)
"""Of a link to a reader's preferences, which is mailed when he asks for it."""
_ACCESS = re.compile(r"(?P<reader>[A-Za-z0-9_-]{22})\.(?P<until>[0-9a-f]{1,9})\.(?P<mac>[A-Za-z0-9_-]{22})", re.ASCII)
_FEED = re.compile(r"(?P<reader>[A-Za-z0-9_-]{22})\.(?P<mac>[A-Za-z0-9_-]{22})", re.ASCII)


def access(signer: Signer, reader: str, now: datetime) -> str:
    """What opens a reader's preferences for an hour; `reader` is his public random id."""
    until = f"{int((now + LIFE).timestamp()):x}"
    return f"{reader}.{until}.{signer.sign('preferences', f'{reader}.{until}')}"


def whose(signer: Signer, access: str, now: datetime) -> tuple[str, datetime | None]:
    """(the reader whose link this was, until when it opens his preferences): no time where it does so no more.

    An empty reader where we never made such a link, for any reason: nobody learns which.
    """
    parts = _ACCESS.fullmatch(access)
    if parts is None or not signer.verify("preferences", f"{parts['reader']}.{parts['until']}", parts["mac"]):
        return "", None
    until = datetime.fromtimestamp(int(parts["until"], 16), UTC)
    return parts["reader"], until if now < until else None


def feed(signer: Signer, reader: str) -> str:
    """What opens a reader's own feed, for as long as he is one."""
    return f"{reader}.{signer.sign('feed', reader)}"


def whose_feed(signer: Signer, token: str) -> str:
    """The reader whose feed this opens; empty where it opens none."""
    parts = _FEED.fullmatch(token)
    return parts["reader"] if parts and signer.verify("feed", parts["reader"], parts["mac"]) else ""
