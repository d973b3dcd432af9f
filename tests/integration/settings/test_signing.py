"""Which keys sign, by the settings."""

from pathlib import Path

import pytest
from support.signed import ED25519, ED25519_PEM, RSA, RSA_PEM

from digest.errors import ConfigurationError
from digest.outbox.dkim import Signing
from digest.settings import load
from digest.settings.signing import signing

FROM = {"email.from": "Papers <papers@news.example.org>"}


@pytest.fixture
def keys(home: Path) -> Path:
    folder = home / "dkim"
    folder.mkdir()
    for name, pem in (("rsa1", RSA_PEM), ("ed1", ED25519_PEM)):
        (folder / f"{name}.pem").write_bytes(pem)
        (folder / f"{name}.pem").chmod(0o600)
    return folder


def who(home: Path, environ: dict[str, str] | None = None, **dkim: str) -> Signing | None:
    return signing(load(home, environ or {}, FROM | {f"dkim.{name}": value for name, value in dkim.items()}))


def test_nobody_signs_until_a_selector_is_set(home: Path, keys: Path) -> None:
    assert who(home) is None


def test_the_keys_lie_under_their_selectors_and_sign_for_the_senders_domain(home: Path, keys: Path) -> None:
    assert who(home, selector="rsa1") == Signing("news.example.org", (RSA,))
    both = who(home, selector="RSA1", ed25519_selector="ed1", domain="Example.ORG")
    assert both == Signing("example.org", (RSA, ED25519))


def test_a_key_may_lie_elsewhere_or_come_as_a_secret(home: Path, keys: Path, tmp_path: Path) -> None:
    (keys / "rsa1.pem").rename(tmp_path / "key")
    assert who(home, selector="rsa1", key=str(tmp_path / "key")) == Signing("news.example.org", (RSA,))
    (keys / "ed1.pem").rename(home / "other.pem")
    assert who(home, selector="rsa1", key="../key", ed25519_selector="ed1", ed25519_key="other.pem")
    by_file = {"DIGEST_DKIM__KEY_FILE": str(tmp_path / "key"), "DIGEST_DKIM__SELECTOR": "rsa1"}
    assert who(home, by_file) == Signing("news.example.org", (RSA,))
    (tmp_path / "credentials").mkdir()
    (tmp_path / "key").rename(tmp_path / "credentials" / "dkim.key")
    credential = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert who(home, credential, selector="rsa1") == Signing("news.example.org", (RSA,))


@pytest.mark.parametrize(
    ("dkim", "words"),
    [
        ({"selector": "rsa1", "domain": "example.com"}, "does not sign for news.example.org"),
        ({"selector": "rsa1", "domain": "a.news.example.org"}, "does not sign for news.example.org"),
        ({"selector": "rsa1", "domain": "org"}, "is no domain"),
        ({"selector": "rsa 1"}, "is no selector"),
        ({"ed25519_selector": "ed1"}, "needs dkim.selector"),
        ({"selector": "one", "ed25519_selector": "ONE"}, "are the same"),
        ({"selector": "gone"}, "gone.pem"),
        ({"selector": "rsa1", "key": "canary.pem"}, "dkim.key"),
        ({"selector": "rsa1", "key": "-----BEGIN PRIVATE KEY-----\ncanary"}, "no private key in PEM"),
        ({"selector": "ed1"}, "set one of k=rsa"),
        ({"selector": "rsa1", "ed25519_selector": "x", "ed25519_key": "dkim/rsa1.pem"}, "set one of k=ed25519"),
    ],
)
def test_what_cannot_sign_for_the_sender_is_a_wrong_setting(home: Path, keys: Path, dkim: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        who(home, **dkim)
    said = f"{refused.value} {refused.value.fix}"
    assert words in said
    assert refused.value.fix
    assert "canary" not in said


def test_a_domain_is_needed_only_by_whoever_signs(home: Path, keys: Path) -> None:
    assert signing(load(home, {})) is None
    with pytest.raises(ConfigurationError, match=r"not set: email\.from"):
        signing(load(home, {"DIGEST_DKIM__SELECTOR": "rsa1"}))
