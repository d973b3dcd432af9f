"""How a mail is named: fixed for a delivery, so that a copy sent in doubt can be told from a second mail."""

from urllib.parse import quote, urlsplit

from digest.subscribers.address import EmailAddress
from digest.tokens import Signer


def message_id(signer: Signer, what: str, whom: str, domain: str) -> str:
    """The Message-ID (RFC 5322 3.6.4), without brackets, of one mail about `what` to `whom`: nobody else can make it, and it
    tells nothing about the reader."""
    return f"{what}.{signer.sign('message-id', f'{what} {whom}')}@{domain}"


def unsubscribe_url(public_url: str, token: str) -> str:
    """The page, and the target of the one-click POST, that lets this reader leave."""
    return f"{public_url}/u/{token}"


def unsubscribe_mailto(inbound: str, token: str) -> str:
    """The address form (RFC 6068) of leaving by mail; empty where no mail is read."""
    if not inbound:
        return ""
    address = EmailAddress.parse(inbound)
    return f"mailto:{quote(address.text, safe='@+')}?subject=unsubscribe%20{token}"


def list_id(cadence: str, public_url: str) -> str:
    """The identifier (RFC 2919 3) of the list that this edition belongs to."""
    return f"{cadence}.{urlsplit(public_url).hostname or 'localhost'}"
