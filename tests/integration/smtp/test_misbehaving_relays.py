"""Whatever a relay does amid a conversation: the right verdict on the message at hand, and every other message arrives.

Each behaviour meets the second of three messages, over a server with PIPELINING and one without.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from support.conversing import OTHERS, VICTIM, LeapingLoop, Silent, address, mail
from support.sink import DROP, SILENCE, Hook, Session, Sink

from digest.feedback.policy import refuses_mailbox

ENDLESS = "250-on and on\r\n" * 5000 + "250 on"
LONG = "250 " + "x" * 40_000


@dataclass(frozen=True)
class Case:
    """What a server does at one moment, or several, and what comes of it."""

    moment: str
    said: Hook | str
    kind: str
    phase: str
    code: int = 0
    blames: bool = False
    beside: Sequence[tuple[str, Hook | str]] = ()


async def hang_up_amid(session: Session, word: str) -> str | None:
    if VICTIM not in word:
        return None
    await session.reader.readexactly(5)
    return DROP


async def half_close(session: Session, word: str) -> str | None:
    if VICTIM not in word:
        return None
    session.writer.write_eof()
    return SILENCE


CASES = {
    # Before the content nothing is lost that would not come again.
    "mail 450": Case("MAIL", "450 4.7.1 slower", "deferred", "mail", 450),
    "mail 451 in lines": Case("MAIL", "451-4.7.1 not\r\n451 4.7.1 now", "deferred", "mail", 451),
    "mail 452": Case("MAIL", "452 4.3.1 no room", "deferred", "mail", 452),
    "mail 550": Case("MAIL", "550 5.7.1 not you", "rejected", "mail", 550),
    "mail 552 size": Case("MAIL", "552 5.3.4 too big", "rejected", "mail", 552),
    "mail 553": Case("MAIL", "553 5.1.8 no such domain", "rejected", "mail", 553),
    "mail 530": Case("MAIL", "530 5.7.0 authenticate first", "rejected", "mail", 530),
    "mail 421": Case("MAIL", "421 4.3.2 bye", "lost", "mail", 421),
    "mail dropped": Case("MAIL", DROP, "lost", "mail"),
    "mail stalled": Case("MAIL", Silent(VICTIM), "lost", "mail"),
    "mail stalled in the midst of a reply": Case("MAIL", Silent(VICTIM, b"250-2.1.0 o"), "lost", "mail"),
    "mail half closed": Case("MAIL", half_close, "lost", "mail"),
    "mail answered by garbage": Case("MAIL", "\x00what?\x7f", "lost", "mail"),
    "mail answered by a blank line": Case("MAIL", "", "lost", "mail"),
    "mail answered by 354": Case("MAIL", "354 go ahead", "lost", "mail"),
    "mail answered by 150": Case("MAIL", "150 perhaps", "lost", "mail"),
    "mail answered in two tongues": Case("MAIL", "250-yes\r\n550 no", "lost", "mail"),
    "mail answered without end": Case("MAIL", ENDLESS, "lost", "mail"),
    "mail answered by too long a line": Case("MAIL", LONG, "lost", "mail"),
    "mail in lines": Case("MAIL", "250-2.1.0 yes\r\n250-\r\n250 2.1.0 ok", "submitted", "content", 250),
    "mail without words": Case("MAIL", "250", "submitted", "content", 250),
    # Only here is the reader to blame, and only by some codes.
    "rcpt 550 mailbox": Case("RCPT", "550 5.1.1 no such user", "rejected", "rcpt", 550, blames=True),
    "rcpt 550 in lines": Case("RCPT", "550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user", "rejected", "rcpt", 550, blames=True),
    "rcpt 550 alone": Case("RCPT", "550", "rejected", "rcpt", 550, blames=True),
    "rcpt 550 garbage": Case("RCPT", "550 5.1.1 \x01\xff\xfe", "rejected", "rcpt", 550, blames=True),
    "rcpt 550 policy": Case("RCPT", "550 5.7.1 not from you", "rejected", "rcpt", 550),
    "rcpt 552 full": Case("RCPT", "552 5.2.2 full", "rejected", "rcpt", 552),
    "rcpt 553": Case("RCPT", "553 5.1.3 no address", "rejected", "rcpt", 553, blames=True),
    "rcpt 554": Case("RCPT", "554 5.7.1 relaying denied", "rejected", "rcpt", 554),
    "rcpt 503": Case("RCPT", "503 5.5.1 out of order", "rejected", "rcpt", 503),
    "rcpt 599": Case("RCPT", "599 no", "rejected", "rcpt", 599),
    "rcpt 450": Case("RCPT", "450 4.2.0 greylisted", "deferred", "rcpt", 450),
    "rcpt 452": Case("RCPT", "452 4.5.3 too many", "deferred", "rcpt", 452),
    "rcpt 499": Case("RCPT", "499 hm", "deferred", "rcpt", 499),
    "rcpt 251": Case("RCPT", "251 2.1.5 will forward", "submitted", "content", 250),
    "rcpt 299": Case("RCPT", "299 fine", "submitted", "content", 250),
    "rcpt 421": Case("RCPT", "421 4.7.0 too much", "lost", "rcpt", 421),
    "rcpt dropped": Case("RCPT", DROP, "lost", "rcpt"),
    "rcpt stalled": Case("RCPT", Silent(VICTIM), "lost", "rcpt"),
    "rcpt answered by garbage": Case("RCPT", "OK", "lost", "rcpt"),
    "rcpt 550 and a message wanted": Case(
        "RCPT", "550 5.1.1 no such user", "rejected", "rcpt", 550, blames=True, beside=[("DATA", "354 go ahead")]
    ),
    "rcpt 550 and 421 to data": Case(
        "RCPT", "550 5.1.1 no such user", "rejected", "rcpt", 550, blames=True, beside=[("DATA", "421 4.7.0 enough")]
    ),
    "rcpt 450 and the rest thrown away": Case("RCPT", "450 4.2.0 later", "deferred", "rcpt", 450, beside=[("DATA", Silent())]),
    "rcpt 550 and dropped": Case(
        "RCPT", "550 5.1.1 no such user", "rejected", "rcpt", 550, blames=True, beside=[("DATA", DROP)]
    ),
    "data 451": Case("DATA", "451 4.3.0 later", "deferred", "data", 451),
    "data 554": Case("DATA", "554 5.5.1 no", "rejected", "data", 554),
    "data 550 mailbox": Case("DATA", "550 5.1.1 no such user", "rejected", "data", 550),
    "data 503": Case("DATA", "503 5.5.1 out of order", "rejected", "data", 503),
    "data 421": Case("DATA", "421 4.3.2 bye", "lost", "data", 421),
    "data dropped": Case("DATA", DROP, "lost", "data"),
    "data stalled": Case("DATA", Silent(VICTIM), "lost", "data"),
    "data answered by 250": Case("DATA", "250 ok", "lost", "data"),
    "data answered by garbage": Case("DATA", "354go", "lost", "data"),
    "data in lines": Case("DATA", "354-go\r\n354 ahead", "submitted", "content", 250),
    # From here on a broken connection leaves a doubt, and an answer none.
    "content dropped amid": Case("BODY", hang_up_amid, "in_doubt", "content"),
    "content dropped": Case("CONTENT", DROP, "in_doubt", "content"),
    "content half closed": Case("CONTENT", half_close, "in_doubt", "content"),
    "content stalled": Case("CONTENT", Silent(VICTIM), "in_doubt", "content"),
    "content stalled in the midst of a reply": Case("CONTENT", Silent(VICTIM, b"250"), "in_doubt", "content"),
    "content stalled between lines": Case("CONTENT", Silent(VICTIM, b"250-2.0.0 taken\r\n"), "in_doubt", "content"),
    "content answered by garbage": Case("CONTENT", "taken, I think", "in_doubt", "content"),
    "content answered by 354": Case("CONTENT", "354 go ahead", "in_doubt", "content"),
    "content answered in two tongues": Case("CONTENT", "250-taken\r\n451 not taken", "in_doubt", "content"),
    "content answered without end": Case("CONTENT", ENDLESS, "in_doubt", "content"),
    "content 250 without words": Case("CONTENT", "250", "submitted", "content", 250),
    "content 250 and garbage in it": Case("CONTENT", "250 \x00\xff\x1b[31m", "submitted", "content", 250),
    "content 250 and garbage behind it": Case("CONTENT", "250 2.0.0 taken\r\nwhat else?", "submitted", "content", 250),
    "content 250 and another behind it": Case("CONTENT", "250 2.0.0 taken\r\n250 2.0.0 taken", "submitted", "content", 250),
    "content 250 and 421": Case("CONTENT", "250 2.0.0 taken\r\n421 4.7.0 enough", "submitted", "content", 250),
    "content 252": Case("CONTENT", "252 perhaps", "submitted", "content", 252),
    "content 451": Case("CONTENT", "451 4.3.0 later", "deferred", "content", 451),
    "content 452": Case("CONTENT", "452 4.3.1 no room", "deferred", "content", 452),
    "content 421": Case("CONTENT", "421 4.3.0 going down", "deferred", "content", 421),
    "content 550 mailbox": Case("CONTENT", "550 5.1.1 spam", "rejected", "content", 550),
    "content 552": Case("CONTENT", "552 5.3.4 too big", "rejected", "content", 552),
    "content 554": Case("CONTENT", "554 5.7.1 spam", "rejected", "content", 554),
}


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "plain"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_misbehaviour_has_its_verdict_and_costs_no_other_message(case: Case, pipelining: bool) -> None:
    loop = LeapingLoop()
    with Sink(pipelining=pipelining) as sink:
        for moment, said in [(case.moment, case.said), *case.beside]:
            sink.on[moment] = _hook(said, loop, refused=case.moment == "RCPT" and moment == "DATA")
        verdicts = loop.run(lambda _: mail(address(sink.port)))
    verdict = verdicts.pop(VICTIM)
    assert (verdict.kind, verdict.phase, verdict.code) == (case.kind, case.phase, case.code)
    assert refuses_mailbox(verdict) == case.blames
    assert {recipient: other.kind for recipient, other in verdicts.items()} == dict.fromkeys(OTHERS, "submitted")
    assert [one.content for one in sink.accepted if not one.message_id] == []  # nobody got an empty mail
    assert [sink.recipients.count(other) for other in OTHERS] == [1, 1]
    if case.kind != "in_doubt":
        assert (VICTIM in sink.recipients) == (case.kind == "submitted")


def _hook(said: Hook | str, loop: LeapingLoop, *, refused: bool) -> Hook:
    """At this moment of the victim's message: one whose recipient was refused has none when it comes to DATA."""
    if isinstance(said, Silent):
        said.loop = loop
    hook: Any = said if callable(said) else lambda *_: said
    if callable(said) and not refused:
        return hook
    return lambda session, word: hook(session, word) if (word == "" if refused else VICTIM in word) else None
