"""One connection to the relay, used for many messages; every conversation ends in a verdict.

TLS is what the address says: `smtps` from the first byte, `smtp+starttls` or no mail at all, `smtp` plain. It is never
tried and then left out.

Where the relay announces PIPELINING, the end of one message and the envelope of the next go out as one group (RFC 2920 3.1):
one round trip a message. Elsewhere the same is said step by step, and comes to the same.
"""

import asyncio
import contextlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple, cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError
from aiosmtplib.response import SMTPResponse

from digest.errors import ServerUnavailable
from digest.outbox.verdict import Phase, Verdict, judge
from digest.smtp.causes import usual_cause
from digest.smtp.replies import Reply
from digest.smtp.url import SmtpUrl
from digest.smtp.wire import Step, Wire
from digest.subscribers.address import EmailAddress

FINAL_REPLY_TIMEOUT = 600.0
"""Seconds to wait after the final dot (RFC 5321 4.5.3.2.6): who gives up sooner mails twice."""
MAX_MESSAGES = 1000
"""After so many messages a connection is made anew; a relay that wants it sooner says 421, which costs one round trip. TLS
begun for every hundred would cost as much as half the sending."""
MAX_AGE = 300.0
"""After so many seconds too: relays behind one name share the load only among new connections."""
GOODBYE_TIMEOUT = 5.0

UNKNOWN = (500, 502)
"""Replies that say that the server does not know a command."""

RESET = b"RSET\r\n"

_ENVELOPE: tuple[Phase, ...] = ("mail", "rcpt", "data")


class Envelope(NamedTuple):
    """Who it is from and to, as the relay is told (RFC 5321 2.3.1)."""

    mail_from: EmailAddress
    rcpt_to: EmailAddress


class Turn(NamedTuple):
    """What one turn of a conversation came to."""

    ended: Verdict | None
    """Of the content; None where there was none."""
    opened: Verdict | None
    """Of the envelope: None where there was none, or where the relay took it and waits for the content; else why it did not."""


