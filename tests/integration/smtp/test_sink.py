"""The sink of `digest bench` counts what it took, however it came."""

import smtplib
import socket
import ssl
import time
from pathlib import Path

import pytest

from digest.smtp.sink import END, self_made_certificate, sinking

ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
CONTENT = b"Subject: x\r\n\r\nfirst\r\n..second\r\nlast"


class Client:
    """A conversation of bytes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        self.expect(b"220")
        self.say(b"EHLO here\r\n")
        while self._replies.readline()[3:4] == b"-":
            pass

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._socket.sendall(piece)

    def expect(self, *codes: bytes) -> None:
        for code in codes:
            assert self._replies.readline()[:3] == code

    def close(self) -> None:
        self._replies.close()
        self._socket.close()


def test_the_end_of_a_message_is_found_wherever_it_is_torn_apart() -> None:
    group = CONTENT + END + ENVELOPE
    with sinking() as sink:
        client = Client(sink.port)
        client.say(ENVELOPE)
        client.expect(b"250", b"250", b"354")
        for at in range(1, len(group)):
            client.say(group[:at])
            client.say(group[at:])
            client.expect(b"250", b"250", b"250", b"354")
        client.close()
        counts = sink.stop()
    assert (counts.connections, counts.messages) == (1, len(group) - 1)
    assert counts.octets == counts.messages * len(CONTENT + b"\r\n")


def test_an_empty_message_and_one_of_many_reads_are_messages_too() -> None:
    long = b"".join(b"%069d\r\n" % number for number in range(20_000))
    with sinking() as sink:
        client = Client(sink.port)
        for content in (b"", long):
            client.say(ENVELOPE)
            client.expect(b"250", b"250", b"354")
            client.say(content, b".\r\n")
            client.expect(b"250")
        client.say(b"QUIT\r\n")
        client.expect(b"221")
        client.close()
        counts = sink.stop()
    assert (counts.messages, counts.octets) == (2, len(long))
    assert counts.cpu_seconds > 0


def test_each_reply_is_held_back_as_long_as_was_asked() -> None:
    with sinking(delay=0.05) as sink:
        began = time.monotonic()
        client = Client(sink.port)  # a greeting, and a reply to EHLO
        client.close()
        assert time.monotonic() - began >= 0.1
        assert sink.stop().connections == 1


@pytest.mark.parametrize("implicit", [False, True])
def test_it_speaks_tls_with_a_certificate_of_its_own(tmp_path: Path, implicit: bool) -> None:
    certificate = self_made_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=certificate)
    with sinking(certificate=certificate, implicit=implicit) as sink:
        if implicit:
            client: smtplib.SMTP = smtplib.SMTP_SSL("localhost", sink.port, "here", context=trusting)
        else:
            client = smtplib.SMTP("localhost", sink.port, "here")
            client.starttls(context=trusting)
        with client:
            client.sendmail("a@example.org", ["b@example.org"], CONTENT)
        assert sink.stop().messages == 1
    assert certificate.stat().st_mode & 0o077 == 0
