import logging
import os
from datetime import time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from digest.errors import ConfigurationError, NotPermitted
from digest.settings import load
from digest.settings.keys import table_keys
from digest.settings.missing import variable

KEY = "k" * 40


def private(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_without_any_file_everything_has_its_default(home: Path) -> None:
    settings = load(home, {})
    assert settings.home == home
    assert settings.ranking.size == 10
    assert settings.schedule.publish_at == time(6)
    assert settings.smtp.url is None
    assert settings.place("ranking.size") == "default"


def test_each_layer_goes_before_the_one_below(home: Path) -> None:
    credentials = home / "credentials"
    credentials.mkdir()
    layers = []
    assert load(home, {}).database.url is None
    private(home / "digest.toml", '[database]\nurl = "postgresql://toml"\n')
    layers.append(load(home, {}))
    private(home / ".env", "DIGEST_DATABASE__URL=postgresql://dotenv\n")
    layers.append(load(home, {}))
    private(credentials / "database.url", "postgresql://credential\n")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    layers.append(load(home, environ))
    environ["DIGEST_DATABASE__URL"] = "postgresql://environment"
    layers.append(load(home, environ))
    layers.append(load(home, environ, {"database.url": "postgresql://flag"}))
    assert [(settings.database.url, settings.place("database.url")) for settings in layers] == [
        ("postgresql://toml", f"{home}/digest.toml, line 2"),
        ("postgresql://dotenv", f"{home}/.env, line 1"),
        ("postgresql://credential", "credential database.url"),
        ("postgresql://environment", "DIGEST_DATABASE__URL"),
        ("postgresql://flag", "a flag"),
    ]


def test_layers_are_put_together_setting_by_setting(home: Path) -> None:
    private(home / "digest.toml", "[ranking]\nsize = 5\n[ranking.weights]\nvotes = 2\n[smtp.per_domain]\n'gmail.com' = 3\n")
    environ = {"DIGEST_RANKING__WEIGHTS__STARS": "0", "DIGEST_SMTP__PER_DOMAIN": '{"yahoo.com": 1}'}
    settings = load(home, environ, {"ranking.also": 3, "ranking.size": None})
    assert (settings.ranking.size, settings.ranking.also) == (5, 3)
    assert (settings.ranking.weights.votes, settings.ranking.weights.stars, settings.ranking.weights.growth) == (2, 0, 1.0)
    assert settings.smtp.per_domain == {"gmail.com": 3, "yahoo.com": 1}


def test_a_list_is_written_with_commas_or_as_json_in_a_variable_and_takes_the_place_of_the_one_below(home: Path) -> None:
    private(home / "digest.toml", '[sources.arxiv_rss]\ncategories = ["cs.AI", "cs.CL"]\n')
    name = "DIGEST_SOURCES__ARXIV_RSS__CATEGORIES"
    written = ("", "cs.RO", " cs.RO, cs.LG ,", '["cs.RO", "cs.LG"]')
    assert [load(home, {name: text}).sources.arxiv_rss.categories for text in written] == [
        ("cs.AI", "cs.CL"),
        ("cs.RO",),
        ("cs.RO", "cs.LG"),
        ("cs.RO", "cs.LG"),
    ]


def test_an_empty_list_is_written_as_json_for_an_empty_variable_is_not_set(home: Path) -> None:
    private(home / "digest.toml", '[sources.arxiv_rss]\ncategories = ["cs.AI"]\n')
    assert load(home, {"DIGEST_SOURCES__ARXIV_RSS__CATEGORIES": "[]"}).sources.arxiv_rss.categories == ()


def test_feeds_of_several_places_are_put_together_by_their_titles(home: Path) -> None:
    private(
        home / "digest.toml", '[sources.feed.urls]\n"J. of Nets" = "https://a.example.org/rss"\nB = "https://b.example.org"\n'
    )
    environ = {"DIGEST_SOURCES__FEED__URLS": '{"B": "https://new.example.org", "C": "https://c.example.org"}'}
    assert load(home, environ).sources.feed.urls == {
        "J. of Nets": "https://a.example.org/rss",
        "B": "https://new.example.org",
        "C": "https://c.example.org",
    }


def test_what_holds_for_all_sources_is_set_beside_the_sections_of_each(home: Path) -> None:
    private(home / "digest.toml", '[sources]\nat_once = 2\nbudget = "90s"\n[sources.huggingface]\ndays = 3\n')
    settings = load(home, {"DIGEST_SOURCES__ALARM_AFTER": "6h", "DIGEST_SOURCES__KEEP": "0"})
    sources = settings.sources
    assert (sources.at_once, sources.budget, sources.alarm_after, sources.keep) == (
        2,
        timedelta(seconds=90),
        timedelta(hours=6),
        0,
    )
    assert sources.huggingface.days == 3
    assert settings.place("sources.budget") == f"{home}/digest.toml, line 3"


def test_the_environment_of_the_process_is_what_counts_by_default(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_HOME", str(home))
    monkeypatch.setenv("DIGEST_SITE__NAME", "From the environment")
    assert load().site.name == "From the environment"
    assert load().home == home
    assert load(home, {}).site.name == "Trending Papers"


def test_nothing_is_read_from_the_working_directory(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private(tmp_path / "digest.toml", '[site]\nname = "Intruder"\n')
    private(tmp_path / ".env", "DIGEST_SITE__NAME=Intruder\nDIGEST_SITE__TYPO=x\n")
    monkeypatch.chdir(tmp_path)
    assert load(home, {}).site.name == "Trending Papers"


def test_an_empty_variable_is_not_set(home: Path) -> None:
    private(home / ".env", "DIGEST_SITE__SECRET_KEY=\nDIGEST_SMTP__PASSWORD=''\n")
    private(home / "digest.toml", '[site]\nname = "Papers"\n')
    settings = load(home, {"DIGEST_SITE__NAME": "", "DIGEST_SMTP__URL": ""})
    assert settings.site.secret_key is None
    assert settings.smtp.password is None
    assert settings.smtp.url is None
    assert settings.site.name == "Papers"


def test_a_value_in_dotenv_is_taken_as_it_stands(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "expanded")
    private(home / ".env", "# a comment\n\nexport DIGEST_SMTP__PASSWORD='a ${WORD} $WORD #1'\n")
    password = load(home, {}).smtp.password
    assert password is not None
    assert password.get_secret_value() == "a ${WORD} $WORD #1"


def test_a_secret_comes_from_a_file_of_its_own(home: Path) -> None:
    secret = private(home / "key", KEY + "\n")
    settings = load(home, {"DIGEST_SITE__SECRET_KEY_FILE": str(secret)})
    assert settings.site.keys == (KEY,)
    assert settings.place("site.secret_key") == "DIGEST_SITE__SECRET_KEY_FILE"


@pytest.mark.parametrize("key", ["sources.semantic_scholar.key", "sources.openalex.key", "sources.github.token"])
def test_the_key_of_a_source_comes_from_a_variable_a_file_or_a_credential(home: Path, tmp_path: Path, key: str) -> None:
    private(tmp_path / key, "from-a-file\n")
    private(home / ".env", f"{variable(key)}=from-dotenv\n")
    layers = [{}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, {variable(key) + "_FILE": str(tmp_path / key)}]
    found = [load(home, environ).value(key) for environ in layers]
    assert found == [SecretStr("from-dotenv"), SecretStr("from-a-file"), SecretStr("from-a-file")]


def test_a_secret_comes_from_a_credential(home: Path, tmp_path: Path) -> None:
    for name, text in {"site.secret_key": KEY, "smtp.url": "smtps://ann@mx", "smtp.password": "pw\n", "tls.pem": "x"}.items():
        private(tmp_path / name, text)
    settings = load(home, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert settings.site.keys == (KEY,)
    assert settings.smtp.server is not None
    assert settings.smtp.server.password == "pw"


@pytest.mark.parametrize(
    ("path", "said"), [("/nowhere/key", "is not there"), ("relative/key", "not a whole path"), ("/dev/null", "is empty")]
)
def test_a_secret_file_that_cannot_be_used_is_named(home: Path, path: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refused:
        load(home, {"DIGEST_SITE__SECRET_KEY_FILE": path})
    assert "DIGEST_SITE__SECRET_KEY_FILE" in str(refused.value)


def test_a_secret_given_twice_is_refused(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="both set"):
        load(home, {"DIGEST_SITE__SECRET_KEY": KEY, "DIGEST_SITE__SECRET_KEY_FILE": "/dev/null"})


@pytest.mark.parametrize(
    ("toml", "place", "fix"),
    [
        ('[site]\nname = "x"\n\n[smtp]\nconections = 3\n', "line 5", "did you mean smtp.connections?"),
        ('[smpt]\nurl = "smtp://mx"\n', "line 1", "did you mean smtp?"),
        ("smtp.conections = 3\n", "line 1", "did you mean smtp.connections?"),
        ("[ranking.weights]\nvote = 3\n", "line 2", "did you mean ranking.weights.votes?"),
        ("[sources.huggingfce]\nenabled = true\n", "line 1", "did you mean sources.huggingface?"),
        ("[sources.arxiv_rs]\nenabled = true\n", "line 1", "did you mean sources.arxiv_rss?"),
        ("[sources]\nat_onec = 2\n", "line 2", "did you mean sources.at_once?"),
        ("[sources.arxiv_rss]\ncategory = []\n", "line 2", "did you mean sources.arxiv_rss.categories?"),
        ("[sources.feed]\nurl = 'https://a.example.org'\n", "line 2", "did you mean sources.feed.urls?"),
    ],
)
def test_an_unknown_setting_in_the_file_is_an_error_with_its_line(home: Path, toml: str, place: str, fix: str) -> None:
    private(home / "digest.toml", toml)
    with pytest.raises(ConfigurationError, match=r"unknown (setting|section)") as refused:
        load(home, {})
    assert str(refused.value).endswith(f"{home}/digest.toml, {place}")
    assert refused.value.fix == fix
    assert refused.value.exit_code == 78


def test_an_unknown_setting_in_dotenv_is_an_error_with_its_line(home: Path) -> None:
    private(home / ".env", "\n# secrets\n\nDIGEST_SMTP_PASSWORD=x\n")
    with pytest.raises(ConfigurationError, match=r"unknown setting DIGEST_SMTP_PASSWORD in .*/\.env, line 4") as refused:
        load(home, {})
    assert refused.value.fix == "did you mean DIGEST_SMTP__PASSWORD?"


@pytest.mark.parametrize("line", ["DIGEST_HOME=/srv", "SMTP_PASSWORD=x", "digest_smtp__password=x"])
def test_dotenv_holds_settings_and_nothing_else(home: Path, line: str) -> None:
    private(home / ".env", line)
    with pytest.raises(ConfigurationError, match="unknown setting"):
        load(home, {})


def test_an_unknown_setting_of_a_source_in_the_environment_is_an_error(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown setting DIGEST_SOURCES__GITHUB__TOKN in the environment") as refused:
        load(home, {"DIGEST_SOURCES__GITHUB__TOKN": "hunter2"})
    assert refused.value.fix == "did you mean DIGEST_SOURCES__GITHUB__TOKEN?"


def test_an_unknown_setting_in_the_environment_is_an_error(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown setting DIGEST_SMTP__PASWORD in the environment") as refused:
        load(home, {"DIGEST_SMTP__PASWORD": "hunter2"})
    assert refused.value.fix == "did you mean DIGEST_SMTP__PASSWORD?"


def test_only_secrets_come_from_files(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown setting DIGEST_SITE__NAME_FILE"):
        load(home, {"DIGEST_SITE__NAME_FILE": "/dev/null"})


def test_variables_that_are_no_settings_are_let_pass(home: Path) -> None:
    environ = {"DIGEST_HOME": "/elsewhere", "DIGEST_TEST_POSTGRES": "x", "DIGESTIVE": "x", "PATH": "/bin"}
    assert load(home, environ).home == home


def test_an_unknown_credential_of_ours_is_an_error(home: Path, tmp_path: Path) -> None:
    private(tmp_path / "smtp.pasword", "x")
    with pytest.raises(ConfigurationError, match=r"unknown setting smtp\.pasword in the service's credentials") as refused:
        load(home, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert refused.value.fix == "did you mean smtp.password?"


def test_an_unknown_flag_is_an_error(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown setting site\.nam in a flag"):
        load(home, {}, {"site.nam": "x"})


def test_a_wrong_value_names_setting_place_problem_and_fix(home: Path) -> None:
    private(home / "digest.toml", '[schedule]\ntimezone = "Europe/Berln"\n')
    with pytest.raises(ConfigurationError) as refused:
        load(home, {})
    assert str(refused.value) == f"schedule.timezone ({home}/digest.toml, line 2): 'Europe/Berln' is not a time zone"
    assert refused.value.fix == "did you mean Europe/Berlin?"


def test_all_wrong_values_are_named_at_once(home: Path) -> None:
    private(home / "digest.toml", '[delivery]\nin_doubt = "maybe"\n')
    with pytest.raises(ConfigurationError) as refused:
        load(home, {"DIGEST_SMTP__CONNECTIONS": "many", "DIGEST_RANKING__WINDOW": "14"})
    said = "'14' is not a length of time; write it with its unit, like 90s, 15m, 12h or 14d"
    assert str(refused.value).splitlines() == [
        "smtp.connections = 'many' (DIGEST_SMTP__CONNECTIONS): should be a valid integer",
        f"ranking.window (DIGEST_RANKING__WINDOW): {said}",
        f"delivery.in_doubt = 'maybe' ({home}/digest.toml, line 2): should be 'resend' or 'hold'",
    ]


def test_settings_that_do_not_go_together_name_who_set_them(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\(DIGEST_SOURCES__FOLDER__ENABLED\).*sources\.folder\.path"):
        load(home, {"DIGEST_SOURCES__FOLDER__ENABLED": "yes"})


def test_a_source_that_is_on_names_the_setting_that_it_needs(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\(DIGEST_SOURCES__ARXIV_RSS__ENABLED\).*sources\.arxiv_rss\.categories"):
        load(home, {"DIGEST_SOURCES__ARXIV_RSS__ENABLED": "yes"})


@pytest.mark.parametrize("written", ['"cs.AI, cs.CL"', "3", "{ first = 1 }", '["cs.AI", 3]', "[2026-01-01]"])
def test_a_list_that_is_none_is_named_with_its_place(home: Path, written: str) -> None:
    private(home / "digest.toml", f"[sources.arxiv_rss]\ncategories = {written}\n")
    with pytest.raises(ConfigurationError, match=r"sources\.arxiv_rss\.categories = .*line 2.*should be a") as refused:
        load(home, {})
    assert "tuple" not in str(refused.value)


def test_a_public_url_too_long_for_a_header_says_why(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"site\.public_url .*longer than 50 characters.*unsubscribe"):
        load(home, {"DIGEST_SITE__PUBLIC_URL": "https://" + "a" * 43})


@pytest.mark.parametrize(
    "text", ["[site\n", "[site]\nname = Papers\n", '[site]\nname = "a"\nname = "b"\n', "[site]\nname = 'a\n"]
)
def test_broken_toml_names_file_and_line(home: Path, text: str) -> None:
    path = private(home / "digest.toml", text)
    with pytest.raises(ConfigurationError, match=r"is not valid TOML: .*(line \d|end of document)") as refused:
        load(home, {})
    assert str(path) in str(refused.value)


def test_a_section_cannot_be_a_value(home: Path) -> None:
    private(home / "digest.toml", 'smtp = "smtp://mx"\n')
    with pytest.raises(ConfigurationError, match="is a section"):
        load(home, {})


@pytest.mark.parametrize("text", ["DIGEST_SMTP__PASSWORD\n", "DIGEST_SMTP__PASSWORD='open\n", "= x\n"])
def test_a_line_of_dotenv_that_says_nothing_is_named_without_its_content(home: Path, text: str) -> None:
    private(home / ".env", "# first\n" + text)
    with pytest.raises(ConfigurationError, match=r"\.env, line 2: not of the form NAME=value"):
        load(home, {})


@pytest.mark.parametrize("key", sorted(table_keys()))
def test_a_table_in_a_variable_that_is_no_json_is_named_with_an_example_that_is(home: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{key} .*not JSON") as refused:
        load(home, {variable(key): "gmail.com=2"})
    name, _, example = refused.value.fix.removeprefix("write it like ").partition("=")
    load(home, {name: example.strip("'")})


def test_a_list_in_a_variable_that_begins_like_json_and_is_none_is_named(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"sources\.arxiv_rss\.categories .*not JSON") as refused:
        load(home, {"DIGEST_SOURCES__ARXIV_RSS__CATEGORIES": "[cs.AI"})
    assert refused.value.fix == "write it like DIGEST_SOURCES__ARXIV_RSS__CATEGORIES='first,second'"


@pytest.mark.parametrize("name", ["digest.toml", ".env"])
def test_a_file_that_is_no_text_is_named(home: Path, name: str) -> None:
    (home / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not a text file"):
        load(home, {})


def test_a_folder_in_place_of_a_file_is_named(home: Path) -> None:
    (home / "digest.toml").mkdir()
    with pytest.raises(ConfigurationError, match="not a text file"):
        load(home, {})


def test_a_dotenv_that_others_can_read_is_warned_about(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = private(home / ".env", f"DIGEST_SITE__SECRET_KEY={KEY}\n")
    load(home, {})
    assert caplog.records == []
    path.chmod(0o640)
    load(home, {})
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"chmod 600 {path}" in record.getMessage()
    assert KEY not in record.getMessage()


def test_a_settings_file_is_warned_about_only_if_it_holds_a_secret(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = private(home / "digest.toml", '[smtp]\nurl = "smtps://ann@mx"\n')
    path.chmod(0o644)
    load(home, {})
    assert caplog.records == []
    path.write_text('[smtp]\nurl = "smtps://ann:pw@mx"\n')
    load(home, {})
    assert len(caplog.records) == 1


def test_a_file_of_somebody_else_is_not_permitted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, os.strerror(13))

    # Root may read everything, and tests may run as root: the refusal of the system is the only thing that is made up.
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(NotPermitted, match="cannot be read"):
        load(home, {})
