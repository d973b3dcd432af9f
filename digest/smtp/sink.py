"""A mail server that takes everything and keeps nothing but counts: what `digest bench` mails to.

It runs in a process of its own and is quick enough not to be what a bench measures: the content's end is looked for in the
last bytes of what has come, and no line of it is looked at. It says 250 to whatever it is told; it is no server to test with.
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from digest import loop
from digest.errors import ServerUnavailable

END = b"\r\n.\r\n"
BEHIND = 4096
"""Bytes that may stand behind a content's end in one read: more than a client can say before it must wait (RFC 2920 3.1)."""
BACKLOG = 1024


@dataclass(slots=True)
class Counts:
    """What a sink took."""

    connections: int = 0
    messages: int = 0
    octets: int = 0
    """Of contents, with their dots doubled and without the final one."""
    cpu_seconds: float = 0.0


class Conversation(asyncio.Protocol):
    """One connection (RFC 5321 with PIPELINING, 8BITMIME and, where there is a certificate, STARTTLS)."""

    def __init__(self, counts: Counts, delay: float, upgrade: ssl.SSLContext | None) -> None:
        self._counts, self._delay, self._upgrade = counts, delay, upgrade
        self._secured: asyncio.Task[None] | None = None
        self._line = self._edge = b""
        self._in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._secured is None:
            self._counts.connections += 1
            self._say(b"220 sink.example.org ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        replies = b""
        while data:
            if self._in_content:
                data = self._content(data)
                if self._in_content:
                    return
                replies += b"250 2.0.0 counted\r\n"
            else:
                line, end, data = (self._line + data).partition(b"\n")
                if not end:
                    self._line = line
                    break
                self._line = b""
                replies += self._command(line.upper())
        if replies:
            self._say(replies)

    def _content(self, data: bytes) -> bytes:
        """Count content up to its end, and return what stands behind it."""
        across = (self._edge + data[:4]).find(END)
        if across >= 0:
            behind = across + len(END) - len(self._edge)
        else:
            at = data.rfind(END, max(0, len(data) - BEHIND))
            if at < 0:
                self._counts.octets += len(data)
                self._edge = (self._edge + data[-4:])[-4:]
                return b""
            behind = at + len(END)
        self._counts.octets += behind - 3
        self._counts.messages += 1
        self._in_content = False
        return data[behind:]

    def _command(self, line: bytes) -> bytes:
        verb = line[:4]
        if verb == b"DATA":
            self._in_content, self._edge = True, END[:2]
            return b"354 go on\r\n"
        if verb == b"EHLO":
            offers = [b"sink.example.org", b"PIPELINING", b"8BITMIME", *([b"STARTTLS"] if self._upgrade else [])]
            return b"".join(b"250-%b\r\n" % offer for offer in offers[:-1]) + b"250 %b\r\n" % offers[-1]
        if verb == b"STAR" and self._upgrade is not None:
            self._transport.pause_reading()
            self._transport.write(b"220 2.0.0 go on\r\n")
            self._secured = asyncio.get_running_loop().create_task(self._secure(self._upgrade))
            return b""
        if verb == b"QUIT":
            self._transport.write(b"221 2.0.0 bye\r\n")
            self._transport.close()
            return b""
        return b"250 2.0.0 as you like\r\n"

    async def _secure(self, context: ssl.SSLContext) -> None:
        self._upgrade = None
        try:
            upgraded = await asyncio.get_running_loop().start_tls(self._transport, self, context, server_side=True)
        except OSError:
            self._transport.abort()
        else:
            assert upgraded is not None
            self._transport = upgraded

    def _say(self, replies: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, replies)
        else:
            self._transport.write(replies)


class Sink:
    """A running sink, seen from the process that began it."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process, self.port = process, port

    def stop(self) -> Counts:
        """End it; what it counted."""
        said, _ = self._process.communicate()
        return Counts(**json.loads(said))


@contextmanager
def sinking(
    *, delay: float = 0.0, certificate: Path | None = None, implicit: bool = False, cores: Collection[int] | None = None
) -> Iterator[Sink]:
    """Have a sink on a free port of this machine while the block runs.

    Args:
        delay: seconds that every reply is held back, as a far network would.
        certificate: a PEM file with key and certificate: offers STARTTLS, or with `implicit` speaks TLS from the first byte.
        cores: those that it may run on; None: all.

    Raises:
        ServerUnavailable: it did not start.
    """
    arguments = [f"--delay={delay}", *([f"--certificate={certificate}"] if certificate else []), *(["--implicit"] * implicit)]
    process = subprocess.Popen(  # noqa: S603 - this program itself
        [sys.executable, "-m", __name__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline()
        if not port:
            raise ServerUnavailable("the built-in sink did not start", fix="its own words above say why")
        if cores is not None:
            os.sched_setaffinity(process.pid, cores)
        yield Sink(process, int(port))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def self_made_certificate(folder: Path) -> Path:
    """A key and a certificate for `localhost`, good for a day, as a PEM file in a folder."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / "localhost.pem"
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return path


async def _serve(options: argparse.Namespace) -> Counts:
    counts = Counts()
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate)
    running = asyncio.get_running_loop()
    server = await running.create_server(
        lambda: Conversation(counts, options.delay, None if options.implicit else context),
        "127.0.0.1",
        0,
        ssl=context if options.implicit else None,
        backlog=BACKLOG,
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Whoever began it closes this pipe, or dies: either ends it.
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()
    counts.cpu_seconds = time.process_time()
    return counts


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--implicit", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever began it
    sys.stdout.write(json.dumps(asdict(loop.run(_serve(options)))))


if __name__ == "__main__":
    _main()
