"""A state folder, and commands of `digest` on their own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from digest.cli import config, init


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def digest(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls `digest` as a person would, with no other settings in the environment than those given."""
    for name in list(os.environ):
        if name.startswith("DIGEST_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
    app = typer.Typer()
    config.register(app)
    init.register(app)

    def call(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env={"DIGEST_HOME": str(home), **environ})

    return call
