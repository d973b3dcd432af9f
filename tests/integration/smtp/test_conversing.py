"""Turns of a conversation: groups where the relay pipelines, steps where it does not, and the same comes of both."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.conversing import OTHERS, VICTIM, LeapingLoop, Silent, address, content, envelope, mail
from support.sink import DROP, SILENCE, Session, Sink

from digest import loop as chosen_loop
from digest.feedback.policy import refuses_mailbox
from digest.smtp.connection import Connection, Envelope, Turn
from digest.subscribers.address import EmailAddress

both = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "plain"])
READERS = [f"reader{n}@example.org" for n in range(5)]
NOTHING = Turn(None, None)
FIRST, SECOND = (envelope(reader) for reader in READERS[:2])


def over_one(port: int, talk: Callable[[Connection], Awaitable[Any]], **options: Any) -> Any:
    """What comes of one connection."""

    async def converse() -> Any:
        connection = await Connection.open(address(port), **options)
        try:
            return await talk(connection)
        finally:
            await connection.close()

    return chosen_loop.run(converse())


def verbs(session: Session) -> list[str]:
    return [line.partition(" ")[0] for line in session.commands]


def noting_what_is_behind(behind: list[str]) -> Callable[[Session, str], None]:
    """What had come together with the end of a message, or before."""
    return lambda session, _: behind.append(session.reader._buffer.decode())  # type: ignore[attr-defined]


@both
def test_every_message_arrives_once_over_one_connection_and_goodbye_is_said(pipelining: bool) -> None:
    with Sink(pipelining=pipelining) as sink:
        verdicts = chosen_loop.run(mail(address(sink.port), READERS))
        assert sink.recipients == READERS
    assert [(verdict.kind, verdict.reply) for verdict in verdicts.values()] == [("submitted", "250 2.0.0 taken")] * 5
    (session,) = sink.sessions
    assert verbs(session) == ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"]


@both
def test_the_next_envelope_comes_with_the_end_of_a_message_where_the_relay_pipelines(pipelining: bool) -> None:
    behind: list[str] = []
    with Sink(pipelining=pipelining, CONTENT=noting_what_is_behind(behind)) as sink:
        chosen_loop.run(mail(address(sink.port), READERS[:2]))
    group = f"MAIL FROM:<from-{READERS[1]}>\r\nRCPT TO:<{READERS[1]}>\r\nDATA\r\n"
    assert behind == ([group, ""] if pipelining else ["", ""])


def test_pipelining_may_be_declined() -> None:
    behind: list[str] = []
    with Sink(pipelining=True, CONTENT=noting_what_is_behind(behind)) as sink:
        chosen_loop.run(mail(address(sink.port), READERS[:2], pipelining=False))
    assert behind == ["", ""]


@both
def test_replies_that_come_octet_by_octet_are_the_same(pipelining: bool) -> None:
    with Sink(pipelining=pipelining, drips=True) as sink:
        sink.on["RCPT"] = lambda _, word: "550-5.1.1 no such\r\n550 5.1.1 user" if word == VICTIM else None
        verdicts = chosen_loop.run(mail(address(sink.port)))
        assert sink.recipients == sorted(OTHERS)
    assert refuses_mailbox(verdicts[VICTIM])


def test_a_message_to_nobody_that_the_relay_waits_for_is_a_lone_dot_and_its_reply_means_nothing() -> None:
    with Sink(pipelining=True) as sink:
        sink.on["RCPT"] = lambda _, word: "550 5.1.1 no such user" if word == VICTIM else None
        sink.on["DATA"] = lambda _, word: None if word else "354 go ahead"
        sink.on["CONTENT"] = lambda _, word: None if word else "250 2.0.0 thrown away"
        verdicts = chosen_loop.run(mail(address(sink.port), (*OTHERS, VICTIM)))
        assert sink.recipients == sorted(OTHERS)
    assert refuses_mailbox(verdicts[VICTIM])
    (session,) = sink.sessions
    assert (session.content, verbs(session)[-1]) == (b"", "QUIT")


@both
def test_a_refused_recipient_leaves_a_transaction_that_is_reset_before_the_next(pipelining: bool) -> None:
    with Sink(pipelining=pipelining) as sink:
        sink.on["RCPT"] = lambda _, word: "450 4.2.0 later" if word == VICTIM else None
        chosen_loop.run(mail(address(sink.port)))
        assert sink.recipients == sorted(OTHERS)
    (session,) = sink.sessions
    said = [verb for verb in verbs(session) if verb != "DATA"]
    assert said == ["EHLO", *["MAIL", "RCPT"] * 2, "RSET", "MAIL", "RCPT", "QUIT"]


@both
@pytest.mark.parametrize(("moment", "words"), [("RCPT", "450 4.2.0 later"), ("DATA", "451 4.3.0 later")])
def test_a_relay_that_takes_nothing_back_gets_the_next_message_over_another_connection(
    pipelining: bool, moment: str, words: str
) -> None:
    with Sink(pipelining=pipelining, RSET=lambda *_: "500 5.5.1 what?") as sink:
        sink.on[moment] = lambda _, word: words if word == VICTIM else None
        verdicts = chosen_loop.run(mail(address(sink.port), once=""))
        assert sink.recipients == sorted(OTHERS)
        assert [session.accepted for session in sink.sessions] == [1, 1]
    assert [verdict.kind for verdict in verdicts.values()] == ["submitted", "deferred", "submitted"]


def test_a_message_that_may_have_a_recipient_is_never_sent_empty() -> None:
    async def talk(connection: Connection) -> tuple[Turn, bool]:
        return await connection.turn(None, FIRST), connection.usable

    with Sink(pipelining=True, RCPT=lambda *_: SILENCE, DATA=lambda *_: SILENCE) as sink:
        sink.on["MAIL"] = lambda *_: "550 5.7.1 not you\r\n250 2.1.5 but him\r\n354 go ahead"
        turn, usable = over_one(sink.port, talk)
        (session,) = sink.sessions
    assert turn.opened is not None
    assert (turn.opened.kind, turn.opened.phase, usable) == ("rejected", "mail", False)
    assert session.commands[-1] == "DATA"


@both
def test_an_envelope_that_is_withdrawn_ends_the_connection_and_nothing_is_mailed(pipelining: bool) -> None:
    async def talk(connection: Connection) -> tuple[Turn, bool]:
        return await connection.turn(None, FIRST), connection.usable

    with Sink(pipelining=pipelining) as sink:
        assert over_one(sink.port, talk) == (NOTHING, True)
        (session,) = sink.sessions
    assert (sink.accepted, session.content, verbs(session)[-1]) == ([], b"", "DATA")


@both
def test_another_envelope_while_content_is_awaited_ends_the_connection(pipelining: bool) -> None:
    async def talk(connection: Connection) -> Turn:
        await connection.turn(None, FIRST)
        return await connection.turn(None, SECOND)

    with Sink(pipelining=pipelining) as sink:
        turn = over_one(sink.port, talk)
    assert turn.opened.kind == "lost"
    assert sink.accepted == []


@both
@pytest.mark.parametrize("words", ["421 4.4.2 too slow", "250 2.0.0 hurry", "what?"])
def test_content_is_not_sent_to_a_relay_that_spoke_while_its_mark_was_written(pipelining: bool, words: str) -> None:
    async def talk(connection: Connection) -> tuple[Turn, Turn, bool]:
        return await connection.turn(None, FIRST), await connection.turn(content(READERS[0]), SECOND), connection.usable

    with Sink(pipelining=pipelining, DATA=lambda *_: f"354 go ahead\r\n{words}") as sink:
        opened, turn, usable = over_one(sink.port, talk)
    assert not usable
    assert opened.opened is None or opened.opened.kind == "lost"
    assert (turn.ended.kind, turn.ended.phase, turn.opened.kind) == ("lost", "content", "lost")
    assert turn.ended.code == (421 if words.startswith("421") else 0)
    assert sink.accepted == []


@both
def test_a_relay_that_speaks_when_nobody_asked_is_left(pipelining: bool) -> None:
    async def talk(connection: Connection) -> tuple[Turn, Turn]:
        await connection.turn(None, FIRST)
        first = await connection.turn(content(READERS[0]), None)
        assert not connection.usable
        return first, await connection.turn(None, SECOND)

    with Sink(pipelining=pipelining, CONTENT=lambda *_: "250 2.0.0 taken\r\n421 4.4.2 idle for too long") as sink:
        first, second = over_one(sink.port, talk)
        assert first.ended.kind == "submitted"
        assert (second.opened.kind, second.opened.code, second.opened.text) == ("lost", 421, "4.4.2 idle for too long")
        assert sink.commands("MAIL") == [f"MAIL FROM:<{FIRST.mail_from}>"]


@both
@pytest.mark.parametrize(("moment", "seconds"), [("MAIL", 59), ("RCPT", 59), ("DATA", 59), ("CONTENT", 599)])
def test_a_slow_reply_is_waited_for_and_the_last_one_ten_times_as_long(pipelining: bool, moment: str, seconds: int) -> None:
    loop = LeapingLoop()
    with Sink(pipelining=pipelining) as sink:
        sink.on[moment] = lambda *_: loop.leap(seconds)
        verdicts = loop.run(lambda _: mail(address(sink.port), max_age=1e9))
        assert sorted(verdicts) == sink.recipients
        assert len(sink.sessions) == 1


@pytest.mark.parametrize("recipients", [(VICTIM,), (OTHERS[0], VICTIM)], ids=["alone", "behind a message"])
def test_commands_are_not_waited_for_as_long_as_the_reply_to_a_message(recipients: tuple[str, ...]) -> None:
    loop, much = LeapingLoop(), 6000.0
    began = loop.time()
    with Sink(pipelining=True, MAIL=Silent(VICTIM, loop=loop, leap=61)) as sink:
        verdicts = loop.run(lambda _: mail(address(sink.port), recipients, final_timeout=much))
    assert (verdicts[VICTIM].kind, verdicts[VICTIM].text) == ("lost", "the server does not answer in time")
    assert loop.time() - began < much


@both
def test_a_relay_that_reads_no_more_is_given_up_and_leaves_no_doubt(pipelining: bool) -> None:
    loop = LeapingLoop()
    sink = Sink(pipelining=pipelining, offers=(), BODY=Silent(loop=loop, leap=61, reads=False))
    assert _large(loop, sink) == ("lost", "content", 0)


@both
def test_a_relay_that_reads_slowly_is_not_given_up(pipelining: bool) -> None:
    loop = LeapingLoop()

    async def hook(session: Session, _word: str) -> None:
        await session.reader.readexactly(20_000_000)  # more than two kernels hold
        loop.leap(61)

    async def talk(_: LeapingLoop) -> Turn:
        connection = await Connection.open(address(sink.port))
        await connection.turn(None, FIRST)
        turn = await connection.turn(content(READERS[0]) + (b"x" * 997 + b".\r\n") * 30_000, None)
        await connection.close()
        return turn

    with Sink(pipelining=pipelining, offers=(), BODY=hook) as sink:
        turn = loop.run(talk)
    assert (turn.ended.kind, turn.ended.code) == ("submitted", 250)


@both
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("552 5.3.4 too much", ("rejected", "content", 552)),
        ("452 4.3.1 no room", ("deferred", "content", 452)),
        ("421 4.3.0 going down", ("deferred", "content", 421)),
        ("250 2.0.0 taken", ("lost", "content", 0)),
    ],
)
def test_a_relay_that_answers_in_mid_message_has_not_taken_it(
    pipelining: bool, words: str, expected: tuple[str, str, int]
) -> None:
    async def hook(session: Session, _word: str) -> str:
        await session.reader.readexactly(1)
        session.writer.write(words.encode() + b"\r\n")
        await asyncio.Event().wait()
        return SILENCE

    assert _large(LeapingLoop(), Sink(pipelining=pipelining, offers=(), BODY=hook)) == expected


@both
def test_a_connection_lost_before_the_dot_could_leave_is_no_doubt(pipelining: bool) -> None:
    async def hook(session: Session, _word: str) -> str:
        await session.reader.readexactly(100_000)
        return "drop"

    assert _large(LeapingLoop(), Sink(pipelining=pipelining, offers=(), BODY=hook)) == ("lost", "content", 0)


def _large(loop: LeapingLoop, sink: Sink) -> tuple[str, str, int]:
    async def talk(_: LeapingLoop) -> Turn:
        connection = await Connection.open(address(sink.port))
        assert await connection.turn(None, FIRST) == NOTHING
        # More than two kernels hold between a writer and a reader that stopped.
        large = content(READERS[0]) + (b"x" * 998 + b"\r\n") * 30_000
        turn = await connection.turn(large, SECOND)
        assert not connection.usable
        await connection.close()
        return turn

    with sink:
        turn: Turn = loop.run(talk)
        assert sink.accepted == []
    assert turn.opened is not None
    assert turn.opened.kind == "lost"
    assert turn.ended is not None
    return turn.ended.kind, turn.ended.phase, turn.ended.code


@both
def test_a_message_larger_than_the_relay_takes_is_rejected_unsent_and_nobody_is_blamed(pipelining: bool) -> None:
    with Sink(pipelining=pipelining, offers=("SIZE 90",)) as sink:
        verdicts = chosen_loop.run(mail(address(sink.port), ("x" * 60 + "@example.org", *OTHERS), once=""))
        assert sink.recipients == sorted(OTHERS)
    large, *others = verdicts.values()
    assert (large.kind, large.phase, large.code, large.enhanced) == ("rejected", "content", 552, "5.3.4")
    assert not refuses_mailbox(large)
    assert [verdict.kind for verdict in others] == ["submitted"] * 2


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE plenty", f"SIZE {'9' * 5000}"])
def test_a_relay_may_announce_a_size_without_limit(size: str) -> None:
    with Sink(offers=(size,)) as sink:
        assert {verdict.kind for verdict in chosen_loop.run(mail(address(sink.port))).values()} == {"submitted"}


@both
@pytest.mark.parametrize("offers", [("SMTPUTF8",), ()], ids=["offered", "not offered"])
def test_an_address_with_other_letters_goes_where_they_are_read_and_else_blames_nobody(
    pipelining: bool, offers: tuple[str, ...]
) -> None:
    wanted = "jürgen@example.org"
    with Sink(pipelining=pipelining, offers=offers) as sink:
        envelopes = [(FIRST.mail_from.text, wanted), (FIRST.mail_from.text, OTHERS[0])]
        first, second = over_one(sink.port, lambda connection: _submit_all(connection, envelopes))
        assert OTHERS[0] in sink.recipients
        said = [line.endswith(" SMTPUTF8") for line in sink.commands("MAIL")]
    assert second.kind == "submitted"
    assert said == ([True, False] if offers else [False])
    assert first.kind == ("submitted" if offers else "rejected")
    assert offers or (first.phase, first.enhanced, refuses_mailbox(first)) == ("rcpt", "5.6.7", False)


@pytest.mark.parametrize(
    "bad", ["a>\r\nRCPT TO:<b@example.org", "a\n@example.org", "a@example.org> SIZE=1", "a\x00@example.org"]
)
def test_nothing_in_an_address_becomes_a_command(bad: str) -> None:
    with Sink(pipelining=True) as sink:
        envelopes = [(FIRST.mail_from.text, bad), (bad, OTHERS[0])]
        recipient, sender = over_one(sink.port, lambda connection: _submit_all(connection, envelopes))
        (session,) = sink.sessions
    assert (recipient.kind, recipient.phase, refuses_mailbox(recipient)) == ("rejected", "rcpt", False)
    assert (sender.kind, sender.phase) == ("rejected", "mail")
    assert verbs(session) == ["EHLO", "QUIT"]


async def _submit_all(connection: Connection, envelopes: list[tuple[str, str]]) -> list[Any]:
    verdicts = []
    for sender, recipient in envelopes:
        one = Envelope(EmailAddress(sender), EmailAddress(recipient))
        opened = (await connection.turn(None, one)).opened
        verdicts.append(opened or (await connection.turn(content("x@example.org"), None)).ended)
    return verdicts


@both
@pytest.mark.parametrize(
    "text",
    [b".\r\n", b"..\r\n.\r\n.\r\n", b"a\r\n.\r\nQUIT\r\n", b"a\r\n.b\r\n", b"a\r\n..", b"no end", b"a.\r\n", b"\r\n.\r\n"],
)
def test_a_dot_at_the_start_of_a_line_arrives_as_it_was(pipelining: bool, text: bytes) -> None:
    async def talk(connection: Connection) -> Turn:
        await connection.turn(None, FIRST)
        return await connection.turn(text, None)

    with Sink(pipelining=pipelining) as sink:
        assert over_one(sink.port, talk).ended.kind == "submitted"
        assert [one.content for one in sink.accepted] == [text if text.endswith(b"\r\n") else text + b"\r\n"]
        assert verbs(sink.sessions[0]) == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_lone_dot_behind_a_bare_line_feed_ends_no_message() -> None:
    async def talk(connection: Connection) -> Turn:
        await connection.turn(None, FIRST)
        return await connection.turn(b"a\n.\r\nMAIL FROM:<evil@example.org>\r\nb\n.\nc\r\n", None)

    with Sink(pipelining=True) as sink:
        over_one(sink.port, talk)
        (one,) = sink.accepted
    assert b"\n.\r\n" not in one.content
    assert b"\n.\n" not in one.content


@both
def test_a_connection_is_made_anew_after_so_many_messages(pipelining: bool) -> None:
    with Sink(pipelining=pipelining) as sink:
        chosen_loop.run(mail(address(sink.port), READERS, max_messages=2))
        assert [session.accepted for session in sink.sessions] == [2, 2, 1]
        assert {verbs(session)[-1] for session in sink.sessions} == {"QUIT"}


@both
def test_a_connection_is_made_anew_when_it_is_old(pipelining: bool) -> None:
    loop = LeapingLoop()
    with Sink(pipelining=pipelining) as sink:
        sink.on["CONTENT"] = lambda *_: loop.leap(61)
        loop.run(lambda _: mail(address(sink.port), READERS, max_age=100))
        assert [session.accepted for session in sink.sessions] == [3, 2]
        assert sink.recipients == READERS


def test_who_is_cancelled_amid_a_turn_leaves_no_connection_behind() -> None:
    cancel: list[Callable[[], object]] = []

    async def talk(connection: Connection) -> bool:
        turn = asyncio.create_task(connection.turn(None, FIRST))
        loop = asyncio.get_running_loop()
        cancel.append(lambda: loop.call_soon_threadsafe(turn.cancel))
        with pytest.raises(asyncio.CancelledError):
            await turn
        return connection.usable

    async def never(_session: Session, _word: str) -> str:
        cancel[0]()
        await asyncio.Event().wait()
        return SILENCE

    with Sink(pipelining=True, DATA=never) as sink:
        assert over_one(sink.port, talk) is False


@pytest.mark.parametrize("rest", ["thrown away", "refused"])
def test_a_relay_that_does_not_keep_step_is_told_apart(rest: str) -> None:
    loop = LeapingLoop()

    async def talk(_: LeapingLoop) -> tuple[Turn, bool]:
        connection = await Connection.open(address(sink.port))
        turn = await connection.turn(None, FIRST)
        await connection.close()
        return turn, connection.out_of_step

    with Sink(pipelining=True, RCPT=lambda *_: "550 5.1.1 no such user") as sink:
        if rest == "thrown away":
            sink.on["DATA"] = Silent(loop=loop)
        turn, out_of_step = loop.run(talk)
    assert refuses_mailbox(turn.opened)
    assert out_of_step == (rest == "thrown away")


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "gone"])
def test_a_relay_that_answers_nothing_to_a_group_is_told_everything_step_by_step(silent: bool) -> None:
    loop = LeapingLoop()

    async def mind_the_rest(session: Session, word: str) -> str | None:
        if b"RCPT" not in session.reader._buffer:  # type: ignore[attr-defined]
            return None
        return await Silent(loop=loop)(session, word) if silent else DROP

    with Sink(pipelining=True, MAIL=mind_the_rest) as sink:
        loop.run(lambda _: asyncio.wait_for(mail(address(sink.port), once="", max_age=1e9), 1e6))
        assert sink.recipients == sorted((*OTHERS, VICTIM))
        assert len(sink.sessions) == 2


def test_a_relay_that_says_nothing_to_goodbye_is_left_standing() -> None:
    loop = LeapingLoop()
    with Sink(pipelining=True, QUIT=Silent(loop=loop)) as sink:
        loop.run(lambda _: mail(address(sink.port)))
        assert len(sink.accepted) == 3
