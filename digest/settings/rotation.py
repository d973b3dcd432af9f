"""Changes the keys of `site.secret_key`, where they are ours to change: in `.env` of the state folder."""

import re
import secrets
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from digest.settings.initial import SECRET_BYTES
from digest.settings.layers import dotenv_variables
from digest.settings.missing import variable
from digest.settings.model import DEFAULT, Settings
from digest.settings.write import dotenv_value, write_private

KEY = "site.secret_key"
# A name with its equals sign, the value bare or in quotes, and what follows it.
_BINDING = re.compile(
    r"""(?P<head>[^=]*=(?:[^\S\r\n]+(?![\s\#]))?)(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|.*?(?=\s+\#|\s*$|[\r\n]))(?P<tail>.*)""",
    re.DOTALL,
)


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_ours(settings: Settings) -> bool:
    """Whether the keys stand in our `.env`, or nowhere yet; else somebody else keeps them: a unit, a container, a vault."""
    place = settings.place(KEY)
    return place == DEFAULT or place == dotenv_variables(settings.home / ".env")[1].get(variable(KEY))


def write_keys(settings: Settings, keys: Sequence[str]) -> Path | None:
    """Set these keys, newest first, in `.env`; all else in it stays as it is. Returns the file that holds what it was, if any.

    Raises:
        ConfigurationError, NotPermitted, TemporaryFailure: the file cannot be read or written; then nothing was changed.
    """
    path = (settings.home / ".env").resolve()  # a link stays one
    dotenv_variables(path)  # what cannot be read must not be written over
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    return write_private(path, with_variable(text, variable(KEY), " ".join(keys)))


def with_variable(text: str, name: str, value: str) -> str:
    """The text of a `.env` file in which this variable has this value; it replaces the former one where that stood last."""
    from dotenv.parser import parse_stream

    pieces = [(one.key, one.original.string) for one in parse_stream(StringIO(text, newline=""))]
    last = max((number for number, (key, _) in enumerate(pieces) if key == name), default=None)
    if last is None:
        end = "" if not text or text.endswith(("\n", "\r")) else "\n"
        return f"{text}{end}{name}={dotenv_value(value)}\n"
    replaced = _BINDING.sub(lambda found: f"{found['head']}{dotenv_value(value)}{found['tail']}", pieces[last][1], count=1)
    # An earlier one counts for nothing, and would keep a key that was meant to go.
    kept = [
        piece if number != last else replaced for number, (key, piece) in enumerate(pieces) if key != name or number == last
    ]
    return "".join(kept)
