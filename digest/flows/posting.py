"""One mail now, to somebody who looks on: a test, or what an operator wants to see in his own mailbox. Nothing is queued."""

from digest.errors import ServerUnavailable
from digest.flows.terms import Relay
from digest.smtp.connection import Connection, Envelope
from digest.subscribers.address import EmailAddress

PATIENCE = 15.0
"""Seconds to wait for a mail server: somebody is looking on."""


async def post(relay: Relay, sender: EmailAddress, recipient: EmailAddress, content: bytes) -> str:
    """Submit a message; returns what the server says.

    Raises:
        ServerUnavailable: it cannot be reached, or does not take the message.
    """
    connection = await Connection.open(relay.url, min(relay.timeout, PATIENCE))
    try:
        return await submit(connection, sender, recipient, content)
    finally:
        await connection.close()


async def submit(connection: Connection, sender: EmailAddress, recipient: EmailAddress, content: bytes) -> str:
    """The same over a connection that is open. Raises as `post`."""
    verdict = (await connection.turn(None, Envelope(sender, recipient))).opened
    if verdict is None:
        verdict = (await connection.turn(content, None)).ended
    if verdict is None or verdict.kind != "submitted":
        phase = verdict.phase if verdict else "mail"
        fix = {
            "mail": f"the server does not let you send as {sender}: set email.from to an address of yours",
            "rcpt": "the server does not relay to that address for you: check the login, or the address",
        }.get(phase, "see what the server says")
        raise ServerUnavailable(f"the mail server refused it: {verdict.reply if verdict else ''}", fix=fix)
    return verdict.reply
