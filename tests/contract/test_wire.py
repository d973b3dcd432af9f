"""Taking a connection over from aiosmtplib: on both event loops, plain, after STARTTLS and with TLS from the first byte."""

import asyncio
import queue
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from support.conversing import OTHERS, VICTIM, address, content, envelope, mail
from support.sink import DROP, Session, Sink

from digest.smtp.connection import Connection, Turn

LOGIN = ("ann", "pass@word")

loops = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
schemes = pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])


@pytest.fixture
def make_sink(tls: ssl.SSLContext, scheme: str, trusted: object) -> Callable[..., Sink]:
    del trusted
    return lambda **on: Sink(tls=None if scheme == "smtp" else tls, implicit=scheme == "smtps", login=LOGIN, **on)


def run(new_loop: Callable[[], asyncio.AbstractEventLoop], work: Any) -> Any:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)


def at(sink: Sink, scheme: str) -> Any:
    return address(sink.port, scheme, "localhost", username=LOGIN[0], password=LOGIN[1])


@loops
@schemes
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "plain"])
def test_messages_go_over_what_was_secured_and_authenticated(
    make_sink: Callable[..., Sink], new_loop: Any, scheme: str, pipelining: bool
) -> None:
    with make_sink(pipelining=pipelining) as sink:
        sink.on["RCPT"] = lambda _, word: "550 5.1.1 no such user" if word == VICTIM else None
        verdicts = run(new_loop, mail(at(sink, scheme)))
        assert sink.recipients == sorted(OTHERS)
        (session,) = sink.sessions
    assert {recipient: verdict.kind for recipient, verdict in verdicts.items()} == {
        **dict.fromkeys(OTHERS, "submitted"),
        VICTIM: "rejected",
    }
    assert (session.user, session.secure, session.commands[-1]) == ("ann", scheme != "smtp", "QUIT")
    assert scheme == "smtp" or not any(line.startswith(("AUTH", "MAIL", "RCPT", "DATA")) for line in session.in_clear)


@loops
@schemes
@pytest.mark.parametrize(("moment", "kind"), [("RCPT", "lost"), ("CONTENT", "in_doubt")])
def test_a_connection_that_breaks_is_noticed_and_another_goes_on(
    make_sink: Callable[..., Sink], new_loop: Any, scheme: str, moment: str, kind: str
) -> None:
    with make_sink(pipelining=True) as sink:
        sink.on[moment] = lambda _, word: DROP if word == VICTIM else None
        verdicts = run(new_loop, mail(at(sink, scheme)))
        assert sink.recipients == sorted(OTHERS)
        assert len(sink.sessions) == 2
    assert verdicts[VICTIM].kind == kind


@loops
@schemes
@pytest.mark.parametrize("how", ["given up", "dropped"])
def test_what_had_no_time_to_leave_never_does(make_sink: Callable[..., Sink], new_loop: Any, scheme: str, how: str) -> None:
    """More than a kernel holds is on its way to a server that reads little of it."""
    given_up = asyncio.Event()

    async def read_little(session: Session, _word: str) -> str | None:
        await session.reader.readexactly(1)
        if how == "dropped":
            return DROP
        server = asyncio.get_running_loop()
        at_the_client.put_nowait(lambda: server.call_soon_threadsafe(given_up.set))
        await given_up.wait()
        return None  # what comes after that is read to its end

    async def converse() -> Turn:
        connection = await Connection.open(at(sink, scheme))
        assert await connection.turn(None, envelope(VICTIM)) == Turn(None, None)
        large = content(VICTIM) + (b"x" * 998 + b"\r\n") * 20_000
        turn = asyncio.create_task(connection.turn(large, envelope(OTHERS[0])))
        if how == "given up":
            read_on = await asyncio.to_thread(at_the_client.get, timeout=30)
            connection.abort()
            read_on()
        return await turn

    at_the_client: queue.Queue[Callable[[], object]] = queue.Queue()
    with make_sink(pipelining=True, offers=(), BODY=read_little) as sink:
        turn = run(new_loop, converse())
    assert turn.ended is not None
    # What TLS has ciphered waits where nobody can see how much of it has left.
    assert turn.ended.kind in (("lost",) if scheme == "smtp" else ("lost", "in_doubt"))
    assert sink.accepted == []
