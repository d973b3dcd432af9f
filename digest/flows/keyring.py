"""The signing keys at work: which signed the mails of late, and what ends when one is taken away.

What a reader needs most never ends with a key. The way out of a mail is a random id of his own, and so is his confirmation:
one-click unsubscribing (RFC 8058) works from any mail, however old, whatever was done with the keys. Suppressed addresses are
kept under a key of their own. Signed are the links that rate papers, those that undo a leaving or a pause, and the addresses of
readers' own feeds; and for hours the links to preferences and the operator's session.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from digest.flows.links import UNDONE_WITHIN
from digest.outbox.identity import is_message_id
from digest.store.engine import Store
from digest.store.keys import Named, named_mails
from digest.store.retention import PICKS
from digest.tokens import Signer, key_name

NEVER = datetime.min.replace(tzinfo=UTC)
SPAN = timedelta(days=1)
"""How long after an edition is frozen its readers' mails are signed, each at his hour."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key, and what is known of its work."""

    name: str
    signs: bool
    """Or does it only verify?"""
    last_edition: datetime | None
    """When the last edition was frozen whose mails it signed; None where none of the last `PICKS` is known."""

    @property
    def rated_until(self) -> datetime | None:
        """Until when its mails are of use to rate papers."""
        return self.last_edition and self.last_edition + SPAN + PICKS

    @property
    def undone_until(self) -> datetime | None:
        """Until when something can be undone by a mail of those days."""
        return self.last_edition and self.last_edition + SPAN + UNDONE_WITHIN

    def needed_until(self, now: datetime) -> datetime | None:
        """Until when something in its mails needs it; None: no longer. Of feeds nobody knows who still asks for them."""
        return self.rated_until if self.rated_until and self.rated_until > now else None


def uses(store: Store, keys: Sequence[str], now: datetime) -> list[KeyUse]:
    """What each key does, in the order of the keys: newest first."""
    with store.read() as connection:
        return judge(keys, named_mails(connection, now - PICKS - SPAN))


def judge(keys: Sequence[str], mails: Iterable[Named]) -> list[KeyUse]:
    """The same, by these mails: a Message-ID tells the key that made it, also where keys were changed by hand."""
    last: dict[str, datetime] = {}
    signers = {key: Signer([key]) for key in keys}
    for mail in mails:
        signed_by = (key for key, signer in signers.items() if is_message_id(signer, mail.message_id, mail.what, mail.whom))
        for key in signed_by:
            last[key] = max(mail.frozen_at, last.get(key, mail.frozen_at))
    return [KeyUse(key_name(key), number == 0, last.get(key)) for number, key in enumerate(keys)]


def signed_last(found: Sequence[KeyUse]) -> KeyUse | None:
    """The newest key that signed mails of the last edition; None where none is known."""
    return max((use for use in found if use.last_edition), key=lambda use: use.last_edition or NEVER, default=None)
