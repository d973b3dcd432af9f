"""The files for systemd and cron."""

import re
from pathlib import Path

from typer.main import get_command

from digest.cli import build
from digest.resources import resource
from digest.settings.mask import SECRETS

SYSTEMD = resource("config/systemd")
SERVICES = ("digest.service", "digest-run.service", "digest-worker.service")


def directives(name: str) -> list[tuple[str, str]]:
    lines = (SYSTEMD / name).read_text().splitlines()
    return [
        (key, value) for key, is_set, value in (line.partition("=") for line in lines if not line.startswith("#")) if is_set
    ]


def test_a_wrong_setting_is_not_tried_again_and_again() -> None:
    for name in ("digest.service", "digest-worker.service"):
        assert ("RestartPreventExitStatus", "78") in directives(name)


def test_the_daemon_and_a_worker_tell_systemd_how_they_are() -> None:
    for name in ("digest.service", "digest-worker.service"):
        assert {("Type", "notify"), ("WatchdogSec", "120"), ("NotifyAccess", "main")} <= set(directives(name))


def test_all_services_are_hardened_alike() -> None:
    def hardening(name: str) -> str:
        text = (SYSTEMD / name).read_text().partition("# --- hardening")[2].partition("[Install]")[0]
        return text.partition("\n")[2].strip()

    assert len(hardening("digest.service").splitlines()) > 30
    assert len({hardening(name) for name in SERVICES}) == 1


def test_all_services_keep_the_same_state_under_the_same_user() -> None:
    shared = {
        ("User", "digest"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "digest"),
        ("Environment", "DIGEST_HOME=%S/digest"),
    }
    for name in SERVICES:
        assert shared <= set(directives(name))


def test_every_secret_can_come_as_a_credential() -> None:
    for name in SERVICES:
        assert re.findall(r"^#LoadCredential=([\w.]+):", (SYSTEMD / name).read_text(), re.MULTILINE) == list(SECRETS)


def test_the_timer_and_cron_look_every_ten_minutes() -> None:
    assert ("OnCalendar", "*:0/10") in directives("digest-run.timer")
    assert ("Persistent", "true") in directives("digest-run.timer")
    lines = [line for line in Path(resource("config/cron/digest.cron")).read_text().splitlines() if not line.startswith("#")]
    assert lines == ["*/10 * * * * /usr/local/bin/digest run --quiet"]


def test_every_service_starts_a_command_that_exists() -> None:
    started = [dict(directives(name))["ExecStart"] for name in SERVICES]
    composed = re.findall(r"command: \[(.*)\]", resource("config/compose/compose.yaml").read_text())
    words = [line.removeprefix("/usr/bin/env ").split() for line in started] + [line.split(", ") for line in composed]
    commands = get_command(build())
    for program, first, *_ in words:
        assert program == "digest"
        assert first in commands.commands  # type: ignore[attr-defined]
    assert ["digest", "worker"] in words


def test_images_are_named_plainly_and_pinned_to_a_version() -> None:
    compose, docker = (resource(f"config/compose/{name}").read_text() for name in ("compose.yaml", "Dockerfile"))
    images = re.findall(r"^ +image: (.*)$|^FROM (.*)$", compose + docker, re.MULTILINE)
    assert {a or b for a, b in images} == {"trending-papers-digest", "postgres:17", "python:3.12-slim"}
