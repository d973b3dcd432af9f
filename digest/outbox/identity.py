"""How a mail is named: fixed for a delivery, so that a copy sent in doubt can be told from a second mail."""

from urllib.parse import quote, urlsplit

from digest.subscribers.address import EmailAddress
from digest.tokens import Signer

MAX_MESSAGE_ID = 160
"""Characters that the name of a delivery may have: the database keeps it."""
MAX_DOMAIN = MAX_MESSAGE_ID - len(f"2026-11-23-weekly.{'s' * 22}@")
"""What is left of them for the sender's domain."""

_MESSAGE, _RATING = "message-id", "rate"


def message_id(signer: Signer, what: str, whom: str, domain: str) -> str:
    """The Message-ID (RFC 5322 3.6.4), without brackets, of one mail about `what` to `whom`: nobody else can make it, and it
    tells nothing about the reader."""
    return f"{what}.{signer.sign(_MESSAGE, f'{what} {whom}')}@{domain}"


def is_message_id(signer: Signer, name: str, what: str, whom: str) -> bool:
    """Whether `message_id` made this name with one of these keys."""
    return signer.verify(_MESSAGE, f"{what} {whom}", name.removeprefix(f"{what}.").partition("@")[0])


def unsubscribe_url(public_url: str, token: str) -> str:
    """The page, and the target of the one-click POST, that lets this reader leave."""
    return f"{public_url}/u/{token}"


def rating_url(public_url: str, rating: str) -> str:
    """Where the links of the mail with this token lead that rate its papers, without `/p{paper}/{more|less}`."""
    return f"{public_url}/f/{rating}"


def rating_token(signer: Signer, delivery_id: int, token: str) -> str:
    """What names one mail in the links that rate its papers: nobody else can make it.

    `token` is the reader's. It is signed, too: after a restored backup another reader may get the number of this delivery.
    """
    return f"{delivery_id}-{signer.sign(_RATING, f'{delivery_id} {token}')}"


def is_rating_token(signer: Signer, delivery_id: int, token: str, signature: str) -> bool:
    """Whether this signature stands in the links of this delivery to the reader with this token."""
    return signer.verify(_RATING, f"{delivery_id} {token}", signature)


def unsubscribe_mailto(inbound: str, token: str) -> str:
    """The address form (RFC 6068) of leaving by mail; empty where no mail is read."""
    if not inbound:
        return ""
    address = EmailAddress.parse(inbound)
    return f"mailto:{quote(address.text, safe='@+')}?subject=unsubscribe%20{token}"


def list_id(cadence: str, public_url: str) -> str:
    """The identifier (RFC 2919 3) of the list that this edition belongs to."""
    return f"{cadence}.{urlsplit(public_url).hostname or 'localhost'}"
