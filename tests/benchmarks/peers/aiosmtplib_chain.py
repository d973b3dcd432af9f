"""A worker of `digest bench` that sends by the calls of aiosmtplib, as it is: all else of the chain is the program's."""

import sys
from typing import Self

import aiosmtplib

from digest.bench import worker
from digest.outbox.verdict import Verdict, judge
from digest.smtp.connection import Connection, Envelope, Turn
from digest.smtp.url import SmtpUrl


class Plain:
    """MAIL, RCPT, DATA and the content, each with its reply, by the library's own calls. It knows no mishap."""

    pipelines = out_of_step = False

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self._smtp = smtp

    @classmethod
    async def open(cls, url: SmtpUrl, timeout: float = 60.0, **_: object) -> Self:
        smtp = aiosmtplib.SMTP(hostname=url.host, port=url.port, start_tls=False, timeout=timeout)
        await smtp.connect()
        await smtp.ehlo()
        return cls(smtp)

    @property
    def usable(self) -> bool:
        return self._smtp.is_connected

    async def turn(self, content: bytes | None, envelope: Envelope | None, **_: object) -> Turn:
        ended: Verdict | None = None
        if content is not None:
            reply = await self._smtp.data(content)
            ended = judge("content", reply.code, reply.message)
        if envelope is not None:
            await self._smtp.mail(str(envelope.mail_from))
            await self._smtp.rcpt(str(envelope.rcpt_to))
        return Turn(ended, None)

    def abort(self) -> None:
        self._smtp.close()

    async def close(self) -> None:
        if self._smtp.is_connected:
            await self._smtp.quit()


if __name__ == "__main__":
    Connection.open = Plain.open  # type: ignore[method-assign, assignment]
    worker.main(sys.argv[1:])
