"""A mail server on loopback that remembers what it accepted, and misbehaves as it is told."""

import asyncio
import base64
import contextlib
import inspect
import os
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from itertools import count
from typing import Any, Self, TypeAlias

from support.mail import read

LIMIT = 2**20
_PORTS = count()
DROP = "drop"
"""An answer that is none: the connection is reset."""
SILENCE = "silence"
"""Another: nothing is said, or the hook has said it already."""


@dataclass(frozen=True)
class Accepted:
    """One message as it was accepted, with CRLF line ends."""

    recipient: str
    message_id: str
    content: bytes
    session: int

    @property
    def message(self) -> EmailMessage:
        return read(self.content)


@dataclass
class Session:
    """One connection, as the server sees it."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    commands: list[str] = field(default_factory=list)
    in_clear: list[str] = field(default_factory=list)
    """The commands that came before TLS."""
    secure: bool = False
    user: str = ""
    accepted: int = 0
    sender: str = ""
    recipient: str = ""
    """Empty unless one was accepted for the message at hand."""
    content: bytes = b""
    """Of the latest message, accepted or not."""


Hook: TypeAlias = Callable[[Session, str], str | Awaitable[str | None] | None]


class Sink:
    """An SMTP server in a thread of its own.

    `on` maps a moment to what is said there instead of the usual; a hook may be a coroutine, and gets the session and the
    word in question: CONNECT, EHLO, STARTTLS, AUTH (user name), MAIL and RCPT (address), DATA, BODY (354 was said and no
    content read; any answer but DROP is said in the midst of it), CONTENT (after the dot; recipient), RSET, QUIT.

    Args:
        tls: offers STARTTLS with this context, or with `implicit` speaks TLS from the first byte.
        login: the user name and password that AUTH takes; offered when given.
        pipelining: announces PIPELINING. Groups of commands are understood in any case.
        offers: more lines of the answer to EHLO.
        drips: every answer goes out octet by octet.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        pipelining: bool = False,
        offers: Sequence[str] = ("SIZE 10000000",),
        drips: bool = False,
        **on: Hook,
    ) -> None:
        self.on: dict[str, Hook] = dict(on)
        self.accepted: list[Accepted] = []
        self.by_recipient: dict[str, list[Accepted]] = defaultdict(list)
        self.sessions: list[Session] = []
        self.open = 0
        self.grew = threading.Condition()
        self.port = 0
        self._tls, self._implicit, self._login, self._drips = tls, implicit, login, drips
        self._words = ["8BITMIME", *offers, "ENHANCEDSTATUSCODES", *(["PIPELINING"] if pipelining else [])]
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        """Who got something, once for each copy, in order of the alphabet."""
        return sorted(one.recipient for one in self.accepted)

    def commands(self, verb: str) -> list[str]:
        """Every command of this verb, whoever said it."""
        return [line for session in self.sessions for line in session.commands if line.upper().startswith(verb)]

    def wait_for(self, number: int, seconds: float) -> bool:
        """Return when so many messages were accepted, or when the time is over; says which."""
        with self.grew:
            return self.grew.wait_for(lambda: len(self.accepted) >= number, seconds)

    async def _listen(self) -> asyncio.Server:
        context = self._tls if self._implicit else None
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LIMIT, backlog=256, ssl=context)

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        session = Session(len(self.sessions) + 1, reader, writer, secure=self._implicit)
        self.sessions.append(session)
        self.open += 1
        try:
            await self._converse(session)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def _converse(self, session: Session) -> None:
        if not await self._say(session, "CONNECT", "", "220 sink.example.org ESMTP"):
            return
        while line := (await session.reader.readline()).decode("ascii", "replace").strip():
            session.commands.append(line)
            if not session.secure:
                session.in_clear.append(line)
            if not await self._obey(session, line):
                return

    async def _obey(self, session: Session, line: str) -> bool:
        """Answer one command; returns whether the connection goes on."""
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO" | "LHLO":
                return await self._say(session, "EHLO", rest, "\r\n".join(self._offers(session)))
            case "STARTTLS" if self._tls:
                if not await self._say(session, "STARTTLS", "", "220 2.0.0 go ahead"):
                    return False
                await session.writer.start_tls(self._tls)
                session.secure = True
                return True
            case "AUTH" if self._login:
                _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
                right = (user, password) == self._login
                session.user = user if right else ""
                return await self._say(session, "AUTH", user, "235 2.7.0 ok" if right else "535 5.7.8 Authentication failed")
            case "MAIL" if session.sender:
                return await self._write(session, "503 5.5.1 nested MAIL")
            case "MAIL":
                said = await self._heard(session, "MAIL", _address(rest), "250 2.1.0 ok")
                session.sender = _address(rest) if said.startswith("2") else ""
                return await self._write(session, said)
            case "RCPT" if not session.sender:
                return await self._write(session, "503 5.5.1 no MAIL before")
            case "RCPT":
                said = await self._heard(session, "RCPT", _address(rest), "250 2.1.5 ok")
                session.recipient = _address(rest) if said.startswith("2") else ""
                return await self._write(session, said)
            case "DATA":
                return await self._data(session)
            case "RSET":
                said = await self._heard(session, "RSET", "", "250 2.0.0 ok")
                if said.startswith("2"):
                    session.sender = session.recipient = ""
                return await self._write(session, said)
            case "QUIT":
                await self._say(session, "QUIT", "", "221 2.0.0 bye")
                return False
        return await self._say(session, verb.upper(), rest, "500 5.5.1 what?")

    def _offers(self, session: Session) -> list[str]:
        words = ["sink.example.org", *self._words]
        if self._tls and not session.secure:
            words.append("STARTTLS")
        if self._login:
            words.append("AUTH PLAIN")
        return [f"250{' ' if word is words[-1] else '-'}{word}" for word in words]

    async def _data(self, session: Session) -> bool:
        recipient = session.recipient
        usual = "354 go ahead" if recipient else "554 5.5.1 no valid recipients"
        said = await self._heard(session, "DATA", recipient, usual)
        if not await self._write(session, said) or not said.startswith("354"):
            return said != DROP and not said.startswith("421")
        session.sender = session.recipient = ""
        early = await self._answer(session, "BODY", recipient)
        if early is not None and not await self._write(session, early):
            return False
        raw = bytearray()
        while not (raw == b".\r\n" or raw.endswith(b"\r\n.\r\n")):
            raw += await session.reader.readuntil(b".\r\n")
        session.content = content = (b"\r\n" + raw.removesuffix(b".\r\n")).replace(b"\r\n..", b"\r\n.")[2:]
        usual = "250 2.0.0 taken" if recipient else "554 5.5.1 no valid recipients"
        said = await self._heard(session, "CONTENT", recipient, usual)
        if said.startswith("2") and recipient:
            self._keep(session, recipient, content)
        return early is not None or await self._write(session, said)

    def _keep(self, session: Session, recipient: str, content: bytes) -> None:
        name = message_from_bytes(content)["Message-ID"]
        one = Accepted(recipient, name, content, session.number)
        session.accepted += 1
        with self.grew:
            self.accepted.append(one)
            self.by_recipient[one.recipient].append(one)
            self.grew.notify_all()

    async def _say(self, session: Session, moment: str, word: str, usual: str) -> bool:
        return await self._write(session, await self._heard(session, moment, word, usual))

    async def _heard(self, session: Session, moment: str, word: str, usual: str) -> str:
        said = await self._answer(session, moment, word)
        return usual if said is None else said

    async def _answer(self, session: Session, moment: str, word: str) -> str | None:
        hook = self.on.get(moment)
        if hook is None:
            return None
        said = hook(session, word)
        return await said if inspect.isawaitable(said) else said

    async def _write(self, session: Session, said: str) -> bool:
        if said == DROP:
            session.writer.transport.abort()
            return False
        if said == SILENCE:
            return True
        octets = said.encode() + b"\r\n"
        for piece in (octets[n : n + 1] for n in range(len(octets))) if self._drips else (octets,):
            session.writer.write(piece)
            await session.writer.drain()
        return not said.startswith("421")


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


def free_port() -> int:
    """A port that nobody listens on, and that no process beside this one is given meanwhile.

    It is none of those that a system hands out (from 32768 on, or 49152): another server of these tests would get it before
    whoever asked for it listens there.
    """
    while True:
        port = 10_000 + (os.getpid() * 997 + next(_PORTS)) % 20_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
