"""The send stage alone: one ready message to many, over some connections, by our conversation or by aiosmtplib's own calls.

python sending.py ours|aiosmtplib PORT CONNECTIONS COUNT FILE
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiosmtplib

from digest import loop
from digest.smtp.connection import Connection, Envelope
from digest.smtp.url import SmtpUrl
from digest.subscribers.address import EmailAddress

SENDER = EmailAddress("digest@example.org")


async def ours(port: int, message: bytes, whom: Iterator[EmailAddress]) -> None:
    connection: Connection | None = None
    content: bytes | None = None
    while True:
        if connection is None or (content is None and not connection.usable):
            if connection is not None:
                await connection.close()
            connection = await Connection.open(SmtpUrl("smtp", "127.0.0.1", port))
        to = next(whom, None) if content is None or connection.usable else None
        turn = await connection.turn(content, None if to is None else Envelope(SENDER, to), dotless=True)
        assert turn.opened is None
        assert content is None or (turn.ended is not None and turn.ended.kind == "submitted")
        if to is None and (content is None or connection.usable):
            break
        content = None if to is None else message
    await connection.close()


async def plain(port: int, message: bytes, whom: Iterator[EmailAddress]) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
        for to in whom:
            await smtp.sendmail(str(SENDER), str(to), message)


async def _all(how: str, port: int, connections: int, message: bytes, count: int) -> None:
    whom = iter([EmailAddress(f"reader{number}@example.org") for number in range(count)])
    lane = {"ours": ours, "aiosmtplib": plain}[how]
    await asyncio.gather(*(lane(port, message, whom) for _ in range(connections)))


def main(how: str, port: int, connections: int, count: int, file: Path) -> None:
    message = file.read_bytes()
    cpu, began = time.process_time(), time.perf_counter()
    loop.run(_all(how, port, connections, message, count))
    print(json.dumps({"messages": count, "wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
