"""What to tell somebody whose command needs a setting that has no default."""

from collections.abc import Sequence
from pathlib import Path

from digest.settings.mask import SECRETS

EXAMPLES = {
    "site.public_url": "https://papers.example.org",
    "email.from": "Trending Papers <papers@example.org>",
    "smtp.url": "smtp+starttls://user@mail.example.org:587",
    "schedule.timezone": "Europe/Berlin",
    "schedule.publish_at": "06:00",
    "operator.email": "you@example.org",
    "inbound.address": "replies@papers.example.org",
}


def how_to_set(keys: Sequence[str], home: Path) -> str:
    """One line for each setting, with the file and the words to write there."""
    lines = [f"run `digest init`, or set in {home}:"]
    for key in keys:
        section, _, name = key.partition(".")
        if key in SECRETS and key not in EXAMPLES:
            line = f".env: {variable(key)}=…"
            line += "  (`digest init` makes one)" if key == "site.secret_key" else ""
        else:
            line = f'digest.toml, under [{section}]: {name} = "{EXAMPLES.get(key, "…")}"'
        lines.append("  " + line)
    return "\n".join(lines)


def variable(key: str) -> str:
    """The environment variable of a setting: `DIGEST_SMTP__URL`."""
    return "DIGEST_" + key.upper().replace(".", "__")
