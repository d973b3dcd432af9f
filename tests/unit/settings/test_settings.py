from datetime import time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from digest.edition.settings import ScheduleSettings
from digest.errors import ConfigurationError
from digest.outbox.settings import EmailSettings
from digest.rendering.settings import SiteSettings
from digest.settings import Settings
from digest.settings.shown import shown
from digest.settings.web import WebSettings
from digest.smtp.settings import SmtpSettings
from digest.store.settings import DatabaseSettings

HOME = Path("/srv/digest")


def test_settings_made_directly_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE", '{"name": "Intruder"}')
    monkeypatch.setenv("HOME", "/elsewhere")
    settings = Settings(home=HOME)
    assert settings.site.name == "Trending Papers"
    assert settings.home == HOME


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        (None, "sqlite:////srv/digest/digest.db"),
        ("sqlite:///papers.db", "sqlite:////srv/digest/papers.db"),
        ("sqlite:////tmp/papers.db", "sqlite:////tmp/papers.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://d@db/digest", "postgresql://d@db/digest"),
    ],
)
def test_the_database_lies_in_the_state_folder_unless_told_otherwise(url: str | None, meant: str) -> None:
    assert Settings(home=HOME, database=DatabaseSettings(url=url)).database_url == meant


def test_all_that_is_missing_is_named_at_once_with_how_to_set_it() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings(home=HOME).require("site.public_url", "email.from", "smtp.url", "site.secret_key", "site.name")
    assert str(refused.value) == "not set: site.public_url, email.from, smtp.url, site.secret_key"
    assert "digest init" in refused.value.fix
    assert str(HOME) in refused.value.fix
    assert 'digest.toml, under [email]: from = "Trending Papers <papers@example.org>"' in refused.value.fix
    assert ".env: DIGEST_SITE__SECRET_KEY=" in refused.value.fix


def test_a_user_without_password_is_missing_one() -> None:
    named = Settings(home=HOME, smtp=SmtpSettings(url="smtps://ann@mx"))
    assert named.missing("smtp.url") == ["smtp.password"]
    both = Settings(home=HOME, smtp=SmtpSettings(url="smtps://ann@mx", password=SecretStr("pw")))
    assert both.missing("smtp.url") == []


def test_the_password_of_its_own_goes_before_the_one_in_the_address() -> None:
    server = SmtpSettings(url="smtps://ann:old@mx", password=SecretStr("new")).server
    assert server is not None
    assert server.password == "new"


@pytest.mark.parametrize(
    "url",
    [
        "https://" + "a" * 43,
        "https://user@papers.example.org",
        "https://papers.example.org:99999",
        "https://papers.example.org/\nX-Header: 1",
        "https://päpers.example.org",
        "ftp://papers.example.org",
        "papers.example.org",
        "https://papers.example.org/?a=b",
    ],
)
def test_a_public_url_that_no_header_can_carry_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(home=HOME, site=SiteSettings(public_url=url))


def test_the_schedule_is_written_in_words() -> None:
    schedule = ScheduleSettings.model_validate(
        {"timezone": "Asia/Kathmandu", "publish_at": "07:30", "weekly_on": "Friday", "catch_up": "90m"}
    )
    assert schedule.publish_at == time(7, 30)
    assert schedule.weekly_on == 4
    assert schedule.catch_up == timedelta(minutes=90)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timezone", "Europe/Berln"),
        ("timezone", "../../etc/passwd"),
        ("publish_at", "24:00"),
        ("publish_at", "7.30"),
        ("publish_at", time(7, 30, 15)),
        ("weekly_on", "monkey"),
        ("weekly_on", "0"),
        ("catch_up", "12"),
        ("catch_up", 12),
        ("catch_up", "0s"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        ScheduleSettings.model_validate({name: value})


def test_a_sender_whose_domain_is_too_long_to_name_mails_under_it_is_refused() -> None:
    fits = f"{'a' * 54}.{'b' * 60}.org"
    assert EmailSettings.model_validate({"from": f"Papers <p@{fits}>"}).sender
    with pytest.raises(ValidationError, match="its domain has 120 characters; each mail is named under it, and 119 fit"):
        EmailSettings.model_validate({"from": f"Papers <p@a{fits}>"})


@pytest.mark.parametrize(
    ("bind", "host", "port"), [("127.0.0.1:8000", "127.0.0.1", 8000), ("[::1]:80", "::1", 80), ("localhost:0", "localhost", 0)]
)
def test_the_web_listens_on_host_and_port(bind: str, host: str, port: int) -> None:
    assert (WebSettings(bind=bind).host, WebSettings(bind=bind).port) == (host, port)


@pytest.mark.parametrize("bind", ["8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", ":8000", "http://localhost:80"])
def test_an_address_that_nobody_can_listen_on_is_refused(bind: str) -> None:
    with pytest.raises(ValidationError):
        WebSettings(bind=bind)


def test_what_is_shown_is_written_as_it_is_set_and_secrets_are_stars() -> None:
    settings = Settings(
        home=HOME,
        email=EmailSettings.model_validate({"from": "Papers <p@example.org>"}),
        smtp=SmtpSettings(url="smtps://ann:hunter2@mx", password=SecretStr("hunter2"), per_domain={"Gmail.com": 2}),
    )
    values = shown(settings)
    assert values["email.from"] == "Papers <p@example.org>"
    assert values["schedule.publish_at"] == "06:00"
    assert values["schedule.weekly_on"] == "monday"
    assert values["ranking.window"] == "14d"
    assert values["smtp.per_domain"] == {"gmail.com": 2.0}
    assert values["smtp.rate"] is None
    assert values["site.secret_key"] is None
    assert "hunter2" not in repr(values)
    assert "hunter2" not in repr(settings) + str(settings)
