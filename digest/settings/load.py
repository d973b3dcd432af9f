"""Reads the layers, lowest first, and makes one checked `Settings` of them."""

import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import InitSettingsSource

from digest.errors import ConfigurationError
from digest.resources import resource
from digest.settings.home import home_directory
from digest.settings.keys import known_keys, nested
from digest.settings.layers import from_credentials, from_dotenv, from_flags, from_toml, from_variables
from digest.settings.mask import SECRETS
from digest.settings.model import DEFAULT, Settings


def load(
    home: Path | None = None, environ: Mapping[str, str] = os.environ, overrides: Mapping[str, object] | None = None
) -> Settings:
    """The settings as they are now, each from the highest layer that sets it.

    From low to high: the packaged `config/digest.toml`; `digest.toml`, then `.env`, in `home`; credentials that systemd
    hands over; `DIGEST_<SECTION>__<KEY>` in `environ`; `overrides` by dotted key, where None means not given.

    Raises:
        ConfigurationError: a setting is unknown or wrong, or a file is malformed; secrets are never quoted.
        NotPermitted: a file cannot be read.
    """
    home = home or home_directory(environ)
    layers = [
        from_toml(resource("config/digest.toml"), place=DEFAULT),
        from_toml(home / "digest.toml"),
        from_dotenv(home / ".env"),
        from_credentials(environ.get("CREDENTIALS_DIRECTORY")),
        from_variables(environ),
        from_flags(overrides or {}),
    ]
    values = dict(chain.from_iterable(layer.values.items() for layer in layers))
    places = dict(chain.from_iterable(layer.places.items() for layer in layers))
    sources = tuple(InitSettingsSource(Settings, nested(layer.values)) for layer in layers[::-1])
    told = InitSettingsSource(Settings, {"home": home, "places": places})
    try:
        return Settings(_build_sources=((told, *sources), {}))
    except ValidationError as error:
        raise _explained(error, values, places) from None


def _explained(error: ValidationError, values: Mapping[str, object], places: Mapping[str, str]) -> ConfigurationError:
    """Every wrong value in a line of its own: setting, value unless secret, place, what is wrong."""
    found: list[tuple[str, str]] = []
    for fault in error.errors(include_url=False, include_input=False):
        context = fault.get("ctx", {})
        loc = [str(part) for part in fault["loc"]]
        dotted = [".".join(loc[:length]) for length in range(len(loc), 0, -1)]
        key = context.get("key") or next((name for name in dotted if name in known_keys()), dotted[0])
        place = places.get(key) or _place_of_section(key, places)
        said = _in_our_words(str(context.get("error") or fault["msg"]))
        # What our own checks say quotes the value where that is safe.
        quoted = key in values and key not in SECRETS and fault["type"] not in ("value_error", "digest")
        value = f" = {values[key]!r:.60}" if quoted else ""
        fix = getattr(getattr(context.get("error"), "__cause__", None), "fix", "")
        found.append((f"{key}{value} ({place}): {said}", fix))
    if len(found) == 1:
        return ConfigurationError(found[0][0], fix=found[0][1] or "correct it; what it means: docs/reference/settings.md")
    lines = [f"{said}; {fix}" if fix else said for said, fix in found]
    return ConfigurationError("\n".join(lines), fix="correct these, then try: digest config check")


def _in_our_words(said: str) -> str:
    """What pydantic says of a value, to somebody who writes TOML."""
    said = said.replace("Input should be", "should be").partition(", unable")[0]
    return said.replace("a valid tuple", 'a list, such as ["one", "two"]').replace("a valid dictionary", "a table")


def _place_of_section(section: str, places: Mapping[str, str]) -> str:
    """Where somebody set anything of a section whose settings do not go together."""
    mine = [place for key, place in places.items() if key.startswith(section + ".") and place != DEFAULT]
    return mine[-1] if mine else DEFAULT
