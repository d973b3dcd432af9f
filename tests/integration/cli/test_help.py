"""Help is quick, and there for every command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support.operator import Operator
from typer.main import get_command

from digest.cli import build

HEAVY = {
    "aiosmtpd", "aiosmtplib", "alembic", "apscheduler", "dotenv", "email_validator", "httpx2", "jinja2", "numpy", "pydantic",
    "pydantic_settings", "pylatexenc", "rich", "scipy", "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, (*path, name))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = f"import json, sys; from digest.cli import run; run({arguments}); sys.stderr.write(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert imported & HEAVY == set()


@pytest.mark.parametrize("path", sorted(commands(get_command(build()))), ids=" ".join)
def test_every_command_has_help(operator: Operator, path: tuple[str, ...]) -> None:
    done = operator.call(*path, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(('digest', *path))} ")
    assert len(done.out.splitlines()) > 4


def test_every_command_of_the_design_is_there() -> None:
    words = """
        demo init doctor run deliver daemon web collect rank explain publish preview status
        papers: list search show hide pin
        subscribers: add list show set confirm pause resume unsubscribe erase import export history
        suppressions: add remove list
        deliveries: list show retry resolve
        evaluate: trending interests
        config: show check
        db: upgrade current backup restore
    """
    wanted: set[tuple[str, ...]] = set()
    for line in words.split("\n"):
        group, colon, names = line.partition(":")
        wanted |= {(group.strip(), name) for name in names.split()} if colon else {(name,) for name in line.split()}
    assert wanted <= set(commands(get_command(build())))


def test_the_version_is_data(operator: Operator) -> None:
    done = operator.call("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("digest ")


def test_a_command_that_does_not_exist_ends_with_2_and_says_where_help_is(operator: Operator) -> None:
    done = operator.call("delivre")
    assert (done.code, done.out) == (2, "")
    assert "digest --help" in done.err
