"""Reads the private keys that `[dkim]` names, and those that lie ready beside them."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from digest.errors import ConfigurationError, NotPermitted
from digest.outbox.dkim import Algorithm, Key, Signing
from digest.outbox.dkim_keys import read_key
from digest.settings.layers import warn_if_exposed
from digest.settings.model import Settings


def signing(settings: Settings) -> Signing | None:
    """Who signs the mails; None while `dkim.selector` is empty.

    Raises:
        ConfigurationError: a key is not there or cannot sign, or there is no domain to sign for.
        NotPermitted: a key's file cannot be read.
    """
    if not settings.dkim.selector:
        return None
    return Signing(signing_domain(settings), tuple(keys_in_use(settings)))


def signing_domain(settings: Settings) -> str:
    """The domain that signs. Raises ConfigurationError when neither `dkim.domain` nor `email.from` is set."""
    if not settings.signing_domain:
        settings.require("email.from")
    return settings.signing_domain


def keys_in_use(settings: Settings) -> Iterator[Key]:
    """The keys that sign. Raises as `signing` does."""
    for name, _, selector, algorithm in _set(settings):
        key = _read(settings, name, selector)
        if key.algorithm != algorithm:
            raise ConfigurationError(
                f"dkim.{name} is a key of k={key.algorithm}",
                fix=f"set one of k={algorithm}; digest dkim keygen makes both kinds",
            )
        yield key


def keys_ready(settings: Settings) -> Iterator[Key]:
    """The keys in the folder `dkim` that do not sign, by the name of the file. Raises as `signing` does."""
    used = {selector for _, _, selector, _ in _set(settings)}
    for path in sorted((settings.home / "dkim").glob("*.pem")):
        if path.stem not in used:
            yield _key(_content(path, str(path)), path.stem, str(path))


def key_files(settings: Settings) -> Iterator[Path]:
    """The files of the keys that sign; a key that is in no file of ours has none."""
    for _, value, selector, _ in _set(settings):
        if (path := _file(settings.home, value, selector)) is not None:
            yield path


def key_file(home: Path, selector: str) -> Path:
    """Where the key of a selector lies, unless a setting names another place."""
    return home / "dkim" / f"{selector}.pem"


def _set(settings: Settings) -> Iterator[tuple[str, SecretStr | None, str, Algorithm]]:
    dkim = settings.dkim
    if dkim.selector:
        yield "key", dkim.key, dkim.selector, "rsa"
    if dkim.ed25519_selector:
        yield "ed25519_key", dkim.ed25519_key, dkim.ed25519_selector, "ed25519"


def _file(home: Path, value: SecretStr | None, selector: str) -> Path | None:
    if value is None:
        return key_file(home, selector)
    return None if "-----BEGIN" in value.get_secret_value() else home / value.get_secret_value()


def _read(settings: Settings, name: str, selector: str) -> Key:
    """What the setting names or holds; what it says is never quoted, for it may be a key that lacks its first line."""
    value: SecretStr | None = getattr(settings.dkim, name)
    where = f"dkim.{name} ({settings.place(f'dkim.{name}')})" if value else str(key_file(settings.home, selector))
    path = _file(settings.home, value, selector)
    content = value.get_secret_value().encode() if value and path is None else _content(path, where)
    return _key(content, selector, where)


def _content(path: Path | None, where: str) -> bytes:
    assert path is not None
    try:
        content = path.read_bytes()
        warn_if_exposed(path)
    except PermissionError:
        raise NotPermitted(f"{where}: the key cannot be read", fix="run as its owner, or check owner and mode") from None
    except OSError:
        fix = "digest dkim keygen makes one; or name the file that holds the key"
        raise ConfigurationError(f"{where}: there is no such file", fix=fix) from None
    return content


def _key(content: bytes, selector: str, where: str) -> Key:
    try:
        return read_key(content, selector)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}", fix=error.fix) from None
