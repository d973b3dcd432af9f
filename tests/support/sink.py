"""A mail server on loopback that remembers what it accepted, and may be told to refuse."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any, Self

from aiosmtpd.controller import Controller

Answer = Callable[[str], str | None]


@dataclass(frozen=True)
class Accepted:
    """One message as it was accepted."""

    recipient: str
    message_id: str
    content: bytes


class Sink:
    """An SMTP server in a thread of its own.

    `on_rcpt` and `on_data` may answer for a recipient with a reply of their own instead of 250.
    """

    def __init__(self, on_rcpt: Answer = lambda _: None, on_data: Answer = lambda _: None, **options: Any) -> None:
        self.accepted: list[Accepted] = []
        self.by_recipient: dict[str, list[Accepted]] = defaultdict(list)
        self.grew = threading.Condition()
        self.on_rcpt, self.on_data = on_rcpt, on_data
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port(), ready_timeout=30, **options)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def wait_for(self, number: int, seconds: float) -> bool:
        """Return when so many messages were accepted, or when the time is over; says which."""
        with self.grew:
            return self.grew.wait_for(lambda: len(self.accepted) >= number, seconds)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if answer := self.on_rcpt(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        recipient = envelope.rcpt_tos[0]
        if answer := self.on_data(recipient):
            return answer
        message_id = BytesHeaderParser().parsebytes(envelope.content)["Message-ID"]
        one = Accepted(recipient, message_id, envelope.original_content)
        with self.grew:
            self.accepted.append(one)
            self.by_recipient[recipient].append(one)
            self.grew.notify_all()
        return "250 2.0.0 taken"


def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
