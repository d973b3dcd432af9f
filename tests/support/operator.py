"""Somebody who types commands: the program as a process of its own, or (faster) within this one."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from unittest import mock

from digest.cli import run


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Operator:
    """Runs the program in a home of its own against one mail server; settings are given as `section__key`."""

    def __init__(self, home: Path, smtp_url: str, **settings: str) -> None:
        self.home = home
        given = {
            "site__public_url": "https://papers.example.org",
            "site__secret_key": "k" * 40,
            "email__from": "Trending Papers <digest@example.org>",
            "smtp__url": smtp_url,
            "smtp__connections": "2",
            "smtp__timeout": "10s",
            "sources__huggingface__enabled": "false",
            "ranking__size": "3",
            "ranking__also": "2",
            **settings,
        }
        self.settings = {"DIGEST_HOME": str(home), **{f"DIGEST_{name.upper()}": text for name, text in given.items()}}
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def forget(self, *names: str) -> None:
        """Unset settings, as `section__key`."""
        for name in names:
            del self.settings[f"DIGEST_{name.upper()}"]

    def set(self, **settings: str) -> None:
        self.settings |= {f"DIGEST_{name.upper()}": text for name, text in settings.items()}

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process, without settings of whoever runs the tests."""
        return {name: text for name, text in os.environ.items() if not name.startswith("DIGEST_")} | self.settings

    def start(
        self, *arguments: str, now: datetime | None = None, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start a process; it is killed at the end of the test if it still runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "digest", *arguments, *_now(now)],
            env=self.environ | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def run(self, *arguments: str, now: datetime | None = None) -> Done:
        """Run a command in a process of its own."""
        process = self.start(*arguments, now=now)
        out, err = process.communicate(timeout=60)
        return Done(process.returncode, out, err)

    def call(self, *arguments: str, now: datetime | None = None, stdin: str = "") -> Done:
        """Run a command within this process."""
        out, err = io.StringIO(), io.StringIO()
        given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        mask = os.umask(0o077)
        try:
            with (
                mock.patch.dict(os.environ, self.settings),
                mock.patch.object(sys, "stdin", given),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = run([*arguments, *_now(now)])
        finally:
            os.umask(mask)
        return Done(code, out.getvalue(), err.getvalue())


def _now(now: datetime | None) -> list[str]:
    return ["--now", now.isoformat()] if now else []