class Connection:
    """An open conversation with the relay."""

    def __init__(
        self,
        wire: Wire,
        extensions: Mapping[str, str],
        *,
        pipelining: bool,
        max_messages: int,
        max_age: float,
    ) -> None:
        self.pipelines = pipelining and "pipelining" in extensions
        """Whether groups go out as one."""
        self.out_of_step = False
        """Whether a group was not answered, or in part: the relay may not keep what PIPELINING promises, so the next connection
        had better do without."""
        self._wire = wire
        self._size = _limit(extensions.get("size", ""))
        self._international = "smtputf8" in extensions
        self._left = max_messages
        self._loop = asyncio.get_running_loop()
        self._good_until = self._loop.time() + max_age
        self._awaited = False
        self._aside = b""

    @classmethod
    async def open(
        cls,
        url: SmtpUrl,
        timeout: float = 60.0,
        *,
        pipelining: bool = True,
        final_timeout: float = FINAL_REPLY_TIMEOUT,
        max_messages: int = MAX_MESSAGES,
        max_age: float = MAX_AGE,
    ) -> "Connection":
        """Connect, secure and authenticate.

        Args:
            url: of the relay.
            timeout: seconds for each reply.
            pipelining: whether to make use of it where it is announced.
            final_timeout: seconds for the reply to a message.
            max_messages, max_age: after so many messages or seconds the connection is not `usable` any more.

        Raises:
            ServerUnavailable: any of it failed; says which, and the usual cause.
        """
        smtp = (_Lmtp if url.scheme == "lmtp" else _Client)(
            hostname=url.host,
            port=url.port,
            username=url.username,
            password=url.password,
            use_tls=url.scheme == "smtps",
            start_tls=url.scheme == "smtp+starttls",
            timeout=timeout,
        )
        try:
            transport = await _opened(smtp)
        except (SMTPException, OSError, ValueError) as error:
            smtp.close()
            said = _without_secrets(str(error), url)
            raise ServerUnavailable(f"the mail server {url} is not to be had: {said}", fix=usual_cause(error, url)) from None
        except BaseException:
            smtp.close()
            raise
        # From here on aiosmtplib is told only that the connection is gone.
        wire = Wire(transport, timeout, final_timeout, smtp.close)
        return cls(wire, smtp.esmtp_extensions, pipelining=pipelining, max_messages=max_messages, max_age=max_age)

    @property
    def usable(self) -> bool:
        """Whether another message may be opened over it."""
        return self._wire.ended is None and self._left > 0 and self._loop.time() < self._good_until

    async def turn(self, content: bytes | None, envelope: Envelope | None, *, dotless: bool = False) -> Turn:
        """Submit the content that the relay waits for, and open the next message (RFC 5321 3.3).

        Where the relay waits for content, only that or `abort` may follow: a lone dot would be an empty mail to somebody.

        Args:
            content: of the message that the last turn opened, its mark durable; with CRLF line ends, and one at its end.
            envelope: of the next message; None where there is none yet.
            dotless: whether no line of the content begins with a dot; looking costs more than all else that is done here.

        Returns:
            How both ended. Never raises for what a relay or network does.
        """
        ended = opened = None
        steps: tuple[Step, ...] = ()
        body: tuple[bytes, ...] = ()
        commands = b""
        if content is not None:
            ended = self._hindrance(content)
            if ended is None:
                steps = ("content",)
                body = content if dotless else _stuffed(content), b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        elif self._awaited:
            self.abort()
        elif envelope is not None and self._aside:
            steps, commands, self._aside = ("aside",), self._aside, b""
        before, resets = len(steps), commands == RESET
        if envelope is not None:
            opened = self._objection(envelope)
            if opened is None:
                self._left -= 1
                steps += _ENVELOPE
                commands += _commands(envelope)
        self._awaited = False
        replies = await self._say(steps, body, commands) if steps else ()
        if resets and replies and replies[0].code >= 400:
            # What was refused before may still have a recipient, who would get this message too.
            self._wire.abort(f"the server does not take back a message: {replies[0].code} {replies[0].text}")
            replies = ()
        if body:
            ended = self._ended(replies[0] if replies else None)
        if len(steps) > before:
            opened = self._opened(replies[before:])
        return Turn(ended, opened)

    async def close(self) -> None:
        """Say goodbye; a relay that does not answer, or waits for content, is left standing."""
        if self._wire.ended is None and not self._awaited:
            steps: tuple[Step, ...] = ("aside", "quit") if self._aside else ("quit",)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_TIMEOUT):
                    await self._say(steps, (), self._aside + b"QUIT\r\n")
        self.abort()

    def abort(self) -> None:
        """End the connection without another byte: closing politely would flush what is buffered, maybe the dot."""
        self._wire.abort("the connection was given up")

    async def _say(self, steps: tuple[Step, ...], body: tuple[bytes, ...], commands: bytes) -> Sequence[Reply]:
        """The replies, as far as they came. `body` is content in pieces, said before the commands."""
        try:
            if not self.pipelines:
                return await self._say_apart(steps, body, commands)
            replies = await self._wire.exchange(b"".join((*body, commands)), steps)
        except BaseException:
            # Whoever waited was cancelled: nobody would know which replies are still to come.
            self.abort()
            raise
        if len(replies) < len(steps) > 1 and self._wire.ended is not None and self._wire.ended.code != 421:
            self.out_of_step = True
        return replies

    async def _say_apart(self, steps: tuple[Step, ...], body: tuple[bytes, ...], commands: bytes) -> Sequence[Reply]:
        """One after the other: what follows a refused envelope is left unsaid."""
        replies: list[Reply] = []
        words = [b"".join(body)] if body else []
        for step, octets in zip(steps, words + commands.splitlines(keepends=True), strict=True):
            answered = await self._wire.exchange(octets, (step,))
            replies += answered
            if not answered or (step in ("aside", "mail", "rcpt") and answered[0].code >= 400):
                break
        return replies

    def _ended(self, reply: Reply | None) -> Verdict:
        """What became of a message whose content was given to the wire."""
        if self._wire.unsent and (reply is None or reply.code < 400):
            return self._lost("content")
        if reply is None:
            return Verdict("in_doubt", "content", text=f"the connection ended after the content: {self._lost('content').reply}")
        return judge("content", reply.code, reply.text)

    def _opened(self, replies: Sequence[Reply]) -> Verdict | None:
        """What became of an envelope, by the replies that came to it."""
        verdict: Verdict | None = None
        for phase, reply in zip_longest(_ENVELOPE, replies):
            if reply is None or reply.code == 421:
                # A relay that closes the connection says nothing about this message (RFC 5321 3.8).
                return self._lost(phase)
            if reply.code >= 400:
                verdict = judge(phase, reply.code, reply.text)
                break
        if verdict is None:
            self._awaited = self._wire.ended is None
            return None if self._awaited else self._lost("data")
        self._set_aside([phase for phase, reply in zip(_ENVELOPE, replies, strict=False) if reply.code < 400])
        return verdict

    def _set_aside(self, taken: Sequence[Phase]) -> None:
        """See what must be said before the next message, where the relay took only so much of this one's envelope."""
        if "data" not in taken:
            self._aside = RESET if taken else b""
        elif "rcpt" not in taken:
            self._aside = b".\r\n"  # it waits for a message to nobody (RFC 2920 3.1)
        else:
            self.abort()  # a lone dot might be an empty mail to somebody

    def _hindrance(self, content: bytes) -> Verdict | None:
        """Why this content cannot go over this connection."""
        if not self._awaited or self._wire.ended is not None:
            self.abort()
            return self._lost("content")
        if self._size and len(content) > self._size:
            self.abort()
            too_large = f"5.3.4 the message has {len(content):,} octets, and the mail server takes {self._size:,}"
            return Verdict("rejected", "content", 552, too_large)
        return None

    def _objection(self, envelope: Envelope) -> Verdict | None:
        """Why this envelope cannot be said (RFC 6531 3.2); nothing in it may end a command and begin another."""
        sender, recipient = envelope.mail_from.text, envelope.rcpt_to.text
        if self._can_be_said(sender + recipient):
            return None
        phase: Phase = "rcpt" if self._can_be_said(sender) else "mail"
        return Verdict("rejected", phase, 553, "5.6.7 the mail server cannot be told an address with such letters")

    def _can_be_said(self, address: str) -> bool:
        return (
            (address.isascii() or self._international) and address.isprintable() and " " not in address and ">" not in address
        )

    def _lost(self, phase: Phase) -> Verdict:
        code, text = self._wire.ended or (0, "the connection was lost")
        return Verdict("lost", phase, code, text)


