"""Connections of strangers, who may say nothing, or ask for what is not spoken here."""

import logging
import socket
from contextlib import ExitStack

import pytest
from integration.web.conftest import served
from support.sink import free_port

from digest.web import server
from digest.wiring import App

ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_however_many_connect_and_say_nothing_files_are_left_for_mails_and_the_database(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS", 3)
    port = free_port()
    with served(app, port), ExitStack() as stack:
        early, *others = (stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(3))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as one_more:
            assert one_more.recv(1) == b""
        early.sendall(ASKED)
        assert early.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
        assert all(other.send(b"G") for other in others)


def test_two_listeners_leave_files_where_a_program_may_have_a_thousand() -> None:
    assert 2 * server.CONNECTIONS <= 1024 - 200


def test_who_asks_for_a_websocket_gets_a_page_and_the_operator_no_advice(app: App, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n"
    with served(app, port), socket.create_connection(("127.0.0.1", port), timeout=5) as asking:
        asking.sendall(ASKED.replace(b"Connection: close\r\n", upgrade))
        assert asking.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
