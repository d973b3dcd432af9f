"""The files for systemd and cron."""

import re
from pathlib import Path

from digest.resources import resource
from digest.settings.mask import SECRETS

SYSTEMD = resource("config/systemd")


def directives(name: str) -> list[tuple[str, str]]:
    lines = (SYSTEMD / name).read_text().splitlines()
    return [
        (key, value) for key, is_set, value in (line.partition("=") for line in lines if not line.startswith("#")) if is_set
    ]


def test_a_wrong_setting_is_not_tried_again_and_again() -> None:
    assert ("RestartPreventExitStatus", "78") in directives("digest.service")


def test_the_daemon_tells_systemd_how_it_is() -> None:
    assert {("Type", "notify"), ("WatchdogSec", "120"), ("NotifyAccess", "main")} <= set(directives("digest.service"))


def test_both_services_are_hardened_alike() -> None:
    def hardening(name: str) -> str:
        text = (SYSTEMD / name).read_text().partition("# --- hardening")[2].partition("[Install]")[0]
        return text.partition("\n")[2].strip()

    assert len(hardening("digest.service").splitlines()) > 30
    assert hardening("digest.service") == hardening("digest-run.service")


def test_both_services_keep_the_same_state_under_the_same_user() -> None:
    shared = {
        ("User", "digest"),
        ("DynamicUser", "yes"),
        ("StateDirectory", "digest"),
        ("Environment", "DIGEST_HOME=%S/digest"),
    }
    assert shared <= set(directives("digest.service"))
    assert shared <= set(directives("digest-run.service"))


def test_every_secret_can_come_as_a_credential() -> None:
    for name in ("digest.service", "digest-run.service"):
        assert re.findall(r"^#LoadCredential=([\w.]+):", (SYSTEMD / name).read_text(), re.MULTILINE) == list(SECRETS)


def test_the_timer_and_cron_look_every_ten_minutes() -> None:
    assert ("OnCalendar", "*:0/10") in directives("digest-run.timer")
    assert ("Persistent", "true") in directives("digest-run.timer")
    lines = [line for line in Path(resource("config/cron/digest.cron")).read_text().splitlines() if not line.startswith("#")]
    assert lines == ["*/10 * * * * /usr/local/bin/digest run --quiet"]
