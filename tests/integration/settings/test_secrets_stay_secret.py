"""Whatever goes wrong, and whoever asks: no secret is shown."""

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from digest.errors import DigestError
from digest.settings import load

CANARY = "canary7secret"
LONG = CANARY + "x" * 32

right = {
    "DIGEST_SITE__SECRET_KEY": LONG,
    "DIGEST_SMTP__URL": f"smtps://ann:{CANARY}@mx.example.org",
    "DIGEST_SMTP__PASSWORD": CANARY,
    "DIGEST_DKIM__SELECTOR": "one",
    "DIGEST_DKIM__KEY": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    "DIGEST_DATABASE__URL": f"postgresql://d:{CANARY}@db/digest",
    "DIGEST_SOURCES__SEMANTIC_SCHOLAR__KEY": CANARY,
    "DIGEST_SOURCES__OPENALEX__KEY": CANARY,
    "DIGEST_SOURCES__GITHUB__TOKEN": CANARY,
}


@pytest.mark.parametrize(
    "environ",
    [
        {"DIGEST_SITE__SECRET_KEY": CANARY},
        {"DIGEST_SITE__SECRET_KEY": f"{LONG} {CANARY}"},
        {"DIGEST_SMTP__URL": CANARY},
        {"DIGEST_SMTP__URL": f"smtp://ann:{CANARY}@mx.example.org"},
        {"DIGEST_SMTP__URL": f"smtps://ann:{CANARY}/x@mx.example.org"},
        {"DIGEST_SMTP__URL": f"smtps://mx.example.org:{CANARY}"},
        {"DIGEST_SMTP__URL": f"smtps://ann:%0a{CANARY}@mx.example.org"},
        {"DIGEST_DATABASE__URL": f"mysql://d:{CANARY}@db/digest"},
        {"DIGEST_SMTP__PASWORD": CANARY},
        {"DIGEST_SITE__SECRET_KEY_FILE": "/nowhere"},
        {"DIGEST_SITE__PUBLIC_URL": "wrong"},
    ],
)
def test_an_error_shows_no_secret(home: Path, environ: dict[str, str]) -> None:
    base = {} if "DIGEST_SITE__SECRET_KEY_FILE" in environ else right
    with pytest.raises(DigestError) as refused:
        load(home, base | environ)
    assert CANARY not in str(refused.value)
    assert CANARY not in refused.value.fix
    assert CANARY not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "text",
    [
        f"[site]\nsecret_key = {CANARY}\n",
        f'[site]\nsecret_key = "{CANARY}\n',
        f'[site]\nsecret_key = "{CANARY}"\n',
        f'[site]\nsecret_kye = "{LONG}"\n',
        f'[site]\nsecret_key = ["{LONG}"]\n',
        f'[smtp.password]\nvalue = "{CANARY}"\n',
        f'[smtp]\nurl = {{ password = "{CANARY}" }}\n',
        f'[sources.github]\ntoken = ["{CANARY}"]\n',
        f'[sources.github]\ntokn = "{CANARY}"\n',
        f'[sources.openalex]\nkey = {{ is = "{CANARY}" }}\n',
        f"[sources.semantic_scholar]\nkey = {CANARY}\n",
    ],
)
def test_an_error_about_a_file_shows_no_secret(home: Path, text: str) -> None:
    (home / "digest.toml").write_text(text)
    (home / "digest.toml").chmod(0o600)
    with pytest.raises(DigestError) as refused:
        load(home, {})
    assert CANARY not in str(refused.value) + refused.value.fix
    assert CANARY not in "".join(traceback.format_exception(refused.value))


def test_settings_show_no_secret_when_printed(home: Path) -> None:
    settings = load(home, right)
    for part in (settings, settings.smtp, settings.dkim, settings.database, settings.smtp.server, settings.sources):
        assert CANARY not in repr(part)
        assert CANARY not in str(part)


@pytest.mark.parametrize("arguments", [["show"], ["show", "--origin"], ["show", "--json"], ["check"], ["check", "--json"]])
def test_no_command_shows_a_secret(digest: Callable[..., Result], arguments: list[str]) -> None:
    result = digest("config", *arguments, **right)
    assert result.exit_code == 0
    assert CANARY not in result.output
