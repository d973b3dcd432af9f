"""A site that somebody lives in: the daemon as a process of its own, mailing to a sink, with pages on loopback."""

import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
from support.operator import Operator
from support.sink import Sink, free_port
from support.waiting import until

TOKEN = "t" * 40
"""Opens the operator's pages."""


class House:
    """One at a time it runs the daemon or the web part alone, as of any moment; its database stays.

    `root` is where visitors find it, `desk` where its operator does.
    """

    def __init__(self, home: Path, sink: Sink) -> None:
        port, desk = free_port(), free_port()
        self.root, self.desk = f"http://localhost:{port}", f"http://localhost:{desk}"
        self._home, self._sink = home, sink
        self._operator = Operator(
            home,
            sink.url,
            site__public_url=self.root,
            web__bind=f"127.0.0.1:{port}",
            web__operator_bind=f"127.0.0.1:{desk}",
            web__operator_token=TOKEN,
            web__trusted_proxies="127.0.0.1",
        )
        self._web = httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._web.close()
        if self._process:
            self._process.kill()
            self._process.wait()

    def live(self, now: datetime, command: str = "daemon") -> None:
        """Be a daemon (or as `command` says) whose clock starts at `now`; returns when pages answer."""
        self.rest()
        with (self._home / "house.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "digest", command, "--now", now.isoformat()],
                env=self._operator.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._answers, "the pages")

    def rest(self) -> None:
        """Stop, as a service manager does it."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(30) == 0
            self._process = None

    def post(self, path: str, **form: str) -> None:
        """Do without a browser what a form does."""
        assert self._web.post(path, data=form).status_code in (200, 303)

    def join(self, *addresses: str) -> None:
        """Readers sign up, press the button behind the link that they are mailed, and are welcomed."""
        for address in addresses:
            self.post("/subscribe", email=address)
        for address in addresses:
            self.mail(address)
            (link,) = self.links("/confirm/{}", address)
            self.post(link)
        for address in addresses:
            self.mail(address, 2)

    def mail(self, address: str, number: int = 1) -> str:
        """The HTML of the latest mail to an address, when so many have come."""
        until(lambda: len(self._sink.by_recipient[address]) >= number, f"mail {number} to {address}")
        body = self._sink.by_recipient[address][-1].message.get_body(("html",))
        assert body
        return str(body.get_content())

    def letters(self, address: str) -> list[str]:
        """The HTML of all mails to an address, in order."""
        bodies = [one.message.get_body(("html",)) for one in self._sink.by_recipient[address]]
        return [str(body.get_content()) for body in bodies if body]

    def subjects(self, address: str) -> list[str]:
        """Of all mails to an address, in order."""
        return [str(one.message["Subject"]) for one in self._sink.by_recipient[address]]

    def links(self, shape: str, *addresses: str) -> list[str]:
        """Paths of ours in all mails, in the order in which they came, each once: all that are like `/f/{}/{}/more`."""
        like = re.compile(re.escape(shape).replace(r"\{\}", "[^/?#]+"))
        found = (path for one in self._sink.accepted if one.recipient in addresses for path in self._ours(one.message))
        return list(dict.fromkeys(path for path in found if like.fullmatch(path)))

    def all_links(self) -> list[str]:
        """Every link of ours in any mail, and in the headers of any."""
        return list(dict.fromkeys(path for one in self._sink.accepted for path in self._ours(one.message)))

    def log(self) -> str:
        """What the processes said."""
        return (self._home / "house.log").read_text()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with closing(sqlite3.connect(self._home / "digest.db")) as database:
            return database.execute(sql).fetchall()

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        tables = self.ask("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {name: self.ask(f'SELECT * FROM "{name}"') for (name,) in tables}

    def _ours(self, message: Any) -> list[str]:
        parts = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
        text = unescape("\n".join([*parts, str(message["List-Unsubscribe"] or "")]))
        found = (urlsplit(url) for url in re.findall(rf"{re.escape(self.root)}/[^\s\"<>]*", text))
        return [f"{url.path}?{url.query}" if url.query else url.path for url in found]

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log()
        try:
            return self._web.get("/healthz").status_code == 200
        except httpx2.TransportError:
            return False
