"""Mails some messages over one connection after the other, as a lane does, while an hour passes at a server's word."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from support.sink import SILENCE, Session

from digest.outbox.verdict import Verdict
from digest.smtp.connection import Connection, Envelope
from digest.smtp.url import SmtpUrl
from digest.subscribers.address import EmailAddress

TIMEOUT, FINAL_TIMEOUT = 60.0, 600.0
VICTIM = "victim@example.org"
OTHERS = ("first@example.org", "last@example.org")


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time leaps ahead when somebody says so: nobody waits for a time-out."""

    _ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    def leap(self, seconds: float) -> None:
        """From any thread."""
        self.call_soon_threadsafe(self._leap, seconds)

    def _leap(self, seconds: float) -> None:
        self._ahead += seconds

    def run(self, work: Callable[["LeapingLoop"], Coroutine[Any, Any, Any]]) -> Any:
        with asyncio.Runner(loop_factory=lambda: self) as runner:
            return runner.run(work(self))


class Silent:
    """A hook that says nothing more, while time passes until the client gives up.

    Args:
        whom: the word for which it does.
        before: what it says first.
        loop: where time passes.
        leap: so many seconds of it at once.
        reads: whether it still reads what comes.
    """

    def __init__(
        self,
        whom: str = "",
        before: bytes = b"",
        *,
        loop: LeapingLoop | None = None,
        leap: float = FINAL_TIMEOUT,
        reads: bool = True,
    ) -> None:
        self.loop = loop
        self._whom, self._before, self._leap, self._reads = whom, before, leap, reads

    async def __call__(self, session: Session, word: str) -> str | None:
        if self._whom and self._whom not in word:
            return None
        assert self.loop is not None
        session.writer.write(self._before)
        gone = asyncio.ensure_future(session.reader.read() if self._reads else asyncio.Event().wait())
        try:
            while not (gone.done() or self.loop.is_closed()):
                self.loop.leap(self._leap)
                await asyncio.wait([gone], timeout=0.01)
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        return SILENCE


def envelope(recipient: str) -> Envelope:
    """The sender is told apart by the recipient, too."""
    return Envelope(EmailAddress(f"from-{recipient}"), EmailAddress(recipient))


def content(recipient: str) -> bytes:
    return f"Message-ID: <for-{recipient}>\r\n\r\nGood morning.\r\n".encode()


def address(port: int, scheme: str = "smtp", host: str = "127.0.0.1", **login: str) -> SmtpUrl:
    return SmtpUrl(scheme, host, port, **login)  # type: ignore[arg-type]


async def mail(
    url: SmtpUrl, recipients: Sequence[str] = (OTHERS[0], VICTIM, OTHERS[1]), *, once: str = VICTIM, **options: Any
) -> dict[str, Verdict]:
    """The first verdict on each; a message that was lost goes again at once, but for `once`."""
    options = {"timeout": TIMEOUT, "final_timeout": FINAL_TIMEOUT, **options}
    verdicts: dict[str, Verdict] = {}
    waiting, opened = deque(recipients), ""
    connection: Connection | None = None
    while waiting or opened:
        if connection is None or not (connection.usable or opened):
            if connection is not None:
                await connection.close()
                options["pipelining"] = options.get("pipelining", True) and not connection.out_of_step
            connection = await Connection.open(url, **options)
        following = waiting.popleft() if waiting and connection.usable else ""
        turn = await connection.turn(content(opened) if opened else None, envelope(following) if following else None)
        for recipient, verdict in ((opened, turn.ended), (following, turn.opened)):
            if verdict is not None and verdict.kind == "lost" and recipient != once:
                waiting.appendleft(recipient)
            elif verdict is not None:
                verdicts[recipient] = verdict
        opened = following if turn.opened is None else ""
    if connection is not None:
        await connection.close()
    return verdicts
