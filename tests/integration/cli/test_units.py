"""What systemd and cron are told names this installation: its command, its home."""

import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from support.operator import Operator


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command, as a package brings it."""
    command = tmp_path / "100% mine" / "digest"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(command)])
    return command


def read(text: str) -> ConfigParser:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(text)
    return unit


def test_the_daemon_s_unit_calls_the_installed_command_by_its_whole_path(operator: Operator, installed: Path) -> None:
    done = operator.call("units", "systemd")
    assert done.code == 0
    unit = read(done.out)
    assert unit["Service"]["ExecStart"] == f'"{str(installed).replace("%", "%%")}" daemon'
    assert unit["Service"]["Type"] == "notify"
    assert "env finds" not in done.out


def test_a_timer_and_what_it_starts_come_by_name(operator: Operator, installed: Path) -> None:
    assert "run" in read(operator.call("units", "systemd", "digest-run.service").out)["Service"]["ExecStart"]
    assert read(operator.call("units", "systemd", "digest-run.timer").out)["Timer"]["OnCalendar"] == "*:0/10"
    refused = operator.call("units", "systemd", "nothing.service")
    assert refused.code == 2
    assert "digest-run.timer" in refused.err


def test_all_units_can_be_written_into_a_folder(operator: Operator, installed: Path, tmp_path: Path) -> None:
    assert operator.call("units", "systemd", "--out", str(tmp_path)).code == 0
    written = {path.name: path.read_text() for path in tmp_path.iterdir() if path.suffix in (".service", ".timer")}
    assert written == operator.call("units", "systemd", "--json").json["units"]
    assert {"digest.service", "digest-run.service", "digest-run.timer"} <= set(written)


def test_the_line_for_cron_has_the_command_and_the_home_and_no_bare_per_cent_sign(operator: Operator, installed: Path) -> None:
    line = operator.call("units", "cron").out.splitlines()[-1]
    assert line.startswith("*/10 * * * * ")
    assert f"export DIGEST_HOME={operator.home}; '{str(installed).replace('%', chr(92) + '%')}' run --quiet" in line


def test_a_checkout_is_gone_to_before_the_program_is_called(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/digest/__main__.py"])
    monkeypatch.setenv("PATH", "")
    top = Path(__file__).parents[3]
    assert f"cd {top} && {sys.executable} -m digest run --quiet" in operator.call("units", "cron").out
    done = operator.call("units", "systemd")
    assert "ExecStart=/usr/bin/env digest daemon" in done.out
    assert "install.md" in done.err