class _Client(SMTP):
    """Closes without a word: a server that misbehaves must not be waited for until it has ended TLS politely."""

    def close(self) -> None:
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()
        super().close()


class _Lmtp(_Client):
    """LMTP (RFC 2033) differs, for one recipient a message, in the greeting alone."""

    async def execute_command(self, *args: bytes, **options: object) -> SMTPResponse:
        if args and args[0] in (b"EHLO", b"HELO"):
            args = (b"LHLO", *args[1:])
        return await super().execute_command(*args, **options)  # type: ignore[arg-type]


async def _opened(smtp: SMTP) -> asyncio.Transport:
    await smtp.connect()
    if smtp.is_ehlo_or_helo_needed:  # nobody has asked, or not since TLS began (RFC 3207 4.2)
        await _greet(smtp)
    if not smtp.is_connected:
        raise ConnectionResetError("the connection was lost")
    # uvloop's transports are none by class.
    return cast("asyncio.Transport", smtp.transport)


async def _greet(smtp: SMTP) -> None:
    """Say EHLO; to a server that does not know it HELO, by which it offers nothing more (RFC 5321 3.2)."""
    try:
        await smtp.ehlo()
    except SMTPHeloError as error:
        if error.code not in UNKNOWN or isinstance(smtp, _Lmtp):
            raise
        await smtp.helo()


def _without_secrets(said: str, url: SmtpUrl) -> str:
    """A server's words, which may repeat a command that it did not take, or its beginning, without the password in them."""
    if not url.password:
        return said
    coded = [b64encode(secret.encode()).decode() for secret in (f"\0{url.username}\0{url.password}", url.password)]
    said = re.sub(r"[A-Za-z0-9+/=]{6,}", lambda word: "…" if any(word[0] in one for one in coded) else word[0], said)
    return said.replace(url.password, "…")


def _commands(envelope: Envelope) -> bytes:
    """An envelope's commands, one a line."""
    sender, recipient = envelope.mail_from.text, envelope.rcpt_to.text
    international = "" if sender.isascii() and recipient.isascii() else " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{international}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()


def _stuffed(content: bytes) -> bytes:
    """RFC 5321 4.5.2, and after a bare line feed too: some take that for the end of a line."""
    return (b"." if content.startswith(b".") else b"") + content.replace(b"\n.", b"\n..")


def _limit(size: str) -> int:
    """What SIZE announces, in 20 digits at most (RFC 1870 4); 0 is without limit."""
    return int(size) if size.isascii() and size.isdigit() and len(size) <= 20 else 0
