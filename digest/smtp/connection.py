"""One connection to the relay, used for many messages; every conversation ends in a verdict.

TLS is what the address says: `smtps` from the first byte, `smtp+starttls` or no mail at all, `smtp` plain. It is never
tried and then left out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
)
from aiosmtplib.response import SMTPResponse

from digest.errors import ServerUnavailable
from digest.outbox.verdict import Phase, Verdict, judge
from digest.smtp.url import SmtpUrl
from digest.subscribers.address import EmailAddress

FINAL_REPLY_TIMEOUT = 600.0
"""Seconds to wait after the final dot (RFC 5321 4.5.3.2.6): who gives up sooner mails twice."""
MAX_MESSAGES = 100
"""After so many messages a connection is made anew, as many relays demand."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who it is from and to, as the relay is told (RFC 5321 2.3.1)."""

    mail_from: EmailAddress
    rcpt_to: EmailAddress


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of a conversation came to."""

    ended: Verdict | None
    """Of the content; None where there was none."""
    opened: Verdict | None
    """Of the envelope: None where there was none, or where the relay took it and waits for the content; else why it did not."""


class Connection:
    """An open conversation with the relay."""

    def __init__(self, smtp: SMTP, timeout: float) -> None:
        self._smtp = smtp
        self._timeout = timeout
        self._messages = 0
        self._clean = True

    @classmethod
    async def open(cls, url: SmtpUrl, timeout: float = 60.0) -> "Connection":
        """Connect, secure and authenticate.

        Raises:
            ServerUnavailable: any of it failed; says which, and the usual cause.
        """
        smtp = (_Lmtp if url.scheme == "lmtp" else SMTP)(
            hostname=url.host,
            port=url.port,
            username=url.username,
            password=url.password,
            use_tls=url.scheme == "smtps",
            start_tls=url.scheme == "smtp+starttls",
            timeout=timeout,
        )
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except (SMTPException, OSError, ValueError) as error:
            smtp.close()
            raise ServerUnavailable(f"the mail server {url} is not to be had: {error}", fix=usual_cause(error, url)) from None
        return cls(smtp, timeout)

    @property
    def usable(self) -> bool:
        """Whether another message may go over it."""
        return self._smtp.is_connected and self._clean and self._messages < MAX_MESSAGES

    async def submit(self, envelope: Envelope, content: bytes, may_go: Callable[[], Awaitable[bool]]) -> Verdict | None:
        """Submit one message (RFC 5321 3.3).

        Args:
            envelope: see `Envelope`.
            content: with CRLF line ends, and one at its end.
            may_go: asked when the relay waits for the content; only if it says yes does the first byte go out.

        Returns:
            The verdict; None if `may_go` said no. Never raises for what a relay or network does.
        """
        phase: Phase = "mail"
        self._messages += 1
        try:
            steps: tuple[tuple[Phase, bytes], ...] = (
                ("mail", f"MAIL FROM:<{envelope.mail_from}>".encode()),
                ("rcpt", f"RCPT TO:<{envelope.rcpt_to}>".encode()),
                ("data", b"DATA"),
            )
            for phase, command in steps:
                reply = await self._command(command)
                if not _goes_on(phase, reply):
                    return await self._refused(phase, reply)
            if not await may_go():
                # The relay expects content now; a lone dot would be an empty mail to somebody.
                self.abort()
                return None
        except (SMTPException, OSError) as error:
            self.abort()
            return Verdict("lost", phase, text=str(error))
        if not self._smtp.is_connected:
            self.abort()
            return Verdict("lost", "content", text="the connection ended before the content")
        try:
            reply = await self._content(content)
        except (SMTPResponseException, OSError, SMTPException) as error:
            self.abort()
            return Verdict("in_doubt", "content", text=f"the connection ended after the content: {error}")
        if reply.code == 421:
            self.abort()
        return judge("content", reply.code, reply.message)

    async def turn(self, content: bytes | None, envelope: Envelope | None) -> Turn:
        """Submit the content that the relay waits for, and open the next message (RFC 5321 3.3).

        Args:
            content: of the message that the last turn opened, its mark durable; with CRLF line ends, and one at its end.
            envelope: of the next message; None where there is none yet.

        Returns:
            How both ended. Never raises for what a relay or network does.
        """
        ended = await self._end(content) if content is not None else None
        if envelope is None:
            return Turn(ended, None)
        if not self._smtp.is_connected or not self._clean:
            return Turn(ended, Verdict("lost", "mail", text="the connection ended"))
        return Turn(ended, await self._open(envelope))

    async def _end(self, content: bytes) -> Verdict:
        try:
            reply = await self._content(content)
        except (SMTPResponseException, OSError, SMTPException) as error:
            self.abort()
            return Verdict("in_doubt", "content", text=f"the connection ended after the content: {error}")
        if reply.code == 421:
            self.abort()
        return judge("content", reply.code, reply.message)

    async def _open(self, envelope: Envelope) -> Verdict | None:
        phase: Phase = "mail"
        self._messages += 1
        try:
            steps: tuple[tuple[Phase, bytes], ...] = (
                ("mail", f"MAIL FROM:<{envelope.mail_from}>".encode()),
                ("rcpt", f"RCPT TO:<{envelope.rcpt_to}>".encode()),
                ("data", b"DATA"),
            )
            for phase, command in steps:
                reply = await self._command(command)
                if not _goes_on(phase, reply):
                    return await self._refused(phase, reply)
        except (SMTPException, OSError) as error:
            self.abort()
            return Verdict("lost", phase, text=str(error))
        return None

    async def close(self) -> None:
        """Say goodbye; a relay that does not answer is left standing."""
        if self._smtp.is_connected:
            try:
                await self._smtp.quit(timeout=5)
            except (SMTPException, OSError):
                self.abort()

    def abort(self) -> None:
        """End the connection without another byte: closing politely would flush what is buffered, maybe the dot."""
        self._clean = False
        transport = self._smtp.transport
        if transport is not None:
            transport.abort()  # type: ignore[attr-defined]
        self._smtp.close()

    async def _command(self, command: bytes) -> SMTPResponse:
        return await self._smtp.execute_command(command, timeout=self._timeout)

    async def _content(self, content: bytes) -> SMTPResponse:
        protocol = self._smtp.protocol
        if protocol is None:
            raise ConnectionResetError("connection lost")
        protocol.write(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return await protocol.read_response(timeout=FINAL_REPLY_TIMEOUT)

    async def _refused(self, phase: Phase, reply: SMTPResponse) -> Verdict:
        verdict = judge(phase, reply.code, reply.message)
        if reply.code == 421:
            # The relay closes the connection, whoever the mail is for (RFC 5321 3.8): no word about this one.
            self.abort()
            return Verdict("lost", phase, reply.code, reply.message)
        if phase != "mail":
            try:
                await self._command(b"RSET")
            except (SMTPException, OSError):
                self.abort()
        return verdict


class _Lmtp(SMTP):
    """LMTP (RFC 2033) differs, for one recipient a message, in the greeting alone."""

    async def execute_command(self, *args: bytes, **options: object) -> SMTPResponse:
        if args and args[0] in (b"EHLO", b"HELO"):
            args = (b"LHLO", *args[1:])
        return await super().execute_command(*args, **options)  # type: ignore[arg-type]


def _goes_on(phase: Phase, reply: SMTPResponse) -> bool:
    return reply.code == 354 if phase == "data" else 200 <= reply.code < 300


def usual_cause(error: BaseException, url: SmtpUrl) -> str:
    """What people who see this error most often have to do."""
    said = str(error).lower()
    if isinstance(error, SMTPAuthenticationError) or "authentication" in said:
        if "gmail" in url.host or "google" in url.host:
            return "Gmail takes an application password, not the account's: https://myaccount.google.com/apppasswords"
        return "check user name and password; providers with two-factor login want an application password"
    if "starttls" in said and "not supported" in said:
        return "this server offers no STARTTLS on that port: try smtps:// with port 465, or ask its operator"
    if url.port == 465 and url.scheme != "smtps":
        return "port 465 speaks TLS from the first byte: write smtps:// instead"
    if "wrong_version_number" in said or "wrong version number" in said or "record layer" in said:
        return "this port speaks plain text first: smtp+starttls:// goes with 587, smtps:// with 465"
    if "certificate" in said:
        return "use the name that the server's certificate is for; for an authority of your own set SSL_CERT_FILE"
    if isinstance(error, (SMTPConnectError, asyncio.TimeoutError, OSError)):
        return f"check smtp.url, and that a firewall lets this machine reach {url.host}:{url.port}"
    return "see what the server says, and docs/how-to/smtp.md"
