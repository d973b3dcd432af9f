"""Links that open what is a reader's own, for a while: whoever finds a forwarded mail is not let in by any of them."""

import re
from datetime import UTC, datetime, timedelta

from digest.tokens import Signer

LIFE = timedelta(hours=1)
"""Of a link to a reader's preferences, which is mailed when he asks for it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ACCESS = re.compile(r"(?P<reader>[A-Za-z0-9_-]{22})\.(?P<until>[0-9a-f]{1,9})\.(?P<mac>[A-Za-z0-9_-]{22})", re.ASCII)
_UNDO = re.compile(r"(?P<reader>[A-Za-z0-9_-]{22})\.(?P<at>[0-9a-f]{13})\.(?P<mac>[A-Za-z0-9_-]{22})", re.ASCII)
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


def undo(signer: Signer, reader: str, at: datetime) -> str:
    """What takes back the one act of this reader's, or in his name, that was done at this instant."""
    moment = f"{(at - _EPOCH) // _MICROSECOND:013x}"
    return f"{reader}.{moment}.{signer.sign('undo', f'{reader}.{moment}')}"


def whose_undo(signer: Signer, token: str) -> tuple[str, datetime]:
    """(the reader, when the act was done that this takes back); an empty reader where we never made such a link."""
    parts = _UNDO.fullmatch(token)
    if parts is None or not signer.verify("undo", f"{parts['reader']}.{parts['at']}", parts["mac"]):
        return "", _EPOCH
    return parts["reader"], _EPOCH + int(parts["at"], 16) * _MICROSECOND


def ask_url(public_url: str, reader: str) -> str:
    """The page that mails a reader the link to his preferences, or pauses his mails."""
    return f"{public_url}/p/ask/{reader}"


def preferences_url(public_url: str, access: str) -> str:
    """The preferences that `access` opens."""
    return f"{public_url}/p/{access}"


def undo_url(public_url: str, token: str) -> str:
    """The page with the button that takes an act back."""
    return f"{public_url}/undo/{token}"


def feed(signer: Signer, reader: str) -> str:
    """What opens a reader's own feed, for as long as he is one."""
    return f"{reader}.{signer.sign('feed', reader)}"


def whose_feed(signer: Signer, token: str) -> str:
    """The reader whose feed this opens; empty where it opens none."""
    parts = _FEED.fullmatch(token)
    return parts["reader"] if parts and signer.verify("feed", parts["reader"], parts["mac"]) else ""
