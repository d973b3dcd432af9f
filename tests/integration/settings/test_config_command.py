import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from digest.errors import ConfigurationError
from digest.settings.keys import known_keys


def test_show_lists_every_setting_as_toml(digest: Callable[..., Result]) -> None:
    result = digest("config", "show", DIGEST_SITE__NAME="Papers")
    assert result.exit_code == 0
    shown = tomllib.loads(result.stdout)
    assert shown["site"]["name"] == "Papers"
    assert shown["ranking"]["window"] == "14d"
    assert "# smtp.url is not set" in result.stdout.splitlines()


def test_a_list_and_a_table_are_shown_as_toml_writes_them(digest: Callable[..., Result]) -> None:
    environ = {
        "DIGEST_SOURCES__ARXIV_RSS__CATEGORIES": "cs.AI,cs.CL",
        "DIGEST_SOURCES__FEED__URLS": '{"J. of Nets": "https://journal.example.org/rss"}',
    }
    shown = tomllib.loads(digest("config", "show", **environ).stdout)
    assert shown["sources"]["arxiv_rss"]["categories"] == ["cs.AI", "cs.CL"]
    assert shown["sources"]["feed"]["urls"] == {"J. of Nets": "https://journal.example.org/rss"}
    rows = json.loads(digest("config", "show", "--json", **environ).stdout)["settings"]
    assert rows["sources.arxiv_rss.categories"] == {
        "value": ["cs.AI", "cs.CL"],
        "origin": "DIGEST_SOURCES__ARXIV_RSS__CATEGORIES",
    }
    assert rows["sources.arxiv_oai.categories"] == {"value": [], "origin": "default"}


def test_show_says_where_each_setting_comes_from(digest: Callable[..., Result], home: Path) -> None:
    (home / "digest.toml").write_text("[ranking]\nsize = 5\n")
    lines = digest("config", "show", "--origin", DIGEST_SITE__NAME="Papers").stdout.splitlines()
    origins = {line.split(" = ")[0]: line.rpartition("# ")[2] for line in lines if " = " in line}
    assert origins["ranking.size"] == f"{home}/digest.toml, line 2"
    assert origins["site.name"] == "DIGEST_SITE__NAME"
    assert origins["ranking.also"] == "default"


def test_show_as_json_has_stable_keys(digest: Callable[..., Result], home: Path) -> None:
    shown = json.loads(digest("config", "show", "--json").stdout)
    assert shown["home"] == str(home)
    assert tuple(shown["settings"]) == known_keys()
    assert shown["settings"]["smtp.connections"] == {"value": 8, "origin": "default"}


def test_check_is_content_with_a_bare_installation_but_says_what_mails_need(digest: Callable[..., Result]) -> None:
    result = digest("config", "check")
    assert result.exit_code == 0
    assert "site.public_url, site.secret_key, email.from, smtp.url" in result.stderr
    assert "digest init" in result.stderr


def test_check_as_json_lists_what_is_set_and_what_is_not(digest: Callable[..., Result], home: Path) -> None:
    (home / "digest.toml").write_text('[email]\nfrom = "p@example.org"\n')
    report = json.loads(digest("config", "check", "--json").stdout)
    assert report == {
        "ok": True,
        "home": str(home),
        "files": [f"{home}/digest.toml"],
        "set": ["email.from"],
        "not_set": ["site.public_url", "site.secret_key", "smtp.url"],
    }


def test_check_counts_lists_and_tables_that_are_set(digest: Callable[..., Result], home: Path) -> None:
    (home / "digest.toml").write_text(
        '[sources.arxiv_oai]\ncategories = ["cs.AI"]\n[sources.feed.urls]\nA = "https://a.example.org"\n'
    )
    report = json.loads(digest("config", "check", "--json").stdout)
    assert report["set"] == ["sources.arxiv_oai.categories", "sources.feed.urls"]


def test_check_ends_with_78_on_a_wrong_setting(digest: Callable[..., Result]) -> None:
    result = digest("config", "check", DIGEST_SMTP__CONNECTIONS="0")
    assert isinstance(result.exception, ConfigurationError)
    assert result.exception.exit_code == 78
