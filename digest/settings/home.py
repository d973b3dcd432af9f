"""Where the state of this installation lies: database, settings, secrets."""

import os
from collections.abc import Mapping
from pathlib import Path

from digest.errors import ConfigurationError
from digest.resources import checkout


def home_directory(environ: Mapping[str, str] = os.environ, *, uid: int | None = None) -> Path:
    """DIGEST_HOME, else `var` in a checkout, else systemd's STATE_DIRECTORY, else /var/lib/digest for root, else XDG's.

    The working directory never counts: the same command must find the same state wherever it is called.

    Raises:
        ConfigurationError: DIGEST_HOME is not a whole path.
    """
    if chosen := environ.get("DIGEST_HOME"):
        home = _expanded(chosen, environ)
        if not home.is_absolute():
            raise ConfigurationError(
                f"DIGEST_HOME is {chosen!r}, which is another folder wherever you call it from",
                fix=f"write the whole path, such as {Path.cwd() / chosen}",
            )
        return home
    if top := checkout():
        return top / "var"
    if state := environ.get("STATE_DIRECTORY"):
        # One folder for each name in StateDirectory=, separated by colons (systemd.exec(5)).
        return Path(state.partition(":")[0])
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/var/lib/digest")
    # A relative XDG path is to be ignored (XDG Base Directory Specification, "Environment variables").
    base = Path(environ.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else _expanded("~/.local/state", environ)) / "digest"


def _expanded(path: str, environ: Mapping[str, str]) -> Path:
    """`~` as this environment's HOME, not as the password file's."""
    if path == "~" or path.startswith("~/"):
        return Path(environ.get("HOME") or Path.home()) / path[2:]
    return Path(path)
