"""The layers that settings come from: each is read into dotted keys, with the place of each value for those who ask."""

import json
import logging
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from digest.errors import ConfigurationError, NotPermitted
from digest.settings.keys import flat, known_keys, list_keys, table_keys, unknown, unknown_in_toml
from digest.settings.mask import SECRETS, masked
from digest.settings.missing import variable

log = logging.getLogger(__name__)

_NOT_OURS = re.compile(r"DIGEST_(HOME$|TEST_)")
_TABLES = {
    "smtp.per_domain": '{"example.org": 2}',
    "sources.feed.urls": '{"A Journal": "https://journal.example.org/feed.xml"}',
}
"""How each table is written in a variable."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Values by dotted key, and where each was found."""

    values: dict[str, object] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


def from_toml(path: Path, *, place: str = "") -> Layer:
    """A TOML file; an absent one is empty. `place` replaces file and line in what is said about a value."""
    text = _text_of(path)
    try:
        tables = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not valid TOML: {error}", fix='mend that line; text needs quotes: name = "Papers"'
        ) from None
    lines = _toml_lines(text or "")
    layer = Layer()
    for key, value in flat(tables):
        where = place or (f"{path}, line {lines[key]}" if key in lines else str(path))
        if key not in known_keys():
            raise unknown_in_toml(key, value, where)
        layer.values[key] = value
        layer.places[key] = where
    if not place and any(str(value) != masked(key, str(value)) for key, value in layer.values.items()):
        warn_if_exposed(path)
    return layer


def from_dotenv(path: Path) -> Layer:
    """A `.env` file; an absent one is empty."""
    variables, places = dotenv_variables(path)
    return from_variables(variables, places)


def dotenv_variables(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What a `.env` file says, by variable, and where. Nothing is expanded: a password may well contain `${`."""
    from dotenv.parser import parse_stream

    variables: dict[str, str] = {}
    places: dict[str, str] = {}
    text = _text_of(path)
    if text is None:
        return variables, places
    warn_if_exposed(path)
    for binding in parse_stream(StringIO(text)):
        string = binding.original.string
        # A binding begins with the blank lines before it.
        line = binding.original.line + string[: len(string) - len(string.lstrip())].count("\n")
        where = f"{path}, line {line}"
        if binding.error or (binding.key is not None and binding.value is None):
            raise ConfigurationError(f"{where}: not of the form NAME=value", fix="write NAME='value', or # before a comment")
        if binding.key is None or binding.value is None:
            continue
        if not binding.key.startswith("DIGEST_") or _NOT_OURS.match(binding.key):
            raise unknown(binding.key, where, map(variable, known_keys()))
        variables[binding.key] = binding.value
        places[binding.key] = where
    return variables, places


def from_variables(environ: Mapping[str, str], places: Mapping[str, str] | None = None) -> Layer:
    """`DIGEST_<SECTION>__<KEY>` and, for secrets, `…_FILE`; an empty variable counts as not set."""
    layer = Layer()
    keys = {variable(key): key for key in known_keys()} | {variable(key) + "_FILE": key for key in SECRETS}
    for name, text in environ.items():
        if not name.startswith("DIGEST_") or _NOT_OURS.match(name):
            continue
        where = places[name] if places else name
        if name not in keys:
            raise unknown(name, places[name] if places else "the environment", keys)
        if not text:
            continue
        key = keys[name]
        if key in layer.values:
            raise ConfigurationError(f"{variable(key)} and {variable(key)}_FILE are both set", fix="set one of them")
        if name == variable(key) + "_FILE":
            layer.values[key] = _secret_in(Path(text), where)
        else:
            layer.values[key] = _value_of(text, key, where)
        layer.places[key] = where
    return layer


def from_credentials(directory: str | None) -> Layer:
    """Files named like the secrets in systemd's $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=)."""
    layer = Layer()
    if not directory or not Path(directory).is_dir():
        return layer
    sections = {key.partition(".")[0] for key in known_keys()}
    for path in sorted(Path(directory).iterdir()):
        if path.name in SECRETS:
            layer.values[path.name] = _secret_in(path, f"credential {path.name}")
            layer.places[path.name] = f"credential {path.name}"
        elif path.name.partition(".")[0] in sections:
            raise unknown(path.name, "the service's credentials", SECRETS)
    return layer


def from_flags(overrides: Mapping[str, object]) -> Layer:
    """What the command line says; None counts as not given."""
    layer = Layer()
    for key, value in overrides.items():
        if key not in known_keys():
            raise unknown(key, "a flag", known_keys())
        if value is not None:
            layer.values[key] = value
            layer.places[key] = "a flag"
    return layer


def warn_if_exposed(path: Path) -> None:
    """Say so when others than the owner can get at a file that holds secrets."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        log.warning("warning: others can read %s (mode %04o); make it yours alone: chmod 600 %s", path, mode, path)


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise NotPermitted(
            f"{path} cannot be read", fix="run as its owner, or check owner and mode of file and folder"
        ) from None
    except (IsADirectoryError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} is not a text file in UTF-8", fix="save it as UTF-8") from None


def _secret_in(path: Path, where: str) -> str:
    if not path.is_absolute():
        raise ConfigurationError(f"{where}: {path} is not a whole path", fix="begin it with /")
    text = _text_of(path)
    if text is None or not text.strip():
        raise ConfigurationError(
            f"{where}: {path} is {'empty' if text is not None else 'not there'}", fix="write the secret into it"
        )
    return text.strip()


def _value_of(text: str, key: str, where: str) -> object:
    """What a variable's text means: a table is JSON, a list is JSON or has commas, anything else stands for itself."""
    if key in list_keys() and not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    if key not in table_keys() | list_keys():
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        example = _TABLES[key] if key in table_keys() else "first,second"
        raise ConfigurationError(f"{key} ({where}): not JSON", fix=f"write it like {variable(key)}='{example}'") from None


def _toml_lines(text: str) -> dict[str, int]:
    """On which line each dotted key stands: for people, so inline tables may be missing and quoting tricks misplaced."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = header[1] + "."
            lines.setdefault(header[1], number)
        elif key := re.match(r"\s*([\w.-]+)\s*=", line):
            lines.setdefault(section + key[1], number)
    return lines
