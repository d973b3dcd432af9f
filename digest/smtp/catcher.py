"""A mail server that keeps every message as a file: for the demo, and for looking at what would be mailed."""

import email
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

_UNSAFE = re.compile(r"[^A-Za-z0-9._@+-]+")


class _Keep:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        day = email.message_from_bytes(envelope.content)["Date"] or ""
        when = parsedate_to_datetime(day).strftime("%Y-%m-%d") if day else "undated"
        for recipient in envelope.rcpt_tos:
            name = _UNSAFE.sub("_", f"{when}-{recipient}")
            path, n = self._folder / f"{name}.eml", 1
            while path.exists():
                n += 1
                path = self._folder / f"{name}-{n}.eml"
            path.write_bytes(envelope.original_content)
        return "250 2.0.0 kept"


@contextmanager
def catching(folder: Path) -> Iterator[str]:
    """Keep what is mailed while the block runs; gives the address of the server on a free port of this machine."""
    from aiosmtpd.controller import Controller

    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(_Keep(folder), hostname="127.0.0.1", port=_free_port(), ready_timeout=30)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
