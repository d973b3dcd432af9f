"""The wire to a relay once it is open: a group of commands out, their replies in, in order, within limits and in time.

aiosmtplib opens, secures and authenticates a connection; its own reader keeps one of several replies that come together,
so this protocol takes the transport over, and matches replies to commands by their order (RFC 2920 3.1).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from digest.outbox.verdict import Phase
from digest.smtp.replies import BadReply, Reply, ReplyReader

Step = Literal["aside", "quit"] | Phase
"""What a reply answers; nobody minds the one to `aside`: RSET, or the dot that ends a message to nobody."""

HIGH, LOW = 2**14, 2**12
"""Octets waiting in this process at which writing pauses and goes on. LOW is more than a dot and an envelope: while writing
is paused, the end of a message has not left."""


class Wire(asyncio.Protocol):
    """One connection with at most one group unanswered.

    It is never closed politely: that would flush what waits to be written, maybe the dot of a message that was given up.
    """

    def __init__(
        self, transport: asyncio.Transport, timeout: float, final_timeout: float, released: Callable[[], None]
    ) -> None:
        """Take over a transport on which nothing is unanswered.

        Args:
            transport: of an open connection.
            timeout: seconds for a reply, and to read anything of what is written.
            final_timeout: seconds for the reply to a message.
            released: called when the connection is gone.
        """
        self.ended: Reply | None = None
        """Why nothing more can be said: the relay's last words, or what happened."""
        self.unsent = False
        """Whether the end of the message written last has certainly not left; stays as it was when the connection ended."""
        self._transport, self._timeout, self._final_timeout, self._released = transport, timeout, final_timeout, released
        self._loop = asyncio.get_running_loop()
        self._reader = ReplyReader()
        self._expected: Sequence[Step] = ()
        self._replies: list[Reply] = []
        self._answered: asyncio.Future[list[Reply]] | None = None
        self._patience = self._deadline = 0.0
        self._waiting = 0
        # No deadline is nearer than this when it is set: one timer that looks so often meets them all.
        self._look_every = min(timeout, final_timeout)
        self._timer = self._loop.call_later(self._look_every, self._look)
        transport.set_write_buffer_limits(HIGH, LOW)
        transport.set_protocol(self)

    def exchange(self, octets: bytes, expected: Sequence[Step]) -> "asyncio.Future[list[Reply]]":
        """Write a group; gives a reply for each step, or fewer if the connection ends before."""
        self._replies, self._answered = [], self._loop.create_future()
        if self.ended is not None:
            self._answered.set_result(self._replies)
            return self._answered
        self._expected = expected
        self._patience = self._final_timeout if expected[0] == "content" else self._timeout
        self._deadline = self._loop.time() + self._patience
        self._transport.write(octets)
        return self._answered

    def abort(self, why: str, code: int = 0) -> None:
        """End the connection without another octet."""
        if self.ended is None:
            self.ended = Reply(code, why)
            self._transport.abort()
            self._finish()

    def data_received(self, data: bytes) -> None:
        if self.ended is not None:
            return
        before = len(self._replies)
        try:
            for reply in self._reader.feed(data):
                self._take(reply)
                if self.ended is not None:
                    return
        except BadReply as bad:
            self.abort(str(bad))
            return
        if not self._expected:
            if self._reader.amid:
                self.abort("the server speaks unasked")
        elif len(self._replies) > before:
            self._patience = self._timeout
            self._deadline = self._loop.time() + self._timeout

    def eof_received(self) -> bool:
        self.abort("the server ended the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended is None:
            self.ended = Reply(0, f"the connection was lost: {exc}" if exc else "the connection was lost")
            self._finish()
        self._released()

    def pause_writing(self) -> None:
        self.unsent = True
        self._waiting = self._transport.get_write_buffer_size()
        self._deadline = self._loop.time() + self._timeout

    def resume_writing(self) -> None:
        if self.ended is None:
            self.unsent = False
            self._deadline = self._loop.time() + self._patience

    def _take(self, reply: Reply) -> None:
        """Match a reply to its step."""
        code, text = reply
        number = len(self._replies)
        if not self._expected:
            if code == 421:
                self.abort(text, code)
            else:
                self.abort(f"the server speaks unasked: {code} {text}")
        elif code < 400 and (code == 354) != (self._expected[number] == "data"):
            self.abort(f"the server's reply makes no sense: {code} {text} to {self._expected[number]}")
        else:
            self._replies.append(reply)
            if code == 421:
                self.abort(text, code)
            elif self.unsent:
                self.abort(f"the server answered before the end of the message: {code} {text}")
            elif number + 1 == len(self._expected):
                self._expected = ()
                self._settle()

    def _look(self) -> None:
        now = self._loop.time()
        if self._expected and now >= self._deadline:
            waiting = self._transport.get_write_buffer_size()
            if not self.unsent or waiting >= self._waiting:
                self.abort("the server does not answer in time")
                return
            self._waiting = waiting
            self._deadline = now + self._timeout
        nearest = now + self._look_every
        self._timer = self._loop.call_at(min(self._deadline, nearest) if self._expected else nearest, self._look)

    def _finish(self) -> None:
        self._timer.cancel()
        self._expected = ()
        self._settle()

    def _settle(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._replies)
