import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from digest.cli.init import machine_zone
from digest.errors import ConfigurationError, NotPermitted, UsageError
from digest.settings import load
from digest.settings.initial import initialise

FLAGS = (
    "--public-url=https://papers.example.org/",
    "--from=Papers <papers@example.org>",
    "--smtp-url=smtp+starttls://ann%40example.org:p%27w%5C%20x@mx.example.org",
    "--timezone=Europe/Berlin",
    "--publish-at=07:30",
)

ALONE = """
import typer
from digest.cli import config, init
app = typer.Typer()
config.register(app)
init.register(app)
app()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_with_flags_makes_a_working_configuration(digest: Callable[..., Result], home: Path) -> None:
    result = digest("init", *FLAGS)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "subscribers add you@example.org --confirmed" in result.stderr
    settings = load(home, {})
    settings.require("site.public_url", "email.from", "smtp.url", "site.secret_key")
    assert settings.site.public_url == "https://papers.example.org"
    assert settings.schedule.timezone == "Europe/Berlin"
    assert f"{settings.schedule.publish_at:%H:%M}" == "07:30"
    assert settings.smtp.server is not None
    assert settings.smtp.server.username == "ann@example.org"
    assert settings.smtp.server.password == "p'w\\ x"
    assert len(settings.site.keys[0]) >= 32
    assert (home / "digest.db").exists()


def test_the_files_are_for_their_owner_only(digest: Callable[..., Result], home: Path) -> None:
    home.rmdir()
    digest("init", *FLAGS)
    assert mode(home) == 0o700
    assert [mode(home / name) for name in ("digest.toml", ".env")] == [0o600, 0o600]


def test_the_password_goes_into_dotenv_and_nowhere_else(digest: Callable[..., Result], home: Path) -> None:
    result = digest("init", "--smtp-url=smtps://ann:canary7secret@mx.example.org")
    assert "canary7secret" not in result.output
    assert "canary7secret" not in (home / "digest.toml").read_text()
    assert "canary7secret" in (home / ".env").read_text()


def test_without_flags_and_terminal_it_asks_nothing_and_says_what_is_missing(digest: Callable[..., Result], home: Path) -> None:
    result = digest("init")
    assert result.exit_code == 0
    assert "site.public_url, email.from, smtp.url" in result.stderr
    assert load(home, {}).site.keys


def test_init_as_json_tells_what_was_written(digest: Callable[..., Result], home: Path) -> None:
    assert json.loads(digest("init", "--json", *FLAGS).stdout) == {
        "home": str(home),
        "wrote": [f"{home}/digest.toml", f"{home}/.env"],
        "not_set": [],
    }


def test_every_installation_has_its_own_secret(tmp_path: Path) -> None:
    keys = {initialise(tmp_path / name, {}, environ={}).site.keys[0] for name in "abc"}
    assert len(keys) == 3


def test_a_second_init_overwrites_nothing(digest: Callable[..., Result], home: Path) -> None:
    digest("init", *FLAGS)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    result = digest("init", "--timezone=Asia/Tokyo")
    assert isinstance(result.exception, UsageError)
    assert "--yes" in result.exception.fix
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


def test_a_second_init_with_yes_keeps_the_secret_and_every_other_setting(digest: Callable[..., Result], home: Path) -> None:
    digest("init", *FLAGS)
    old = load(home, {})
    with (home / "digest.toml").open("a") as file:
        file.write('\n[smtp.per_domain]\n"gmail.com" = 2\n[ranking.weights]\nvotes = 1.5\n')
        file.write('[sources.arxiv_oai]\ncategories = ["cs.AI", "cs.CL"]\n[sources]\nat_once = 2\n')
        file.write('[sources.feed.urls]\n"J. of Nets" = "https://journal.example.org/rss"\n')
    written = (home / "digest.toml").read_text()
    assert digest("init", "--yes", "--timezone=Asia/Tokyo").exit_code == 0
    new = load(home, {})
    assert new.site.keys == old.site.keys
    assert new.smtp.server == old.smtp.server
    assert new.email == old.email
    assert new.schedule.timezone == "Asia/Tokyo"
    assert new.smtp.per_domain == {"gmail.com": 2}
    assert new.ranking.weights.votes == 1.5
    assert new.sources == old.sources.model_copy(
        update={
            "at_once": 2,
            "arxiv_oai": old.sources.arxiv_oai.model_copy(update={"categories": ("cs.AI", "cs.CL")}),
            "feed": old.sources.feed.model_copy(update={"urls": {"J. of Nets": "https://journal.example.org/rss"}}),
        }
    )
    assert (home / "digest.toml.bak").read_text() == written
    assert mode(home / "digest.toml.bak") == mode(home / ".env.bak") == 0o600


def test_a_new_answer_is_not_hidden_by_an_old_one_in_dotenv(home: Path) -> None:
    (home / ".env").write_text("DIGEST_SMTP__URL=smtps://old.example.org\nDIGEST_SMTP__PASSWORD=old\n")
    (home / ".env").chmod(0o600)
    settings = initialise(home, {"smtp.url": "smtps://ann:new@new.example.org"}, environ={}, overwrite=True)
    assert settings.smtp.server is not None
    assert (settings.smtp.server.host, settings.smtp.server.password) == ("new.example.org", "new")


def test_a_secret_that_comes_from_elsewhere_is_not_doubled(home: Path) -> None:
    initialise(home, {}, environ={"DIGEST_SITE__SECRET_KEY": "k" * 40})
    assert "SECRET_KEY" not in (home / ".env").read_text()


@pytest.mark.parametrize(
    "flag",
    [
        "--public-url=papers.example.org",
        "--from=Papers",
        "--smtp-url=smtp://ann:canary7secret@mx.example.org",
        "--timezone=Berlin",
        "--publish-at=25:00",
    ],
)
def test_a_wrong_flag_writes_nothing(digest: Callable[..., Result], home: Path, flag: str) -> None:
    result = digest("init", flag)
    assert isinstance(result.exception, ConfigurationError)
    assert "canary7secret" not in str(result.exception)
    assert list(home.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPermitted, match="cannot be written"):
        initialise(tmp_path / "file" / "home", {}, environ={})


def converse(home: Path, answers: list[str], *arguments: str) -> tuple[int, str]:
    """Run `digest init` at a terminal and answer each question; returns its exit code and all that it showed."""
    ours, theirs = pty.openpty()
    environ = {"PATH": os.environ["PATH"], "DIGEST_HOME": str(home), "TZ": "Europe/Paris", "NO_COLOR": "1", "COLUMNS": "200"}
    command = [sys.executable, "-c", ALONE, "init", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        shown = ""
        while select.select([ours], [], [], 60)[0]:
            try:
                shown += os.read(ours, 4096).decode()
            except OSError:  # the other side has closed the terminal
                break
            if shown.endswith(": ") and answers:
                os.write(ours, answers.pop(0).encode() + b"\n")
        code = process.wait(60)
    os.close(ours)
    return code, shown


def test_at_a_terminal_it_asks_four_questions_and_repeats_one_only_when_the_answer_is_wrong(home: Path) -> None:
    answers = ["https://papers.example.org", "not an address", "papers@example.org", "smtp://localhost:1025", ""]
    code, shown = converse(home, answers)
    assert code == 0, shown
    assert answers == []
    assert "'not an address' is not an email address" in shown
    settings = load(home, {})
    assert settings.email.from_ == "papers@example.org"
    assert settings.smtp.url == "smtp://localhost:1025"
    assert settings.schedule.timezone == "Europe/Paris"


def test_at_a_terminal_an_empty_answer_leaves_a_setting_for_later(home: Path) -> None:
    code, shown = converse(home, ["", "", "", ""])
    assert code == 0, shown
    assert len(re.findall(r": (?=\r)", shown)) <= 4
    assert load(home, {}).missing("site.public_url", "email.from", "smtp.url") == ["site.public_url", "email.from", "smtp.url"]


@pytest.mark.parametrize("arguments", [FLAGS[:3], ["--no-input"], ["--yes"]])
def test_at_a_terminal_it_asks_nothing_when_given_flags(home: Path, arguments: list[str]) -> None:
    code, shown = converse(home, [], *arguments)
    assert code == 0, shown
    assert "Wrote" in shown


def test_the_machine_s_zone_is_suggested(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/America/Lima")
    assert machine_zone({}, link) == "America/Lima"
    assert machine_zone({"TZ": "Europe/Oslo"}, link) == "Europe/Oslo"
    assert machine_zone({"TZ": "CET-1CEST"}, tmp_path / "nothing") == "UTC"
